"""The log grouped by conversation or by session."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from playground.models import ConversationRun, RunDigest
from playground.models.run import started_at_of
from playground.request_log.filters import Filter
from playground.request_log.keyset_pages import newest_values, one_of
from playground.request_log.rows import cost_words

KINDS = ("conversation", "session")
MOST = 2_000  # the newest so many requests are grouped
MOST_GROUPS = 60
COLUMNS = (
    "pk", "client_session", "state", "model", "input_tokens", "cache_write_tokens", "cache_read_tokens",
    "output_tokens", "cost_usd",
)  # fmt: skip


@dataclass
class Group:
    """Requests that belong together. `address` is where they are listed; empty for those that belong to none."""

    name: str
    last: dt.datetime
    address: str = ""
    count: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal | None = None
    models: list[str] = field(default_factory=list)

    @property
    def moment(self) -> str:
        """When its newest request began, for programs."""
        return self.last.isoformat()

    @property
    def clock(self) -> str:
        last = timezone.localtime(self.last)
        return f"{last.day} {last:%b %H:%M:%S}"

    @property
    def requests(self) -> str:
        return f"{self.count:,}"

    @property
    def incoming(self) -> str:
        return f"{self.tokens_in:,}"

    @property
    def outgoing(self) -> str:
        return f"{self.tokens_out:,}"

    @property
    def cost(self) -> str:
        return cost_words(self.cost_usd)

    def add(self, row: tuple[Any, ...]) -> None:
        """Take one run, given as `COLUMNS`."""
        _, _, state, model, fresh, written, read, out, cost = row
        self.count += 1
        self.failed += state in {"failed", "interrupted"}
        self.tokens_in += (fresh or 0) + (written or 0) + (read or 0)
        self.tokens_out += out or 0
        if cost is not None:
            self.cost_usd = (self.cost_usd or Decimal(0)) + cost
        if model and model not in self.models and len(self.models) < 3:
            self.models.append(model)


def grouped(owner: Any, log_filter: Filter, kind: str) -> tuple[list[Group], int, bool]:
    """The groups, that with the newest request first; how many requests are in them; whether there are more."""
    rows = newest_values(owner, log_filter, COLUMNS, MOST + 1)
    is_cut, rows = len(rows) > MOST, rows[:MOST]
    homes = (_conversations if kind == "conversation" else _sessions)(owner, [row[0] for row in rows])
    groups: dict[str, Group] = {}
    for row in rows:
        key, name, address = homes.get(row[0]) or (row[1], row[1], "")
        if kind == "conversation" and row[0] not in homes:
            key = name = ""
        if key not in groups:
            if len(groups) == MOST_GROUPS:
                return list(groups.values()), sum(group.count for group in groups.values()), True
            listed = f"{reverse('runs')}?{kind}={quote(key)}" if key else ""
            groups[key] = Group(name or f"in no {kind}", started_at_of(row[0]), address or listed)
        groups[key].add(row)
    return list(groups.values()), len(rows), is_cut


def _sessions(owner: Any, run_ids: list[UUID]) -> dict[UUID, tuple[str, str, str]]:
    """Id, name and address of the session each run is in, whether its client named it or it was found."""
    digests = RunDigest.objects.filter(run_id__in=one_of(run_ids), session__owner=owner)
    named = digests.values_list("run_id", "session_id", "session__title", "session__client_id")
    return {
        run_id: (str(session_id), title or client_id or "Session", reverse("session", args=[session_id]))
        for run_id, session_id, title, client_id in named
    }


def _conversations(owner: Any, run_ids: list[UUID]) -> dict[UUID, tuple[str, str, str]]:
    """Id and title of the conversation each run was made from; its runs are listed in the log."""
    links = ConversationRun.objects.filter(
        run_id__in=one_of(run_ids), conversation__owner=owner, conversation__deleted_at=None
    )
    named = links.values_list("run_id", "conversation_id", "conversation__title")
    return {run_id: (str(conversation_id), title, "") for run_id, conversation_id, title in named}
