"""The metrics of runs for Prometheus. The server's own gauges are added where the server is, see `serving/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector

from playground.engine.events import Streamed

if TYPE_CHECKING:
    from playground.engine.live_run import LiveRun

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
_LOOKED_AT = 64  # events from the start of a run, among which its first token is

RUNS = Counter("playground_runs", "Runs that have ended.", ["state", "source", "endpoint"], registry=REGISTRY)
FIRST_TOKEN = Histogram(
    "playground_first_token_seconds",
    "From the start of a streamed run to its first delta.",
    registry=REGISTRY,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120, 300),
)
DURATION = Histogram(
    "playground_run_seconds",
    "From the start of a run to its end, token counts aside.",
    registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 3600),
)


def watch(run: LiveRun) -> None:
    """Count this run when it ends. Call it before the run's first event."""
    tell = run.changed

    def changed(run: LiveRun) -> None:
        tell(run)
        if run.is_over:
            _count(run)

    run.changed = changed


def _count(run: LiveRun) -> None:
    RUNS.labels(run.state, run.about.source, run.about.endpoint).inc()
    if run.about.endpoint != "messages":
        return
    if run.duration_ms is not None:
        DURATION.observe(run.duration_ms / 1000)
    for event in run.events[:_LOOKED_AT]:
        if isinstance(event, Streamed) and event.event.name == "content_block_delta":
            FIRST_TOKEN.observe(event.at_ms / 1000)
            return
