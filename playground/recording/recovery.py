"""Runs that a stop of the server cut off: found at the next start, and told from what was stored of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from playground import search
from playground.engine.events import Answered, Ended, Failure, Received, Streamed
from playground.figures import Figures
from playground.models import Run, RunBatch, RunContent
from playground.recording import store_end, store_message

logger = logging.getLogger(__name__)
_CUT_OFF = "The server stopped before the answer ended."


def close_interrupted(live: Iterable[UUID] = ()) -> int:
    """Mark every unfinished run that is not in `live` as interrupted; return how many.

    Figures and message are made again from the bytes that were stored. Call it once, before the first run starts.
    """
    closed = 0
    for run in Run.objects.unfinished().exclude(pk__in=list(live)):
        with transaction.atomic():
            closed += _close(run)
    if closed:
        logger.warning("%d runs were cut off by a stop of the server", closed)
    return closed


def _close(run: Run) -> bool:
    figures = _figures_of(run)
    ended = store_end(run, figures)
    content = RunContent.objects.filter(run=run).only("request_body").first()
    if ended is not None and content is not None:
        entry = store_message(run, figures, ended, content_id=content.pk, body=bytes(content.request_body))
        search.index([entry])
    return ended is not None


def _figures_of(run: Run) -> Figures:
    figures = Figures()
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
    figures.add(Ended(last_ms, "interrupted", Failure("server_stopped", _CUT_OFF)))
    return figures


def _last_event(run: Run) -> int:
    last = RunBatch.objects.filter(run=run, event_count__gt=0).aggregate(last=Max("first_event"))["last"]
    if last is None:
        return 0
    return RunBatch.objects.filter(run=run, first_event=last, event_count__gt=0).get().marks[-1][0]


def _events_of(run: Run, batch: RunBatch) -> list[Streamed]:
    if not batch.event_count:
        return []
    return run.events(batch.first_event, batch.first_event + batch.event_count - 1)
