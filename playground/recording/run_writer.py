"""One run on its way into the database: what of it is written, and what waits to be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playground import search, search_text, user_agents
from playground.engine.events import Received, Streamed
from playground.figures import Figures
from playground.models import Run, RunBatch, RunContent
from playground.models.fields import clean
from playground.models.run import started_at_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from playground.engine.live_run import LiveRun
    from playground.models.run_content import Mark

BATCH_BYTES = 64 * 2**10
_STATEMENT_BYTES = 8 * 2**20  # of request bodies that are written at once
_SESSION_HEADERS = ("x-session-id", "session-id", "x-claude-code-session-id")


class Recording:
    """Reads a live run's list of events from where it stopped the last time.

    `collect`, then `write_all` inside a transaction, then `written` when that was committed. Nothing is lost before.
    """

    def __init__(self, live: LiveRun, most_waiting: int) -> None:
        self.live = live
        self.run_id: UUID = live.id
        self.keeps_content = live.about.keep_content
        self.figures = Figures()
        self.is_stored = False  # to the end
        self._most_waiting = most_waiting
        self._position = 0
        self._has_row = self._has_answer = False
        self._attempts = 0
        self._is_complete = True
        self._batches: list[RunBatch] = []  # waiting to be written
        self._waiting_bytes = 0
        self._content_id: int | None = None
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
        new = self.live.events[self._position : end]
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
    def write_all(recordings: Sequence[Recording]) -> None:
        """Write several runs: the rows of those that are new, the bytes of all of them, then what has ended."""
        for recording in recordings:
            recording._attempts += 1
        _create_rows([recording for recording in recordings if not recording._has_row])
        for recording in recordings:
            if recording._has_row and not recording._has_answer and recording.figures.http_status is not None:
                recording._write_answer()
        batches = [batch for recording in recordings for batch in recording._batches]
        for batch in batches:
            batch.pk = None
        # Whether a commit that was cut off came through cannot be known: then the same rows come a second time.
        again = any(recording._attempts > 1 for recording in recordings)
        RunBatch.objects.bulk_create(batches, ignore_conflicts=again)
        ending = [recording for recording in recordings if recording.figures.ended is not None]
        entries = [recording._write_end() for recording in ending]
        search.index([entry for entry in entries if entry is not None])

    def write(self) -> None:
        """Write this run alone."""
        self.write_all([self])

    def _write_end(self) -> search.Entry | None:
        run = Run(id=self.run_id, **about_columns(self.live))
        ended = store_end(run, self.figures, is_complete=self._is_complete)
        if ended is None or self._content_id is None:
            return None
        body = self.live.about.request_body
        return store_message(run, self.figures, ended, content_id=self._content_id, body=body)

    def written(self) -> None:
        """What was handed to `write_all` is in the database for good."""
        self._has_row, self._attempts = True, 0
        self._has_answer = self.figures.http_status is not None
        self._batches, self._waiting_bytes = [], 0
        self.is_stored = self.figures.ended is not None

    def give_up(self) -> None:
        self.is_stored = True

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
            "request_headers": self.figures.request_headers or [list(pair) for pair in about.request_headers],
            "response_headers": [list(pair) for pair in self.figures.response_headers],
            "size": len(about.request_body),
        }


def _create_rows(recordings: Sequence[Recording]) -> None:
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


def _by_size(recordings: Sequence[Recording]) -> Iterator[list[Recording]]:
    """In groups whose request bodies fit in one statement."""
    together: list[Recording] = []
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


def store_message(run: Run, figures: Figures, ended: dict[str, Any], *, content_id: int, body: bytes) -> search.Entry:
    """Write the message that a run's answer made; return what the run can be found by, for `search.index`.
    `ended` is what `store_end` returned, `body` the request's."""
    message = figures.accumulator.message if figures.has_message else None
    changes = {"message": message, "size": run.request_size + figures.received_size}
    if figures.response_headers:
        changes["response_headers"] = [list(pair) for pair in figures.response_headers]
    RunContent.objects.filter(pk=content_id).update(**changes)
    facets = {name: ended.get(name, getattr(run, name)) for name in search.FACETS}
    return search.Entry(content_id, run.owner_id, searchable_words(body, message, ended), facets)


