"""The turns of a frozen copy, drawn; answers are drawn from their events where these are shared."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

from playground.answer.drawing import Drawing
from playground.answer.run_info import RunInfo
from playground.answer.run_view import Links
from playground.answer.turns import Item, Turn, draw_content, draw_turns, file_name
from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.protocol.json import json_text
from playground.protocol.snippets.http_request import base64_sources
from playground.protocol.stream.sse import ServerSentEvent, encode
from playground.sandbox.address import BASE_URL

FRAME_MS = 16.0  # events that come closer together are drawn together, as a screen shows them


def draw_snapshot(snapshot: dict[str, Any]) -> list[Turn]:
    """All turns of a copy, with the answers in their places and the branches under the turns they replace."""
    turns = draw_turns(snapshot.get("body", {}).get("messages"))
    for answer in snapshot.get("answers", []):
        number = answer["turn"]
        if number < len(turns):
            _attach(turns[number], snapshot, answer)
        else:
            turn = Turn(number, "assistant", draw_content(answer["message"].get("content")), is_extra=True)
            _attach(turn, snapshot, answer)
            turns.append(turn)
    for branch in snapshot.get("branches", []):
        if turns:
            home = turns[min(branch["turn"], len(turns) - 1)]
            home.branches.append(draw_turns(branch["messages"], branch["turn"]))
    return turns


def _attach(turn: Turn, snapshot: dict[str, Any], answer: dict[str, Any]) -> None:
    turn.answer = draw_answer(snapshot, answer)
    turn.has_figures = "figures" in answer
    turn.has_replay = bool(answer.get("events"))
    if turn.has_replay:
        turn.items = [Item("drawn", drawn=drawn) for drawn in turn.answer.blocks]


def empty_answer(snapshot: dict[str, Any], answer: dict[str, Any]) -> Drawing:
    model = str(answer["message"].get("model") or snapshot.get("body", {}).get("model") or "")
    is_sandbox = answer.get("figures", {}).get("is_sandbox")
    drawing = Drawing(RunInfo(model=model, base_url=BASE_URL if is_sandbox else ""))
    drawing.key = f"answer-{answer['turn']}"
    drawing.links = Links()
    return drawing


def draw_answer(snapshot: dict[str, Any], answer: dict[str, Any]) -> Drawing:
    drawing = empty_answer(snapshot, answer)
    drawing.take_all(events_of(answer))
    drawing.draw()
    return drawing


def events_of(answer: dict[str, Any]) -> Iterator[RunEvent]:
    """The run events of a shared answer, as far as they are shared."""
    figures = answer.get("figures", {})
    yield Requested(0.0, "POST", "", (), 0)
    if figures.get("http_status"):
        yield Answered(figures.get("first_byte_ms") or 0.0, figures["http_status"], ())
    at_ms = 0.0
    if answer.get("events"):
        for streamed in streamed_of(answer["events"]):
            at_ms = streamed.at_ms
            yield streamed
    else:
        at_ms = figures.get("first_byte_ms") or 0.0
        yield Received(at_ms, json_text.dump(answer["message"], indent=None).encode())
    state: Any = answer.get("state")
    yield Ended(max(figures.get("duration_ms") or 0.0, at_ms), state if state != "running" else "interrupted", None)


def streamed_of(events: Iterable[list[Any]]) -> Iterator[Streamed]:
    end = 0
    for number, at_ms, name, data in events:
        size = len(encode(name, data))
        end += size
        yield Streamed(float(at_ms), number, ServerSentEvent(name, data, size=size), end)


def replay_frames(snapshot: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer as a page would be told it while it arrives: what to draw, and the milliseconds to do it at.

    Nothing is drawn before its time: what is drawn together waits for the last of it.
    """
    drawing, frames, since, due_ms = empty_answer(snapshot, answer), [], 0, 0.0
    events = list(events_of(answer))
    for event, following in zip(events, [*events[1:], None], strict=True):
        drawing.take(event)
        if following is not None and following.at_ms < due_ms + FRAME_MS:
            continue
        due_ms = event.at_ms
        revision = drawing.draw(due_ms / 1000)
        patches = [patch for patch in drawing.patches(since) if patch["op"] != "figures"]
        if patches:
            frames.append({"at": round(due_ms, 1), "draw": patches})
        since = revision
    return frames


def file_bytes(snapshot: dict[str, Any], name: str) -> bytes | None:
    """The bytes of a file that is in the copy."""
    for source in base64_sources([snapshot.get("body"), snapshot.get("branches"), snapshot.get("answers")]):
        if file_name(source["data"]) == name:
            try:
                return base64.b64decode(source["data"], validate=True)
            except (binascii.Error, ValueError):
                return None
    return None
