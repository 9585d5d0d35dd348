"""The log's view of runs that go on: together with the stored ones, each once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from playground import dispatch, process, retention
from playground.models import Run
from playground.request_log.filters import Filter
from playground.request_log.pages import Page, shown
from playground.request_log.rows import Row, live_columns, live_row, row_of

if TYPE_CHECKING:
    from playground.engine.live_run import LiveRun

ROW_TRIES, ROW_WAIT_S = 6, 0.1


def owner_word(user: Any) -> str:
    """A user as the live log names owners."""
    return f"user:{user.pk}"


def live_of(user: Any) -> dict[UUID, LiveRun]:
    """The user's runs in this process, those that ended a short while ago included."""
    return {live.id: live for live in dispatch.get_live().of_owner(owner_word(user))}


def rows_of(user: Any, page: Page) -> list[Row]:
    """The lines of a page. A run that goes on in this process is told from there: its row is older."""
    lives = live_of(user)
    return [_row(run, lives.get(run.pk)) for run in page.runs]


def rows_on_top(user: Any, wanted: Filter, page: Page) -> list[Row]:
    """The same for the first page, with the runs on top that have no row in the database yet."""
    lives = live_of(user)
    stored = {run.pk for run in page.runs}
    oldest = min(stored, default=None) if page.next else None
    unstored = [
        live
        for live in lives.values()
        if live.id not in stored and (oldest is None or live.id > oldest) and wanted.matches(live_columns(live))
    ]
    storing = process.current().recorder.is_storing
    rows = [live_row(live) for live in unstored if not live.is_over or storing(live.id)]
    rows += [_row(run, lives.get(run.pk)) for run in page.runs]
    return sorted(rows, key=lambda row: row.id, reverse=True)


def newest_rows(user: Any, most: int) -> list[Row]:
    runs = list(shown(Run.objects.owned_by(user).newest_first())[:most])
    return rows_on_top(user, Filter(), Page(runs, next="more" if len(runs) == most else ""))[:most]


def _row(run: Run, live: LiveRun | None) -> Row:
    return live_row(live) if live is not None and not run.is_final else row_of(run)


def row_in_database(user: Any, run_id: UUID) -> Run | None:
    """The row of a live run. One that has just begun gets its row within a moment, which is waited for."""
    recorder = process.current().recorder
    for _ in range(ROW_TRIES):
        row = Run.objects.owned_by(user).filter(pk=run_id).first()
        if row is not None or recorder.failing or not recorder.is_storing(run_id):
            return row
        time.sleep(ROW_WAIT_S)
    return None


def is_going_on(run_id: UUID) -> bool:
    return dispatch.get_live().is_live(run_id)


def delete(run_ids: list[UUID]) -> int:
    """Delete these runs, also from the live log, where they would stay readable for some minutes. A run that goes on
    stays."""
    over = [run_id for run_id in run_ids if not is_going_on(run_id)]
    count = retention.delete_runs(over)
    for run_id in over:
        dispatch.get_live().forget(run_id)
    return count
