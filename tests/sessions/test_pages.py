"""The pages of sessions: whose they are, what they say, and that they read no bodies to say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.urls import reverse

from playground.models import AgentSession, Run, RunContent
from playground.recording import retention
from playground.rendering.formatting import UNKNOWN
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession, work
from tests.support.examples import one_of_each

if TYPE_CHECKING:
    from django.test import AsyncClient, Client

    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(owner: User) -> StoredSession:
    return work(owner)


def test_the_list_shows_a_session_with_its_figures(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    page = client.get(reverse("sessions")).content.decode()
    assert "Dates in invoices shift by a day for customers west of Greenwich." in page
    assert "claude-cli 2.1.0" in page
    assert str(len(session.steps)) in page


def test_the_list_and_the_page_say_the_same_duration(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    listed = client.get(reverse("sessions")).context["found"].rows[0].duration
    assert listed == client.get(reverse("session", args=[session.stored.pk])).context["page"].duration
    assert listed != UNKNOWN


def test_the_page_names_threads_misses_and_what_filled_the_context(
    client: Client, owner: User, session: StoredSession
) -> None:
    client.force_login(owner)
    page = client.get(reverse("session", args=[session.stored.pk])).content.decode()
    for words in (
        "explore", "side calls", "system prompt changed", "tools changed", "history compacted", "TTL expired (5m)",
        "branch: main", "WebSearch", "Read src/", "Refused: 429, rate_limit_error", "What filled the context",
    ):  # fmt: skip
        assert words in page, words


def test_opening_a_session_reads_no_body(
    client: Client, owner: User, session: StoredSession, django_assert_max_num_queries: Any
) -> None:
    client.force_login(owner)
    stored = session.stored
    RunContent.objects.all().delete()
    with django_assert_max_num_queries(9):
        assert client.get(reverse("session", args=[stored.pk])).status_code == 200


def test_a_step_shows_only_what_is_new_and_where_the_requests_first_differ(
    client: Client, owner: User, session: StoredSession
) -> None:
    client.force_login(owner)
    number = next(
        number for number, step in enumerate(session.steps, 1)
        if any(miss.step == step.id and miss.cause == "system_changed" for miss in session.misses())
    )  # fmt: skip
    page = " ".join(client.get(reverse("session-step", args=[session.stored.pk, number])).content.decode().split())
    assert "system[1].text, character 9" in page
    assert "messages as before, not shown" in page
    assert "Dates in invoices shift" not in page


def test_a_long_result_of_a_tool_is_folded_and_fetched(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    numbers = range(1, len(session.steps) + 1)
    long = next(number for number in numbers if "Retrieving the result" in page_of(client, session, number))
    assert "a line of the log that was read" not in page_of(client, session, long)
    fetched = client.get(reverse("session-result", args=[session.stored.pk, long, 1]))
    assert "a line of the log that was read" in fetched.content.decode()
    assert client.get(reverse("session-result", args=[session.stored.pk, long, 9])).status_code == 404
    assert "some lines of a file" in page_of(client, session, 4)


def page_of(client: Client, session: StoredSession, number: int) -> str:
    return client.get(reverse("session-step", args=[session.stored.pk, number])).content.decode()


def test_a_step_whose_text_is_not_kept_says_so(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    RunContent.objects.all().delete()
    page = client.get(reverse("session-step", args=[session.stored.pk, 3])).content.decode()
    assert "were not stored" in page


def test_steps_can_be_found_by_words_and_by_problems(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    address = reverse("session-steps", args=[session.stored.pk])
    assert client.get(address, {"q": "agent explore"}).content.count(b"<tr id=") == 1
    assert b"Refused: 429" in client.get(address, {"only": "problems"}).content
    assert b"No step matches" in client.get(address, {"q": "nothing like it"}).content


@pytest.mark.parametrize("name", one_of_each(["session", "session-steps", "session-export"]))
def test_a_stranger_sees_no_session(client: Client, stranger: User, session: StoredSession, name: str) -> None:
    client.force_login(stranger)
    assert client.get(reverse(name, args=[session.stored.pk])).status_code == 404
    assert "Dates in invoices" not in client.get(reverse("sessions")).content.decode()


@pytest.mark.parametrize("name", one_of_each(["session-delete", "session-star", "session-note"]))
def test_a_stranger_changes_nothing(client: Client, stranger: User, session: StoredSession, name: str) -> None:
    client.force_login(stranger)
    assert client.post(reverse(name, args=[session.stored.pk])).status_code == 404
    assert AgentSession.objects.count() == 1


def test_deleting_a_session_removes_its_requests(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    client.post(reverse("session-delete", args=[session.stored.pk]))
    assert AgentSession.objects.count() == Run.objects.count() == 0


async def test_the_export_holds_every_body_and_answer(async_client: AsyncClient, owner: User) -> None:
    session = await sync_to_async(work)(owner)
    stored = await AgentSession.objects.aget()
    await async_client.aforce_login(owner)
    response = await async_client.get(reverse("session-export", args=[stored.pk]))
    data = b"".join([piece async for piece in response])
    assert len(data.splitlines()) == len(session.steps)
    assert json.loads(data.splitlines()[0])["request"]


def test_a_run_leads_to_its_step(client: Client, owner: User, session: StoredSession) -> None:
    client.force_login(owner)
    run = Run.objects.order_by("pk")[4]
    assert client.get(reverse("session-of-run", args=[run.pk]))["Location"].endswith("#step-5")


def test_hostile_words_stay_words(client: Client, owner: User) -> None:
    hostile = "<script>alert(1)</script>\x00\ud800"
    session = StoredSession(owner, hostile[:8])
    body = {
        "model": hostile, "system": hostile, "tools": [{"name": hostile}],
        "messages": [{"role": hostile, "content": hostile}],
    }  # fmt: skip
    session.send(body, [{"type": "tool_use", "name": hostile, "input": {"path": hostile}, "id": hostile}])
    client.force_login(owner)
    stored = AgentSession.objects.get()
    for address in (
        reverse("sessions") + "?kind=all", reverse("session", args=[stored.pk]),
        reverse("session-step", args=[stored.pk, 1]),
    ):  # fmt: skip
        assert "<script>alert" not in client.get(address).content.decode()


def test_without_sessions_the_page_says_how_to_point_an_agent_here(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = client.get(reverse("sessions")).content.decode()
    assert "export ANTHROPIC_BASE_URL=http://testserver" in page
    assert reverse("access-keys") in page


def found_by(client: Client, misses: str) -> list[str]:
    rows = client.get(reverse("sessions"), {"misses": misses}).context["found"].rows
    return [row.session.client_id for row in rows]


def test_sessions_are_found_by_the_cause_of_their_misses(client: Client, owner: User, session: StoredSession) -> None:
    calm = StoredSession(owner, "calm")
    calm.server.now += 90_000
    Agent(calm).turns(4)
    client.force_login(owner)
    assert found_by(client, "system_changed") == ["5f0c2b7e-91d4"]
    assert found_by(client, "avoidable") == found_by(client, "any") == ["5f0c2b7e-91d4"]
    assert found_by(client, "look_back") == []
    assert sorted(found_by(client, "nonsense")) == sorted(found_by(client, "")) == ["5f0c2b7e-91d4", "calm"]
    page = client.get(reverse("sessions")).content.decode()
    assert page.count(" avoidable</span>") == 1


def test_misses_are_found_again_when_a_session_goes_on_or_loses_requests(client: Client, owner: User) -> None:
    session = StoredSession(owner)
    agent = Agent(session)
    agent.turns(4)
    client.force_login(owner)
    assert found_by(client, "system_changed") == []
    agent.system[1]["text"] = "branch: dates"
    agent.turns(1)
    assert found_by(client, "system_changed") == ["5f0c2b7e-91d4"]
    retention.delete_runs([session.stored.last_run_id])
    agent.system[1]["text"] = "branch: main"
    agent.turns(1)
    assert found_by(client, "system_changed") == []


def test_sessions_that_wait_to_be_looked_through_are_counted(
    client: Client, owner: User, session: StoredSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.session_log.listing.WITHIN_S", 0.0)
    for number in range(3):
        other = StoredSession(owner, f"calm {number}")
        other.server.now += 90_000 * (number + 1)
        Agent(other).turns(2)
    client.force_login(owner)
    first = client.get(reverse("sessions"), {"misses": "system_changed"})
    assert first.context["found"].unseen == 3
    assert "3 sessions still to be checked" in first.content.decode()
    for _ in range(3):
        last = client.get(reverse("sessions"), {"misses": "system_changed"})
    assert last.context["found"].unseen == 0
    assert [row.session.pk for row in last.context["found"].rows] == [session.stored.pk]
