"""Deltas that are nothing but more of the same text, put together: a stored answer has 100,000 of them, a page needs
the text. What is drawn of the folded events is, to the letter, what is drawn of all of them.

Folded are deltas in the API's own form whose text could be cut anywhere. All else goes by as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from playground.engine.events import Received, Streamed
from playground.protocol.stream.sse import ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playground.engine.events import RunEvent

MOST: Final = 4_000  # deltas in one
# A text of at least one character. No half of a surrogate pair: cut apart, two halves are no character.
_TEXT = (
    r"""((?!")[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u(?![dD][89abAB]|[dD][c-fC-F])[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*)"""
)
_DELTA = re.compile(
    r'\{"type": ?"content_block_delta", ?"index": ?(\d{1,6}), ?"delta": ?'
    r'\{"type": ?"(?:(text)_delta", ?"text"|(thinking)_delta", ?"thinking"): ?"' + _TEXT + r'"\}\s*\}'
)


def folded(events: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """The events with deltas of one block that follow each other made one, at the time of the first and with the
    number of the last. The very last stays by itself: its time is that of the answer so far."""
    run: list[RunEvent] = []  # deltas to be folded, with what was received in between
    texts: list[str] = []
    place: tuple[str, str] | None = None
    for event in events:
        if isinstance(event, Received) and run:
            run.append(event)
            continue
        readable = event.event if isinstance(event, Streamed) and not event.event.malformed else None
        match = _DELTA.fullmatch(readable.data) if readable else None
        if match is None:
            yield from _fold(run, texts, place)
            run, texts, place = [], [], None
            yield event
            continue
        index, text, thinking, words = match.groups()
        here = index, text or thinking
        if here != place or len(texts) >= MOST:
            yield from _fold(run, texts, place)
            run, texts, place = [], [], here
        run.append(event)
        texts.append(words)
    yield from _fold(run, texts, place)


def _fold(run: list[RunEvent], texts: list[str], place: tuple[str, str] | None) -> Iterator[RunEvent]:
    if len(texts) < 3 or place is None:
        yield from run
        return
    first = run[0]
    last, before = [event for event in run if isinstance(event, Streamed)][:-3:-1]
    index, member = place
    delta = {"type": f"{member}_delta", member: json.loads(f'"{"".join(texts[:-1])}"')}
    data = json.dumps({"type": "content_block_delta", "index": int(index), "delta": delta}, ensure_ascii=False)
    yield Streamed(first.at_ms, before.number, ServerSentEvent("content_block_delta", data), before.end)
    yield from (event for event in run if event is last or isinstance(event, Received))
