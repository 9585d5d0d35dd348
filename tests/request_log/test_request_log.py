"""The list: what it shows, filters, pages, groups, and what can be done with a selection."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground import dispatch
from playground.models import Conversation, ConversationRun, ConversationVersion, Run
from playground.models.run import first_id_at
from tests.support import runs
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db
LIST = "/requests/"


def shown(response: Any) -> list[str]:
    """Ids of the runs in the lines of an answer, in their order."""
    return re.findall(r'data-run-id="([0-9a-f-]{36})"', response.content.decode())


def ids(*found: Run) -> list[str]:
    return [str(run.pk) for run in found]


def at(moment: datetime, number: int = 0) -> uuid.UUID:
    """The id of a run that started then."""
    return uuid.UUID(int=first_id_at(moment).int + number)


def run_at(owner: User, moment: datetime, **about: Any) -> Run:
    live = runs.live_run(owner, **about)
    live.id = at(moment, int(uuid.uuid4().int % 10**6))
    return runs.store(runs.tell(live))


def test_a_visitor_is_asked_to_log_in(client: Client) -> None:
    response = client.get(LIST)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_it_shows_ones_own_runs_newest_first(reader: Client, owner: User, stranger: User) -> None:
    first, second = runs.stored_run(owner), runs.failed_run(owner)
    runs.stored_run(stranger)
    response = reader.get(LIST)
    assert shown(response) == ids(second, first)
    text = response.content.decode()
    for words in ("claude-opus-4-5", "anthropic-python 2.12.0", "Sandbox", "529", "Free", "25"):
        assert words in text


def test_a_line_has_its_day_unless_it_is_today_and_foreign_words_as_text(reader: Client, owner: User) -> None:
    run_at(
        owner, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), model="<b>m</b>", connection_name="<i>", user_agent='"><u>'
    )
    text = markup(reader.get(LIST))
    assert "<small>4 Mar&nbsp;</small><time" in text
    assert 'datetime="2026-03-04T05:06:07+00:00" title="4 Mar 2026, 05:06:07 UTC">05:06:07</time>' in text
    assert text.count("&lt;b&gt;m&lt;/b&gt;") == 4  # its cell and the title of it, the box to select it, the filter
    assert "&quot;&gt;&lt;u&gt;" in text
    assert re.findall(r"<b>m|<i>|<u>", text) == []
    runs.stored_run(owner)
    assert reader.get(LIST).content.decode().count("&nbsp;</small>") == 1


def test_the_lines_of_a_long_log_come_in_pages_without_gap_or_double(reader: Client, owner: User) -> None:
    stored = [run_at(owner, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)) for number in range(120)]
    response = reader.get(LIST)
    seen = shown(response)
    while cursor := re.search(r'hx-get="(/requests/rows/\?[^"]+)"', response.content.decode()):
        response = reader.get(cursor[1].replace("&amp;", "&"))
        seen += shown(response)
    assert seen == ids(*reversed(stored))


def test_coming_back_shows_as_many_lines_as_were_there(reader: Client, owner: User) -> None:
    for number in range(60):
        run_at(owner, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number))
    assert len(shown(reader.get(LIST, {"rows": "100"}))) == 60
    assert len(shown(reader.get(LIST, {"rows": "99999999999999999999"}))) == 50


def test_htmx_gets_only_what_follows_the_filter(reader: Client, owner: User) -> None:
    runs.stored_run(owner)
    response = reader.get(LIST, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert 'id="log"' in response.content.decode()


# --- Groups ---


def test_requests_are_grouped_by_the_clients_session(reader: Client, owner: User) -> None:
    for _ in range(3):
        runs.stored_run(owner, request_headers=(("x-session-id", "s-1"),))
    runs.stored_run(owner)
    text = markup(reader.get(LIST, {"group": "session"}))
    assert "/requests/?session=s-1" in text
    assert "in no session" in text
    assert "4 requests in 2 groups" in text


def test_requests_are_grouped_by_conversation(reader: Client, owner: User) -> None:
    conversation = Conversation.objects.create(owner=owner, title="Skies & <b>moons</b>")
    version = ConversationVersion(conversation=conversation, digest="-")
    version.body_text = "{}"
    version.save()
    run = runs.stored_run(owner)
    ConversationRun.objects.create(conversation=conversation, version=version, run_id=run.pk)
    runs.stored_run(owner)
    text = markup(reader.get(LIST, {"group": "conversation"}))
    assert "Skies &amp; &lt;b&gt;moons&lt;/b&gt;" in text
    assert shown(reader.get(LIST, {"conversation": str(conversation.pk)})) == ids(run)


# --- The selection ---


def test_selected_runs_are_deleted_but_not_somebody_elses(reader: Client, owner: User, stranger: User) -> None:
    mine, kept, theirs = runs.stored_run(owner), runs.stored_run(owner), runs.stored_run(stranger)
    response = reader.post("/requests/selection/", {"run": [*ids(mine, theirs), "x"], "do": "delete"})
    assert response["Location"] == LIST
    assert set(Run.objects.values_list("pk", flat=True)) == {kept.pk, theirs.pk}
    assert runs.search_ids(owner, "sky") == [kept.pk]


def test_two_selected_runs_are_compared(reader: Client, owner: User) -> None:
    a, b, c = runs.stored_run(owner), runs.stored_run(owner), runs.stored_run(owner)
    response = reader.post("/requests/selection/", {"run": ids(b, a), "do": "compare"})
    assert response["Location"] == f"/requests/compare/?a={a.pk}&b={b.pk}"
    response = reader.post("/requests/selection/", {"run": ids(a, b, c), "do": "compare", "next": "/requests/?q=sky"})
    assert response["Location"] == "/requests/?q=sky"


def test_a_deleted_run_does_not_come_back_from_the_live_log(reader: Client, owner: User) -> None:
    here = dispatch.get_live()
    live = runs.tell(runs.live_run(owner))
    here._runs[live.id], here._over[live.id] = live, 0
    runs.store(live)
    reader.post("/requests/selection/", {"run": str(live.id), "do": "delete"})
    assert shown(reader.get(LIST)) == []
    assert reader.get(f"/requests/{live.id}/").status_code == 404


def test_a_run_that_goes_on_is_listed_but_not_deleted(reader: Client, owner: User) -> None:
    here = dispatch.get_live()
    live = runs.live_run(owner)
    live.publish(runs.told(runs.stream())[:3])
    here._runs[live.id] = live
    try:
        assert shown(reader.get(LIST)) == [str(live.id)]
        runs.store(live)
        assert shown(reader.get(LIST)) == [str(live.id)]
        reader.post("/requests/selection/", {"run": str(live.id), "do": "delete"})
        assert Run.objects.count() == 1
        assert "streaming" in reader.get(LIST).content.decode()
        assert reader.get(f"/requests/{live.id}/").status_code == 200
    finally:
        del here._runs[live.id]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/requests/", "//evil.example", "/accounts/login/", "x"])
def test_the_way_back_leads_to_the_log_only(reader: Client, elsewhere: str) -> None:
    response = reader.post("/requests/selection/", {"do": "delete", "next": elsewhere})
    assert response["Location"] == LIST


def test_an_unknown_deed_is_refused(reader: Client) -> None:
    assert reader.post("/requests/selection/", {"do": "publish"}).status_code == 400


# --- Everybody else ---

ROUTES = [
    ("get", "run", {}),
    ("get", "run-code", {}),
    ("post", "run-star", {}),
    ("post", "run-note", {}),
    ("post", "run-delete", {}),
    ("get", "run-download", {"kind": "json"}),
    ("get", "run-download", {"kind": "sse"}),
    ("get", "run-download", {"kind": "har"}),
    ("get", "run-download", {"kind": "request"}),
]


@pytest.mark.parametrize(("method", "name", "extra"), ROUTES, ids=str)
def test_somebody_elses_run_is_not_there(
    client: Client, owner: User, stranger: User, method: str, name: str, extra: dict[str, str]
) -> None:
    run = runs.stored_run(owner, "a secret question")
    address = reverse(name, kwargs={"run_id": run.pk, **extra})
    assert getattr(client, method)(address).status_code in {302, 404}  # a visitor
    client.force_login(stranger)
    response = getattr(client, method)(address)
    assert response.status_code == 404
    assert b"secret question" not in response.content
    assert getattr(client, method)(reverse(name, kwargs={"run_id": uuid.uuid4(), **extra})).status_code == 404
    assert Run.objects.filter(pk=run.pk, starred=False, note="").exists()


def test_nothing_of_somebody_else_is_listed_counted_searched_or_exported(
    client: Client, owner: User, stranger: User
) -> None:
    run = runs.stored_run(owner, "a secret question", request_headers=(("x-session-id", "secret-session"),))
    client.force_login(stranger)
    for address in (LIST, f"{LIST}?q=secret", f"{LIST}?group=session", "/requests/charts/", f"{LIST}?session=x"):
        assert "secret" not in client.get(address).content.decode().replace('value="secret"', "").replace(
            "q=secret", ""
        )
    for other in ("a", "b"):
        query = {"a": str(runs.stored_run(stranger).pk), "b": str(runs.stored_run(stranger).pk)} | {other: str(run.pk)}
        assert client.get("/requests/compare/", query).status_code == 404


@pytest.mark.parametrize("name", ["run-selection", "run-star", "run-note", "run-delete"], ids=str)
def test_what_changes_something_is_not_done_by_get(reader: Client, owner: User, name: str) -> None:
    run = runs.stored_run(owner)
    address = reverse(name) if name == "run-selection" else reverse(name, args=[run.pk])
    assert reader.get(address).status_code == 405


# --- Cost ---


def test_the_list_takes_the_same_queries_whatever_its_length(
    reader: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        run_at(owner, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number))
    with django_assert_max_num_queries(10):  # session, user, ids, lines, five lists of names, messages
        reader.get(LIST)
    with django_assert_max_num_queries(4):
        reader.get("/requests/rows/", {"before": str(at(datetime(2026, 12, 1, tzinfo=UTC)))})
    with django_assert_max_num_queries(3):
        reader.get("/requests/charts/")
    with django_assert_max_num_queries(5):
        reader.get(LIST, {"q": "sky"}, headers={"HX-Request": "true"})
    with django_assert_max_num_queries(4):
        reader.get(LIST, {"group": "session"}, headers={"HX-Request": "true"})
