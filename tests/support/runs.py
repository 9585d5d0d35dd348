"""Runs for tests: live ones that tell what a test says, and stored ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playground.answer.drawing import Drawing
from playground.engine.events import Answered, Ended, Failure, Received, Requested, RunEvent, Streamed
from playground.engine.live_run import LiveRun, RunMetadata
from playground.engine.upstream import Outgoing
from playground.metrics.figures import gather
from playground.models import Run
from playground.protocol.stream import sse
from playground.protocol.stream.accumulator import Accumulator
from playground.recording.run_writer import RunWriter
from playground.search import index as search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from playground.answer.run_info import RunInfo

USER_AGENT = "Anthropic/Python 2.12.0"
HEADERS = (("content-type", "text/event-stream"), ("request-id", "req_011CVx4"))


def body_of(text: str = "Why is the sky blue?", **members: Any) -> bytes:
    body = {"model": "claude-opus-4-5", "max_tokens": 1024, "stream": True} | members
    body.setdefault("messages", [{"role": "user", "content": text}])
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def live_run(user: User | None, *, body: bytes | None = None, **about: Any) -> LiveRun:
    body = body_of() if body is None else body
    values: dict[str, Any] = {
        "model": "claude-opus-4-5",
        "stream": True,
        "connection_name": "Sandbox",
        "base_url": "sandbox://playground",
        "user_agent": USER_AGENT,
        "client_address": "192.0.2.7",
        "request_body": body,
        "request_headers": (("content-type", "application/json"), ("x-api-key", "••••f3a9")),
        "user_id": user.pk if user else None,
    }
    owner = f"user:{user.pk}" if user else "visitor:somebody"
    outgoing = Outgoing("POST", "sandbox://playground/v1/messages", (), body)
    return LiveRun(owner, RunMetadata(**values | about), outgoing)


def stream(text: str = "Rayleigh scattering.", *, thinking: str = "", stop_reason: str = "end_turn") -> bytes:
    """A whole answer as server-sent events, one delta per word."""
    usage = {"input_tokens": 21, "output_tokens": 1, "cache_read_input_tokens": 4}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message | {"stop_reason": None, "usage": usage}}
    ]
    for index, (kind, words) in enumerate([("thinking", thinking)] * bool(thinking) + [("text", text)]):
        events.append({"type": "content_block_start", "index": index, "content_block": {"type": kind, kind: ""}})
        events += [
            {"type": "content_block_delta", "index": index, "delta": {"type": f"{kind}_delta", kind: word + " "}}
            for word in words.split()
        ]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}})
    events.append({"type": "message_stop"})
    return b"".join(sse.encode(event["type"], json.dumps(event)) for event in events)


def told(data: bytes, *, status: int = 200, step_ms: float = 10.0, chunk: int = 200) -> list[RunEvent]:
    """The run events of an answer that comes in chunks, `step_ms` apart; without the end."""
    decoder = sse.Decoder()
    events: list[RunEvent] = [
        Requested(0.0, "POST", "sandbox://playground/v1/messages", (("x-api-key", "••••f3a9"),), 10),
        Answered(5.0, status, HEADERS),
    ]
    number, at_ms = 0, 20.0
    for start in range(0, len(data), chunk):
        piece = data[start : start + chunk]
        events.append(Received(at_ms, piece))
        for event in decoder.feed(piece) if status == 200 else []:
            number += 1
            events.append(Streamed(at_ms, number, event, event.end))
        at_ms += step_ms
    return events


def ended(state: str = "completed", failure: Failure | None = None, at_ms: float = 500.0) -> Ended:
    return Ended(at_ms, state, failure)  # type: ignore[arg-type]


def tell(live: LiveRun, data: bytes | None = None, **options: Any) -> LiveRun:
    """Let the run tell a whole answer."""
    live.publish([*told(stream() if data is None else data, **options), ended()])
    return live


def answer_of(live: LiveRun) -> Accumulator:
    """The answer as far as the run has told it."""
    return gather(live.events).accumulator


def accumulated(events: Iterable[Streamed]) -> dict[str, Any]:
    """The message that these events make."""
    accumulator = Accumulator()
    for streamed in events:
        accumulator.add(streamed.event)
    accumulator.finish()
    return accumulator.message


def store(live: LiveRun) -> Run:
    """Write a run that has ended, as the recorder does, without its task and its thread."""
    recording = RunWriter(live, 2**24)
    recording.collect()
    recording.write()
    recording.written()
    return Run.objects.get(pk=live.id)


def stored_run(
    user: User, text: str = "Why is the sky blue?", answer: str = "Rayleigh scattering.", **about: Any
) -> Run:
    """A completed run in the database."""
    return store(tell(live_run(user, body=body_of(text), **about), stream(answer)))


def failed_run(user: User, status: int = 529, **about: Any) -> Run:
    """A run that the upstream refused."""
    live = live_run(user, **about)
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    failure = Failure("http_status", f"HTTP {status} overloaded_error: Overloaded", {"status": status})
    live.publish([*told(json.dumps(error).encode(), status=status), ended("failed", failure)])
    return store(live)


def search_ids(user: User, text: str) -> list[Any]:
    """Ids of the runs that a search finds."""
    return [run_id for _, run_id in search.find(user.pk, search.read_query(text), most=100)]


def draw_all(about: RunInfo, events: Iterable[RunEvent]) -> Drawing:
    """The drawing of events that are all there."""
    drawing = Drawing(about)
    drawing.take_all(events)
    drawing.draw()
    return drawing
