"""The list of sessions: filtered, by keyset, with what a line shows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from playground.models import AgentSession, Run, RunDigest
from playground.models.agent_session import AgentSessionQuerySet
from playground.models.run import first_id_at, started_at_of
from playground.rendering import formatting
from playground.request_log.filters import start_of
from playground.request_log.keyset_pages import names_in_use, one_of
from playground.search import index
from playground.session_log.misses_seen import CHOICES, look_through, stale
from playground.session_log.page import LIVE_S, dollars

if TYPE_CHECKING:
    from collections.abc import Mapping


ROWS = 50
WITHIN_S = 0.5  # for finding misses while somebody waits for the list
MOST_LOOKED_THROUGH = 200
MOST_RUNNING = 1_000
DAYS = (("1", "Today and yesterday"), ("7", "7 days"), ("30", "30 days"))
CACHE = (("50", "Under 50 % read"), ("80", "Under 80 % read"))
MOST_SEARCHED = 2_000  # the newest requests with the words, whose sessions are shown
KINDS = (("", "Sessions"), ("all", "Single requests too"))


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """The filter in an address; what it does not know is passed over."""

    q: str = ""
    client: str = ""
    model: str = ""
    key: str = ""
    cache: str = ""
    misses: str = ""
    days: str = ""
    since: str = ""
    until: str = ""
    failed: str = ""
    starred: str = ""
    kind: str = ""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> SessionFilter:
        read = {name: str(values.get(name, "")).replace("\x00", "").strip()[:200] for name in cls.__slots__}
        kept = {"days": DAYS, "cache": CACHE, "kind": KINDS, "misses": CHOICES}
        read |= {name: read[name] if read[name] in dict(choices) else "" for name, choices in kept.items()}
        return cls(**read | {name: read[name] if _moment(read[name]) else "" for name in ("since", "until")})

    def __bool__(self) -> bool:
        return self != SessionFilter()

    @property
    def query(self) -> str:
        return urlencode({name: getattr(self, name) for name in self.__slots__ if getattr(self, name)})

    @property
    def has_more(self) -> bool:
        """Whether one of the conditions behind "More" is set."""
        return any((self.key, self.cache, self.since, self.until, self.kind, self.failed, self.starred))

    def apply(self, sessions: AgentSessionQuerySet, owner_id: int) -> AgentSessionQuerySet:
        if self.q:
            words = Q(title__icontains=self.q) | Q(client_id__icontains=self.q) | Q(note__icontains=self.q)
            matching = [run_id for _, run_id in index.find(owner_id, index.read_query(self.q), most=MOST_SEARCHED)]
            if matching:
                words |= Q(pk__in=RunDigest.objects.filter(run_id__in=one_of(matching)).values("session_id"))
            sessions = sessions.filter(words)
        if self.key:
            sessions = sessions.filter(digests__run__access_key_name=self.key).distinct()
        if self.cache:
            all_in = F("input_tokens") + F("written_tokens") + F("read_tokens")
            sessions = sessions.filter(read_tokens__lt=all_in * int(self.cache) / 100)
        if self.misses:
            sessions = sessions.filter(causes__contains=f"|{self.misses}|")
        if self.client:
            sessions = sessions.filter(client=self.client)
        if self.model:
            sessions = sessions.filter(digests__run__model=self.model).distinct()
        if self.days:
            since = timezone.now() - dt.timedelta(days=int(self.days))
            sessions = sessions.filter(last_run_id__gte=first_id_at(since))
        if first_day := _moment(self.since):
            sessions = sessions.filter(last_run_id__gte=first_id_at(first_day))
        if last_day := _moment(self.until):
            sessions = sessions.filter(first_run_id__lt=first_id_at(last_day + dt.timedelta(days=1)))
        if self.failed:
            sessions = sessions.filter(failed_count__gt=0)
        if self.starred:
            sessions = sessions.filter(starred=True)
        if self.kind != "all":
            sessions = sessions.filter(Q(request_count__gt=1) | ~Q(client_id="") | Q(is_imported=True))
        return sessions


def _moment(date: str) -> dt.datetime | None:
    """Return when a day begins in the reader's time zone; None for text that is no date."""
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        return None
    return start_of(day) if 1970 <= day.year < 9000 else None


