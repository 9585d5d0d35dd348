"""The interface to the runs in progress: start, find, stop, follow an owner, list an owner's.

A found run is followed from a number and stopped by itself (`LiveRun.gather`, `LiveRun.stop`), wherever it goes on.
`LiveRuns` keeps the runs of one process in memory; `cluster.SharedRuns` adds those of the other processes of a site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager

    from playground.engine.live_run import LiveRun
    from playground.engine.rate_limit import Quota
    from playground.engine.run_spec import RunSpec


@dataclass(frozen=True)
class RunReference:
    """A run as another process knows it: enough to store that it belongs to a draft, and to fetch its panel."""

    id: UUID
    source: str
    idempotency_key: str | None
    event_count: int = 0


class RunRegistry(Protocol):
    """The runs of a site, as one process of it sees them. Methods with an `a` may ask other processes; the others
    look at this process alone and answer at once."""

    async def open(self) -> None:
        """Join the other processes of the site, if there are any."""
        ...

    async def astart(self, spec: RunSpec) -> LiveRun:
        """Start a run here, or return the owner's run of the same `about.idempotency_key`, wherever that was started.

        Raises RateLimited or Stopping, and then nothing was sent.
        """
        ...

    def admitted(self, quotas: Sequence[tuple[str, Quota]], noun: str) -> AbstractAsyncContextManager[None]:
        """Count something short that is no run against quotas. Raises RateLimited when one of them has no room; its
        words call the short thing `noun`."""
        ...

    def find(self, run_id: UUID, owner: str) -> LiveRun | None:
        """The run, if it is in this process and this owner's."""
        ...

    async def afind(self, run_id: UUID, owner: str) -> LiveRun | None:
        """The run, if it is this owner's and live in any process."""
        ...

    def find_from_thread(self, run_id: UUID, owner: str) -> LiveRun | None:
        """Find a run for a synchronous view, in a thread beside the event loop."""
        ...

    def of_owner(self, owner: str) -> list[LiveRun]:
        """The owner's runs that are in this process, newest first."""
        ...

    def references_of(self, owner: str) -> list[RunReference]:
        """The owner's runs that are live in any process, newest first."""
        ...

    def follow_owner(self, owner: str) -> AsyncGenerator[LiveRun, None]:
        """The owner's runs, wherever they go on, one each time it starts, is answered or ends. Changes that nobody
        took yet are one."""
        ...

    def is_live(self, run_id: UUID) -> bool:
        """Return whether this run goes on in this process, whoever owns it."""
        ...

    def forget(self, run_id: UUID) -> None:
        """Let go of a run that is over before its time is up: its owner has deleted it. May be called in a thread."""
        ...

    @property
    def running(self) -> list[LiveRun]:
        """The runs that go on in this process."""
        ...

    async def drain(self, within_s: float) -> None:
        """Take no more runs; let those under way finish for this long, then interrupt them. All have ended after it."""
        ...

    async def close(self) -> None:
        """Leave the other processes, once all runs have ended. The registry is not used after it."""
        ...

    @property
    def problem(self) -> str | None:
        """Return what keeps this process from the runs of the others; None when nothing does."""
        ...
