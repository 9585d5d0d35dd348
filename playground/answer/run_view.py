"""From a run, live or stored, to its drawing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.urls import get_script_prefix, reverse
from django.utils.functional import SimpleLazyObject

from accounts.models import Connection
from playground.answer.cache import MOST_WEIGHT, drawings, kept
from playground.answer.drawing import Drawing
from playground.answer.folding import folded
from playground.answer.run_info import RunInfo
from playground.engine.events import Answered, Ended, Failure, Received, Requested, RunEvent, Streamed
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.models import Attachment, Draft, Run, ToolMock
from playground.models.attachment import PREFIX
from playground.protocol.foreign_text import encodable
from playground.protocol.json.received_json import try_object

if TYPE_CHECKING:
    from django.http import HttpRequest

T = TypeVar("T")
STEP = 10_000  # stored events read at once
LARGE_EVENTS, LARGE_BYTES = 2_000, 500_000  # a drawing of more is kept for a while
MILESTONE = 10_000  # events between the copies that are kept of an answer as it stood on the way
SLOW_EVENTS = 20_000  # a page does not wait for the drawing of more
MOST_IMAGES = 20  # offered as a tool's result
MAX_PARSED_BODY = 2**20  # a larger request body is not looked into for the tools it declares


@dataclass(frozen=True)
class Links:
    """The addresses of the parts of an answer that are not in its page; empty where there is no such part."""

    socket: str = ""
    panel: str = ""
    json: str = ""
    wire: str = ""
    connections: tuple[tuple[str, str], ...] = ()


def drawing_of(run: LiveRun | Run, request: HttpRequest | None) -> Drawing:
    """All there is to draw of a run.

    A run that goes on is drawn empty: its socket brings what has come so far.
    """
    if isinstance(run, LiveRun):
        return drawing_so_far(run, request) if run.is_over else _drawn(blank(run, request), [])
    if request is None or not is_large(run):
        return _stored_drawing(run, request)
    whole: Drawing = kept(_key(run, request), lambda: _with_milestones(run, request), lambda made: _weight(made[0]))[0]
    drawing = copy.copy(whole)
    drawing.about, drawing.links = info_of_stored(run, request), links_of(run.id, request)
    return drawing


def drawing_so_far(run: LiveRun | Run, request: HttpRequest | None) -> Drawing:
    """Draw the run with what has come so far, also when it still goes on."""
    if isinstance(run, LiveRun):
        return _drawn(blank(run, request), list(run.events))
    return drawing_of(run, request)


def milestones_of(run: LiveRun | Run, request: HttpRequest) -> list[Drawing]:
    """The answer as it stood after every so many events, if it was drawn lately."""
    drawing = None if isinstance(run, LiveRun) else drawings.get(_key(run, request))
    return drawing[1] if drawing else []


def _with_milestones(run: Run, request: HttpRequest) -> tuple[Drawing, list[Drawing]]:
    drawing, milestones = blank(run, request), []
    for after in range(0, run.event_count or 1, MILESTONE):
        if after and drawing.number == after:
            drawing.draw()
            milestones.append(drawing.copy())
        last = after + MILESTONE if after + MILESTONE < run.event_count else None
        drawing.take_all(folded(stored_events(run, after, last)))
    drawing.figures.received_size = run.received_size
    drawing.draw()
    return drawing, milestones


def _stored_drawing(run: Run, request: HttpRequest | None) -> Drawing:
    drawing = blank(run, request)
    drawing.take_all(folded(stored_events(run)))
    drawing.figures.received_size = run.received_size
    drawing.draw()
    return drawing


def _drawn(drawing: Drawing, events: Iterable[RunEvent]) -> Drawing:
    drawing.take_all(folded(events))
    drawing.draw()
    return drawing


def is_large(run: LiveRun | Run) -> bool:
    """Return whether drawing this run takes so long that the drawing is worth keeping. Runs that have ended never
    change."""
    if isinstance(run, LiveRun) or not run.is_final:
        return False
    return run.event_count >= LARGE_EVENTS or run.received_size >= LARGE_BYTES


def opens_at_once(run: LiveRun | Run, request: HttpRequest) -> bool:
    """Return whether the run can be drawn while a reader waits for the page. Otherwise the page comes first and the
    drawing after it."""
    if isinstance(run, LiveRun) or not is_large(run):
        return True
    return run.event_count < SLOW_EVENTS or _key(run, request) in drawings


def _key(run: Run, request: HttpRequest) -> tuple[Any, ...]:
    content = run.stored_content.pk if run.stored_content else None
    return "drawing", visitors.owner_of(request), run.pk, content


def _weight(drawing: Drawing) -> int:
    """Bytes, about. Calls that wait for results depend on what was saved for them: not kept."""
    if drawing.calls:
        return MOST_WEIGHT + 1
    return 20_000 + sum(4 * drawn.block.size + sum(map(len, drawn.part_list)) for drawn in drawing.blocks)


def blank(run: LiveRun | Run, request: HttpRequest | None) -> Drawing:
    """A drawing of the run that has taken no event yet. A run that has just begun is drawn without a query."""
    drawing = Drawing(info_of_live(run, request) if isinstance(run, LiveRun) else info_of_stored(run, request))
    drawing.key = run.id.hex[-12:]
    drawing.links = links_of(run.id, request)
    if request is not None and drawing.about.can_act and drawing.about.tools:
        drawing.mocks = lazily(lambda: ToolMock.objects.of(request).by_call())
        drawing.examples = lazily(lambda: examples_of(request))
        drawing.images = lazily(lambda: images_of(request, drawing.mocks))
    return drawing


def lazily(make: Callable[[], T]) -> T:
    """Stands in for what `make` returns, which is called when somebody looks at it."""
    return cast("T", SimpleLazyObject(make))


def examples_of(request: HttpRequest) -> dict[str, str]:
    """The examples of tools' outputs beside what the asker is writing."""
    examples: Any = Draft.objects.of(request).values_list("tool_examples", flat=True).first()
    return examples or {}


