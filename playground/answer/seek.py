"""An answer as it stood after one of its events: drawn on from the last place asked for, or from a copy made on the
way to an earlier one. A step costs what it shows, wherever in 100,000 events it is."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from playground.answer.block_drawing import TailBudget
from playground.answer.folding import folded
from playground.protocol.whole_numbers import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.answer.block_drawing import Patch
    from playground.answer.drawing import Drawing
    from playground.engine.events import RunEvent

APART: Final = 500  # events to draw again at most when stepping back from where a copy was made
MOST_COPIES: Final = 6
STEP_S: Final = 10.0  # what a drawing takes for the time between two places: long enough to draw each tail anew


class Source(Protocol):
    """The run that the events come from."""

    def blank(self) -> Drawing: ...
    def events_between(self, after: int, up_to: int) -> Iterable[RunEvent]: ...


class Seeker:
    """Seeks for one reader of one run. Patches lead from one place to the next, as they do for a page that follows a
    run."""

    def __init__(self, milestones: Iterable[Drawing] = ()) -> None:
        """`milestones` were made when the whole run was drawn: places to begin from, which stay as they are."""
        self.epoch = ""
        self.drawing: Drawing | None = None
        self._milestones = {drawing.number: drawing for drawing in milestones}
        self._copies: dict[int, Drawing] = {}
        self._now_s = time.monotonic()

    def at(self, source: Source, number: int, place: str = "") -> dict[str, Any]:
        """The answer after event `number`; as changes for a page that has drawn `place`, which this names for the
        next call."""
        drawing = self.drawing
        if drawing is None or not drawing.number or drawing.number > number:
            drawing = self.drawing = self._begin(source, number)
        epoch, _, revision = place.partition(".")
        since = (read_whole(revision) or 0) if epoch == self.epoch else 0
        self._advance(source, drawing, number)
        patches: list[Patch] = [patch for drawn in drawing.blocks for patch in drawn.patches(since)]
        return {
            "number": drawing.number,
            "ms": round(drawing.shown_ms, 1),
            "is_whole": since == 0,
            "draw": patches,
            "drawn": f"{self.epoch}.{drawing.revision}",
        }

    @property
    def weight(self) -> int:
        """Bytes, about: the copies share their texts."""
        blocks = self.drawing.blocks if self.drawing is not None else []
        return 20_000 + sum(8 * drawn.block.size for drawn in blocks)

    def _begin(self, source: Source, number: int) -> Drawing:
        self.epoch = secrets.token_hex(4)
        begun = self._milestones | self._copies
        before = max((place for place in begun if place <= number), default=0)
        drawing = begun[before].copy() if before else source.blank()
        drawing.about = replace(drawing.about, can_act=False)  # nothing can be done with an answer of the past
        drawing.spend_from(TailBudget(1.0))
        if number - before > APART:
            self._advance(source, drawing, number - APART // 2)
            self._copies[drawing.number] = drawing.copy()
            if len(self._copies) > MOST_COPIES:
                farthest = max(self._copies, key=lambda place: abs(place - number))
                del self._copies[farthest]
        return drawing

    def _advance(self, source: Source, drawing: Drawing, number: int) -> None:
        if not drawing.is_over:
            drawing.take_all(folded(source.events_between(drawing.number, number)))
        self._now_s += STEP_S
        drawing.draw(self._now_s)
