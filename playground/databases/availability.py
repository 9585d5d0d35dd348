"""Knows whether the database can be used, as far as this process has seen.

The first statement that fails waits as long as the database's own limits say. From then on a probe looks several times
a second, in a thread of its own, and until it succeeds nobody else waits: the error comes at once.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

PROBE_EVERY_S = 0.25
RETRY_AFTER_S = 5  # what clients are told


class Availability:
    """`what` is for the log: what cannot be done while `is_known_away`. `probe` raises while that is so."""

    def __init__(self, what: str) -> None:
        self.is_known_away = False
        self._what = what
        self._lock = threading.Lock()

    def note_away(self, probe: Callable[[], None], let_go: Callable[[], None] | None = None) -> None:
        """A statement has failed because the database is away. `let_go` ends the waiting of those who wait already.
        Call it from any thread."""
        with self._lock:
            if self.is_known_away:
                return
            self.is_known_away = True
        logger.error("%s", self._what)
        if let_go is not None:
            let_go()
        threading.Thread(target=self._probe_until_back, args=[probe], name="database probe", daemon=True).start()

    def _probe_until_back(self, probe: Callable[[], None]) -> None:
        while True:
            try:
                probe()
            except Exception:
                time.sleep(PROBE_EVERY_S)
            else:
                break
        self.is_known_away = False
        logger.warning("the database can be used again")


def is_database_away(fault: BaseException | None) -> bool:
    """Return whether this error, or one that caused it, says that the database is away or locked."""
    for _ in range(10):
        if fault is None:
            return False
        if isinstance(fault, OperationalError | InterfaceError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False
