"""Charts of long sessions: neighbours share a mark, and a part of the steps can be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from playground.recording.session_loading import load
from playground.session_log import charts
from playground.session_log.chart_svg import svg
from playground.session_log.page import SessionPage
from playground.session_log.timeline import timeline
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession, work
from tests.support.examples import one_of_each

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def long(owner: User) -> StoredSession:
    """220 steps, of which the 100th fails."""
    session = StoredSession(owner)
    agent = Agent(session)
    agent.turns(99)
    agent.ask(status=429)
    agent.turns(120)
    return session


@pytest.mark.slow
def test_neighbours_share_a_mark_of_the_timeline_and_a_failure_keeps_its_own(long: StoredSession) -> None:
    marks = timeline(SessionPage(load(long.stored))).marks
    assert len(marks) < 210
    covered = [number for mark in marks for number in range(mark.row.number, (mark.last or mark.row.number) + 1)]
    assert covered == list(range(1, 221))
    failed = next(mark for mark in marks if mark.row.number == 100)
    assert (failed.last, failed.parts[0].kind) == (0, "failed")


@pytest.mark.slow
def test_a_part_of_the_steps_is_drawn_with_each_step_on_its_own(client: Client, long: StoredSession) -> None:
    client.force_login(long.owner)
    answer = client.get(reverse("session-charts", args=[long.stored.pk]), {"from": "90", "to": "110"})
    assert [mark.row.number for mark in answer.context["timeline"].marks] == list(range(90, 111))
    _, context, cache = answer.context["agents"][0]
    assert [mark.row.number for mark in context.marks] == list(range(90, 111))
    assert len(cache.marks) == 21
    assert "All 220 steps" in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, None), (1, 9, None), (3, 5, range(3, 6)), (5, 3, range(3, 6)), (0, 99, None), (9, 9, range(8, 10)),
        (4, 4, range(4, 6)), (None, 2, range(1, 3)), (8, None, range(8, 10)),
    ],
)  # fmt: skip
def test_the_steps_to_look_at_are_at_least_two_of_those_there_are(
    first: int | None, last: int | None, expected: range | None
) -> None:
    assert charts.span_of(first, last, 9) == expected


@pytest.mark.parametrize(
    "query", one_of_each([{"from": "-1", "to": "1e9"}, {"from": "x"}, {"to": "\x00"}, {"from": "9" * 40}])
)
def test_odd_numbers_show_all_steps(client: Client, owner: User, query: dict[str, str]) -> None:
    session = work(owner)
    client.force_login(owner)
    assert client.get(reverse("session-charts", args=[session.stored.pk]), query).status_code == 200


def test_words_in_a_chart_are_words(owner: User) -> None:
    session = StoredSession(owner)
    agent = Agent(session)
    hostile = '"><script>alert(1)</script>&'
    agent.ask([{"type": "tool_use", "id": "t", "name": hostile, "input": {"path": hostile}}])
    agent.results()
    agent.ask()
    drawn = svg(timeline(SessionPage(load(session.stored))), "w-", hostile)
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_fifty_steps_come_with_the_page_and_the_others_when_they_are_wanted(client: Client, owner: User) -> None:
    session = StoredSession(owner)
    Agent(session).turns(60)
    client.force_login(owner)
    page = client.get(reverse("session", args=[session.stored.pk]))
    assert page.content.count(b'<tr id="row-') == 50
    rest = client.get(reverse("session-steps", args=[session.stored.pk]), {"after": page.context["next"]})
    assert [row.number for row in rest.context["rows"]] == list(range(51, 61))
