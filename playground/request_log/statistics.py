"""Numbers for the charts of the log: per day and in all, following the filter."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db.models import CharField, FloatField
from django.db.models.functions import Cast
from django.utils import timezone

from playground.engine.live_run import RUNNING_STATES
from playground.request_log.filters import start_of

DAYS = 14  # without dates in the filter
MOST_BARS = 60
MOST_RUNS = 5_000  # the newest so many are counted; a chart of more looks the same and costs too much


class Plain(Cast):
    """A cast whose values are left as the database driver gives them."""

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


# As plain text and numbers: making a UUID and a Decimal of each costs more than reading the rows, which the index
# `run_figures` holds.
COLUMNS = (
    Plain("pk", CharField()), "status_class", "state", "first_token_ms", "duration_ms", "input_tokens",
    "cache_write_tokens", "cache_read_tokens", "output_tokens", Plain("cost_usd", FloatField()), "endpoint",
)  # fmt: skip
_LATEST_MS = 2**48 - 1


@dataclass
class Day:
    """One bar: the runs that began in this span of days."""

    date: dt.date
    ok: int = 0
    client: int = 0  # 4xx
    server: int = 0  # 5xx, cut off, failed after a 200
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    first_token_ms: list[float] = field(default_factory=list)
    duration_ms: list[float] = field(default_factory=list)

    @property
    def all(self) -> int:
        return self.ok + self.client + self.server


@dataclass
class Stats:
    """The bars of a chart, oldest first. `is_capped`: there were more runs than are counted."""

    days: list[Day]
    step_days: int  # how many days one bar holds
    is_capped: bool

    @property
    def count(self) -> int:
        return sum(day.all for day in self.days)

    @property
    def first(self) -> dt.date:
        return self.days[0].date

    @property
    def last(self) -> dt.date:
        return self.days[-1].date + dt.timedelta(days=self.step_days - 1)

    @property
    def span_days(self) -> int:
        return len(self.days) * self.step_days

    def total(self, name: str) -> Any:
        return sum(getattr(day, name) for day in self.days)

    def ordered(self, name: str) -> list[float]:
        """All days' `first_token_ms` or `duration_ms`, for `percentile`."""
        return sorted(value for day in self.days for value in getattr(day, name))


def span(first: dt.datetime | None, end: dt.datetime | None) -> tuple[dt.datetime, dt.datetime]:
    """The range of a chart. Without a beginning, the last two weeks before the end."""
    end = end or timezone.now() + dt.timedelta(seconds=1)
    return first or start_of(_date_of(end) - dt.timedelta(days=DAYS - 1)), end


def count(rows: Sequence[tuple[Any, ...]], begin: dt.datetime, end: dt.datetime) -> Stats:
    """Put rows of `COLUMNS`, newest first, into bars of one day of the reader's, or of as many as keep the bars few."""
    first, last = _date_of(begin), _date_of(end - dt.timedelta(microseconds=1))
    if len(rows) > MOST_RUNS:
        first = max(first, _date_of(_began(rows[MOST_RUNS - 1][0])))
    length = max(1, (last - first).days + 1)
    step = -(-length // MOST_BARS)
    days = [Day(first + dt.timedelta(days=number)) for number in range(0, length, step)]
    if rows:
        # A column at a time, cut where the days change: the rows are too many to be looked at one by one.
        columns = list(zip(*reversed(rows[:MOST_RUNS]), strict=True))
        has_hyphens = "-" in rows[0][0]
        dates = [*(day.date for day in days), days[-1].date + dt.timedelta(days=step)]
        cuts = [bisect_left(columns[0], _first_id_on(date, has_hyphens=has_hyphens)) for date in dates]
        for day, (start, stop) in zip(days, pairwise(cuts), strict=True):
            _fill(day, [column[start:stop] for column in columns])
    return Stats(days, step, is_capped=len(rows) > MOST_RUNS)


def _date_of(moment: dt.datetime) -> dt.date:
    """The day of the reader's in which a moment is."""
    return timezone.localtime(moment).date()


def _began(run_id: str) -> dt.datetime:
    """Return when a run began: its id, with hyphens or without, begins with the milliseconds."""
    return dt.datetime.fromtimestamp(int(run_id.replace("-", "")[:12], 16) / 1000, dt.UTC)


def _first_id_on(date: dt.date, *, has_hyphens: bool) -> str:
    """Return the smallest id of a day of the reader's, in the order of text."""
    milliseconds = f"{min(max(0, int(start_of(date).timestamp() * 1000)), _LATEST_MS):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}" if has_hyphens else milliseconds


def _fill(day: Day, columns: Sequence[Sequence[Any]]) -> None:
    _, classes, states, first_token_ms, duration_ms, fresh, written, read, out, cost, endpoints = columns
    for (status_class, state), runs in Counter(zip(classes, states, strict=True)).items():
        if status_class == 4:
            day.client += runs
        elif state in RUNNING_STATES or state == "cancelled" or (status_class == 2 and state == "completed"):
            day.ok += runs
        else:
            day.server += runs
    day.tokens_in = sum(sum(filter(None, column)) for column in (fresh, written, read))
    day.tokens_out = sum(filter(None, out))
    day.cost_usd = sum(filter(None, cost))
    day.first_token_ms = [ms for ms in first_token_ms if ms is not None]
    # A token count takes no time to speak of: counted with the messages, it would make them look quick.
    timed = zip(duration_ms, classes, endpoints, strict=True)
    day.duration_ms = [ms for ms, of, endpoint in timed if of == 2 and ms is not None and endpoint == "messages"]


def percentile(values: Iterable[float], part: float) -> float | None:
    """The value below which `part` of the values lie, between the two nearest; None without values. 0.5: the median."""
    ordered = sorted(values)
    if not ordered:
        return None
    at = part * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
