"""The only module that writes runs.

A recorder looks at live runs four times a second and writes what is new in one transaction, in a thread of its own:
nothing waits for the database on the way to the reader. A server has its recorder in a process of its own, see
`recorder_process`; where there are no other processes it runs here. While the database is away the bytes wait
in memory (up to a limit per run), and `failing` says so.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)

from playground.recording.run_writer import RunWriter, kind_and_place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playground.recording.recorded_run import RecordedRun

logger = logging.getLogger(__name__)

EVERY_S = 0.25
AT_ONCE = 10_000  # events of one run: what is not taken yet waits compressed, what is taken does not
RETRY_S = 1.0
STALLED_S = 30.0  # a pass that takes longer hangs: a locked SQLite is given up after 20 seconds
MOST_WAITING_BYTES = 16 * 2**20  # of one run, while the database is away


def start_again(start: Callable[[], None], task: asyncio.Task[None]) -> None:
    """A recorder's task serves every user. Should it end by anything but a stop, it begins again."""
    if task.cancelled() or (fault := task.exception()) is None:
        return
    logger.error("the recorder ended and is started again: %s", kind_and_place(fault))
    task.get_loop().call_later(RETRY_S, start)


class Recorder:
    """Follows live runs and stores them. `attach` a run before its first event."""

    def __init__(self, *, every_s: float = EVERY_S, most_waiting: int = MOST_WAITING_BYTES) -> None:
        self.failing = False
        self._every_s = every_s
        self._most_waiting = most_waiting
        self._recordings: dict[UUID, RunWriter] = {}
        self._wanted: asyncio.Event | None = None
        self._done: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._passed_at = time.monotonic()  # the last pass over all runs
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")

    def attach(self, live: RecordedRun, *, is_again: bool = False) -> None:
        """Store this run from its first event on. A visitor's run is never stored. `is_again`: a recorder before this
        one may have stored a part of it, which is written again."""
        if live.about.user_id is None:
            return
        if not self._recordings:
            self._passed_at = time.monotonic()
        self._recordings[live.id] = RunWriter(live, self._most_waiting, is_again=is_again)
        self._start()
        assert self._wanted is not None
        self._wanted.set()

    def is_storing(self, run_id: UUID) -> bool:
        """Return whether this run, or its end, is still on its way into the database."""
        return run_id in self._recordings

    @property
    def backlog(self) -> int:
        """Events that runs have told and that are not taken yet."""
        return sum(recording.waiting for recording in list(self._recordings.values()))

    @property
    def problem(self) -> str | None:
        """Why runs are not being stored; None while they are, and while there is none to store."""
        if self.failing:
            return "the database does not take runs"
        if self._task is not None and self._task.done():
            return "the recorder does not run"
        if self._recordings and time.monotonic() - self._passed_at > STALLED_S:
            return "the recorder hangs"
        return None

    async def settle(self) -> None:
        """Wait until all that has been told so far is written, or could not be."""
        if self._recordings and self._task is not None and not self._task.done():
            done = asyncio.get_running_loop().create_future()
            self._done.append(done)
            await done

    async def stop(self, within_s: float = 5.0) -> None:
        """Write what is left, wait for a database that is away no longer than this, and end."""
        try:
            async with asyncio.timeout(within_s):
                while self._recordings:
                    await self.settle()
                    if self._recordings:
                        await asyncio.sleep(self._every_s)
        except TimeoutError:
            logger.error("%d runs could not be stored in time", len(self._recordings))
        if self._task is not None:
            self._task.cancel()
        await asyncio.get_running_loop().run_in_executor(self._thread, connections.close_all)
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        """The writer's task. It runs in a fresh context, since it outlives the request that came first."""
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._wanted = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(
                self._write_on(), name="recorder", context=contextvars.Context()
            )
            self._task.add_done_callback(partial(start_again, self._start))

    async def _write_on(self) -> None:
        assert self._wanted is not None
        loop = asyncio.get_running_loop()
        is_behind = False
        while True:
            if not self._recordings and not self._done and not self.failing:
                self._wanted.clear()
                await self._wanted.wait()
            await asyncio.sleep(RETRY_S if self.failing else 0 if is_behind else self._every_s)
            waiting, self._done = self._done, []
            is_behind = any(recording.waiting > AT_ONCE for recording in self._recordings.values())
            try:
                await loop.run_in_executor(self._thread, self._write, list(self._recordings.values()))
            except Exception as fault:
                logger.error("runs cannot be stored: %s", kind_and_place(fault))
                self.failing = True
            self._passed_at = time.monotonic()
            is_behind = is_behind or any(recording.is_behind for recording in self._recordings.values())
            for recording in [each for each in self._recordings.values() if each.is_stored]:
                del self._recordings[recording.run_id]
            if is_behind and not self.failing:
                self._done = waiting + self._done
                continue
            for done in waiting:
                if not done.done():
                    done.set_result(None)

    # --- In the recorder's thread ---

    def _write(self, recordings: Sequence[RunWriter]) -> None:
        for recording in recordings:
            self._collect(recording)
        due = [recording for recording in recordings if recording.is_due]
        try:
            close_old_connections()
            if due:
                self._write_together(due)
            elif self.failing:
                connection.ensure_connection()
        except (OperationalError, InterfaceError) as problem:
            if not self.failing:
                logger.error("runs cannot be stored: %s", type(problem).__name__)
            self.failing = True
            connection.close()
        else:
            if self.failing:
                logger.warning("runs are stored again")
            self.failing = False

    def _write_together(self, due: list[RunWriter]) -> None:
        try:
            with transaction.atomic():
                RunWriter.write_all(due)
        except Exception as fault:
            if _is_of_the_database(fault):
                raise
            # One run's rows were refused (its owner may be gone): that must not cost the other runs theirs.
            logger.warning("storing runs one by one after %s", type(fault).__name__)
            for recording in due:
                self._write_alone(recording)
        else:
            for recording in due:
                recording.written()

    def _write_alone(self, recording: RunWriter) -> None:
        """Write a run by itself: with all that belongs to it; if that is refused, without what was made of the bytes;
        if that is, not at all."""
        for is_last in (False, True):
            try:
                with transaction.atomic():
                    RunWriter.write_all([recording])
            except Exception as fault:
                if _is_of_the_database(fault):
                    raise
                logger.error("run %s cannot be stored: %s", recording.run_id, kind_and_place(fault))
                if is_last:
                    recording.give_up()
                else:
                    recording.fail(fault)
            else:
                recording.written()
                return

    def _collect(self, recording: RunWriter) -> None:
        """Take what a run has told. A fault in that is the run's alone."""
        had_fault = recording.figures.fault
        try:
            recording.collect(AT_ONCE, is_failing=self.failing)
        except Exception as fault:
            logger.error("run %s cannot be stored: %s", recording.run_id, kind_and_place(fault))
            recording.give_up()
            return
        if (unread := recording.figures.fault) is not None and had_fault is None:
            logger.error("run %s cannot be read, its bytes are stored: %s", recording.run_id, kind_and_place(unread))


def _is_of_the_database(fault: Exception) -> bool:
    """Would every run be refused now? Class 54 is PostgreSQL's for one row that is beyond what it takes."""
    is_refused_alone = str(getattr(fault.__cause__, "sqlstate", "")).startswith("54")
    return isinstance(fault, OperationalError | InterfaceError) and not is_refused_alone
