"""Selects what may be shared of a body, a message or an event: known members of known things, and chosen parts only.

An allow-list, because the API grows: a member that nobody has looked at stays with its owner.
"""

from __future__ import annotations

from typing import Any

from playground.protocol.catalogue.block_types import block_type

# Members of the body besides model, messages, system and tools. Ids of the owner's account, containers, threads,
# credits and users are in no list: they are never shared.
PARAMETERS = (
    "max_tokens",
    "stream",
    "stop_sequences",
    "thinking",
    "output_config",
    "output_format",
    "cache_control",
    "service_tier",
    "speed",
    "inference_geo",
    "temperature",
    "top_p",
    "top_k",
    "context_management",
    "compaction",
)
TOOL_MEMBERS = frozenset({"tools", "tool_choice", "mcp_servers"})
MCP_SERVER = ("type", "name", "url", "tool_configuration")  # never its authorization_token
SOURCES: dict[str, tuple[str, ...]] = {
    "base64": ("type", "media_type", "data"),
    "text": ("type", "media_type", "data"),
    "url": ("type", "url"),
    "content": ("type", "content"),
}
USAGE = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
)


def only(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value}


class AllowList:
    """Copies what may be shared. `left_out` gathers the names of parts of which there was something to leave out."""

    def __init__(self, parts: frozenset[str]) -> None:
        self.parts = parts
        self.left_out: set[str] = set()

    def allows(self, part: str) -> bool:
        """Return whether the part is chosen. Ask only where there is something of it: a "no" is noted as left out."""
        if part not in self.parts:
            self.left_out.add(part)
        return part in self.parts

    # --- the request

    def body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body's members in their order."""
        shared: dict[str, Any] = {}
        for name, value in body.items():
            if name == "model" and isinstance(value, str):
                shared[name] = value
            elif name == "messages":
                shared[name] = self.messages(value)
            elif name == "system" and value and self.allows("system"):
                shared[name] = value if isinstance(value, str) else self.blocks(value)
            elif name in TOOL_MEMBERS and value and self.allows("tools"):
                shared[name] = _servers(value) if name == "mcp_servers" else value
            elif name in PARAMETERS and self.allows("parameters"):
                shared[name] = value
        return shared

    def messages(self, messages: Any) -> list[dict[str, Any]]:
        return [self.message(one) for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        shared: dict[str, Any] = {}
        if isinstance(message.get("role"), str):
            shared["role"] = message["role"]
        content = message.get("content")
        if message.get("role") == "system" and content and not self.allows("system"):
            shared["content"] = []
        else:
            shared["content"] = content if isinstance(content, str) else self.blocks(content)
        return shared

    def blocks(self, blocks: Any) -> list[dict[str, Any]]:
        allowed = [self.block(block) for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
        return [block for block in allowed if block is not None]

    def block(self, block: dict[str, Any]) -> dict[str, Any] | None:
        """The block, what stands in its place, or None where nothing needs to."""
        kind = block.get("type")
        type_ = block_type(kind)
        if type_.shared is None:
            return placeholder("another kind of block")
        if type_.share_part and not self.allows(type_.share_part):
            return None if type_.is_thinking else placeholder("an image or document" if type_.is_file else type_.name)
        shared = {"type": kind, **only(block, type_.shared)}
        if "citations" in shared and kind == "text" and not self._may_cite(shared["citations"]):
            del shared["citations"]
        if "source" in shared and isinstance(shared["source"], dict):
            shared["source"] = self._source(shared["source"])
        if "content" in shared and type_.holds_blocks:
            self._share_result(shared)
        return shared

    def _share_result(self, shared: dict[str, Any]) -> None:
        if shared["content"] and not self.allows("tool_results"):
            del shared["content"]  # it is optional: the call keeps its answer, though an empty one
        elif isinstance(shared["content"], list):
            shared["content"] = self.blocks(shared["content"])

    def _may_cite(self, citations: Any) -> bool:
        """A citation repeats text of a document or a result, so it goes where that goes."""
        return not citations or (self.allows("attachments") & self.allows("tool_results"))

    def _source(self, source: dict[str, Any]) -> dict[str, Any]:
        kind = source.get("type")
        shared = only(source, SOURCES.get(kind, ("type",))) if isinstance(kind, str) else {}
        if isinstance(shared.get("content"), list):
            shared["content"] = self.blocks(shared["content"])
        return shared

    # --- the answer

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        shared = only(message, ("type", "role", "model", "stop_reason"))
        shared["stop_sequence"] = message.get("stop_sequence") if "parameters" in self.parts else None
        shared["content"] = self.blocks(message.get("content"))
        if "figures" in self.parts and isinstance(message.get("usage"), dict):
            shared["usage"] = only(message["usage"], USAGE)
        return shared


def placeholder(what: str) -> dict[str, Any]:
    """A block that says that something is missing here; valid in any message."""
    return {"type": "text", "text": f"[{what} was left out]"}


def _servers(servers: Any) -> list[dict[str, Any]]:
    return (
        [only(server, MCP_SERVER) for server in servers if isinstance(server, dict)]
        if isinstance(servers, list)
        else []
    )
