"""A reply to timed events: the inverse of the accumulator."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from playground.protocol.errors import error_body
from playground.protocol.stream.sse import encode
from playground.sandbox.reply import Pace, Reply
from playground.sandbox.token_counts import pieces

Event = dict[str, Any]


class Timed(NamedTuple):
    """`delay_s` is the time to wait before the event is sent, in seconds at normal speed."""

    delay_s: float
    event: Event


def play(reply: Reply) -> Iterator[Timed]:
    """The reply as the events of a stream, each with the pause before it.

    One that breaks does so after some deltas, or where its content ends if that is shorter.
    """
    message = reply.message
    yield Timed(_opening_s(reply.pace), {"type": "message_start", "message": _opening(message)})
    deltas = 0
    for timed in _play_content(reply):
        if timed.event["type"] == "content_block_delta":
            if reply.breaks and deltas == reply.breaks_after:
                break
            deltas += 1
        yield timed
    if reply.breaks == "error":
        yield Timed(0.2, error_body("overloaded_error", "Overloaded (simulated, in mid-stream)"))
    if reply.breaks:
        return
    yield Timed(0.02, _closing(message))
    yield Timed(0.0, {"type": "message_stop"})


def _play_content(reply: Reply) -> Iterator[Timed]:
    for index, block in enumerate(reply.message["content"]):
        for timed in _play_block(reply, index, block):
            yield timed
            if index == 0 and timed.event["type"] == "content_block_start":
                yield from _wait(reply.pace)


def to_bytes(event: Event) -> bytes:
    return encode(event["type"], to_json(event))


def to_json(value: Any) -> str:
    """JSON as the API writes it. Half a surrogate pair, which a request may hold, is no UTF-8: then all in ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _opening_s(pace: Pace) -> float:
    return min(0.1, pace.first_token_s / 2)


def _silences(pace: Pace) -> tuple[int, float]:
    """Return how many pings come while nothing is said, and how long it then takes to the first token."""
    silent_s = pace.first_token_s - _opening_s(pace)
    pings = int(silent_s / pace.ping_every_s)
    return pings, silent_s - pings * pace.ping_every_s


def _wait(pace: Pace) -> Iterator[Timed]:
    """Pings until the first token: at once, as the API does, and again while a slow model keeps silent."""
    yield Timed(0.0, {"type": "ping"})
    for _ in range(_silences(pace)[0]):
        yield Timed(pace.ping_every_s, {"type": "ping"})


def _opening(message: dict[str, Any]) -> dict[str, Any]:
    """The message as `message_start` has it: no content, no reason to stop, the first counts."""
    usage = {name: value for name, value in message["usage"].items() if name not in _COUNTED_AT_THE_END}
    usage["output_tokens"] = 1
    later: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return {name: later.get(name, value) for name, value in message.items() if name not in _ADDED_AT_THE_END}


def _closing(message: dict[str, Any]) -> Event:
    usage = {name: value for name, value in message["usage"].items() if name not in _TOLD_AT_THE_START}
    delta = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in message}
    added = {name: message[name] for name in _ADDED_AT_THE_END if name in message and name != "stop_details"}
    return {"type": "message_delta", "delta": delta, "usage": usage} | added


_COUNTED_AT_THE_END = ("server_tool_use", "output_tokens_details")
_TOLD_AT_THE_START = ("cache_creation", "service_tier", "inference_geo", "speed")
_ADDED_AT_THE_END = ("stop_details", "context_management")


def _play_block(reply: Reply, index: int, block: dict[str, Any]) -> Iterator[Timed]:
    start, deltas = _take_apart(block, reply.unfinished_json.get(index))
    pause = reply.pace.between_blocks_s if index else 0.0
    yield Timed(pause, {"type": "content_block_start", "index": index, "content_block": start})
    for number, delta in enumerate(deltas):
        delay = _pause_before(reply.pace, delta, f"{index}.{number}")
        if index == 0 and number == 0:
            delay = _silences(reply.pace)[1]
        yield Timed(delay, {"type": "content_block_delta", "index": index, "delta": delta})
    yield Timed(0.0, {"type": "content_block_stop", "index": index})


def _pause_before(pace: Pace, delta: dict[str, Any], place: str) -> float:
    """The usual time per token, 40 to 160 percent of it: even steps look like a machine."""
    if delta["type"] in ("signature_delta", "citations_delta", "compaction_delta"):
        return 0.0
    return (0.4 + zlib.crc32(place.encode()) % 1_201 / 1_000) / pace.tokens_per_s


def _take_apart(block: dict[str, Any], unfinished_json: str | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A finished block as its start and the deltas that make it whole."""
    match block["type"]:
        case "text":
            citations = block.get("citations") or []
            cited = [{"type": "citations_delta", "citation": citation} for citation in citations]
            text = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            start = block | {"text": ""} | ({"citations": []} if citations else {})
            return start, cited + text
        case "thinking":
            thinking = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            signed = [{"type": "signature_delta", "signature": block["signature"]}]
            return block | {"thinking": "", "signature": ""}, thinking + signed
        case "tool_use" | "server_tool_use":
            raw = unfinished_json
            if raw is None:
                raw = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
            parts = ["", *_json_pieces(raw)]
            return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]
        case "compaction":
            return block | {"content": None}, [{"type": "compaction_delta", "content": block["content"]}]
        case _:
            return block, []


def _json_pieces(raw: str) -> list[str]:
    """Cut anywhere, as the API does: also inside words and escapes."""
    cuts: list[str] = []
    at = 0
    while at < len(raw):
        size = 3 + zlib.crc32(str(len(cuts)).encode()) % 9
        cuts.append(raw[at : at + size])
        at += size
    return cuts
