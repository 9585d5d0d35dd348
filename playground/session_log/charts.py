"""Charts of a thread's steps: what filled the context, and what was read from the cache and written to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.protocol.catalogue.known_models import facts_of
from playground.session_log.chart_shapes import (
    CHART_HEIGHT,
    CHART_LEFT,
    CHART_TOP,
    FLAG_ROW,
    FLAG_ROWS,
    LEAST_COLUMN,
    LETTER,
    RIGHT,
    WIDTH,
    Chart,
    Flag,
    Line,
    Rect,
    StepMark,
    Word,
)
from playground.session_log.page import NumberedMiss, SessionPage
from playground.session_log.timeline import timeline
from playground.sessions.context import PARTS, filled
from playground.sessions.steps import Step
from playground.sessions.threads import Thread

MOST_SPANNED = 60  # with more steps, a part of them can be looked at
PART_CLASSES = {
    "system": "system", "tools": "tools", "user text": "user", "answers": "assistant", "thinking": "thinking",
    "tool results": "results", "images": "images",
}  # fmt: skip
PART_WORDS = {"answers": "responses"}  # where the page calls a part otherwise


def context(page: SessionPage, thread: Thread, span: range | None = None) -> Chart:
    """Tokens sent with each step of a thread, by part, against the model's limit."""
    pairs = zip(thread.steps, filled(thread.steps, page.loaded.blocks), strict=True)
    seen = [(step, parts) for step, parts in pairs if _is_within(page, step, span)]
    steps = [parts for _, parts in seen]
    facts = facts_of(thread.last.model)
    limit = facts.context_tokens if facts else None
    most = max((each.total for each in steps), default=0) or 1
    top = max(limit, most) if limit and most > 0.5 * limit else most
    chart, columns = _frame(top, len(steps))
    bottom = CHART_TOP + CHART_HEIGHT
    if limit and top >= limit:
        y = round(bottom - CHART_HEIGHT * limit / top, 1)
        chart.lines.append(Line("limit", CHART_LEFT, y, RIGHT, y))
        chart.words.append(Word(CHART_LEFT + 4, y - 6, f"limit of {thread.last.model}: {_tokens(limit)}", "limit-word"))
    for first, x, width in columns:
        row = page.row_of(seen[first][0].id)
        assert row is not None
        parts, at = [], bottom
        if row.tone == "bad":
            chart.words.append(Word(round(x + width / 2, 1), bottom - 3, "\u00d7", "failed-x"))
        for part in PARTS if row.tone != "bad" else ():
            if count := steps[first].parts.get(part, 0):
                height = CHART_HEIGHT * count / top
                at -= height
                parts.append(Rect(PART_CLASSES[part], x, round(at, 2), width, round(height, 2)))
        if row.is_compacted:
            chart.words.append(Word(x, round(at - 4, 1), "compaction"))
        counts = ((PART_WORDS.get(name, name), count) for name, count in steps[first].parts.items() if count)
        words = ", ".join(f"{name} {_tokens(count)}" for name, count in counts)
        chart.marks.append(StepMark(row, _hit(x, width), parts, f"Step {row.number}: {words}"))
    if limit and columns:
        first, x, width = max(columns, key=lambda column: steps[column[0]].total)
        _add_most(chart, steps[first].total, limit, top, x + width / 2)
    return chart


def _add_most(chart: Chart, total: int, limit: int, top: float, x: float) -> None:
    """Above the fullest step: how much it held, and how much of the model's limit that is."""
    words = f"{_tokens(total)}, {100 * total / limit:.0f} % of the limit"
    room = LETTER * len(words) / 2
    y = CHART_TOP + CHART_HEIGHT * (1 - total / top) - 8  # above the frame of a chosen step
    chart.words.append(Word(round(min(max(x, CHART_LEFT + room), RIGHT - room), 1), round(y, 1), words, "most"))


