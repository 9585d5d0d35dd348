"""Keeps sessions right after their runs were stored: older runs are filled in, deleted ones are taken out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from playground.models import AgentSession, Run, RunDigest, SessionBlock
from playground.recording.session_writer import add_run
from playground.sessions.digest import HASH_BYTES

logger = logging.getLogger(__name__)

_FAILED = Q(run__state__in=[Run.State.FAILED, Run.State.INTERRUPTED], run__endpoint=Run.Endpoint.MESSAGES)
_FILLED_AT_ONCE = 20  # older runs in a row, before requests get their turn


def runs_without_digest(owner_id: int | None = None) -> Any:
    """Relayed runs that ended before there were digests, or while digests could not be stored."""
    runs = Run.objects.filter(source=Run.Source.RELAY, digest=None, content__isnull=False)
    runs = runs.exclude(state__in=[Run.State.QUEUED, Run.State.RUNNING])
    return runs.filter(owner_id=owner_id) if owner_id is not None else runs


def fill_in(most: int, *, before: UUID | None = None) -> tuple[int, UUID | None]:
    """Digest up to `most` older runs, the newest first. Returns how many were looked at and where to go on."""
    runs = runs_without_digest().select_related("content").order_by("-pk")
    batch = list((runs.filter(pk__lt=before) if before else runs)[:most])
    for run in batch:
        try:
            with transaction.atomic():
                add_run(run, bytes(run.content.request_body), run.content.message, headers=run.content.request_headers)
        except (DataError, IntegrityError, ValueError, TypeError, RecursionError):
            logger.exception("run %s could not be added to a session", run.pk)
            RunDigest.objects.get_or_create(run=run, defaults={"hashes": b""})  # so that nobody waits for it
    return len(batch), batch[-1].pk if batch else None


def fill_in_all(pause_s: float = 0.2) -> int:
    """Digest all older runs, a few in each transaction, with a pause after each so that requests go first."""
    total, before = 0, None
    while True:
        count, before = fill_in(_FILLED_AT_ONCE, before=before)
        total += count
        if count < _FILLED_AT_ONCE:
            return total
        time.sleep(pause_s)


def sessions_of(run_ids: Sequence[UUID]) -> list[UUID]:
    """The sessions that these runs belong to."""
    digests = RunDigest.objects.filter(run_id__in=run_ids, session__isnull=False).order_by()
    return list(digests.values_list("session_id", flat=True).distinct())


def recount(session_ids: Iterable[UUID]) -> None:
    """Sum these sessions up again after runs of theirs were deleted. One without any run goes, with its blocks."""
    for session_id in session_ids:
        digests = RunDigest.objects.filter(session=session_id)
        sums = digests.aggregate(
            request_count=Count("pk"),
            failed_count=Count("pk", filter=_FAILED),
            input_tokens=Coalesce(Sum("run__input_tokens"), 0),
            written_tokens=Coalesce(Sum("run__cache_write_tokens"), 0),
            read_tokens=Coalesce(Sum("run__cache_read_tokens"), 0),
            output_tokens=Coalesce(Sum("run__output_tokens"), 0),
            cost_usd=Sum("run__cost_usd"),
        )
        if not sums["request_count"]:
            AgentSession.objects.filter(pk=session_id).delete()
            continue
        ends = digests.order_by("run").values_list("run_id", flat=True)
        sums |= {"first_run_id": ends.first(), "last_run_id": ends.last(), "looked_through": 0}
        AgentSession.objects.filter(pk=session_id).update(**sums)
        _remove_unused_blocks(session_id)


def _remove_unused_blocks(session_id: UUID) -> None:
    """Blocks that only deleted requests held: their labels are words of what was deleted."""
    used: set[bytes] = set()
    for hashes in RunDigest.objects.filter(session=session_id).values_list("hashes", flat=True).iterator(100):
        used |= _split(bytes(hashes))
    blocks = SessionBlock.objects.filter(session=session_id).values_list("pk", "hash")
    unused = [key for key, value in blocks if bytes(value) not in used]
    for at in range(0, len(unused), 500):
        SessionBlock.objects.filter(pk__in=unused[at : at + 500]).delete()


def forget_text(run_ids: Sequence[UUID]) -> None:
    """Take the words out of the digests of runs whose content is removed; figures, hashes and tool names stay.

    A session's title and the labels of its blocks go when no run of it has content any more.
    """
    changed = []
    for digest in RunDigest.objects.filter(run_id__in=run_ids, session__isnull=False).only("details"):
        details = {name: value for name, value in digest.details.items() if name not in ("words", "calls")}
        calls = digest.details.get("calls", ())
        if calls:
            details["calls"] = [[name, "", call_id, prompt, ""] for name, _, call_id, prompt, _ in calls]
        if details != digest.details:
            digest.details = details
            changed.append(digest)
    RunDigest.objects.bulk_update(changed, ["details"], batch_size=100)
    for session_id in sessions_of(run_ids):
        if not RunDigest.objects.filter(session=session_id, run__content__isnull=False).exists():
            SessionBlock.objects.filter(session=session_id).exclude(section="tools").update(label="")
            AgentSession.objects.filter(pk=session_id).update(title="")


def _split(hashes: bytes) -> set[bytes]:
    return {hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)}
