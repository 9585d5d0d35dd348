"""The log's filter: what the address says, as a condition on runs, and back as an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from playground.models import ConformanceRun, ConversationRun
from playground.models.run import first_id_at
from playground.protocol.endpoints import PATHS
from playground.protocol.foreign_text import storable
from playground.rendering.log_columns import FACETS, FIELDS, Field
from playground.search import index

if TYPE_CHECKING:
    from playground.models.run import RunQuerySet

STATUSES = {"2xx": 2, "4xx": 4, "5xx": 5, "other": 1, "none": 0}
STATES = ("running", "completed", "failed", "interrupted", "cancelled")
SOURCES = ("playground", "relay", "check", "imported")
ENDPOINTS = tuple(PATHS)
COLUMNS = {field.filter: field.name for field in FIELDS if field.filter}
# Those whose values are names, offered as they occur in the owner's log.
OFFERED = tuple(field.filter for field in FIELDS if field.label)
DAYS = (1, 7, 14, 30)
_LONGEST = 200


@dataclass(frozen=True)
class Filter:
    """One filter. What cannot be understood is left out; `problems` says so."""

    q: str = ""
    status: str = ""
    state: str = ""
    model: str = ""
    connection: str = ""
    key: str = ""
    source: str = ""
    endpoint: str = ""
    agent: str = ""
    stop: str = ""
    session: str = ""
    conversation: str = ""
    report: str = ""  # a conformance report that sent them
    starred: str = ""
    days: str = ""
    since: str = ""  # dates in the reader's time zone, both included
    until: str = ""
    longer: str = ""  # seconds
    shorter: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filter:
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name in _names():
            value = query.get(name, "").replace("\x00", "").strip()[:_LONGEST]
            check = _CHECKS.get(name)
            if value and check is not None and not check(value):
                problems.append(f"{name} is not valid: {storable(value)}")
            elif value:
                values[name] = storable(value)
        return cls(**values, problems=tuple(problems))

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _names())

    @property
    def query(self) -> str:
        """The filter as an address's query, without the question mark."""
        return urlencode({name: getattr(self, name) for name in _names() if getattr(self, name)})

    @property
    def has_more(self) -> bool:
        """Whether one of the conditions behind "More" is set."""
        return any(getattr(self, name) for name in MORE)

    @property
    def terms(self) -> list[index.Term]:
        return index.read_query(self.q)

    @property
    def first(self) -> dt.datetime | None:
        """When the range of dates begins."""
        if self.days:
            return start_of(timezone.localdate() - dt.timedelta(days=int(self.days) - 1))
        return _moment(self.since) if self.since else None

    @property
    def end(self) -> dt.datetime | None:
        """The first moment after the range."""
        return _moment(self.until, days_later=1) if self.until and not self.days else None

    @property
    def values(self) -> dict[str, Any]:
        """The conditions that ask for one value of a column."""
        conditions = {column: getattr(self, name) for name, column in COLUMNS.items() if getattr(self, name)}
        return conditions | ({"status_class": STATUSES[self.status]} if self.status else {})

    @property
    def facets(self) -> dict[str, Any]:
        """Those of them that the search answers too."""
        return {column: value for column, value in self.values.items() if column in FACETS}

    @property
    def others(self) -> dict[str, Any]:
        """All other conditions, as Django writes them."""
        lookups = {column: value for column, value in self.values.items() if column not in FACETS}
        if self.conversation:
            links = ConversationRun.objects.filter(conversation_id=self.conversation)
            lookups["pk__in"] = links.values("run_id")
        if self.report:
            lookups["id__in"] = ConformanceRun.objects.filter(report_id=UUID(self.report)).values("run_id")
        if self.starred:
            lookups["starred"] = True
        if self.longer:
            lookups["duration_ms__gte"] = float(self.longer) * 1000
        if self.shorter:
            lookups["duration_ms__lt"] = float(self.shorter) * 1000
        return lookups

    @property
    def ids(self) -> dict[str, UUID]:
        """The range of dates as one of ids."""
        lookups = {}
        if self.first is not None:
            lookups["pk__gte"] = first_id_at(self.first)
        if self.end is not None:
            lookups["pk__lt"] = first_id_at(self.end)
        return lookups

    def apply(self, runs: RunQuerySet) -> RunQuerySet:
        """The runs that match; the words to search for are not looked at here."""
        return runs.filter(**self.facets).filter(**self.others).filter(**self.ids)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Return whether a run that goes on matches, by its columns so far. A search never does: there is no
        text yet."""
        if self.q or self.starred or self.longer or self.shorter or self.conversation or self.report or self.until:
            return False
        return all(columns.get(name) == value for name, value in self.values.items())


def choices(names: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what the filter's form offers; `names` are the values that occur in the log, by parameter."""
    return {
        "statuses": [("2xx", "2xx"), ("4xx", "4xx"), ("5xx", "5xx"), ("other", "other"), ("none", "no response")],
        "states": list(zip(STATES, ("running", "completed", "failed", "cut off", "stopped"), strict=True)),
        "sources": SOURCES,
        "endpoints": ENDPOINTS,
        "days": list(zip(map(str, DAYS), ("Today", "Last 7 days", "Last 14 days", "Last 30 days"), strict=True)),
        "first": [_choice(field, names) for field in FIELDS if field.label and not field.is_rare],
        "more": [_choice(field, names) for field in FIELDS if field.label and field.is_rare],
    }


def _choice(field: Field, names: Mapping[str, list[str]]) -> tuple[str, str, list[str]]:
    return field.filter, field.label, names[field.filter]


MORE = (
    *(field.filter for field in FIELDS if field.filter and field.is_rare),
    *("conversation", "report", "starred", "since", "until", "longer", "shorter"),
)


def _names() -> list[str]:
    return [each.name for each in fields(Filter) if each.name != "problems"]


def start_of(date: dt.date) -> dt.datetime:
    """Return when a day begins in the reader's time zone: days are not all 24 hours long."""
    return dt.datetime.combine(date, dt.time(), timezone.get_current_timezone())


def _moment(date: str, *, days_later: int = 0) -> dt.datetime:
    return start_of(dt.date.fromisoformat(date) + dt.timedelta(days=days_later))


def _is_date(value: str) -> bool:
    try:
        return 1970 <= dt.date.fromisoformat(value).year < 9000
    except ValueError:
        return False


def _is_seconds(value: str) -> bool:
    try:
        return 0 <= float(value) < 1e6
    except ValueError:
        return False


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


_CHECKS = {
    "status": STATUSES.__contains__,
    "state": STATES.__contains__,
    "source": SOURCES.__contains__,
    "endpoint": ENDPOINTS.__contains__,
    "days": [str(number) for number in DAYS].__contains__,
    "starred": {"1"}.__contains__,
    "since": _is_date,
    "until": _is_date,
    "longer": _is_seconds,
    "shorter": _is_seconds,
    "conversation": _is_id,
    "report": _is_id,
}
