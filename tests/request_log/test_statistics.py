"""Numbers of the charts, and the charts' words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from playground.models import Run
from playground.models.run import FIGURES, first_id_at
from playground.request_log import statistics
from tests.support import runs
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

FIRST, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)


def row(day: int, status: int = 2, state: str = "completed", first: float | None = 100.0) -> tuple[Any, ...]:
    run_id = uuid.UUID(int=first_id_at(FIRST + timedelta(days=day, hours=5)).int + uuid.uuid4().int % 10**9)
    return (str(run_id), status, state, first, 500.0, 10, 2, 3, 7, None, "messages")


def test_runs_are_counted_by_day_and_class() -> None:
    rows = [row(13), row(2, 5, "failed", None), row(2, 4, "failed", None), row(2), row(2, 2, "interrupted"), row(0)]
    counted = statistics.count(rows, FIRST, END)
    assert len(counted.days) == 14
    assert (counted.days[2].ok, counted.days[2].client, counted.days[2].server) == (1, 1, 2)
    assert (counted.count, counted.total("tokens_in"), counted.total("tokens_out")) == (6, 90, 42)


def test_a_token_count_is_a_request_and_takes_no_part_in_the_durations() -> None:
    count = (*row(2, first=None)[:4], 3.0, None, None, None, None, None, "count_tokens")
    counted = statistics.count([row(2), count], FIRST, END)
    assert (counted.count, counted.total("tokens_in")) == (2, 15)
    assert counted.ordered("duration_ms") == [500.0]


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [([], 0.5, None), ([3], 0.95, 3), ([1, 2, 3, 4], 0.5, 2.5), ([4, 1, 3, 2], 1.0, 4), ([0, 100], 0.95, 95)],
)
def test_percentiles_lie_between_the_nearest_values(values: list[float], part: float, expected: float | None) -> None:
    assert statistics.percentile(values, part) == expected


@pytest.mark.parametrize("days", [1, 14, 60, 61, 365, 4000])
def test_a_long_range_has_few_bars_which_hold_every_day(days: int) -> None:
    counted = statistics.count([row(0), row(days - 1)][::-1], FIRST, FIRST + timedelta(days=days))
    assert len(counted.days) <= statistics.MOST_BARS
    assert counted.count == 2
    assert counted.last >= (FIRST + timedelta(days=days - 1)).date()


def test_only_the_newest_runs_are_charted_and_the_range_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_RUNS", 3)
    counted = statistics.count([row(13), row(12), row(11), row(3)], FIRST, END)
    assert counted.is_capped
    assert (counted.count, counted.first) == (3, (FIRST + timedelta(days=11)).date())


def test_what_is_charted_is_in_one_index() -> None:
    # Without, a chart of 5,000 runs reads as many rows: twice the time on SQLite, three times on PostgreSQL.
    charted = {
        column if isinstance(column, str) else column.get_source_expressions()[0].name for column in statistics.COLUMNS
    }
    assert charted <= {"pk", *FIGURES}


@pytest.mark.django_db
def test_charts_follow_the_filter_and_have_words(client: Client, owner: User) -> None:
    client.force_login(owner)
    runs.stored_run(owner)
    runs.failed_run(owner)
    text = markup(client.get("/requests/charts/"))
    assert "<b>2</b> requests in 14 days" in text
    assert "has the most failures: 1" in text
    text = markup(client.get("/requests/charts/", {"status": "2xx"}))
    assert "<b>1</b> request in 14 days" in text
    assert "No failures of class 5xx" in text
    assert 'style="' not in text


@pytest.mark.django_db
def test_the_dearest_day_is_named_only_where_something_cost_something(client: Client, owner: User) -> None:
    client.force_login(owner)
    run = runs.stored_run(owner)
    Run.objects.filter(pk=run.pk).update(cost_usd=0)
    assert "most on" not in markup(client.get("/requests/charts/"))
    Run.objects.filter(pk=run.pk).update(cost_usd=Decimal("1.5"))
    today = timezone.now()
    assert f"most on {today.day} {today:%b}, $1.50" in markup(client.get("/requests/charts/"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [{}, {"since": "1971-01-01"}, {"since": "2030-01-01", "until": "2020-01-01"}, {"q": "x"}]
)
def test_charts_of_nothing_are_no_fault(client: Client, owner: User, query: dict[str, str]) -> None:
    client.force_login(owner)
    assert client.get("/requests/charts/", query).status_code == 200
