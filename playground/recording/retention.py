"""Deletes what is kept long enough: content after a short time, figures after a long one, the oldest above a size cap
per user; and sessions.

Everything works in small steps, each in a transaction of its own, so that nobody waits for a sweep.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts import lock_out
from playground.models import Run, RunBatch, RunContent
from playground.models.run import FINAL_STATES, first_id_at
from playground.recording import session_upkeep

STEP = 200  # runs in one transaction
_LOOKED_AT = 1_000  # entries of each index that statistics are made from
_OPTIMIZE_WAITS_MS = 1_000  # a passing writer is done by then, and nobody waits for a sweep


@dataclass
class SweepResult:
    """The number of runs that lost their content to its clock or to the cap, and of those that are gone altogether."""

    by_age: int = 0
    by_size: int = 0
    runs: int = 0

    def __str__(self) -> str:
        return (
            f"content of {self.by_age} runs by age and of {self.by_size} by size, {self.runs} runs with their figures"
        )


def sweep(now: dt.datetime | None = None) -> SweepResult:
    """Remove what is past its time. Days and bytes are settings; 0 days keeps for ever, 0 bytes means no cap."""
    now = now or timezone.now()
    swept = SweepResult()
    if settings.FIGURES_DAYS:
        swept.runs = remove_runs(now - dt.timedelta(days=settings.FIGURES_DAYS))
    if settings.CONTENT_DAYS:
        swept.by_age = remove_old_content(now - dt.timedelta(days=settings.CONTENT_DAYS))
    if settings.MAX_CONTENT_BYTES_PER_USER:
        for owner_id in RunContent.objects.order_by().values_list("owner_id", flat=True).distinct():
            swept.by_size += cap_content(owner_id, settings.MAX_CONTENT_BYTES_PER_USER)
    if connection.vendor == "sqlite":  # PostgreSQL keeps its statistics by itself
        optimize()
    return swept


def optimize() -> None:
    """Bring SQLite's statistics up to date, unless the database stays busy: the next sweep tries again.

    `PRAGMA optimize` looks only at what its own connection has asked before, which is nothing here. Without statistics
    a search for the few starred runs reads all; with a limit to what is looked at they take some milliseconds.
    """
    with connection.cursor() as cursor:
        waits_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_OPTIMIZE_WAITS_MS}")
        try:
            with suppress(OperationalError):
                cursor.execute(f"PRAGMA analysis_limit = {_LOOKED_AT}")
                cursor.execute("ANALYZE")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {waits_ms}")


def remove_runs(before: dt.datetime) -> int:
    """Delete runs that started before this moment, whole. Starred ones stay."""
    removed = 0
    old = Run.objects.filter(pk__lt=first_id_at(before), starred=False, state__in=FINAL_STATES).order_by("pk")
    while ids := list(old.values_list("pk", flat=True)[:STEP]):
        removed += delete_runs(ids)
    return removed


def remove_old_content(before: dt.datetime) -> int:
    """Delete the content of runs that started before this moment. Starred runs keep theirs."""
    removed = 0
    old = RunContent.objects.filter(
        run_id__lt=first_id_at(before), run__starred=False, run__state__in=FINAL_STATES
    ).order_by("run_id")
    while ids := list(old.values_list("run_id", flat=True)[:STEP]):
        removed += remove_content(ids)
    return removed


def cap_content(owner_id: int, most_bytes: int) -> int:
    """Delete the oldest content of one user until the rest fits. Starred runs go last."""
    excess = size_of_content(owner_id) - most_bytes
    removed = 0
    for starred in (False, True):
        while excess > 0:
            oldest = RunContent.objects.filter(
                owner_id=owner_id, run__starred=starred, run__state__in=FINAL_STATES
            ).order_by("id")
            ids = []
            for run_id, size in oldest.values_list("run_id", "size")[:STEP]:
                if excess <= 0:
                    break
                ids.append(run_id)
                excess -= size
            if not ids:
                break
            removed += remove_content(ids)
    return removed


def size_of_content(owner_id: int) -> int:
    """Bytes of content kept for one user."""
    size: int | None = RunContent.objects.filter(owner_id=owner_id).aggregate(all=Sum("size"))["all"]
    return size or 0


def remove_content(run_ids: list[Any]) -> int:
    """Take the content of these runs away; their figures stay and say when that was."""
    with transaction.atomic():
        RunBatch.objects.filter(run_id__in=run_ids).delete()
        RunContent.objects.filter(run_id__in=run_ids).delete()
        session_upkeep.forget_text(run_ids)
        return Run.objects.filter(pk__in=run_ids).update(content_removed_at=timezone.now())


def delete_runs(run_ids: list[Any]) -> int:
    """Delete these runs with all that belongs to them; return how many there were. Their sessions are summed again."""
    with transaction.atomic():
        sessions = session_upkeep.sessions_of(run_ids)
        RunBatch.objects.filter(run_id__in=run_ids).delete()
        RunContent.objects.filter(run_id__in=run_ids).delete()
        deleted = Run.objects.filter(pk__in=run_ids).delete()[1]
        session_upkeep.recount(sessions)
    return deleted.get("playground.Run", 0)


def clear_sessions() -> None:
    """Forget the sessions that have expired, which Django leaves in the database, and old notes of log-ins."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    lock_out.forget_old()


async def sweep_periodically(every_s: float = 3600.0, *, what: Callable[[], object]) -> None:
    """The server's background task: sweep now and then, whatever happens to one sweep."""
    while True:
        try:
            await database_sync_to_async(what, thread_sensitive=False)()
        except Exception:
            logging.getLogger(__name__).exception("a sweep broke off")
        await asyncio.sleep(every_s)
