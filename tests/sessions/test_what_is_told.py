"""What the pages of sessions tell when little is known, when the API tells more, and while requests go on."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from playground.models import AgentSession, Run, RunContent, RunDigest
from playground.models.run import first_id_at
from playground.recording.session_upkeep import fill_in
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(client: Client, owner: User) -> StoredSession:
    client.force_login(owner)
    session = StoredSession(owner)
    Agent(session).turns(4)
    return session


def words_of(client: Client, name: str, *args: object) -> str:
    """The words of a page, without its marks."""
    page = client.get(reverse(name, args=args)).content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def step_of(client: Client, session: StoredSession, number: int) -> str:
    return words_of(client, "session-step", session.stored.pk, number)


def test_the_first_step_of_an_agent_shows_its_system_prompt_and_tools_and_later_ones_do_not(
    client: Client, session: StoredSession
) -> None:
    assert "system prompt" in step_of(client, session, 1)
    assert "4 tools: Read, Edit, Bash, Agent" in step_of(client, session, 1)
    assert "system prompt" not in step_of(client, session, 2)
    assert "4 tools" not in step_of(client, session, 2)


def test_a_step_shows_where_its_time_went(client: Client, session: StoredSession) -> None:
    assert "waiting 500 ms thinking 500 ms text 1.00 s" in step_of(client, session, 2)


def test_a_server_that_tells_no_counts_is_not_said_to_have_read_nothing(client: Client, session: StoredSession) -> None:
    assert "not reported" not in words_of(client, "session", session.stored.pk)
    Run.objects.update(input_tokens=None, output_tokens=None, cache_write_tokens=None, cache_read_tokens=None)
    page = words_of(client, "session", session.stored.pk)
    assert "tokens in not reported" in page
    assert "tokens out not reported" in page
    assert "read from cache" not in page.split("Timeline")[0]
    AgentSession.objects.update(input_tokens=0, output_tokens=0, written_tokens=0, read_tokens=0)
    assert words_of(client, "sessions").count("not reported") == 2


def test_a_rewritten_message_is_shown_though_the_server_tells_no_counts(client: Client, owner: User) -> None:
    client.force_login(owner)
    session = StoredSession(owner)
    agent = Agent(session)
    agent.turns(4)
    agent.messages[2]["content"][0]["content"] = "[old result cleared]"
    agent.ask()
    Run.objects.update(input_tokens=None, output_tokens=None, cache_write_tokens=None, cache_read_tokens=None)
    page = step_of(client, session, 5)
    assert "Cache miss" not in page
    assert "Messages rewritten first difference at messages[2].content[0]" in page
    assert "[old result cleared]" in page


def test_what_the_api_reports_stands_beside_what_was_found(client: Client, session: StoredSession) -> None:
    agent = Agent(session)
    agent.system[1]["text"] = "branch: dates"
    agent.ask()
    reason = {"cache_miss_reason": {"type": "messages_changed", "cache_missed_input_tokens": 9}}
    for digest in RunDigest.objects.order_by("run"):
        digest.details["diagnosis"] = reason
        digest.save()
    last = step_of(client, session, 5)
    assert "Cache miss: system prompt changed" in last
    assert "The API itself says messages_changed" in last
    assert "The API reports a cache miss here: messages_changed" in step_of(client, session, 3)


def test_earlier_requests_that_wait_for_their_session_are_counted_until_none_is_left(
    client: Client, session: StoredSession
) -> None:
    AgentSession.objects.all().delete()
    assert RunContent.objects.count() == 4
    assert "4 earlier requests are still being sorted" in words_of(client, "sessions")
    fill_in(3)
    assert "1 earlier request is still being sorted" in words_of(client, "session-sorting")
    fill_in(3)
    assert "All earlier requests are sorted into sessions" in words_of(client, "session-sorting")
    assert "sorted" not in words_of(client, "sessions")


def test_a_session_is_live_and_on_top_while_a_request_of_it_goes_on(
    client: Client, session: StoredSession, owner: User
) -> None:
    newer = StoredSession(owner, "newer")
    newer.server.now += 3_600
    Agent(newer, "Something else").turns(2)
    assert [row.is_live for row in client.get(reverse("sessions")).context["found"].rows] == [False, False]
    started = timezone.now() - dt.timedelta(minutes=9)
    unfinished_run = Run.objects.create(
        pk=first_id_at(started), owner=owner, started_at=started, source="relay", state="running", model="m",
        client_session=session.client_id,
    )  # fmt: skip
    rows = client.get(reverse("sessions")).context["found"].rows
    assert [(row.session.client_id, row.is_live) for row in rows] == [(session.client_id, True), ("newer", False)]
    assert "1 request in progress" in words_of(client, "session", session.stored.pk)
    unfinished_run.delete()
    assert "in progress" not in words_of(client, "session", session.stored.pk)


def test_a_difference_behind_the_first_words_is_not_shown_as_two_equal_texts(
    client: Client, session: StoredSession
) -> None:
    long = "the same words " * 20
    agent = Agent(session)
    agent.system[1]["text"] = f"{long} branch: main"
    agent.ask()
    agent.results()
    agent.system[1]["text"] = f"{long} branch: dates"
    agent.ask()
    page = words_of(client, "session", session.stored.pk)
    assert "differs further on: see the step" in page