def answer_columns(figures: Figures) -> dict[str, Any]:
    """The status as columns; a number that is no HTTP status counts as none."""
    status = figures.http_status if figures.http_status and 100 <= figures.http_status < 1000 else None
    return {"http_status": status, "status_class": status_class(status)}


def status_class(status: int | None) -> int:
    """2, 4 or 5; 1 for any other status, 0 for none: what the log's filter tells apart."""
    return (status // 100 if status // 100 in (2, 4, 5) else 1) if status else 0


def about_columns(live: LiveRun) -> dict[str, Any]:
    """A run's columns as they are when it starts."""
    about = live.about
    return {
        "owner_id": about.user_id,
        "state": Run.State.RUNNING,
        "source": about.source,
        "model": clean(about.model, 200),
        "stream": about.stream,
        "connection_id": about.connection_id,
        "connection_name": clean(about.connection_name, 200),
        "base_url": clean(about.base_url, 2_000),
        "access_key_id": about.access_key_id,
        "access_key_name": clean(about.access_key_name, 200),
        "user_agent": clean(about.user_agent, 500),
        "agent": clean(user_agents.label(about.user_agent), 80),
        "client_address": clean(about.client_address, 45),
        "client_session": clean(session_of(about.request_headers, about.request_body), 200),
        "request_size": len(about.request_body),
        "started_at": started_at_of(live.id),
        "content_kept": about.keep_content,
    }


def end_columns(figures: Figures, model: str, *, is_sandbox: bool) -> dict[str, Any]:
    """A run's columns as they are set when it ends."""
    ended = figures.ended
    assert ended is not None
    failure = ended.failure
    return {
        **answer_columns(figures),
        "state": ended.state,
        "failure_kind": failure.kind if failure else "",
        "failure_message": clean(failure.message, 4_000) if failure else "",
        "failure_detail": failure.detail if failure else None,
        "first_byte_ms": figures.first_byte_ms,
        "first_token_ms": figures.first_token_ms,
        "duration_ms": ended.at_ms,
        "phases": figures.phases_until(ended.at_ms),
        "stop_reason": clean(figures.accumulator.stop_reason, 60),
        "request_id": clean(figures.request_id, 200),
        "received_size": figures.received_size,
        "event_count": figures.event_count,
        "cost_usd": figures.cost_usd(model, is_sandbox=is_sandbox),
        **figures.tokens(),
    }


def searchable_words(body: bytes, message: Any, columns: dict[str, Any]) -> list[str]:
    """All that a run can be found by: what was said in both directions, its error, its request id."""
    told = [columns[name] for name in ("request_id", "failure_kind", "failure_message", "stop_reason")]
    texts = [*told, *search_text.texts_in(message, search_text.MOST_CHARACTERS // 2), *texts_of_body(body)]
    return search_text.words(" \n ".join(texts))


def texts_of_body(body: bytes) -> list[str]:
    try:
        return search_text.texts_in(json.loads(body))
    except (ValueError, RecursionError):  # sent as typed, or not JSON at all
        return [body[: search_text.MOST_CHARACTERS].decode("utf-8", "replace")]


def session_of(headers: Any, body: bytes) -> str:
    """What the client calls its session: a header, or the part of `metadata.user_id` after `_session_`."""
    named = {name.lower(): value for name, value in headers}
    for header in _SESSION_HEADERS:
        if named.get(header):
            return named[header]
    if b'"user_id"' not in body or b"session" not in body:
        return ""
    try:
        user = json.loads(body)["metadata"]["user_id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    if not isinstance(user, str):
        return ""
    try:
        parts = json.loads(user)  # some clients put JSON into this string
    except (ValueError, RecursionError):
        return user.rpartition("_session_")[2] if "_session_" in user else ""
    session = parts.get("session_id") if isinstance(parts, dict) else None
    return session if isinstance(session, str) else ""