def cache(page: SessionPage, thread: Thread, span: range | None = None) -> Chart:
    """Tokens read, written, written again after a miss, and uncached, for each step of a thread."""
    steps = [step for step in thread.steps if _is_within(page, step, span)]
    most = max((step.total_tokens or 0 for step in steps), default=0) or 1
    missed = [row.miss for step in steps if (row := page.row_of(step.id)) is not None and row.miss is not None]
    above = FLAG_ROW * (min(FLAG_ROWS, len(missed)) + 1) if missed else CHART_TOP
    chart, columns = _frame(most, len(steps), above, below=14)
    bottom, ends = above + CHART_HEIGHT, [0.0] * FLAG_ROWS
    together = _together(len(steps))
    spaced = max(1, math.ceil(len(columns) * 36 / (RIGHT - CHART_LEFT)))
    for number, (first, x, width) in enumerate(columns):
        step = steps[first]
        row = page.row_of(step.id)
        assert row is not None
        if number % spaced == 0:
            chart.words.append(Word(round(x + width / 2, 1), bottom + 12, str(row.number), "middle"))
        lost = min(row.miss.miss.lost_tokens, step.written_tokens or 0) if row.miss else 0
        counts = (
            ("read", step.read_tokens or 0),
            ("written", (step.written_tokens or 0) - lost),
            ("lost", lost),
            ("uncached", step.input_tokens or 0),
        )
        parts, at = [], bottom
        for kind, count in counts:
            if count:
                height = CHART_HEIGHT * count / most
                at -= height
                parts.append(Rect(kind, x, round(at, 2), width, round(height, 2)))
        words = ", ".join(f"{kind} {_tokens(count)}" for kind, count in counts if count) or "no counts"
        chart.marks.append(StepMark(row, _hit(x, width, above), parts, f"Step {row.number}: {words}"))
        for each in steps[max(0, first - together + 1) : first + 1]:
            missing = page.row_of(each.id)
            if missing is not None and missing.miss is not None:
                _add_flag(chart, missing.miss, x + width / 2, ends, above)
    return chart


def _add_flag(chart: Chart, miss: NumberedMiss, x: float, ends: list[float], bottom: float) -> None:
    """Put a miss into the first row that has room for it in words; else for its number; else only its line."""
    flag = Flag(miss, 0.0, 0.0, bottom, miss.miss.words)
    flag.x = round(x - flag.width / 2, 1)
    long = flag.width + 4 + LETTER * len(flag.words)
    flag.ends = flag.x + long > RIGHT
    left = flag.x - (long - flag.width) if flag.ends else flag.x
    row = next((number for number, end in enumerate(ends) if end < left), None)
    if row is None:
        flag.words, flag.ends, long, left = "", False, flag.width, flag.x
        row = next((number for number, end in enumerate(ends) if end < left), None)
    if row is None:
        return
    ends[row] = left + long + 4
    flag.y = FLAG_ROW * row
    flag.words_x = flag.x - 4 if flag.ends else flag.x + flag.width + 4
    chart.flags.append(flag)


def _together(count: int) -> int:
    """Return how many steps share a column."""
    return max(1, math.ceil(count * LEAST_COLUMN / (RIGHT - CHART_LEFT)))


def _frame(
    top: float, count: int, above: float = CHART_TOP, below: float = 0
) -> tuple[Chart, list[tuple[int, float, float]]]:
    """Grid and columns: which step a column shows, where it begins and how wide it is."""
    chart = Chart(WIDTH, above + CHART_HEIGHT + 8 + below)
    for part in (0, 0.5, 1):
        y = round(above + CHART_HEIGHT * (1 - part), 1)
        chart.lines.append(Line("grid", CHART_LEFT, y, RIGHT, y))
        chart.words.append(Word(CHART_LEFT - 6, y + 3, _tokens(top * part), "scale"))
    together = _together(count)
    columns = max(1, math.ceil(count / together))
    slot = min(48.0, (RIGHT - CHART_LEFT) / columns)
    return chart, [
        (min(count - 1, (number + 1) * together - 1), round(CHART_LEFT + number * slot + 0.5, 2), round(slot - 1, 2))
        for number in range(columns)
    ]


def _hit(x: float, width: float, above: float = CHART_TOP) -> Rect:
    return Rect("hit", x, above - 4, width, CHART_HEIGHT + 8)


def _tokens(count: float) -> str:
    if count < 1_000:
        return f"{count:.0f}"
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def _is_within(page: SessionPage, step: Step, span: range | None) -> bool:
    return span is None or page.number_of[step.id] in span


def agents(page: SessionPage, span: range | None = None) -> Sequence[tuple[Thread, Chart, Chart]]:
    """Context and cache of each thread that has more than one step."""
    return [
        (thread, context(page, thread, span), cache(page, thread, span))
        for thread in page.threads
        if not thread.is_side and sum(_is_within(page, step, span) for step in thread.steps) > 1
    ]


def drawn(page: SessionPage, span: range | None = None) -> dict[str, object]:
    """Return what the templates of the charts need. `span`: the numbers of the steps to look at; all without it."""
    count = len(page.rows)
    return {
        "timeline": timeline(page, span) if page.has_figures and count > 1 else None,
        "agents": agents(page, span) if page.has_figures else [],
        "first_shown": span[0] if span else 1,
        "last_shown": span[-1] if span else count,
        "is_part": span is not None,
        "has_span": count > MOST_SPANNED,
    }


def span_of(first: int | None, last: int | None, count: int) -> range | None:
    """The steps from one number to another, in either order and at least two; None for all of them."""
    low, high = sorted((min(max(first or 1, 1), count), min(max(last or count, 1), count)))
    if low == high:
        low, high = (low - 1, high) if high == count else (low, high + 1)
    return None if (low, high) == (1, count) or count < 2 else range(low, high + 1)
