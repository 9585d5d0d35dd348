"""`/metrics` for Prometheus: for those who have `PLAYGROUND_METRICS_TOKEN`, or ask from this machine; others get 404.
The figures are those of this process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from ipaddress import ip_address

from django.conf import settings
from django.http.request import split_domain_port
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from playground.databases.postgresql.base import DatabaseWrapper
from playground.dispatch import process
from playground.identity.asgi_types import Scope, Send
from playground.metrics.prometheus import REGISTRY

_FORWARDED = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"})
_LAG_SAMPLE_S = 0.01


class ServerCollector(Collector):
    """Gauges that are read when somebody asks. `sockets` counts the open websockets."""

    def __init__(self) -> None:
        self.sockets = 0
        self.lag_s = 0.0

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        here = process.current()
        yield _gauge("playground_runs_in_progress", "Runs that have not ended.", len(here.live.running))
        yield _gauge("playground_websockets", "Open websockets.", self.sockets)
        yield _gauge("playground_loop_lag_seconds", "How late the event loop does what is due.", self.lag_s)
        yield _gauge("playground_recorder_backlog_events", "Events that wait to be stored.", here.recorder.backlog)
        yield _gauge("playground_recorder_failing", "1 while runs cannot be stored.", int(here.recorder.failing))
        if settings.REDIS_URL:
            yield _gauge("playground_redis_away", "1 while Redis does not answer.", int(here.live.problem is not None))
        for pool in list(DatabaseWrapper._connection_pools.values()):  # type: ignore[attr-defined]
            stats = pool.get_stats()
            yield _gauge("playground_database_connections", "Open connections.", stats.get("pool_size", 0))
            yield _gauge("playground_database_connections_idle", "Of them unused.", stats.get("pool_available", 0))
            yield _gauge("playground_database_waiting", "Who waits for one.", stats.get("requests_waiting", 0))


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


server = ServerCollector()
REGISTRY.register(server)


async def answer_metrics(scope: Scope, send: Send) -> None:
    """Answer with the figures in Prometheus' text format; 404 to whoever may not read them."""
    if scope["method"] not in {"GET", "HEAD"} or not may_read(scope):
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"not found\n"})
        return
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(_LAG_SAMPLE_S)
    server.lag_s = max(0.0, loop.time() - began - _LAG_SAMPLE_S)
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": generate_latest(REGISTRY)})


def may_read(scope: Scope) -> bool:
    """Return whether the caller may read the metrics. Behind a proxy everybody comes from loopback, so a forwarded
    request is nobody's on this machine; and a name that somebody else makes lead here is not asked by this machine's
    own tools."""
    headers = dict(scope["headers"])
    given = headers.get(b"authorization", b"")
    if settings.METRICS_TOKEN:
        return secrets.compare_digest(given, b"Bearer " + settings.METRICS_TOKEN.encode())
    try:
        is_loopback = ip_address((scope.get("client") or [""])[0]).is_loopback
    except ValueError:
        return False
    domain, _ = split_domain_port(headers.get(b"host", b"").decode("latin-1").lower())
    return is_loopback and not _FORWARDED & headers.keys() and domain in settings.LOOPBACK_HOSTS
