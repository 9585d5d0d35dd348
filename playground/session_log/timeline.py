"""The timeline of a session: a lane for each thread, with every request and what was between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils import timezone

from playground.protocol.catalogue.block_types import PHASES
from playground.protocol.foreign_text import truncated
from playground.rendering import formatting
from playground.session_log.chart_shapes import (
    LANE,
    LANES_TOP,
    LEAST_COLUMN,
    LEFT,
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
from playground.session_log.page import NumberedMiss, SessionPage, StepRow
from playground.sessions.steps import Step
from playground.sessions.threads import Thread

AWAY_S = 60.0  # nothing was asked for so long: the user is away
MOST_MARKS = 150  # with more steps, neighbours share a mark


def timeline(page: SessionPage, span: range | None = None) -> Chart:
    """A lane per thread: every request with its phases, lines while tools ran, dots while the user was away.

    `span` are the numbers of the steps that are looked at, not none; all of them without it.
    """
    rows = [row for row in page.rows if span is None or row.number in span]
    begin = rows[0].step.started_s
    end = max(max(row.step.ended_s for row in rows), begin + 1)
    scale = (RIGHT - LEFT) / (end - begin)
    chart = Chart(WIDTH, LANES_TOP + LANE * len(page.threads) + 24)
    bottom = chart.height - 20
    for at in range(6):
        x = round(LEFT + (RIGHT - LEFT) * at / 5, 1)
        chart.lines.append(Line("grid", x, LANES_TOP - 12, x, bottom))
        moment = timezone.localtime(dt.datetime.fromtimestamp(begin + (end - begin) * at / 5, dt.UTC))
        clock = f"{moment:%H:%M:%S}" if end - begin < 300 else f"{moment:%H:%M}"
        chart.words.append(Word(x, chart.height - 6, clock, "last" if at == 5 else ""))
    shown = {row.step.id for row in rows}
    for number, thread in enumerate(page.threads):
        y = LANES_TOP + LANE * number
        chart.words.append(Word(0, y + 9, _short(thread.name), "lane-name"))
        count = len(thread.steps)
        chart.words.append(Word(0, y + 21, f"{count} step{'' if count == 1 else 's'}"))
        steps = [step for step in thread.steps if step.id in shown]
        least = LEAST_COLUMN if len(rows) > MOST_MARKS else 0.0
        _add_lane(chart, page, _Lane(thread, steps, y, least), lambda s: round(LEFT + (s - begin) * scale, 1))
    _add_starts(chart, page, shown, lambda s: round(LEFT + (s - begin) * scale, 1))
    return chart


@dataclass(frozen=True, slots=True)
class _Lane:
    """A thread, its steps that are looked at, and where it is drawn. `least`: marks closer than this become one."""

    thread: Thread
    steps: list[Step]
    y: float
    least: float

    def groups(self, page: SessionPage, place: Callable[[float], float]) -> Iterator[list[StepRow]]:
        """Steps that share a mark. A failure keeps its own."""
        group: list[StepRow] = []
        for step in self.steps:
            row = page.row_of(step.id)
            assert row is not None
            begins = not group or "bad" in (row.tone, group[-1].tone)
            if begins or place(step.started_s) - place(group[0].step.started_s) >= self.least:
                if group:
                    yield group
                group = []
            group.append(row)
        if group:
            yield group


def _add_starts(chart: Chart, page: SessionPage, shown: set[str], place: Callable[[float], float]) -> None:
    """Draw a line from the call that started an agent down to the agent's lane."""
    lanes = {step.id: number for number, thread in enumerate(page.threads) for step in thread.steps}
    for number, thread in enumerate(page.threads):
        caller = page.row_of(thread.started_by) if thread.started_by in shown else None
        if caller is None or thread.steps[0].id not in shown:
            continue
        x, top = place(caller.step.ended_s), LANES_TOP + LANE * lanes[caller.step.id] + 14
        y = LANES_TOP + LANE * number + 7
        chart.lines.append(Line("spawn", x, top, x, y))
        chart.lines.append(Line("spawn", x, y, max(x, place(thread.steps[0].started_s)), y))


