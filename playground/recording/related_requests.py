"""Finds the session of a request that goes on from none: a subagent's or a side call's of a client without ids.

Such clients, opencode for one, give a subagent the prompt of a tool call, and ask for a title with the words that the
agent was asked with. Remembered is what was stored last by this process; what it does not know begins a session.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from playground.models.run import started_at_of

if TYPE_CHECKING:
    from playground.models import Run
    from playground.sessions.digest import Digest

_ASKED_WITHIN_S = 3_600.0  # a subagent begins after the call that asked for it; it may have been asked to go on
_BESIDE_WITHIN_S = 120.0  # a side call is made when the agent begins
_MOST_CLIENTS, _MOST_REQUESTS = 500, 64


@dataclass(frozen=True, slots=True)
class _Known:
    started_s: float
    session_id: UUID
    texts: frozenset[bytes]
    prompts: frozenset[bytes]  # that its answer's calls give to other agents
    has_tools: bool


class RelatedRequests:
    """The newest requests of each client of each owner."""

    def __init__(self) -> None:
        self._clients: OrderedDict[tuple[int, str], deque[_Known]] = OrderedDict()

    def add(self, run: Run, session_id: UUID, digest: Digest, details: dict[str, Any]) -> None:
        """Remember a request of a client that names no session."""
        if run.client_session or not run.agent:
            return
        key = run.owner_id, run.agent
        newest = self._clients.setdefault(key, deque(maxlen=_MOST_REQUESTS))
        self._clients.move_to_end(key)
        if len(self._clients) > _MOST_CLIENTS:
            self._clients.popitem(last=False)
        prompts = frozenset(bytes.fromhex(call[3]) for call in details.get("calls", ()) if call[3])
        texts = frozenset(digest.first_texts)
        newest.append(_Known(_moment(run), session_id, texts, prompts, bool(digest.count("tools"))))

    def sessions_for(self, run: Run, digest: Digest) -> Iterator[UUID]:
        """The sessions that asked for this request, or beside which it was made; the likeliest first."""
        known = list(self._clients.get((run.owner_id, run.agent), ()))
        started_s, texts = _moment(run), frozenset(digest.first_texts)
        has_tools = bool(digest.count("tools"))
        for each in reversed(known):
            if texts & each.prompts and abs(started_s - each.started_s) < _ASKED_WITHIN_S:
                yield each.session_id
        for each in reversed(known):
            is_beside = has_tools != each.has_tools and abs(started_s - each.started_s) < _BESIDE_WITHIN_S
            if is_beside and texts & each.texts:
                yield each.session_id


def _moment(run: Run) -> float:
    return started_at_of(run.pk).timestamp()