def images_of(request: HttpRequest, mocks: dict[tuple[str, str], ToolMock]) -> tuple[tuple[str, str], ...]:
    """The asker's images that a tool's result can be: those saved as one, then the newest. Reference and name."""
    files = Attachment.objects.of(request).filter(media_type__startswith="image/").order_by("-created_at").only("name")
    saved = files.filter(pk__in=[mock.image.removeprefix(PREFIX) for mock in mocks.values() if mock.image])
    return tuple({file.reference: file.name for file in [*saved, *files[:MOST_IMAGES]]}.items())


def until(events: Iterable[RunEvent], up_to: int | None) -> Iterator[RunEvent]:
    """The events up to the server-sent event of that number; None, or one that never came: all of them."""
    for event in events:
        if up_to is not None and isinstance(event, Streamed) and event.number > up_to:
            return
        yield event


def events_between(run: LiveRun | Run, after: int, up_to: int) -> Iterator[RunEvent]:
    """Yield the events after one server-sent event up to another; with the end of the run, if that is the last."""
    if isinstance(run, LiveRun):
        return until(list(run.events)[run.position_after(after) :], up_to)
    return stored_events(run, after, up_to)


def links_of(run_id: Any, request: HttpRequest | None) -> Links:
    return Links(
        socket=f"{get_script_prefix()}ws/runs/{run_id}/",
        panel=reverse("answer", args=[run_id]),
        json=reverse("answer-json", args=[run_id]),
        wire=reverse("answer-wire", args=[run_id]),
        connections=lazily(lambda: _connections(request)),
    )


def _connections(request: HttpRequest | None) -> tuple[tuple[str, str], ...]:
    usable = Connection.objects.usable_by(request.user) if request and request.user.is_authenticated else ()
    return ("sandbox", "Sandbox"), *((str(row.pk), row.name) for row in usable)


def info_of_live(run: LiveRun, request: HttpRequest | None) -> RunInfo:
    return RunInfo(
        id=run.id,
        model=encodable(run.about.model),
        connection_name=run.about.connection_name,
        connection_id=run.about.connection_id,
        base_url=run.about.base_url,
        started_at=run.started_at,
        asked_for_stream=run.about.stream,
        endpoint=run.about.endpoint,
        can_act=request is None or visitors.owner_of(request) == run.owner,
        body=_parse(run.about.request_body),
    )


def info_of_stored(run: Run, request: HttpRequest | None) -> RunInfo:
    return RunInfo(
        id=run.id,
        model=run.model,
        connection_name=run.connection_name,
        connection_id=run.connection_id,
        base_url=run.base_url,
        started_at=run.started_at,
        asked_for_stream=run.stream,
        endpoint=run.endpoint,
        counted_tokens=run.counted_tokens,
        can_act=request is None or request.user.pk == run.owner_id,
        is_kept=run.stored_content is not None,
        body=_parse(run.request_body or b""),
    )


def _parse(body: bytes) -> dict[str, Any]:
    if not body or len(body) > MAX_PARSED_BODY:
        return {}
    return try_object(body) or {}


def stored_events(run: Run, after: int = 0, up_to: int | None = None) -> Iterator[RunEvent]:
    """The run events of a stored run, as far as they are kept, from behind one server-sent event up to another. Times
    that were not stored are left out of it: the first byte's stands for those of the status line."""
    content = run.stored_content
    if not after:
        yield from _beginning(run)
    last = run.event_count if up_to is None else min(up_to, run.event_count)
    if content is not None and run.event_count:
        for first in range(after + 1, last + 1, STEP):
            yield from run.events(first, min(first + STEP - 1, last))
    elif content is not None:
        for data in run.raw():
            yield Received(run.duration_ms or 0.0, data)
    if run.is_final and last == run.event_count:
        yield Ended(run.duration_ms or 0.0, run.state, _failure(run))  # type: ignore[arg-type]


def _beginning(run: Run) -> Iterator[RunEvent]:
    content = run.stored_content
    yield Requested(0.0, "POST", run.base_url, _pairs(content.request_headers if content else []), run.request_size)
    if run.http_status is not None:
        headers = _pairs(content.response_headers if content else [])
        yield Answered(run.first_byte_ms or run.duration_ms or 0.0, run.http_status, headers)
    if run.first_byte_ms is not None:
        yield Received(run.first_byte_ms, b"")


def _failure(run: Run) -> Failure | None:
    if not run.failure_kind:
        return None
    detail = run.failure_detail if isinstance(run.failure_detail, dict) else {}
    return Failure(run.failure_kind, run.failure_message, detail)  # type: ignore[arg-type]


def _pairs(stored: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in stored or [])