def _add_lane(chart: Chart, page: SessionPage, lane: _Lane, place: Callable[[float], float]) -> None:
    before, y = None, lane.y
    events: list[tuple[int, str, float]] = []
    for group in lane.groups(page, place):
        first, last = group[0], group[-1]
        x = place(first.step.started_s)
        width = max(1.2, place(last.step.ended_s) - x)
        if before is not None and place(before.ended_s) < x and not lane.thread.is_side:
            _add_gap(chart, before, first.step, y, place)
        mark = StepMark(first, Rect("hit", x - 1, y - 4, width + 2, 22), words=_mark_words(group))
        mark.parts = list(_phases(group, x, y, width))
        mark.last = last.number if len(group) > 1 else 0
        chart.marks.append(mark)
        if not lane.thread.is_side:
            asked_by_person = not lane.thread.started_by and _is_asked_by_person(before)
            events.append((*_event_of(group, page, asked_by_person=asked_by_person), x))
        for row in group:
            if row.miss is not None and not row.miss.miss.is_expected:
                _add_flag(chart, row.miss, place(row.step.started_s) + min(width, 1.2) / 2, y)
        before = last.step
    _add_events(chart, events, y)


def _is_asked_by_person(before: Step | None) -> bool:
    """Return whether a person asked for what comes next: the step before had called no tool."""
    return before is None or (before.is_answered and before.stop_reason not in {"tool_use", "pause_turn"})


def _add_events(chart: Chart, events: list[tuple[int, str, float]], y: float) -> None:
    """Write events above a lane. Where there is no room for all, what matters more is told."""
    taken: list[tuple[float, float]] = []
    for weight, words, x in sorted(events):
        begin = max(0.0, min(x, WIDTH - LETTER * len(words)))
        end = begin + LETTER * (len(words) + 2)
        if words and all(end <= left or begin >= right for left, right in taken):
            chart.words.append(Word(begin, y - 6, words, "bad" if weight == 0 else "event"))
            taken.append((begin, end))


def _add_gap(chart: Chart, before: Step, step: Step, y: float, place: Callable[[float], float]) -> None:
    """Between two steps a tool ran, or the user was away."""
    begin, end, gap_s = place(before.ended_s), place(step.started_s), step.started_s - before.ended_s
    asks_person = before.stop_reason != "tool_use" and gap_s > AWAY_S
    chart.lines.append(Line("idle" if asks_person else "ran", begin, y + 7, end, y + 7))
    away = f"user away, {formatting.duration(gap_s * 1_000)}"
    if asks_person and end - begin > LETTER * len(away):
        chart.words.append(Word((end + begin) / 2, y + 3, away, "middle"))


def _add_flag(chart: Chart, miss: NumberedMiss, x: float, y: float) -> None:
    flag = Flag(miss, 0.0, y + 18, y + 18)
    flag.x = round(x - flag.width / 2, 1)
    if not chart.flags or chart.flags[-1].y != flag.y or chart.flags[-1].x + chart.flags[-1].width < flag.x:
        chart.flags.append(flag)


def _event_of(group: list[StepRow], page: SessionPage, *, asked_by_person: bool) -> tuple[int, str]:
    """Return the weightiest event of a group, with its weight: a failure by its status, a compaction, a word of the
    user's."""
    first = group[0]
    if first.tone == "bad":
        status = str(first.step.status or "no answer")
        return 0, f"{status}, retried" if first.step.id in page.retried_steps else status
    if any(row.is_compacted for row in group):
        return 1, "compaction"
    return 2, "user" if asked_by_person else ""


def _phases(group: list[StepRow], x: float, y: float, width: float) -> list[Rect]:
    """Return how long each phase took: of neighbours that share a mark, the sum."""
    spent = {phase: sum(row.figures.phases.get(phase, 0.0) for row in group) for phase in PHASES}
    total = sum(spent.values())
    if group[0].tone == "bad" or not total:
        return [Rect("failed" if group[0].tone == "bad" else "wait", x, y, width, 14)]
    parts, at = [], x
    for phase, kind in PHASES.items():
        if share := spent[phase] / total * width:
            parts.append(Rect(kind, round(at, 2), y, round(share, 2), 14))
            at += share
    return parts


def _mark_words(group: list[StepRow]) -> str:
    row = group[0]
    if len(group) > 1:
        return f"Steps {row.number} to {group[-1].number}, from {row.clock}"
    return f"Step {row.number}, {row.clock}: {row.words}, {row.duration}"


def _short(name: str) -> str:
    return truncated(name, 14)
