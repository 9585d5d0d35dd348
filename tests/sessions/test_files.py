"""A session out of the playground and in again: JSON lines both ways, one HTML file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from playground.models import AgentSession, Run
from playground.recording.session_loading import load
from playground.session_log.page import SessionPage
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession, work

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(owner: User) -> StoredSession:
    return work(owner)


def exported(client: Client, session: StoredSession) -> bytes:
    answer = client.get(reverse("session-export", args=[session.stored.pk]))
    return b"".join(answer) if not answer.is_async else b"".join(_collected(answer))  # type: ignore[arg-type]


def _collected(answer: Any) -> list[bytes]:
    from asgiref.sync import async_to_sync

    async def collect() -> list[bytes]:
        return [piece async for piece in answer]

    return async_to_sync(collect)()


def upload(client: Client, data: bytes) -> Any:
    return client.post(reverse("session-import"), {"file": SimpleUploadedFile("session.jsonl", data)})


@pytest.mark.django_db(transaction=True)
def test_an_export_comes_in_again_with_the_same_steps_misses_and_figures(
    client: Client, session: StoredSession, owner: User, stranger: User
) -> None:
    client.force_login(owner)
    data = exported(client, session)
    before = SessionPage(load(session.stored))
    client.force_login(stranger)
    answer = upload(client, data)
    imported = AgentSession.objects.get(owner=stranger)
    assert answer["Location"] == reverse("session", args=[imported.pk])
    after = SessionPage(load(imported))
    assert [row.words for row in after.rows] == [row.words for row in before.rows]
    assert [(miss.step_number, miss.miss.cause) for miss in after.misses] == [
        (miss.step_number, miss.miss.cause) for miss in before.misses
    ]
    assert (after.tokens, after.cost, after.duration) == (before.tokens, before.cost, before.duration)
    assert client.get(answer["Location"]).status_code == 200
    client.post(reverse("session-delete", args=[imported.pk]))
    assert not Run.objects.filter(owner=stranger).exists()
    assert not AgentSession.objects.filter(owner=stranger).exists()
    assert Run.objects.filter(owner=owner).count() == len(session.steps)


GOOD = {
    "format": "messages-playground/run/1", "started_at": "2026-11-29T10:00:00.000+00:00", "state": "completed",
    "request": {"body": {"model": "m", "messages": [{"role": "user", "content": "hi"}]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("nonsense", "Line 2: not a JSON object"),
        ("[1]", "Line 2: not a JSON object"),
        ('{"format": "other"}', "Line 2: not a request that a playground exported"),
        (json.dumps(GOOD | {"started_at": "yesterday"}), "Line 2: started_at is not a date"),
        (json.dumps(GOOD | {"request": None}), "Line 2: its request was not kept"),
        (json.dumps(GOOD | {"request": {"body_base64": "%"}}), "Line 2: body_base64"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_stored(client: Client, owner: User, second: str, problem: str) -> None:
    client.force_login(owner)
    answer = upload(client, f"{json.dumps(GOOD)}\n{second}\n".encode())
    assert answer.status_code == 422
    assert problem in answer.content.decode().replace("&quot;", '"')
    assert not Run.objects.exists()
    assert not AgentSession.objects.exists()


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\n\n"])
def test_a_file_with_nothing_in_it_is_refused(client: Client, owner: User, data: bytes) -> None:
    client.force_login(owner)
    assert upload(client, data).status_code == 422


def test_odd_figures_in_a_file_are_left_out_not_stored(client: Client, owner: User) -> None:
    client.force_login(owner)
    odd: list[Any] = [None, "x", -1, 1e400, 2**70, [], {"a": 1}, True, "\x00\ud800"]
    names = ("input_tokens", "cost_usd", "duration_ms", "http_status", "phases_ms", "model", "user_agent", "state")
    lines = [GOOD | dict.fromkeys(names, value) for value in odd]
    lines += [GOOD | {"response": {"message": value}, "request": GOOD["request"] | {"headers": value}} for value in odd]  # type: ignore[operator]
    data = "\n".join(json.dumps(line) for line in lines).replace("Infinity", "1e400")
    assert upload(client, data.encode()).status_code == 302
    found = AgentSession.objects.get()
    assert found.request_count == len(lines)
    assert client.get(reverse("session", args=[found.pk])).status_code == 200


def test_the_file_of_a_session_stands_alone_and_holds_no_bodies(
    client: Client, session: StoredSession, owner: User
) -> None:
    client.force_login(owner)
    answer = client.get(reverse("session-page-file", args=[session.stored.pk]))
    text = answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert "system prompt changed" in text
    assert "some lines of a file some lines" not in text
    assert "<script" not in text
    assert 'src="' not in text


def test_the_empty_page_makes_a_key_and_shows_it_once(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert "ANTHROPIC_BASE_URL" in client.get(reverse("sessions")).content.decode()
    first = client.post(reverse("session-key"), headers={"hx-request": "true"}).content.decode()
    assert "export ANTHROPIC_API_KEY=mpk_" in first
    client.post(reverse("session-key"))
    assert sorted(owner.access_keys.values_list("name", flat=True)) == ["coding agent", "coding agent 1"]
    assert "mpk_…" in client.get(reverse("sessions")).content.decode()


def test_words_said_in_a_request_find_its_session(client: Client, session: StoredSession, owner: User) -> None:
    from playground.recording.session_import import import_session

    line = GOOD | {"response": {"message": {"content": [{"type": "text", "text": "the quokka smiles"}]}}}
    imported = import_session(owner, json.dumps(line).encode())
    client.force_login(owner)
    matches = client.get(reverse("sessions"), {"q": "quokka", "kind": "all"}).context["found"]
    assert [row.session.pk for row in matches.rows] == [imported.pk]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"model": "claude-sonnet-4-5"}, 1), ({"model": "other"}, 0), ({"key": "laptop"}, 1), ({"key": "ci"}, 0),
        ({"cache": "80"}, 1), ({"cache": "50"}, 0), ({"since": "2026-11-29", "until": "2026-11-29"}, 1),
        ({"since": "2026-12-01"}, 0), ({"until": "2026-11-01"}, 0), ({"since": "x", "cache": "x", "kind": "x"}, 1),
    ],
)  # fmt: skip
def test_the_list_is_filtered(
    client: Client, session: StoredSession, owner: User, query: dict[str, str], count: int
) -> None:
    client.force_login(owner)
    assert len(client.get(reverse("sessions"), query).context["found"].rows) == count


def test_the_page_of_a_run_shows_what_is_new_and_folds_the_rest(
    client: Client, session: StoredSession, owner: User
) -> None:
    client.force_login(owner)
    run_id = Run.objects.order_by("pk").values_list("pk", flat=True)[13]
    page = client.get(reverse("run", args=[run_id]))
    sent = page.context["sent"]
    assert sent.earlier > 5
    assert len(sent.turns) == 2
    earlier = client.get(reverse("run-earlier-turns", args=[run_id, sent.earlier]))
    assert len(earlier.context["turns"]) == sent.earlier


def test_the_page_of_a_request_that_was_only_repeated_shows_its_newest_message(
    client: Client, session: StoredSession, owner: User
) -> None:
    client.force_login(owner)
    again = StoredSession(owner, "again")
    again.server.now += 10_000
    agent = Agent(again, "Read the file once more.")
    agent.ask()
    agent.messages.pop()
    agent.ask()
    page = client.get(reverse("run", args=[Run.objects.filter(client_session="again").latest("pk").pk]))
    assert page.context["step"].detail.new == []
    words = page.content.decode()
    assert "The same messages as" in words
    assert "Read the file once more." in words


def test_the_page_of_a_run_tells_why_its_cache_missed_and_folds_long_results(
    client: Client, session: StoredSession, owner: User
) -> None:
    client.force_login(owner)
    changed = next(miss for miss in session.misses() if miss.cause == "system_changed")
    place = next(place for place, step in enumerate(session.steps) if step.id == changed.step)
    runs = list(Run.objects.order_by("pk").values_list("pk", flat=True))
    page = " ".join(client.get(reverse("run", args=[runs[place]])).content.decode().split())
    assert "Cache miss: system prompt changed" in page
    assert "system[1].text, character 9" in page
    assert f"step {place + 1} of its session</a>" in page
    long = next(run_id for run_id in runs if "a line of the log" in new_in(run_id))
    text = client.get(reverse("run", args=[long])).content.decode()
    assert "Retrieving the result" in text.split('id="sent-json"')[0]


def new_in(run_id: Any) -> str:
    """The newest message of a request."""
    body = json.loads(bytes(Run.objects.get(pk=run_id).request_body or b"{}"))
    return json.dumps(body["messages"][-1])


def test_the_log_grouped_by_client_session_leads_to_the_session(
    client: Client, session: StoredSession, owner: User
) -> None:
    client.force_login(owner)
    text = client.get(reverse("runs"), {"group": "session"}).content.decode()
    assert reverse("session", args=[session.stored.pk]) in text
    AgentSession.objects.update(client_id="", title="Found by continuation")
    Run.objects.update(client_session="")
    text = client.get(reverse("runs"), {"group": "session"}).content.decode()
    assert reverse("session", args=[AgentSession.objects.get().pk]) in text
    assert "Found by continuation" in text
    assert "in no session" not in text
