"""Deltas that are nothing but more of the same text, put together: a stored answer has 100,000 of them, a page needs
the text. What is drawn of the folded events is, to the letter, what is drawn of all of them.

Folded are deltas in the API's own form whose text could be cut anywhere. All else goes by as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from playground.engine.events import Received, Streamed
from playground.protocol.catalogue.block_types import DELTA_TYPES
from playground.protocol.stream.sse import ServerSentEvent
from playground.protocol.stream.usual_delta import usual_delta

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playground.engine.events import RunEvent
    from playground.protocol.stream.usual_delta import UsualDelta

MOST: Final = 4_000  # deltas in one
_HALF: Final = re.compile("[\ud800-\udfff]")  # of a pair of surrogates: cut apart, two halves are no character


def folded(events: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """The events with deltas of one block that follow each other made one, at the time of the first and with the
    number of the last. The very last stays by itself: its time is that of the answer so far."""
    run: list[RunEvent] = []  # deltas to be folded, with what was received in between
    deltas: list[UsualDelta] = []
    for event in events:
        if isinstance(event, Received) and run:
            run.append(event)
            continue
        delta = _foldable(event.event) if isinstance(event, Streamed) else None
        if delta is None:
            yield from _fold(run, deltas)
            run, deltas = [], []
            yield event
            continue
        if deltas and (_place(delta) != _place(deltas[0]) or len(deltas) >= MOST):
            yield from _fold(run, deltas)
            run, deltas = [], []
        run.append(event)
        deltas.append(delta)
    yield from _fold(run, deltas)


def _foldable(event: ServerSentEvent) -> UsualDelta | None:
    delta = None if event.malformed else usual_delta(event.data)
    if delta is None or not delta.text:
        return None
    kind = DELTA_TYPES.get(delta.kind)
    if kind is None or not kind.is_text or kind.member != delta.member:
        return None
    return delta if delta.text.isascii() or not _HALF.search(delta.text) else None


def _place(delta: UsualDelta) -> tuple[int, str]:
    return delta.wire_index, delta.kind


def _fold(run: list[RunEvent], deltas: list[UsualDelta]) -> Iterator[RunEvent]:
    if len(deltas) < 3:
        yield from run
        return
    first, delta = run[0], deltas[0]
    last, before = [event for event in run if isinstance(event, Streamed)][:-3:-1]
    text = "".join(each.text for each in deltas[:-1])
    grown = {"type": delta.kind, delta.member: text}
    data = json.dumps({"type": "content_block_delta", "index": delta.wire_index, "delta": grown}, ensure_ascii=False)
    yield Streamed(first.at_ms, before.number, ServerSentEvent("content_block_delta", data), before.end)
    yield from (event for event in run if event is last or isinstance(event, Received))
