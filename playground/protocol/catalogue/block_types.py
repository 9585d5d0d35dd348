"""The types of content blocks: one record per type, with all that is known of it besides its members, read by every
room.

The members stand in `blocks.py`, `server_blocks.py` and `sources.py`. The accumulator, the figures, the rules, the
composer, the drawing of an answer, sharing, sessions and the page's scripts ask here; none of them has a list of types
of its own. Ask with `block_type`: it also answers for types that nobody has described yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Phase = Literal["waiting", "thinking", "text", "tool_use"]
WireKind = Literal["text", "thinking", "tool", "meta"]
Shape = Literal["prose", "thinking", "redacted", "call", "result", "fallback", "compaction", "raw"]
ToolStep = Literal["call", "server_call", "result", "server_result"]

# What a run spends its time on, in the order of the phase bar, with the class of its colour.
PHASES: dict[Phase, str] = {"waiting": "wait", "thinking": "thinking", "text": "text", "tool_use": "tool"}


@dataclass(frozen=True, slots=True)
class BlockType:
    """One type of content block.

    `phase`: what the time of the run counts as while the block streams. `wire_kind`: the colour of its events.
    `said_by`: the roles whose messages may hold it, empty where the API does not care. `offered_to`: the roles whose
    turns offer it in plain sight in the composer. `deltas`: the kinds of delta that may grow it, None for any; text of
    another kind becomes a block of its own. `implied_start`: the block to begin with when its start got lost.
    `shape`: how an answer draws it. `icon`: a Lucide name. `has_own_form`: the composer has a template for it.
    `share_part`: the part of a share that it goes with, None: with the conversation itself. `shared`: the members that
    may be shared, None: it never is. `holds_blocks`: its content can be blocks again. `context_part`: what it counts
    as in a session's context, "": the words of whoever speaks.
    """

    name: str
    phase: Phase = "waiting"
    wire_kind: WireKind = "meta"
    tool_step: ToolStep | None = None
    said_by: tuple[str, ...] = ()
    offered_to: tuple[str, ...] = ()
    deltas: tuple[str, ...] | None = None
    implied_start: dict[str, Any] | None = None
    shape: Shape = "raw"
    icon: str = "plus"
    has_own_form: bool = False
    share_part: str | None = None
    shared: tuple[str, ...] | None = None
    holds_blocks: bool = False
    context_part: str = ""

    @property
    def takes_input(self) -> bool:
        """Whether it is a call of a tool, whose input comes as pieces of JSON."""
        return self.tool_step in ("call", "server_call")

    @property
    def is_server_step(self) -> bool:
        """Whether it is a call or a result of a tool that runs on the server. An answer that ends in one was paused."""
        return self.tool_step in ("server_call", "server_result")

    @property
    def is_thinking(self) -> bool:
        return self.phase == "thinking"

    @property
    def is_prose(self) -> bool:
        """Whether it grows by text that is read, rather than by JSON."""
        return self.shape in ("prose", "thinking")

    @property
    def is_file(self) -> bool:
        """Whether it carries a file in its `source`."""
        return self.share_part == "attachments"


@dataclass(frozen=True, slots=True)
class DeltaType:
    """One kind of delta. `member` is its own member that brings the news; `is_text` if that is a piece of text to add.
    `home` is the type of block that is meant when the block's start got lost."""

    name: str
    member: str
    home: str
    wire_kind: WireKind | None = None  # None: the colour of its block
    is_text: bool = False


def _server_result(name: str, *more: str, shared: bool = True, holds_blocks: bool = False) -> BlockType:
    return BlockType(
        name,
        wire_kind="tool",
        tool_step="server_result",
        shape="result",
        share_part="tool_results" if shared else None,
        shared=("tool_use_id", "content", *more, "cache_control") if shared else None,
        holds_blocks=holds_blocks,
        context_part="tool results",
    )


def _server_call(name: str, *more: str) -> BlockType:
    return BlockType(
        name,
        phase="tool_use",
        wire_kind="tool",
        tool_step="server_call",
        said_by=("assistant",),
        deltas=("input_json_delta",),
        shape="call",
        shared=("id", "name", *more, "input", "cache_control"),
    )


