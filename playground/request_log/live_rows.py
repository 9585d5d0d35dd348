"""The log's view of runs that go on: together with the stored ones, each once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from playground import dispatch
from playground.dispatch import process
from playground.identity import visitors
from playground.identity.visitors import owner_of_user
from playground.models import Run
from playground.recording import retention
from playground.request_log.filters import Filter
from playground.request_log.keyset_pages import Page, shown
from playground.request_log.rows import Row, live_columns, row_of, run_of
from playground.request_log.visits import visits
from playground.workers import is_worker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    from playground.engine.live_run import LiveRun

ROW_TRIES, ROW_WAIT_S = 6, 0.1


def live_of(user: Any) -> dict[UUID, LiveRun]:
    """The user's runs in this process, those that ended a short while ago included. A worker's page gets them later,
    by its socket."""
    if is_worker():
        return {}
    return {live.id: live for live in dispatch.get_live().of_owner(owner_of_user(user.pk))}


def rows_of(user: Any, page: Page) -> list[Row]:
    """The lines of a page. A run that goes on in this process is told from there: its row is older."""
    lives = live_of(user)
    return [_row(run, lives.get(run.pk)) for run in page.runs]


def rows_on_top(user: Any, log_filter: Filter, page: Page) -> list[Row]:
    """Return the rows of the first page, with the runs on top that have no row in the database yet."""
    lives = live_of(user)
    stored = {run.pk for run in page.runs}
    oldest = min(stored, default=None) if page.next else None
    unstored = [
        live
        for live in lives.values()
        if live.id not in stored and (oldest is None or live.id > oldest) and log_filter.matches(live_columns(live))
    ]
    storing = process.current().recorder.is_storing
    rows = [row_of(run_of(live), is_live=True) for live in unstored if not live.is_over or storing(live.id)]
    rows += [_row(run, lives.get(run.pk)) for run in page.runs]
    return sorted(rows, key=lambda row: row.id, reverse=True)


def newest_rows(user: Any, most: int) -> list[Row]:
    runs = list(shown(Run.objects.owned_by(user).newest_first())[:most])
    return rows_on_top(user, Filter(), Page(runs, next="more" if len(runs) == most else ""))[:most]


def rows_of_visitor(request: HttpRequest, most: int) -> list[Row]:
    """The runs of this visit, newest first. Nothing of a visitor's is stored: their lines are remembered in memory."""
    owner = visitors.owner_of(request)
    if not owner:
        return []
    live = dispatch.get_live()
    newest = sorted(live.references_of(owner), key=lambda reference: reference.id, reverse=True)[:most]
    runs = [live.find_from_thread(reference.id, owner) for reference in newest]
    return visits.add(owner, [row_of(run_of(run), is_live=True) for run in runs if run is not None], most)


def _row(run: Run, live: LiveRun | None) -> Row:
    return row_of(run) if live is None or run.is_final else row_of(run_of(live), is_live=True)


def row_in_database(user: Any, run_id: UUID) -> Run | None:
    """The row of a live run. One that has just begun gets its row within a moment, which is waited for."""
    recorder = process.current().recorder
    for _ in range(ROW_TRIES):
        row = Run.objects.owned_by(user).filter(pk=run_id).first()
        if row is not None or recorder.failing or not recorder.is_storing(run_id):
            return row
        time.sleep(ROW_WAIT_S)
    return None


def still_running(run_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these runs go on, in this process or in another one of the site."""
    wanted_ids = list(run_ids)
    elsewhere = Run.objects.unfinished().filter(pk__in=wanted_ids).exclude(server_process=None)
    return {run_id for run_id in wanted_ids if dispatch.get_live().is_live(run_id)} | set(
        elsewhere.values_list("pk", flat=True)
    )


def delete(run_ids: list[UUID]) -> int:
    """Delete these runs, also from the live log, where they would stay readable for some minutes. A run that goes on
    stays."""
    running = still_running(run_ids)
    over = [run_id for run_id in run_ids if run_id not in running]
    count = retention.delete_runs(over)
    for run_id in over:
        dispatch.get_live().forget(run_id)
    return count