@dataclass(frozen=True)
class SessionRow:
    """A line of the list."""

    session: AgentSession
    models: list[str]
    running: int = 0  # requests that go on
    last_run_ms: float = 0  # how long the last request took

    @cached_property
    def last_at(self) -> dt.datetime:
        return timezone.localtime(started_at_of(self.session.last_run_id))

    @property
    def is_seen(self) -> bool:
        """Whether its misses are known as it is now."""
        return self.session.looked_through == self.session.request_count

    @property
    def is_live(self) -> bool:
        return bool(self.running) or (timezone.now() - self.last_at).total_seconds() < LIVE_S

    @property
    def last(self) -> str:
        if self.last_at.date() == timezone.localdate():
            return f"{self.last_at:%H:%M}"
        return f"{self.last_at.day} {self.last_at:%b}"

    @property
    def zoned(self) -> str:
        return formatting.zoned(self.last_at)

    @property
    def duration(self) -> str:
        """From the start of the first request to the end of the last, as the session's page has it."""
        seconds = (self.last_at - started_at_of(self.session.first_run_id)).total_seconds()
        milliseconds = seconds * 1_000 + self.last_run_ms
        return formatting.duration(milliseconds) if milliseconds > 0 else formatting.UNKNOWN

    @property
    def percent(self) -> int | None:
        ratio = self.session.hit_ratio
        return None if ratio is None else round(100 * ratio)

    @property
    def cost(self) -> str:
        return dollars(None if self.session.cost_usd is None else float(self.session.cost_usd))


@dataclass(frozen=True)
class SessionList:
    rows: list[SessionRow]
    next: UUID | None
    unseen: int = 0  # sessions whose misses are still to be found, so that more may match

    @property
    def goes_on(self) -> bool:
        """Whether more will be known when it is asked for again."""
        return bool(self.unseen) or any(not row.is_seen for row in self.rows[:ROWS])


def page(user: Any, session_filter: SessionFilter, before: str = "") -> SessionList:
    """The sessions of one person, the last active first. `before` is the last activity of the page above."""
    owned = AgentSession.objects.owned_by(user)
    unseen = 0
    if session_filter.misses:
        others = stale(replace(session_filter, misses="").apply(owned, user.pk)).last_active_first()
        look_through(others[:MOST_LOOKED_THROUGH], WITHIN_S)
        unseen = others.count()
    matching = session_filter.apply(owned, user.pk).last_active_first()
    with suppress(ValueError):
        matching = matching.filter(last_run_id__lt=UUID(before)) if before else matching
    sessions = list(matching[: ROWS + 1])
    more = len(sessions) > ROWS
    sessions = sessions[:ROWS]
    look_through((each for each in sessions if each.looked_through != each.request_count), WITHIN_S)
    models = _models(sessions)
    unfinished = running(user)
    last_runs = Run.objects.filter(pk__in=one_of(each.last_run_id for each in sessions)).order_by()
    took = {pk: milliseconds or 0 for pk, milliseconds in last_runs.values_list("pk", "duration_ms")}
    rows = [
        SessionRow(each, models.get(each.pk, []), unfinished[each.client_id], took.get(each.last_run_id, 0))
        for each in sessions
    ]
    rows.sort(key=lambda row: not row.is_live)
    return SessionList(rows, sessions[-1].last_run_id if more else None, unseen)


def running(user: Any) -> Counter[str]:
    """Count the running requests of each session that its client names. They join it when they have ended."""
    runs = Run.objects.owned_by(user).unfinished().exclude(client_session="").order_by()
    return Counter(runs.values_list("client_session", flat=True)[:MOST_RUNNING])


def _models(sessions: list[AgentSession]) -> dict[UUID, list[str]]:
    pairs = RunDigest.objects.filter(session__in=sessions).order_by().values_list("session_id", "run__model").distinct()
    models_of: dict[UUID, list[str]] = {}
    for session_id, model in pairs:
        if model:
            models_of.setdefault(session_id, []).append(model)
    return {key: sorted(models) for key, models in models_of.items()}


def clients_of(user: Any) -> list[str]:
    """The names that the filter offers."""
    names = AgentSession.objects.owned_by(user).exclude(client="").order_by("client").values_list("client", flat=True)
    return list(names.distinct()[:50])


def choices_of(user: Any) -> dict[str, list[str]]:
    """Models and access keys that the filter offers."""
    return {"models": names_in_use(user.pk, "model"), "keys": names_in_use(user.pk, "key")}
