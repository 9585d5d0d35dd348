"""The tool loop: which calls wait for a result, and the conversation that goes on with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.protocol.catalogue.block_types import block_type
from playground.protocol.json import paths
from playground.protocol.json.example_input import example_input
from playground.protocol.json.paths import JsonValue
from playground.protocol.rules.request_view import Members, view
from playground.protocol.rules.result_pairing import MISSING_RESULT_TEXT, exchanges, unanswered

__all__ = [
    "ToolResult",
    "add_answer",
    "calls_in",
    "can_go_back",
    "continue_with_results",
    "example_input",
    "is_answered_by_caller",
    "pending_tool_uses",
]

# Types of the API's tools that run at the caller's, each with its date behind.
_CALLERS = ("bash_", "text_editor_", "computer_2", "memory_")


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool's result for one call: text, or a list of content blocks. `content=None` sends none."""

    tool_use_id: str
    content: JsonValue = None
    is_error: bool = False


def calls_in(content: JsonValue) -> list[Members]:
    """The `tool_use` blocks of an answer, in order: those that the user has to answer."""
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict) and block.get("type") == "tool_use"]


def is_answered_by_caller(tool: JsonValue) -> bool:
    """Return whether the sender of the request answers this tool's calls, each with a result of the tool's own name."""
    if not isinstance(tool, dict):
        return False
    kind = tool.get("type")
    return kind is None or (isinstance(kind, str) and (kind == "custom" or kind.startswith(_CALLERS)))


def pending_tool_uses(messages: JsonValue) -> list[Members]:
    """The calls at the end of a conversation that no result answers yet, in order."""
    last = list(exchanges(view({"messages": messages}, "", (), None).turns))[-1:]
    return [call.members for exchange in last for call in unanswered(exchange)]


def add_answer(body: Members, content: JsonValue, stop_reason: str | None = None) -> Members:
    """The body with an answer as its last message; an answer that was begun there (a prefill) becomes one with it.

    What the API makes and refuses to take back is left out: see `can_go_back`. Everything else goes back as it came,
    thinking and signatures above all. An answer of which nothing is left adds nothing.
    """
    messages = _messages(body)
    blocks = can_go_back(content, stop_reason)[0] if isinstance(content, list) else content
    if not blocks:
        return body
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "assistant":
        messages = messages[:-1]
        blocks = _joined(_as_blocks(last.get("content")), _as_blocks(blocks))
        answer = {**last, "content": blocks}
    else:
        answer = {"role": "assistant", "content": blocks}
    return {**body, "messages": [*messages, answer]}


def continue_with_results(
    body: Members, assistant_content: JsonValue, results: Sequence[ToolResult] | Mapping[str, ToolResult]
) -> Members:
    """The body that goes on: the answer, then one user message with a result for each of its calls, in their order.

    A call without a result gets one that says so, as an error: the API refuses the request otherwise. Results for
    calls that the answer does not have are left out.
    """
    given = results if isinstance(results, Mapping) else {result.tool_use_id: result for result in results}
    body = add_answer(body, assistant_content)
    blocks = [_result_block(call, given.get(str(call.get("id")))) for call in calls_in(assistant_content)]
    if not blocks:
        return body
    return {**body, "messages": [*body["messages"], {"role": "user", "content": blocks}]}


def can_go_back(content: JsonValue, stop_reason: str | None = None) -> tuple[list[JsonValue], list[str]]:
    """The blocks of an answer that the API takes back as a turn, and what was left out of it, in words.

    It refuses texts of white space, thinking that was cut before it was signed, and calls of the server's own tools
    that no result in the same turn answers; but a paused turn goes back with them, for the server to go on.
    Source: the API's errors on each; case by case in the tests.
    """
    kept: list[JsonValue] = []
    left_out: list[str] = []
    blocks = content if isinstance(content, list) else []
    answered = {str(block.get("tool_use_id")) for block in blocks if is_server_result(block)}
    answered |= _waiting_for_caller(blocks)
    called = {str(block.get("id")) for block in blocks if _is_server_call(block)}
    for block in blocks:
        reason = _why_refused(block, answered, called, is_paused=stop_reason == "pause_turn")
        if reason:
            left_out.append(reason)
        elif not _is_empty_text(block):
            kept.append(block)
    return kept, list(dict.fromkeys(left_out))


def _why_refused(block: JsonValue, answered: set[str], called: set[str], *, is_paused: bool) -> str:
    """Return what is wrong with the block, in words; "" when it can go back."""
    if not isinstance(block, dict):
        return ""
    kind = block.get("type")
    text = block.get("text")
    if kind == "text" and isinstance(text, str) and text and not text.strip():
        return "a text of only white space"
    if kind == "thinking" and not block.get("signature"):
        return "thinking without a signature"
    if kind == "redacted_thinking" and not block.get("data"):
        return "redacted thinking without its data"
    if _is_server_call(block) and str(block.get("id")) not in answered and not is_paused:
        return f"an unfinished call of {block.get('name') or 'a server tool'}"
    if is_server_result(block) and str(block.get("tool_use_id")) not in called and not is_paused:
        return "a result without its call"
    return ""


def _waiting_for_caller(blocks: list[JsonValue]) -> set[str]:
    """Programs of the server's that go on when the caller has answered the calls that they made."""
    callers = (block.get("caller") for block in blocks if isinstance(block, dict) and block.get("type") == "tool_use")
    return {str(caller.get("tool_id")) for caller in callers if isinstance(caller, dict)}


def _is_server_call(block: JsonValue) -> bool:
    return isinstance(block, dict) and block_type(block.get("type")).tool_step == "server_call"


def is_server_result(block: JsonValue) -> bool:
    """Return whether it is the result of one of the server's own tools, rather than of one of the caller's."""
    return isinstance(block, dict) and block_type(block.get("type")).tool_step == "server_result"


def _messages(body: Members) -> list[JsonValue]:
    messages = body.get("messages")
    return messages if isinstance(messages, list) else []


def _is_empty_text(block: JsonValue) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and block.get("text") == ""


def _as_blocks(content: JsonValue) -> list[JsonValue]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _joined(begun: list[JsonValue], went_on: list[JsonValue]) -> list[JsonValue]:
    """One list of blocks; the text that was begun and the text that goes on with it become one block."""
    first = paths.get(went_on, (0,), {})
    last = paths.get(begun, (len(begun) - 1,), {})
    if not (_is_text(last) and _is_text(first)):
        return [*begun, *went_on]
    return [*begun[:-1], {**last, **first, "text": last["text"] + first["text"]}, *went_on[1:]]


def _is_text(block: JsonValue) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)


def _result_block(call: Members, result: ToolResult | None) -> Members:
    block: Members = {"type": "tool_result", "tool_use_id": call.get("id")}
    if isinstance(call.get("toolset_name"), str):
        # A toolset's result repeats the name of the toolset. Source: the client's handling of toolsets.
        block["toolset_name"] = call["toolset_name"]
    if result is None:
        return {**block, "content": MISSING_RESULT_TEXT, "is_error": True}
    if result.content is not None:
        block["content"] = result.content
    return {**block, "is_error": True} if result.is_error else block
