"""Rules of the conversation: who speaks when, which block may stand where, empty texts, prefill, image bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from playground.protocol.catalogue.block_types import block_type
from playground.protocol.catalogue.sources import IMAGE_MEDIA_TYPES
from playground.protocol.rules.problems import Problem, Repair
from playground.protocol.rules.request_view import Block, RequestView, Turn, blocks_in
from playground.protocol.rules.shape import is_since

LARGEST_IMAGE_BYTES = 5 * 1024 * 1024

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def message_rules(request: RequestView) -> Iterator[Problem]:
    """Yield the problems of the conversation as a whole, and of single blocks in it."""
    yield from _order(request)
    for turn in request.turns:
        yield from _emptiness(request, turn)
        for block in turn.blocks:
            yield from _place(request, turn, block)
            if block.type == "tool_result":
                yield from _one_browser_state(block)
            if block_type(block.type).is_file:
                yield from _bytes(block)
    yield from _prefill(request)


def _order(request: RequestView) -> Iterator[Problem]:
    if request.turns and not request.continues_a_thread:
        first = request.turns[0]
        if first.role == "system" or (first.role == "assistant" and not first.has("compaction")):
            yield Problem((*first.path, "role"), "The first message must be from the user")
    for before, turn in zip(request.turns, request.turns[1:], strict=False):
        if turn.role == "system" and not _may_be_followed_by_system(before):
            message = "A system message must follow a user message, or a response that ends in a server tool"
            yield Problem((*turn.path, "role"), message)
        if before.role == "system" and turn.role == "user":
            message = "A system message must be last, or followed by an assistant message"
            yield Problem((*turn.path, "role"), message)


def _may_be_followed_by_system(turn: Turn) -> bool:
    if turn.role == "assistant":
        return _was_paused(turn)
    return turn.role == "user"


def _was_paused(turn: Turn) -> bool:
    """Did the API pause this answer, not the user? It is sent back as it is, and is no prefill."""
    return bool(turn.blocks) and block_type(turn.blocks[-1].type).is_server_step


def _one_browser_state(result: Block) -> Iterator[Problem]:
    inner = blocks_in(result.members.get("content"), (*result.path, "content"))
    for block in [block for block in inner if block.type == "browser_state"][1:]:
        repair = Repair("Remove it", (("remove", block.path, None),))
        yield Problem(block.path, "A result can have only one browser_state", repair=repair)


def _emptiness(request: RequestView, turn: Turn) -> Iterator[Problem]:
    content = turn.members.get("content")
    if turn.role == "system" and "content" not in turn.members and not turn.members.get("output_config"):
        yield Problem((*turn.path, "content"), "content is optional only where output_config changes the effort")
    is_last_answer = turn.role == "assistant" and turn is request.turns[-1]
    if content in ("", []) and not is_last_answer:
        yield Problem((*turn.path, "content"), "Message is empty")
    if turn.text and not turn.text.strip():
        yield Problem((*turn.path, "content"), "Message is only white space")
    for block in turn.blocks:
        text = block.members.get("text") if block.type == "text" else None
        if isinstance(text, str) and text and not text.strip():
            yield Problem((*block.path, "text"), "Text is only white space", repair=_removal(turn, block))


def _removal(turn: Turn, block: Block) -> Repair | None:
    """A message without content would be the next mistake, so its only block stays."""
    return Repair("Remove this block", (("remove", block.path, None),)) if len(turn.blocks) > 1 else None


def _place(request: RequestView, turn: Turn, block: Block) -> Iterator[Problem]:
    said_by = block_type(block.type).said_by
    if said_by == ("assistant",) and turn.role == "user":
        yield Problem(block.path, f"{block.type} is only allowed in an assistant message")
    elif said_by == ("user",) and turn.role == "assistant":
        yield Problem(block.path, f"{block.type} is only allowed in a user message")
    elif block.type == "image" and turn.role == "assistant":
        yield Problem(block.path, "Images belong in user messages. The API may refuse this one", "warning")
    if is_since(request.version, "2026-10-21"):
        yield from _place_since_october_2026(turn, block)


def _place_since_october_2026(turn: Turn, block: Block) -> Iterator[Problem]:
    if block.type == "document" and turn.role == "assistant":
        message = "A document in an assistant message is refused since anthropic-version 2026-10-21"
        yield Problem(block.path, message, repair=_removal(turn, block))
    if block.type == "text" and turn.role == "user" and block.members.get("citations") is not None:
        place = (*block.path, "citations")
        message = "citations on a user's text are refused since anthropic-version 2026-10-21"
        yield Problem(place, message, repair=Repair("Remove citations", (("remove", place, None),)))


def _prefill(request: RequestView) -> Iterator[Problem]:
    last = request.turns[-1] if request.turns else None
    if last is None or last.role != "assistant" or last.has("tool_use", "compaction"):
        return
    if _was_paused(last):
        return
    yield from _trailing_space(last)
    remove = Repair("Remove the last message", (("remove", last.path, None),))
    if request.facts is not None and not request.facts.takes_prefill:
        message = f"{request.model} does not support a prefilled response: the last message must be from the user"
        yield Problem((*last.path, "role"), message, repair=remove)
    elif request.part_type("thinking") == "enabled":
        message = "A prefilled response does not work with thinking"
        yield Problem((*last.path, "role"), message, repair=remove)


def _trailing_space(last: Turn) -> Iterator[Problem]:
    place, text = (*last.path, "content"), last.text
    if last.blocks and last.blocks[-1].type == "text":
        given = last.blocks[-1].members.get("text")
        place, text = (*last.blocks[-1].path, "text"), given if isinstance(given, str) else None
    if text and text.strip() and text != text.rstrip():
        repair = Repair("Remove the white space at the end", (("set", place, text.rstrip()),))
        yield Problem(place, "The last assistant message cannot end in white space", repair=repair)


def _bytes(block: Block) -> Iterator[Problem]:
    """Mistakes in base64 that its first characters and its length show; megabytes are not decoded here."""
    source = block.members.get("source")
    if not isinstance(source, dict) or source.get("type") != "base64" or not isinstance(source.get("data"), str):
        return
    data, place = source["data"], (*block.path, "source", "data")
    if data.startswith("data:"):
        yield Problem(place, "Paste only the base64 data, without the data:… prefix", repair=_bare(block, data))
        return
    head = _head(data)
    if head is None:
        yield Problem(place, "Data is not valid base64" if data else "Choose a file or paste data")
        return
    detected = _media_type(head)
    media_type = source.get("media_type")
    # A media type that the API does not have is told by the catalogue.
    if detected is not None and detected != media_type and media_type in (*IMAGE_MEDIA_TYPES, "application/pdf"):
        fits = detected in (IMAGE_MEDIA_TYPES if block.type == "image" else ("application/pdf",))
        kind = (*block.path, "source", "media_type")
        repair = Repair(f"Set media_type to {detected}", (("set", kind, detected),)) if fits else None
        yield Problem(kind, f"The data is {detected}", repair=repair)
    if block.type == "image" and len(data) * 3 // 4 > LARGEST_IMAGE_BYTES:
        yield Problem(place, "The image is larger than 5 MiB")


def _bare(block: Block, data: str) -> Repair | None:
    start, comma, rest = data.partition(",")
    if not comma:
        return None
    edits = [("set", (*block.path, "source", "data"), rest)]
    media_type = start.removeprefix("data:").partition(";")[0]
    if media_type in IMAGE_MEDIA_TYPES:
        edits.append(("set", (*block.path, "source", "media_type"), media_type))
    return Repair("Remove the data:… prefix", tuple(edits))  # type: ignore[arg-type]


def _head(data: str) -> bytes | None:
    """The first bytes, or None when there are none or the characters are not base64."""
    start = data[:64]
    try:
        return base64.b64decode(start[: len(start) // 4 * 4], validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _media_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for start, media_type in _SIGNATURES if head.startswith(start)), None)
