"""Recent Requests of visitors: the lines of a visit, also of runs that the live log has let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from playground.request_log import visits
from playground.request_log.rows import row_of, run_of
from tests.support import runs

if TYPE_CHECKING:
    from playground.request_log.rows import Row

pytestmark = pytest.mark.django_db

VISITOR = "visitor:anna"


def a_row() -> Row:
    return row_of(run_of(runs.tell(runs.live_run(None))), is_live=True)


def test_a_line_stays_when_its_run_has_left_the_live_log_but_leads_nowhere() -> None:
    first, second = a_row(), a_row()
    log = visits.Visits()
    assert log.add(VISITOR, [first], 10) == [first]
    shown = log.add(VISITOR, [second], 10)
    assert [row.id for row in shown] == [second.id, first.id]
    assert [row.is_gone for row in shown] == [False, True]
    lines = [row.line(pick=False, is_visitor=True) for row in shown]
    assert ["<a" in line for line in lines] == [True, False]
    assert all(f"{timezone.localtime(row.started_at):%H:%M:%S}" in line for row, line in zip(shown, lines, strict=True))


def test_a_run_that_comes_into_reach_again_can_be_opened_again() -> None:
    log, row = visits.Visits(), a_row()
    log.add(VISITOR, [row], 10)
    log.add(VISITOR, [], 10)
    assert log.add(VISITOR, [row], 10) == [row]


def test_nobody_sees_the_visit_of_somebody_else() -> None:
    log = visits.Visits()
    log.add(VISITOR, [a_row()], 10)
    assert log.add("visitor:ben", [], 10) == []


def test_only_the_newest_lines_are_remembered() -> None:
    log = visits.Visits()
    rows = [a_row() for _ in range(4)]
    log.add(VISITOR, rows, 3)
    assert [row.id for row in log.add(VISITOR, [], 10)] == [row.id for row in reversed(rows[1:])]


def test_a_visit_ends_some_hours_after_its_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(visits.time, "monotonic", lambda: now)
    log = visits.Visits()
    log.add(VISITOR, [a_row()], 10)
    now += visits.VISIT_S + 1
    assert log.add(VISITOR, [], 10) == []


def test_the_visitor_who_was_away_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOST_VISITORS", 2)
    log, row = visits.Visits(), a_row()
    for name in ("visitor:anna", "visitor:ben", "visitor:cleo"):
        log.add(name, [row], 10)
    assert log.add("visitor:anna", [], 10) == []
    assert len(log.add("visitor:cleo", [], 10)) == 1
