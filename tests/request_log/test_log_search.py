"""The log's filter and its search."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from playground.models import Run
from playground.request_log import keyset_pages
from playground.request_log.filters import Filter
from tests.request_log.test_request_log import LIST, ids, run_at, shown
from tests.support import runs
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


FILTERS: list[tuple[dict[str, str], str]] = [
    ({"status": "5xx"}, "refused"),
    ({"status": "2xx", "model": "claude-haiku-5-5"}, "other"),
    ({"state": "failed"}, "refused"),
    ({"model": "claude-haiku-5-5"}, "other"),
    ({"connection": "Ollama on tower"}, "other"),
    ({"key": "laptop"}, "other"),
    ({"source": "relay"}, "other"),
    ({"agent": "curl 8.16"}, "other"),
    ({"session": "s-77"}, "other"),
    ({"starred": "1"}, "starred"),
    ({"until": "2026-10-02"}, "old"),
    ({"since": "2026-10-01", "until": "2026-10-01"}, "old"),
    ({"longer": "2"}, "slow"),
    ({"stop": "max_tokens"}, "cut"),
    ({"q": "moonlight"}, "other"),
    ({"q": "overloaded"}, "refused"),
    ({"q": '"req_011CVx4" moonlight -clouds', "source": "relay"}, "other"),
]


@pytest.fixture
def varied(owner: User) -> dict[str, Run]:
    other = runs.live_run(
        owner,
        body=runs.body_of("Why is moonlight pale?", model="claude-haiku-5-5"),
        model="claude-haiku-5-5",
        connection_name="Ollama on tower",
        access_key_name="laptop",
        source="relay",
        user_agent="curl/8.16",
        request_headers=(("x-session-id", "s-77"),),
    )
    slow = runs.live_run(owner)
    slow.publish([*runs.told(runs.stream()), runs.ended(at_ms=9_000.0)])
    starred = runs.stored_run(owner)
    Run.objects.filter(pk=starred.pk).update(starred=True)
    return {
        "old": run_at(owner, datetime(2026, 10, 1, 12, tzinfo=UTC)),
        "plain": runs.stored_run(owner),
        "starred": starred,
        "other": runs.store(runs.tell(other)),
        "refused": runs.failed_run(owner),
        "slow": runs.store(slow),
        "cut": runs.store(runs.tell(runs.live_run(owner), runs.stream(stop_reason="max_tokens"))),
    }


@pytest.mark.parametrize(("query", "name"), FILTERS, ids=lambda value: str(value))
def test_each_filter_finds_what_it_says(
    reader: Client, varied: dict[str, Run], query: dict[str, str], name: str
) -> None:
    assert shown(reader.get(LIST, query)) == ids(varied[name])
    assert shown(reader.get(LIST, query, headers={"HX-Request": "true"})) == ids(varied[name])


def test_the_address_holds_the_filter_and_the_form_shows_it(reader: Client, varied: dict[str, Run]) -> None:
    text = markup(reader.get(LIST, {"status": "5xx", "q": 'say "hi"', "longer": "0.1"}))
    assert '<option value="5xx" selected>' in text
    assert 'value="say &quot;hi&quot;"' in text
    assert 'name="longer" value="0.1"' in text


@pytest.mark.parametrize(
    "query",
    [
        {"status": "9xx"},
        {"since": "yesterday"},
        {"until": "9999-99-99"},
        {"longer": "nan"},
        {"longer": "-1"},
        {"days": "99"},
        {"conversation": "'; DROP TABLE"},
        {"before": "nonsense"},
        {"before": "٣"},
        {"q": "\x00"},
        {"q": '"""'},
        {"q": "-only -excluded"},
        {"q": "NEAR(a b) OR * AND ( NOT"},
        {"q": "x" * 5000},
        {"model": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
        {"group": "nothing"},
        {"rows": "-5"},
    ],
    ids=str,
)
def test_odd_filters_are_no_faults(reader: Client, owner: User, query: dict[str, str]) -> None:
    runs.stored_run(owner)
    for page in (LIST, "/requests/rows/", "/requests/charts/", "/requests/export/"):
        assert reader.get(page, query).status_code in {200, 400}


def test_a_filter_that_is_not_understood_says_so(reader: Client, owner: User) -> None:
    assert "status is not valid: 9xx" in reader.get(LIST, {"status": "9xx"}).content.decode()


def test_the_filter_offers_the_names_that_occur_in_ones_own_log(
    reader: Client, varied: dict[str, Run], stranger: User
) -> None:
    runs.stored_run(stranger, model="strangers-model")
    text = markup(reader.get(LIST))
    assert "<option>claude-haiku-5-5</option>" in text
    assert "strangers-model" not in text


def test_an_empty_log_and_an_empty_result_say_what_to_do(reader: Client) -> None:
    assert "No requests yet" in reader.get(LIST).content.decode()
    assert "No request matches this filter" in reader.get(LIST, {"status": "5xx"}).content.decode()


def test_a_search_with_a_filter_goes_through_more_matches_than_fit_a_page(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "_SEARCH_STEPS", (5, 5, 5))
    wanted = [runs.stored_run(owner, "needle", model="rare") if number % 10 == 0 else None for number in range(1)]
    for _ in range(22):
        runs.stored_run(owner, "needle")
    wanted.append(runs.stored_run(owner, "needle", model="rare"))
    listed = keyset_pages.page(owner, Filter(q="needle", model="rare"))
    assert [run.pk for run in listed.runs] == [run.pk for run in reversed(wanted) if run]


def test_a_search_that_looks_through_very_much_goes_on_where_it_stopped(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "_SEARCH_STEPS", (3, 3))
    starred = runs.stored_run(owner, "needle")
    Run.objects.filter(pk=starred.pk).update(starred=True)
    for _ in range(12):
        runs.stored_run(owner, "needle")
    wanted, cursor, seen, asked = Filter(q="needle", starred="1"), "", [], 0
    monkeypatch.setitem(keyset_pages.search_pairs.__kwdefaults__, "look_at", 4)
    while True:
        listed = keyset_pages.page(owner, wanted, before=cursor, rows=2)
        asked += 1
        seen += [run.pk for run in listed.runs]
        if not (cursor := listed.next):
            break
        assert listed.is_cut
    assert seen == [starred.pk]
    assert asked > 1


def test_a_search_within_dates_finds_what_began_then(owner: User, stranger: User) -> None:
    noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
    at_days = [run_at(owner, noon + timedelta(days=day)) for day in range(4)]
    run_at(stranger, noon + timedelta(days=1))
    Run.objects.filter(pk=at_days[2].pk).update(starred=True)
    within = Filter(q="rayleigh", since="2026-10-02", until="2026-10-03")
    assert [run.pk for run in keyset_pages.page(owner, within).runs] == [at_days[2].pk, at_days[1].pk]
    assert [run.pk for run in keyset_pages.page(owner, replace(within, starred="1")).runs] == [at_days[2].pk]
    assert keyset_pages.newest_values(owner, within, ["pk"], 9) == [(at_days[2].pk,), (at_days[1].pk,)]


def test_pages_of_a_search_have_no_gap_and_no_double(owner: User) -> None:
    stored = [runs.stored_run(owner, f"needle {number}") for number in range(23)]
    seen, cursor = [], ""
    while True:
        listed = keyset_pages.page(owner, Filter(q="needle"), before=cursor, rows=5)
        seen += [run.pk for run in listed.runs]
        if not (cursor := listed.next):
            break
    assert seen == [run.pk for run in reversed(stored)]
