"""One run on its way into the database: what of it is written, and what waits to be."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.utils.module_loading import import_string

from playground.engine.events import Received, Streamed
from playground.metrics.figures import Figures
from playground.models import Run, RunBatch, RunContent
from playground.protocol.json.received_json import try_object
from playground.recording import session_writer
from playground.recording.run_columns import PARSED_BYTES, about_columns, answer_columns, end_columns, search_entry
from playground.search import index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playground.engine.events import RunEvent
    from playground.models.run_content import Mark
    from playground.recording.recorded_run import RecordedRun

logger = logging.getLogger(__name__)

BYTES_AT_ONCE = 8 * 2**20  # of one run in one pass
BATCH_BYTES = 64 * 2**10
_STATEMENT_BYTES = 8 * 2**20  # of request bodies that are written at once


class RunWriter:
    """Reads a live run's list of events from where it stopped the last time.

    `collect`, then `write_all` inside a transaction, then `written` when that was committed. Nothing is lost before.
    """

    def __init__(self, live: RecordedRun, most_waiting: int, *, is_again: bool = False) -> None:
        self.live = live
        self.run_id: UUID = live.id
        self.keeps_content = live.about.keep_content
        self.figures = Figures(live.body, endpoint=live.about.endpoint)
        self.is_stored = False  # to the end
        self.is_behind = False  # whether more had come than one pass takes
        self._most_waiting = most_waiting
        self._position = 0
        self._has_row = self._has_answer = False
        self._is_bare = False  # neither message nor words to be found by are stored, nor headers
        self._attempts = int(is_again)
        self._is_again = is_again  # another recorder may have written a part
        self._is_complete = True
        self._batches: list[RunBatch] = []  # waiting to be written
        self._waiting_bytes = 0
        self._content_id: int | None = None
        self._session_part: session_writer.Ended | None = None
        self._offset = 0  # of the bytes collected so far
        self._event_end = 0  # where the last event ended
        self._next_event = 1
        self._held: list[Mark] = []  # of events whose bytes are in an earlier batch
        live.events.keep_from(0)

    @property
    def waiting(self) -> int:
        """Events that the run has told and nobody has collected."""
        return len(self.live.events) - self._position

    def collect(self, most: int | None = None, *, is_failing: bool = False) -> None:
        """Take what the run has told since the last time, `most` events of it."""
        end = None if most is None else self._position + most
        new = self._within_bytes(self._new_events(end))
        self._position += len(new)
        self.live.events.keep_from(self._position)
        pieces: list[bytes] = []
        marks, self._held = self._held, []
        size = 0
        for event in new:
            self.figures.add(event)
            if not self.keeps_content:
                continue
            if isinstance(event, Received):
                if size >= BATCH_BYTES:
                    self._make_batch(pieces, marks)
                    pieces, marks, size = [], [], 0
                pieces.append(event.data)
                size += len(event.data)
            elif isinstance(event, Streamed):
                marks.append([event.number, event.end, round(event.at_ms, 2)])
        if pieces or (marks and self.figures.ended is not None):
            self._make_batch(pieces, marks)
        else:
            self._held = marks  # a batch is known by where its bytes begin, so each but the last must have some
        if is_failing and self._waiting_bytes > self._most_waiting:
            self._drop_what_does_not_fit()

    def _new_events(self, end: int | None) -> Sequence[RunEvent]:
        """Return the events since the last time; of those that cannot be read any more, their bytes."""
        try:
            new = self.live.events[self._position : end]
        except Exception as fault:
            self.figures.fail(fault)
            self._position = len(self.live.events)
            body, self._held = self.live.body()[self._offset :], []
            new = [Received(self.figures.first_byte_ms or 0.0, body)]
            new = [*new, self.live.events[-1]] if self.live.is_over else new
            self._position -= len(new)
        return new

    def _within_bytes(self, new: Sequence[RunEvent]) -> Sequence[RunEvent]:
        """Return so many of the events that their bytes, which are copied here, do not double what a large answer
        takes."""
        size = 0
        for place, event in enumerate(new):
            size += len(event.data) if isinstance(event, Received) else 0
            if size >= BYTES_AT_ONCE and place + 1 < len(new) and self.figures.fault is None:
                self.is_behind = True
                return new[: place + 1]
        self.is_behind = False
        return new

    def _make_batch(self, pieces: list[bytes], marks: list[Mark]) -> None:
        data = b"".join(pieces)
        batch = RunBatch(
            run_id=self.run_id,
            start=self._offset,
            data=data,
            first_event=self._next_event,
            event_count=len(marks),
            begun=self._event_end,
            marks=marks,
        )
        self._offset += len(data)
        if marks:
            self._next_event, self._event_end = marks[-1][0] + 1, marks[-1][1]
        if self._is_complete:
            self._batches.append(batch)
            self._waiting_bytes += len(data)

    def _drop_what_does_not_fit(self) -> None:
        """The database has been away for too long: keep the beginning, and say that the rest is missing."""
        self._is_complete = False
        while self._batches and self._waiting_bytes > self._most_waiting:
            self._waiting_bytes -= len(self._batches.pop().data)

    @property
    def is_due(self) -> bool:
        return not self._has_row or bool(self._batches) or self.figures.ended is not None

    # --- Writing. Called again after a failure, so nothing but the database changes here ---

    @staticmethod
    def write_all(recordings: Sequence[RunWriter]) -> None:
        """Write several runs: the rows of those that are new, the bytes of all of them, then what has ended."""
        for recording in recordings:
            recording._attempts += 1
        _create_rows([recording for recording in recordings if not recording._has_row])
        again_ids = [recording.run_id for recording in recordings if recording._is_again]
        if again_ids:  # their bytes may have been cut elsewhere
            RunBatch.objects.filter(run_id__in=again_ids).delete()
        for recording in recordings:
            has_status = recording.figures.http_status is not None and not recording._is_bare
            if recording._has_row and not recording._has_answer and has_status:
                recording._write_answer()
        batches = [batch for recording in recordings for batch in recording._batches]
        for batch in batches:
            batch.pk = None
        # Whether a commit that was cut off came through cannot be known: then the same rows come a second time.
        again = any(recording._attempts > 1 for recording in recordings)
        RunBatch.objects.bulk_create(batches, ignore_conflicts=again)
        ending = [recording for recording in recordings if recording.figures.ended is not None]
        entries = [recording._write_end() for recording in ending]
        index.index([entry for entry in entries if entry is not None])
        _add_to_sessions([recording._session_part for recording in ending if recording._session_part is not None])

    def write(self) -> None:
        """Write this run alone."""
        self.write_all([self])

    def _write_end(self) -> index.Entry | None:
        self._session_part = None
        run = Run(id=self.run_id, **about_columns(self.live))
        ended = store_end(run, self.figures, is_complete=self._is_complete)
        if ended is None or self._is_bare:
            return None
        body, entry = self.live.about.request_body, None
        is_read = run.source == Run.Source.RELAY or len(body) <= PARSED_BYTES
        parsed = try_object(body) if is_read else None  # once, for all that is read in it
        if self._content_id is not None:
            entry = store_message(run, self.figures, ended, content_id=self._content_id, body=parsed or body)
        self._session_part = self._part_of_session(run, ended, parsed)
        return entry

    def _part_of_session(
        self, run: Run, ended: dict[str, Any], body: dict[str, Any] | None
    ) -> session_writer.Ended | None:
        """Return what a relayed request adds to its session; other requests belong to none."""
        if run.source != Run.Source.RELAY:
            return None
        for name, value in ended.items():
            setattr(run, name, value)
        message = self.figures.accumulator.message if self.figures.has_message else None
        headers = self.live.about.request_headers
        return session_writer.Ended(run, body, message, headers, self.keeps_content)

    def written(self) -> None:
        """Note that what was handed to `write_all` is in the database for good."""
        self._has_row, self._attempts, self._is_again = True, 0, False
        self._has_answer = self.figures.http_status is not None
        self._batches, self._waiting_bytes = [], 0
        self.is_stored = self.live.is_stored = self.figures.ended is not None
        if self.is_stored and settings.TRACES:
            self._trace()

    def _trace(self) -> None:
        try:
            import_string("playground.recording.traces.trace")(self.run_id, self.live.about, self.figures)
        except Exception as fault:
            logger.error("run %s cannot be traced: %s", self.run_id, kind_and_place(fault))

    def give_up(self) -> None:
        self.is_stored = True

    def fail(self, fault: Exception) -> None:
        """Something that came of the answer cannot be stored: from here on, only what it consists of is."""
        self.figures.fail(fault)
        self._is_bare = True

    def _write_answer(self) -> None:
        """Status and headers, which came after the run's own row."""
        Run.objects.unfinished().filter(pk=self.run_id).update(**answer_columns(self.figures))
        headers = [list(pair) for pair in self.figures.response_headers]
        RunContent.objects.filter(run_id=self.run_id).update(response_headers=headers)

    def _content_columns(self) -> dict[str, Any]:
        about = self.live.about
        return {
            "owner_id": about.user_id,
            "request_body": about.request_body,
            "request_query": about.query,
            "request_headers": self.figures.request_headers or [list(pair) for pair in about.request_headers],
            "response_headers": [] if self._is_bare else [list(pair) for pair in self.figures.response_headers],
            "size": len(about.request_body),
        }


