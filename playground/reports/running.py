"""Reports in progress in this process: started, stopped, and taken up again after a restart."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

from channels.db import database_sync_to_async

from playground.conformance.checks import BY_ID
from playground.conformance.plan import Plan
from playground.conformance.runner import Runner, Totals
from playground.dispatch import launch
from playground.models import ConformanceReport
from playground.reports import storing
from playground.reports.run_sender import RunSender, ServerStoppingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from playground.conformance.check import Check, Result

logger = logging.getLogger(__name__)
EVERY_S = 0.5
_LOOK_EVERY_S = 10.0
_tasks: dict[UUID, asyncio.Task[None]] = {}
_making: dict[UUID, _Running] = {}
_followers: dict[UUID, set[Written]] = {}


def start(
    report_id: UUID,
    *,
    client: httpx.AsyncClient | None = None,
    on_result: Callable[[Result], None] = lambda _: None,
) -> asyncio.Task[None]:
    """Run a stored report in the background, from where it is. From inside the event loop; by default it sends with
    the server's client."""
    making = _Running(report_id, client, on_result)
    # A fresh context: the task outlives the request, whose database thread it must not inherit.
    task = asyncio.get_running_loop().create_task(
        making.run(), name=f"report {report_id}", context=contextvars.Context()
    )
    _tasks[report_id], _making[report_id] = task, making
    task.add_done_callback(lambda _: (_tasks.pop(report_id, None), _making.pop(report_id, None)))
    return task


def stop(report_id: UUID) -> None:
    """Let a report of this process send no more."""
    if (making := _making.get(report_id)) is not None:
        making.stop()


async def resume_for_ever(every_s: float = _LOOK_EVERY_S) -> None:
    """The server's background task: take up the reports that a stop of their process has cut off."""
    while True:
        try:
            for report_id in await database_sync_to_async(storing.claim_cut_off, thread_sensitive=False)():
                if report_id not in _tasks:
                    start(report_id)
        except Exception:
            logger.exception("reports that were cut off could not be looked for")
        await asyncio.sleep(every_s)


class Written:
    """Tells when this process has next written how far a report is."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        self._event.set()

    async def wait(self, longest_s: float) -> None:
        """Wait for the next result, at most `longest_s`: another process may run the report."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._event.wait()


@contextmanager
def written(report_id: UUID) -> Iterator[Written]:
    """Watch a report's results: from the moment this is entered none is missed."""
    follower = Written()
    _followers.setdefault(report_id, set()).add(follower)
    try:
        yield follower
    finally:
        _followers[report_id].discard(follower)
        if not _followers[report_id]:
            del _followers[report_id]


class _Running:
    """One report: a runner, and a writer beside it."""

    def __init__(self, report_id: UUID, client: httpx.AsyncClient | None, on_result: Callable[[Result], None]) -> None:
        self.report_id = report_id
        self.client = client
        self.on_result = on_result
        self.runner: Runner | None = None
        self.is_stopping = False
        self.new_results: list[Result] = []
        self.new_runs: list[UUID] = []
        self.current: tuple[str, int] = ("", 0)
        self.began = time.monotonic()

    async def run(self) -> None:
        try:
            runner = await database_sync_to_async(self._prepare, thread_sensitive=False)()
        except (launch.Refused, ConformanceReport.DoesNotExist) as problem:
            logger.warning("report %s cannot be run: %s", self.report_id, problem)
            await self._end(ConformanceReport.State.STOPPED, Totals())
            return
        self.runner = runner
        if self.is_stopping:
            runner.stop()
        writer = asyncio.create_task(self._write_on(runner))
        try:
            await runner.run()
        except ServerStoppingError:
            return  # its state stays "running": it is taken up again
        finally:
            writer.cancel()
        stopped = runner.is_stopped
        await self._write(runner, state="stopped" if stopped else "done", current_check="", current_try=0)

    def stop(self) -> None:
        self.is_stopping = True
        if self.runner is not None:
            self.runner.stop()

    def _prepare(self) -> Runner:
        report = ConformanceReport.objects.select_related("owner", "connection").get(pk=self.report_id)
        if report.connection is None and not report.is_sandbox:
            raise launch.Refused("The connection is gone.", 404)
        upstream = launch.upstream_of(report.connection)
        checks = tuple(BY_ID[name] for name in report.check_ids if name in BY_ID)
        self.before_s = report.duration_s
        sender = RunSender(
            report_id=report.pk,
            owner_id=report.owner_id,
            keep_content=report.owner.keep_content,
            upstream=upstream,
            connection_id=report.connection_id,
            connection_name=report.connection_name,
            model=report.model,
            failing_model=report.failing_model,
            on_run=self.new_runs.append,
            client=self.client,
        )
        plan = Plan(
            report.model,
            checks,
            report.at_once,
            report.pace,
            report.cap_usd,
            report.cap_tokens,
            report.failing_model,
        )
        totals = Totals(report.requests, report.input_tokens, report.output_tokens, report.usd)
        return Runner(
            plan,
            sender,
            self._keep,
            self._note_start,
            storing.results_of(report),
            totals,
            server=dict(report.server or {}),
        )

    def _keep(self, result: Result) -> None:
        self.new_results.append(result)
        self.on_result(result)

    def _note_start(self, check: Check, number: int) -> None:
        self.current = (check.id, number)

    async def _write_on(self, runner: Runner) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                if await self._write(runner):
                    runner.stop()
            except Exception as problem:
                logger.error("progress of report %s cannot be stored: %s", self.report_id, type(problem).__name__)

    async def _write(self, runner: Runner, **columns: object) -> bool:
        results, runs = list(self.new_results), list(self.new_runs)
        columns = {
            "current_check": self.current[0],
            "current_try": self.current[1],
            "duration_s": self.before_s + time.monotonic() - self.began,
            "server": runner.server,
        } | columns
        stop = await database_sync_to_async(storing.save_progress, thread_sensitive=False)(
            self.report_id, results, runs, runner.totals, **columns
        )
        for follower in _followers.get(self.report_id, ()):
            follower.tell()
        del self.new_results[: len(results)]
        del self.new_runs[: len(runs)]
        return stop

    async def _end(self, state: str, totals: Totals) -> None:
        await database_sync_to_async(storing.save_progress, thread_sensitive=False)(
            self.report_id, [], [], totals, state=state, current_check=""
        )
