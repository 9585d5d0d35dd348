"""What the list of sessions knows of their misses: found when a session is looked at, and kept with it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import F

from playground.models import AgentSession
from playground.recording.session_loading import load
from playground.sessions.causes import EXPECTED, WORDS

if TYPE_CHECKING:
    from playground.models.agent_session import AgentSessionQuerySet
    from playground.recording.session_loading import LoadedSession

# What the filter offers: any miss, those that could be avoided, then each cause that is not to be expected.
CHOICES = (
    ("any", "Any miss"),
    ("avoidable", "Avoidable misses"),
    *((cause, words[0].upper() + words[1:]) for cause, words in WORDS.items() if cause not in EXPECTED),
)


def keep(session: AgentSession, loaded: LoadedSession) -> None:
    """Store what the misses of a session are, where that is not of its present requests."""
    count = session.request_count or len(loaded.steps)
    if session.looked_through == count:
        return
    missed = [miss for miss in loaded.misses if not miss.is_expected]
    avoidable = sum(miss.is_avoidable for miss in missed)
    named = {miss.cause for miss in missed} | ({"any"} if missed else set()) | ({"avoidable"} if avoidable else set())
    session.causes = "".join(f"|{name}|" for name in sorted(named))
    session.avoidable_count = avoidable
    session.agent_count = sum(not thread.is_side for thread in loaded.threads.threads)
    session.looked_through = count
    AgentSession.objects.filter(pk=session.pk).update(
        causes=session.causes, avoidable_count=avoidable, agent_count=session.agent_count,
        looked_through=session.looked_through,
    )  # fmt: skip


def stale(sessions: AgentSessionQuerySet) -> AgentSessionQuerySet:
    """Return the sessions to which requests were added, or from which some were taken, since their misses were
    found."""
    return sessions.exclude(looked_through=F("request_count"))


def look_through(sessions: Iterable[AgentSession], within_s: float) -> None:
    """Find the misses of these sessions, one after the other, until the time is used up; at least of one."""
    ends_at = time.monotonic() + within_s
    for session in sessions:
        keep(session, load(session))
        if time.monotonic() >= ends_at:
            return