def kind_and_place(fault: BaseException) -> str:
    """An exception for the log: its kind and where it was raised. Its text can hold what was sent or received."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{where}"


def _create_rows(recordings: Sequence[RunWriter]) -> None:
    """The rows of runs that have none, or may have them from an attempt that was cut off."""
    again = any(recording._attempts > 1 for recording in recordings)
    runs = [Run(id=each.run_id, **about_columns(each.live), **answer_columns(each.figures)) for each in recordings]
    Run.objects.bulk_create(runs, ignore_conflicts=again)
    keeping = [recording for recording in recordings if recording.keeps_content]
    if again:
        for recording in keeping:
            columns = recording._content_columns()
            content, _ = RunContent.objects.get_or_create(run_id=recording.run_id, defaults=columns)
            recording._content_id = content.pk
        return
    for together in _by_size(keeping):
        made = RunContent.objects.bulk_create(
            RunContent(run_id=recording.run_id, **recording._content_columns()) for recording in together
        )
        for recording, content in zip(together, made, strict=True):
            recording._content_id = content.pk


def _add_to_sessions(parts: Sequence[session_writer.Ended]) -> None:
    """Add runs to their sessions. A failure here costs the runs nothing: they are filled in later."""
    if not parts:
        return
    try:
        with transaction.atomic():
            session_writer.add_runs(parts)
    except (DataError, IntegrityError, ValueError, TypeError, RecursionError):
        if len(parts) == 1:
            logger.exception("run %s could not be added to a session", parts[0].run.pk)
            return
        for part in parts:
            _add_to_sessions([part])


def _by_size(recordings: Sequence[RunWriter]) -> Iterator[list[RunWriter]]:
    """Yield groups whose request bodies fit in one statement."""
    together: list[RunWriter] = []
    size = 0
    for recording in recordings:
        size += len(recording.live.about.request_body)
        if together and size > _STATEMENT_BYTES:
            yield together
            together, size = [], len(recording.live.about.request_body)
        together.append(recording)
    if together:
        yield together


def store_end(run: Run, figures: Figures, *, is_complete: bool = True) -> dict[str, Any] | None:
    """Write how a run ended, and return the columns that say so. None: the run is gone, or had ended already and stays
    as it was. `run` has the columns of its start."""
    columns = end_columns(figures, run.model, is_sandbox=run.is_sandbox) | {"log_complete": is_complete}
    # Compare and set: final states never change.
    return columns if Run.objects.unfinished().filter(pk=run.pk).update(**columns) else None


def store_message(run: Run, figures: Figures, ended: dict[str, Any], *, content_id: int, body: Any) -> index.Entry:
    """Write the message that a run's answer made; return what the run can be found by, for `search.index`.
    `ended` is what `store_end` returned, `body` the request's: its bytes, or what they were parsed to."""
    message = figures.accumulator.message if figures.has_message else None
    changes: dict[str, Any] = {"message": message, "size": run.request_size + figures.received_size}
    if figures.response_headers:
        changes["response_headers"] = [list(pair) for pair in figures.response_headers]
    RunContent.objects.filter(pk=content_id).update(**changes)
    return search_entry(run, content_id, body=body, message=message, ended=ended)