_ALL = (
    BlockType(
        "text",
        phase="text",
        wire_kind="text",
        offered_to=("user", "assistant", "system"),
        deltas=("text_delta", "citations_delta"),
        implied_start={"type": "text", "text": ""},
        shape="prose",
        icon="type",
        has_own_form=True,
        shared=("text", "citations", "cache_control"),
    ),
    BlockType(
        "image",
        offered_to=("user",),
        icon="image",
        has_own_form=True,
        share_part="attachments",
        shared=("source", "transformations", "cache_control"),
        context_part="images",
    ),
    BlockType(
        "document",
        offered_to=("user",),
        icon="file-text",
        has_own_form=True,
        share_part="attachments",
        shared=("source", "title", "context", "citations", "cache_control"),
    ),
    BlockType(
        "tool_result",
        wire_kind="tool",
        tool_step="result",
        said_by=("user",),
        offered_to=("user",),
        icon="wrench",
        has_own_form=True,
        shared=("tool_use_id", "content", "is_error", "toolset_name", "cache_control"),
        holds_blocks=True,
        context_part="tool results",
    ),
    BlockType(
        "search_result",
        share_part="tool_results",
        shared=("source", "title", "content", "citations", "cache_control"),
        holds_blocks=True,
    ),
    BlockType(
        "tool_use",
        phase="tool_use",
        wire_kind="tool",
        tool_step="call",
        said_by=("assistant",),
        offered_to=("assistant",),
        deltas=("input_json_delta",),
        implied_start={"type": "tool_use", "id": "", "name": "", "input": {}},
        shape="call",
        icon="wrench",
        has_own_form=True,
        shared=("id", "name", "input", "toolset_name", "cache_control"),
    ),
    BlockType(
        "thinking",
        phase="thinking",
        wire_kind="thinking",
        said_by=("assistant",),
        deltas=("thinking_delta", "signature_delta"),
        implied_start={"type": "thinking", "thinking": "", "signature": ""},
        shape="thinking",
        has_own_form=True,
        share_part="thinking",
        shared=("thinking", "signature"),
        context_part="thinking",
    ),
    BlockType(
        "redacted_thinking",
        phase="thinking",
        wire_kind="thinking",
        said_by=("assistant",),
        deltas=(),
        shape="redacted",
        has_own_form=True,
        share_part="thinking",
        shared=("data",),
        context_part="thinking",
    ),
    _server_call("server_tool_use"),
    _server_result("web_search_tool_result"),
    _server_result("web_fetch_tool_result"),
    _server_result("code_execution_tool_result"),
    _server_result("bash_code_execution_tool_result"),
    _server_result("text_editor_code_execution_tool_result"),
    _server_result("tool_search_tool_result"),
    BlockType("container_upload"),
    _server_call("mcp_tool_use", "server_name"),
    _server_result("mcp_tool_result", "is_error", holds_blocks=True),
    _server_result("advisor_tool_result", shared=False),
    BlockType(
        "compaction",
        implied_start={"type": "compaction", "content": None},
        shape="compaction",
        shared=("content",),
    ),
    BlockType("fallback", shape="fallback", shared=("from", "to", "trigger")),
    BlockType("mcp_tool_listing"),
    BlockType("tool_addition"),
    BlockType("tool_removal"),
    # Only inside the result of a tool:
    BlockType("tool_reference", shared=("tool_name", "cache_control")),
    BlockType("browser_state"),
)
BLOCK_TYPES: dict[str, BlockType] = {each.name: each for each in _ALL}

DELTA_TYPES: dict[str, DeltaType] = {
    each.name: each
    for each in (
        DeltaType("text_delta", "text", "text", wire_kind="text", is_text=True),
        DeltaType("thinking_delta", "thinking", "thinking", wire_kind="thinking", is_text=True),
        DeltaType("signature_delta", "signature", "thinking", wire_kind="thinking"),
        DeltaType("input_json_delta", "partial_json", "tool_use", wire_kind="tool", is_text=True),
        DeltaType("citations_delta", "citation", "text", wire_kind="text"),
        DeltaType("compaction_delta", "content", "compaction"),
    )
}
EVENT_TYPES = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
)


def block_type(name: object) -> BlockType:
    """The record of a type; for one that is not described, what its name tells. Takes whatever stood as the type."""
    if not isinstance(name, str):
        return _UNNAMED
    return BLOCK_TYPES.get(name) or _guessed(name)


def _guessed(name: str) -> BlockType:
    """A type that the API has brought since: the endings of its names have been kept so far."""
    kind: WireKind = "tool" if "tool_use" in name or "tool_result" in name else "meta"
    if name.endswith("tool_use"):
        return BlockType(name, wire_kind=kind, tool_step="call", shape="call")
    if name.endswith("_tool_result"):
        return _server_result(name, shared=False)
    return BlockType(name, wire_kind=kind)


_UNNAMED = BlockType("unknown")


def wire_kinds() -> dict[str, Any]:
    """Return what the page's scripts need to colour events as the templates do. `parts`: of the names of unknown
    types."""
    return {
        "events": [*(name for name in EVENT_TYPES if name != "content_block_delta"), *DELTA_TYPES],
        "deltas": {each.name: each.wire_kind for each in DELTA_TYPES.values() if each.wire_kind},
        "blocks": {each.name: each.wire_kind for each in _ALL},
        "parts": {"tool_use": "tool", "tool_result": "tool"},
    }
