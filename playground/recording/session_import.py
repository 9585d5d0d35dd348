"""A session from a file: the JSON lines that this playground exports, one request with its answer on each."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from playground.exceptions import PlaygroundError
from playground.models import AgentSession, Run, RunContent
from playground.models.run import FINAL_STATES, first_id_at
from playground.protocol.catalogue.block_types import PHASES
from playground.protocol.endpoints import endpoint_named
from playground.protocol.foreign_text import storable
from playground.protocol.json import json_text
from playground.protocol.json.received_json import read_json
from playground.recording.run_columns import search_entry, status_class
from playground.recording.session_writer import add_run
from playground.search import index

if TYPE_CHECKING:
    from accounts.models import User

FORMAT = "messages-playground/run/1"
MOST_LINES = 5_000
MOST_PROBLEMS = 5
_AT_ONCE = 20  # requests in one transaction
_MOST = 2**40
_TEXTS = {
    "model": 200, "connection_name": 200, "access_key_name": 200, "user_agent": 500, "client_session": 200,
    "failure_message": 2_000, "failure_kind": 20, "stop_reason": 60, "request_id": 200, "note": 10_000,
}  # fmt: skip
_COUNTS = (
    "input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens", "thinking_tokens", "counted_tokens",
)  # fmt: skip
_TIMES = ("first_byte_ms", "first_token_ms", "duration_ms")


class SessionImportError(PlaygroundError, ValueError):
    """The problems of the file, the first few lines of it. Nothing was stored."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Line:
    started_at: dt.datetime
    body: bytes
    value: dict[str, Any]

    @property
    def message(self) -> dict[str, Any] | None:
        response = self.value.get("response")
        message = response.get("message") if isinstance(response, dict) else None
        return message if isinstance(message, dict) else None


def import_session(
    owner: User, data: bytes, *, began: Callable[[int], None] | None = None, done: Callable[[int], None] | None = None
) -> AgentSession:
    """Store the file's requests as runs of a new session. Raises `SessionImportError`; then nothing is stored.

    `began` is told how many requests there are, `done` how many more were stored.
    """
    lines = _read(data)
    if began is not None:
        began(len(lines))
    session: AgentSession | None = None
    stored: list[UUID] = []
    try:
        for at in range(0, len(lines), _AT_ONCE):
            with transaction.atomic():
                for line in lines[at : at + _AT_ONCE]:
                    run = _run(owner, line)
                    stored.append(run.pk)
                    session = session or _new_session(owner, run)
                    add_run(run, line.body, line.message, headers=_headers(line), session=session)
            if done is not None:
                done(len(lines[at : at + _AT_ONCE]))
    except BaseException:
        Run.objects.filter(pk__in=stored).delete()
        if session is not None:
            AgentSession.objects.filter(pk=session.pk).delete()
        raise
    assert session is not None
    return session


def _new_session(owner: User, run: Run) -> AgentSession:
    return AgentSession.objects.create(
        owner=owner, client=run.agent, is_imported=True, first_run_id=run.pk, last_run_id=run.pk
    )


def _read(data: bytes) -> list[_Line]:
    """All lines in the order of their time, checked before anything is stored."""
    try:
        texts = data.decode().split("\n")  # our lines are ASCII, so no other character ends one
    except UnicodeDecodeError:
        raise SessionImportError(["The file is no UTF-8 text."]) from None
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise SessionImportError(["The file is empty."])
    if len(texts) > MOST_LINES:
        raise SessionImportError([f"The file has {len(texts):,} lines; at most {MOST_LINES:,} are imported at once."])
    lines, problems = [], []
    for number, text in enumerate(texts, 1):
        try:
            lines.append(_line(text))
        except ValueError as problem:
            problems.append(f"Line {number}: {problem}")
            if len(problems) == MOST_PROBLEMS:
                break
    if problems:
        raise SessionImportError(problems)
    return sorted(lines, key=lambda line: line.started_at)


def _line(text: str) -> _Line:
    value, problem = read_json(text)
    if problem or not isinstance(value, dict):
        raise ValueError("not a JSON object.")
    if value.get("format") != FORMAT:
        raise ValueError(f'not a request that a playground exported ("format" is not "{FORMAT}").')
    try:
        started_at = dt.datetime.fromisoformat(str(value.get("started_at")))
        started_at = (started_at if started_at.tzinfo else started_at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        in_range = 1970 <= started_at.year < 9000
    except (ValueError, OverflowError):
        in_range = False
    if not in_range:
        raise ValueError("started_at is not a date and time.")
    return _Line(started_at, _body(value.get("request")), value)


def _body(request: Any) -> bytes:
    if not isinstance(request, dict):
        raise ValueError("its request was not kept, so there is nothing to import.")
    if "body" in request:
        return json_text.dump(request["body"], indent=None).encode()
    text = request.get("body_text")
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(str(request.get("body_base64", "")), validate=True)
    except binascii.Error:
        raise ValueError("body_base64 is not base64.") from None


def _run(owner: User, line: _Line) -> Run:
    """The run's rows: figures of a known shape, text cut to the columns' lengths, a new id at the same moment."""
    value = line.value
    texts = {name: storable(str(value.get(name) or ""), most) for name, most in _TEXTS.items()}
    state = value.get("state")
    status = _count(value.get("http_status"))
    status = status if status and 100 <= status < 1000 else None
    error = value.get("failure_detail")
    run = Run.objects.create(
        pk=UUID(int=first_id_at(line.started_at).int + secrets.randbits(60)),
        owner=owner,
        started_at=line.started_at,
        source=Run.Source.IMPORTED,
        endpoint=endpoint_named(str(value.get("endpoint"))),
        state=state if state in FINAL_STATES else Run.State.INTERRUPTED,
        stream=value.get("stream") is True,
        agent=storable(texts["user_agent"].partition("/")[0], 80),
        http_status=status,
        status_class=status_class(status),
        failure_detail=error if isinstance(error, dict) else None,
        phases=_phases(value.get("phases_ms")),
        cost_usd=_dollars(value.get("cost_usd")),
        request_size=len(line.body),
        starred=value.get("starred") is True,
        **texts,
        **{name: _count(value.get(name)) for name in _COUNTS},
        **{name: _milliseconds(value.get(name)) for name in _TIMES},
    )
    _store_content(run, line)
    return run


def _store_content(run: Run, line: _Line) -> None:
    content = RunContent.objects.create(
        run=run,
        owner_id=run.owner_id,
        request_body=line.body,
        request_headers=_headers(line),
        message=line.message,
        size=len(line.body) + len(json.dumps(line.message)),
    )
    index.index([search_entry(run, content.pk, body=line.body, message=line.message)])


def _headers(line: _Line) -> list[list[str]]:
    """Pairs of texts, as far as the file has such."""
    request = line.value.get("request")
    pairs = request.get("headers") if isinstance(request, dict) else None
    return [
        [storable(pair[0], 200), storable(pair[1], 4_000)]
        for pair in (pairs if isinstance(pairs, list) else [])[:200]
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)
    ]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def _milliseconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and 0 <= value < _MOST else None


def _phases(value: Any) -> dict[str, float]:
    phases = {name: _milliseconds(value.get(name)) for name in PHASES} if isinstance(value, dict) else {}
    return {name: each for name, each in phases.items() if each is not None}


def _dollars(value: Any) -> Decimal | None:
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and 0 <= cost < 10**7 else None
