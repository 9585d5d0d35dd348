"""The requests that visitors sent in this visit: lines of figures, in memory only. The runs themselves leave the live
log minutes after their end, with all their content."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from playground.request_log.rows import Row

MOST_VISITORS: Final = 1_000
VISIT_S: Final = 6 * 3600.0  # how long after the last look a visit is over


@dataclass
class _Visit:
    rows: dict[UUID, Row] = field(default_factory=dict)
    seen_at: float = 0.0


class Visits:
    """The newest lines of each visitor. Safe in threads; the visitor who was away longest makes room."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, _Visit] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, owner: str, rows: Iterable[Row], most: int) -> list[Row]:
        """Remember these lines of runs that are at hand; return the visit's newest `most`, newest first.

        A line whose run is no longer at hand says so: there is nothing left to open.
        """
        now = time.monotonic()
        at_hand = {row.id: row for row in rows}
        with self._lock:
            visit = self._visits.pop(owner, None)
            if visit is None or now - visit.seen_at > VISIT_S:
                visit = _Visit()
            gone = {run_id: replace(row, is_gone=True) for run_id, row in visit.rows.items() if run_id not in at_hand}
            newest = sorted((gone | at_hand).values(), key=lambda row: row.id, reverse=True)[:most]
            if not newest:
                return []
            self._visits[owner] = _Visit({row.id: row for row in newest}, now)
            if len(self._visits) > MOST_VISITORS:
                self._visits.popitem(last=False)
        return newest


visits = Visits()
