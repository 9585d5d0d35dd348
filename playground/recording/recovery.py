"""Runs that a stop of the server cut off: found at the next start, and told from what was stored of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max, Q

from playground.engine.events import Answered, Ended, Failure, Received, Streamed
from playground.metrics.figures import Figures
from playground.models import Run, RunBatch, RunContent, ServerProcess
from playground.recording.run_writer import kind_and_place, store_end, store_message
from playground.search import index

logger = logging.getLogger(__name__)
_CUT_OFF = "The server stopped before the answer ended."


def close_interrupted(live: Iterable[UUID] = ()) -> int:
    """Mark every unfinished run that is not in `live` as interrupted; return how many.

    For a site of one process: call it once, before the first run starts.
    """
    return close(Run.objects.unfinished().exclude(pk__in=list(live)))


def close_lost() -> int:
    """Mark the unfinished runs of processes that live no more as interrupted; return how many.

    For a site of several processes: any of them may call it at any time, and two at once, since ends are compared and
    set. One that has just begun to hear of the others must not: their last sign of life may be old because the
    database was away.
    """
    ServerProcess.objects.gone().delete()
    alive = ServerProcess.objects.values("pk")
    return close(Run.objects.unfinished().filter(Q(server_process=None) | ~Q(server_process__in=alive)))


def close(runs: Iterable[Run]) -> int:
    """Mark these as interrupted. Figures and message are made again from the bytes that were stored."""
    closed = sum(_close_safely(run) for run in runs)
    if closed:
        logger.warning("%d runs were cut off by a stop of the server", closed)
    return closed


def _close_safely(run: Run) -> bool:
    """One run's data must not keep the server from starting: what cannot be read or stored is left out."""
    try:
        with transaction.atomic():
            return _close(run, _figures_of(run))
    except (OperationalError, InterfaceError):
        raise
    except Exception as fault:
        logger.error("run %s cannot be read: %s", run.pk, kind_and_place(fault))
        figures = Figures(endpoint=run.endpoint)
        figures.add(_cut_off(0.0))
        return store_end(run, figures) is not None


def _close(run: Run, figures: Figures) -> bool:
    ended = store_end(run, figures)
    content = RunContent.objects.filter(run=run).only("request_body").first()
    if ended is not None and content is not None:
        entry = store_message(run, figures, ended, content_id=content.pk, body=bytes(content.request_body))
        index.index([entry])
    return ended is not None


def _figures_of(run: Run) -> Figures:
    figures = Figures(endpoint=run.endpoint)
    last_ms = 0.0
    if run.http_status is not None:
        figures.add(Answered(0.0, run.http_status, ()))
    run.event_count = _last_event(run)
    for batch in RunBatch.objects.filter(run=run).order_by("start"):
        at_ms = batch.marks[0][2] if batch.marks else last_ms
        figures.add(Received(at_ms, bytes(batch.data)))
        for streamed in _events_of(run, batch):
            figures.add(streamed)
            last_ms = streamed.at_ms
    figures.add(_cut_off(last_ms))
    return figures


def _cut_off(at_ms: float) -> Ended:
    return Ended(at_ms, "interrupted", Failure("server_stopped", _CUT_OFF))


def _last_event(run: Run) -> int:
    last = RunBatch.objects.filter(run=run, event_count__gt=0).aggregate(last=Max("first_event"))["last"]
    if last is None:
        return 0
    number: int = RunBatch.objects.filter(run=run, first_event=last, event_count__gt=0).get().marks[-1][0]
    return number


def _events_of(run: Run, batch: RunBatch) -> list[Streamed]:
    if not batch.event_count:
        return []
    return run.events(batch.first_event, batch.first_event + batch.event_count - 1)
