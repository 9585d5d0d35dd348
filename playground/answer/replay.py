"""A run to be played again: what a page would have been told, with the times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.engine.events import Received, Streamed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.answer.drawing import Drawing
    from playground.engine.events import RunEvent

TOGETHER_MS = 30.0  # events closer to each other than this are one frame: no page draws faster


def frames_of(drawing: Drawing, events: Iterable[RunEvent]) -> list[dict[str, Any]]:
    """Patches with the milliseconds to apply them at and the number of the last event they draw."""
    frames: list[dict[str, Any]] = []
    since, drawn_at = 0, -TOGETHER_MS
    for event in events:
        drawing.take(event)
        if isinstance(event, Received):
            continue
        if isinstance(event, Streamed) and event.at_ms - drawn_at < TOGETHER_MS:
            continue
        drawn_at = event.at_ms
        revision = drawing.draw(event.at_ms / 1000)
        if patches := drawing.patches(since):
            frames.append({"at": round(event.at_ms, 1), "number": drawing.number, "draw": patches})
        since = revision
    return frames
