"""The log's filter: what the address says, as a condition on runs, and back as an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from playground import search
from playground.models import ConversationRun
from playground.models.run import first_id_at

if TYPE_CHECKING:
    from playground.models.run import RunQuerySet

STATUSES = {"2xx": 2, "4xx": 4, "5xx": 5, "other": 1, "none": 0}
STATES = ("running", "completed", "failed", "interrupted", "cancelled")
SOURCES = ("playground", "relay")
# Columns whose values are names: filtered by equality, offered as they occur in the owner's log.
NAMES = {
    "model": "model",
    "connection": "connection_name",
    "key": "access_key_name",
    "agent": "agent",
    "stop": "stop_reason",
    "session": "client_session",
}
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
    agent: str = ""
    stop: str = ""
    session: str = ""
    conversation: str = ""
    starred: str = ""
    days: str = ""
    since: str = ""  # dates, UTC, both included
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
                problems.append(f"{name} is not understood: {_printable(value)}")
            elif value:
                values[name] = _printable(value)
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
    def terms(self) -> list[search.Term]:
        return search.read_query(self.q)

    @property
    def first(self) -> dt.datetime | None:
        """When the range of dates begins."""
        if self.days:
            today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
            return today - dt.timedelta(days=int(self.days) - 1)
        return _moment(self.since) if self.since else None

    @property
    def end(self) -> dt.datetime | None:
        """The first moment after the range."""
        return _moment(self.until) + dt.timedelta(days=1) if self.until and not self.days else None

    @property
    def facets(self) -> dict[str, Any]:
        """The conditions that ask for one value of a column. The search answers them too."""
        wanted: dict[str, Any] = {column: getattr(self, name) for name, column in NAMES.items() if getattr(self, name)}
        if self.status:
            wanted["status_class"] = STATUSES[self.status]
        if self.state:
            wanted["state"] = self.state
        if self.source:
            wanted["source"] = self.source
        return wanted

    @property
    def others(self) -> dict[str, Any]:
        """All other conditions, as Django writes them."""
        wanted: dict[str, Any] = {}
        if self.conversation:
            links = ConversationRun.objects.filter(conversation_id=self.conversation)
            wanted["pk__in"] = links.values("run_id")
        if self.starred:
            wanted["starred"] = True
        if self.longer:
            wanted["duration_ms__gte"] = float(self.longer) * 1000
        if self.shorter:
            wanted["duration_ms__lt"] = float(self.shorter) * 1000
        return wanted

    @property
    def ids(self) -> dict[str, UUID]:
        """The range of dates as one of ids."""
        wanted = {}
        if self.first is not None:
            wanted["pk__gte"] = first_id_at(self.first)
        if self.end is not None:
            wanted["pk__lt"] = first_id_at(self.end)
        return wanted

    def apply(self, runs: RunQuerySet) -> RunQuerySet:
        """The runs that match; the words to search for are not looked at here."""
        return runs.filter(**self.facets).filter(**self.others).filter(**self.ids)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Whether a run that goes on matches, by its columns so far. A search never does: there is no text yet."""
        if self.q or self.starred or self.longer or self.shorter or self.conversation or self.until:
            return False
        return all(columns.get(name) == value for name, value in self.facets.items())


def choices(names: Mapping[str, list[str]]) -> dict[str, Any]:
    """What the filter's form offers; `names` are the values that occur in the log, by parameter."""
    return {
        "statuses": [("2xx", "2xx"), ("4xx", "4xx"), ("5xx", "5xx"), ("other", "other"), ("none", "no answer")],
        "states": list(zip(STATES, ("running", "completed", "failed", "cut off", "stopped"), strict=True)),
        "sources": SOURCES,
        "days": list(zip(map(str, DAYS), ("Today", "Last 7 days", "Last 14 days", "Last 30 days"), strict=True)),
        "first": [("model", "Model", names["model"]), ("connection", "Connection", names["connection"])],
        "more": [
            ("stop", "Stop reason", names["stop"]),
            ("key", "Access key", names["key"]),
            ("agent", "User agent", names["agent"]),
        ],
    }


MORE = ("state", "key", "agent", "stop", "session", "conversation", "starred", "since", "until", "longer", "shorter")


def _names() -> list[str]:
    return [each.name for each in fields(Filter) if each.name != "problems"]


def _printable(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _moment(date: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(date), dt.time(), dt.UTC)


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
    "days": [str(number) for number in DAYS].__contains__,
    "starred": {"1"}.__contains__,
    "since": _is_date,
    "until": _is_date,
    "longer": _is_seconds,
    "shorter": _is_seconds,
    "conversation": _is_id,
}
