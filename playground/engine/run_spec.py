"""What is to be run, and how: handed to a `RunRegistry`, through however many of them, as one record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playground.engine.exchange import Limits
from playground.engine.rate_limit import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from playground.engine.live_run import LiveRun, Pause, RunMetadata
    from playground.engine.rate_limit import Quota
    from playground.engine.upstream import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A request that is ready to be sent, the client that sends it, and what it counts against."""

    outgoing: Outgoing
    client: httpx.AsyncClient = field(repr=False)
    owner: str  # `user:<id>` or `visitor:<id>`
    about: RunMetadata
    limits: Limits = field(default_factory=Limits)
    quotas: Sequence[tuple[str, Quota]] = ()  # whose, and how much: all must have room
    noun: str = RUNS  # what a run is called in the words of RateLimited
    pause: Pause | None = None  # asked before each read, see `run_in_batches`
    on_start: Callable[[LiveRun], None] | None = None  # sees the run before its first event
