"""From a run, live or stored, to its drawing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from playground import visitors
from playground.answer.about import About
from playground.answer.drawing import Drawing
from playground.answer.words import clean
from playground.engine.events import Answered, Ended, Failure, Received, Requested, RunEvent, Streamed
from playground.engine.live_run import LiveRun
from playground.models import Run, ToolMock

if TYPE_CHECKING:
    from django.http import HttpRequest

STEP = 2_000  # stored events read at once
MAX_PARSED_BODY = 2**20  # a larger request body is not looked into for the tools it declares


@dataclass(frozen=True)
class Links:
    """Where a page gets the parts of an answer that are not in it; empty where there is no such place."""

    socket: str = ""
    panel: str = ""
    json: str = ""
    wire: str = ""
    connections: tuple[tuple[str, str], ...] = ()


def drawing_of(run: LiveRun | Run, request: HttpRequest | None, *, up_to: int | None = None) -> Drawing:
    """All there is to draw of a run; with `up_to`, the answer as it stood after that event.

    A run that goes on is drawn empty: its socket brings what has come so far.
    """
    drawing = blank(run, request)
    if isinstance(run, LiveRun):
        if run.is_over or up_to is not None:
            drawing.take_all(until(list(run.events), up_to))
    else:
        drawing.take_all(until(stored_events(run), up_to))
        drawing.figures.received_size = run.received_size
    drawing.draw()
    return drawing


def blank(run: LiveRun | Run, request: HttpRequest | None) -> Drawing:
    """A drawing of the run that has taken no event yet."""
    drawing = Drawing(about_live(run, request) if isinstance(run, LiveRun) else about_stored(run, request))
    drawing.key = run.id.hex[-12:]
    drawing.links = links_of(run.id, request)
    if request is not None and drawing.about.can_act and drawing.about.tools:
        drawing.mocks = ToolMock.objects.of(request).by_call()
    return drawing


def until(events: Iterable[RunEvent], up_to: int | None) -> Iterator[RunEvent]:
    """The events up to the server-sent event of that number; None, or one that never came: all of them."""
    for event in events:
        if up_to is not None and isinstance(event, Streamed) and event.number > up_to:
            return
        yield event


def links_of(run_id: Any, request: HttpRequest | None) -> Links:
    from accounts.models import Connection

    connections: tuple[tuple[str, str], ...] = (("sandbox", "Sandbox"),)
    if request is not None and request.user.is_authenticated:
        connections += tuple((str(row.pk), row.name) for row in Connection.objects.usable_by(request.user))
    return Links(
        socket=f"/ws/runs/{run_id}/",
        panel=reverse("answer", args=[run_id]),
        json=reverse("answer-json", args=[run_id]),
        wire=reverse("answer-wire", args=[run_id]),
        connections=connections,
    )


def about_live(run: LiveRun, request: HttpRequest | None) -> About:
    return About(
        id=run.id,
        model=clean(run.about.model),
        connection_name=run.about.connection_name,
        connection_id=run.about.connection_id,
        base_url=run.about.base_url,
        started_at=run.started_at,
        asked_for_stream=run.about.stream,
        can_act=request is None or visitors.owner_of(request) == run.owner,
        body=_parse(run.about.request_body),
    )


def about_stored(run: Run, request: HttpRequest | None) -> About:
    return About(
        id=run.id,
        model=run.model,
        connection_name=run.connection_name,
        connection_id=run.connection_id,
        base_url=run.base_url,
        started_at=run.started_at,
        asked_for_stream=run.stream,
        can_act=request is None or request.user.pk == run.owner_id,
        is_kept=run.stored_content is not None,
        body=_parse(run.request_body or b""),
    )


def _parse(body: bytes) -> dict[str, Any]:
    if not body or len(body) > MAX_PARSED_BODY:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def stored_events(run: Run) -> Iterator[RunEvent]:
    """The run events of a stored run, as far as they are kept. Times that were not stored are left out of it: the
    first byte's stands for those of the status line."""
    content = run.stored_content
    yield Requested(0.0, "POST", run.base_url, _pairs(content.request_headers if content else []), run.request_size)
    if run.http_status is not None:
        headers = _pairs(content.response_headers if content else [])
        yield Answered(run.first_byte_ms or run.duration_ms or 0.0, run.http_status, headers)
    if run.first_byte_ms is not None:
        yield Received(run.first_byte_ms, b"")
    if content is not None and run.event_count:
        for first in range(1, run.event_count + 1, STEP):
            yield from run.events(first, first + STEP - 1)
    elif content is not None:
        for data in run.raw():
            yield Received(run.duration_ms or 0.0, data)
    if run.is_final:
        yield Ended(run.duration_ms or 0.0, run.state, _failure(run))  # type: ignore[arg-type]


def _failure(run: Run) -> Failure | None:
    if not run.failure_kind:
        return None
    detail = run.failure_detail if isinstance(run.failure_detail, dict) else {}
    return Failure(run.failure_kind, run.failure_message, detail)  # type: ignore[arg-type]


def _pairs(stored: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in stored or [])
