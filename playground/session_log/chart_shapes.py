"""The shapes of a session's charts: numbers in a drawing of fixed size. Every mark belongs to a step.

With many steps, neighbours share a mark, at least four units wide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.session_log.page import NumberedMiss, StepRow

WIDTH, LEFT, RIGHT = 880.0, 96.0, 870.0
LANE, LANES_TOP = 34.0, 30.0
CHART_LEFT, CHART_TOP, CHART_HEIGHT = 48.0, 26.0, 150.0
LEAST_COLUMN = 4.0
FLAG_ROWS, FLAG_ROW, FLAG_BOX = 3, 16.0, 13.0
LETTER = 6.5  # width of a letter in the drawing, on average
AWAY_S = 60.0  # nothing was asked for so long: the user is away


@dataclass(frozen=True, slots=True)
class Rect:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class StepMark:
    """The marks of one step or of neighbours, and the field that is pressed to choose the step."""

    row: StepRow
    hit: Rect
    parts: list[Rect] = field(default_factory=list)
    words: str = ""
    last: int = 0  # number of the last step, where neighbours share a mark


@dataclass(slots=True)
class Line:
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(slots=True)
class Word:
    x: float
    y: float
    text: str
    kind: str = ""


@dataclass(slots=True)
class Flag:
    """A miss: a boxed number at `x`, `y` (its top left corner), a line down to `bottom`, and the cause in words.

    `words` is empty where there is no room for them; `words_x` is where they begin, or end if `ends` is set.
    """

    miss: NumberedMiss
    x: float
    y: float
    bottom: float
    words: str = ""
    words_x: float = 0.0
    ends: bool = False

    @property
    def width(self) -> float:
        """A box of two digits is wider."""
        return FLAG_BOX + LETTER * (len(str(self.miss.number)) - 1)

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def base(self) -> float:
        """The base line of number and words."""
        return self.y + 10

    @property
    def box_bottom(self) -> float:
        return self.y + FLAG_BOX


@dataclass(slots=True)
class Chart:
    width: float
    height: float
    marks: list[StepMark] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
