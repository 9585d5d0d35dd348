"""Parts of an answer that a page fetches when they are looked at: of a run for its owner, of an example for anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.answer import event_table, example_answers
from playground.answer.block_drawing import MAX_SHOWN_JSON
from playground.answer.cache import drawings, kept
from playground.answer.replay import frames_of
from playground.answer.run_view import (
    blank,
    drawing_so_far,
    events_between,
    is_large,
    milestones_of,
    stored_events,
    until,
)
from playground.answer.seek import Seeker
from playground.engine.events import Streamed
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.protocol.foreign_text import encodable
from playground.protocol.json import json_text
from playground.protocol.json.received_json import write_json
from playground.protocol.whole_numbers import read_whole
from playground.rendering import markdown
from playground.views.answer_page import find_run, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.http import HttpRequest

    from playground.answer.drawing import Drawing
    from playground.engine.events import RunEvent

ROWS_AT_ONCE = 500
ALL = 2**31  # as the number of an event: as far as it has come


class Subject(Protocol):
    """The answer that a part is taken from."""

    def drawing(self) -> Drawing: ...
    def at_event(self, number: int, place: str) -> dict[str, Any]: ...
    def frames(self) -> list[dict[str, Any]]: ...
    def columns(self) -> str: ...
    def events(self, first: int = 1, last: int | None = None) -> list[Streamed]: ...


class OfRun:
    """The asker's own run."""

    def __init__(self, request: HttpRequest, run_id: UUID) -> None:
        self.request = request
        self.run = find_run(request, run_id)
        self.owner = visitors.owner_of(request) or ""

    def drawing(self) -> Drawing:
        return drawing_so_far(self.run, self.request)

    def at_event(self, number: int, place: str) -> dict[str, Any]:
        key = self._key("seeker")
        seeker = drawings.get(key) or Seeker(milestones_of(self.run, self.request))
        patches = seeker.at(self, number, place)
        drawings.put(key, seeker, seeker.weight)
        return patches

    def blank(self) -> Drawing:
        return blank(self.run, self.request)

    def events_between(self, after: int, up_to: int) -> Iterable[RunEvent]:
        return events_between(self.run, after, up_to)

    def frames(self) -> list[dict[str, Any]]:
        return frames_of(blank(self.run, self.request), events_between(self.run, 0, ALL))

    def events(self, first: int = 1, last: int | None = None) -> list[Streamed]:
        if isinstance(self.run, LiveRun):
            return _streamed(self.run.events)[first - 1 : last]
        if self.run.stored_content is None:
            return []
        return _streamed(stored_events(self.run)) if last is None else self.run.events(first, last)

    def columns(self) -> str:
        if not is_large(self.run):
            return _columns(self.events())
        return str(kept(self._key("columns"), lambda: _columns(self.events()), len))

    def _key(self, what: str) -> tuple[Any, ...]:
        """A run's events stay what they were, also when it leaves the live log; only their content can be removed."""
        is_kept = isinstance(self.run, LiveRun) or self.run.stored_content is not None
        return what, self.owner, self.run.id, is_kept


class OfExample:
    owner = ""

    def __init__(self, _request: HttpRequest, kind: str) -> None:
        self.kind = kind
        if not example_answers.example_events(kind):
            raise Http404("no such example")

    def drawing(self) -> Drawing:
        example = example_answers.example(self.kind)
        assert example is not None
        return example

    def at_event(self, number: int, _place: str) -> dict[str, Any]:
        return Seeker().at(self, number)

    def blank(self) -> Drawing:
        return example_answers.blank_example(self.kind)

    def events_between(self, after: int, up_to: int) -> Iterable[RunEvent]:
        return until(example_answers.example_events(self.kind), up_to) if not after else ()

    def frames(self) -> list[dict[str, Any]]:
        return example_answers.frames(self.kind)

    def events(self, first: int = 1, last: int | None = None) -> list[Streamed]:
        return _streamed(example_answers.example_events(self.kind))[first - 1 : last]

    def columns(self) -> str:
        return _columns(self.events())


def _columns(events: list[Streamed]) -> str:
    return json.dumps(event_table.columns(events), separators=(",", ":"))


def _streamed(events: Iterable[RunEvent]) -> list[Streamed]:
    return [event for event in list(events) if isinstance(event, Streamed)]


def of_both(
    part: Callable[..., HttpResponse], *, takes_turns: bool = True
) -> tuple[Callable[..., HttpResponse], Callable[..., HttpResponse]]:
    """A part as two views: of a run, and of an example. What may take long is made for one asker after the other."""

    @require_safe
    def of_run(request: HttpRequest, run_id: UUID, **place: Any) -> HttpResponse:
        subject = OfRun(request, run_id)
        return (
            in_turn(subject.owner, part, request, subject, **place) if takes_turns else part(request, subject, **place)
        )

    @require_safe
    def of_example(request: HttpRequest, kind: str, **place: Any) -> HttpResponse:
        return part(request, OfExample(request, kind), **place)

    return of_run, of_example


def at_event(request: HttpRequest, subject: Subject, number: int) -> HttpResponse:
    """The message as it stood after one event: what a page lacks that has drawn the place `?drawn=`."""
    return JsonResponse(subject.at_event(number, request.GET.get("drawn", "")))


def as_json(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The message in the API's shape, coloured, or the error's body. `?raw` gives it as JSON to copy."""
    drawing = subject.drawing()
    message = drawing.figures.accumulator.message if drawing.figures.has_message else None
    language = "json"
    if message is None and drawing.raw_body:
        text, language = _as_received(drawing.raw_body)
    else:
        text = json_text.dump(message) if message is not None else ""
    if "raw" in request.GET:
        return HttpResponse(write_json(message, indent=2), content_type="application/json")
    context = {"text": text[:MAX_SHOWN_JSON], "size": len(text), "is_cut": len(text) > MAX_SHOWN_JSON}
    context |= {"language": language, "is_message": message is not None}
    return render(request, "playground/answer/_json.html", context | {"answer": drawing})


def _as_received(body: bytes) -> tuple[str, str]:
    """A body that is no message: JSON indented, anything else as it came; and the language to colour it in."""
    try:
        return json_text.dump(json_text.parse(body)), "json"
    except json_text.JsonTextError:
        return body.decode("utf-8", "replace"), "text"


def as_text(_request: HttpRequest, subject: Subject) -> HttpResponse:
    """The answer's words as they were sent: markdown source, for copying."""
    texts = [drawn.block.text for drawn in subject.drawing().blocks if drawn.type == "text"]
    return HttpResponse(encodable("\n\n".join(texts)), content_type="text/plain; charset=utf-8")


def as_frames(_request: HttpRequest, subject: Subject) -> HttpResponse:
    """The answer as it arrived, for playing it again."""
    return JsonResponse({"frames": subject.frames()})


def rest(_request: HttpRequest, subject: Subject, index: int) -> HttpResponse:
    """The part of a very long text that is not in the page, as plain text."""
    block = subject.drawing().figures.accumulator.block(index)
    if block is None:
        raise Http404("no such block")
    return HttpResponse(encodable(block.text[markdown.MAX_RENDERED :]), content_type="text/plain; charset=utf-8")


def events(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The events as columns; with `?first=N` the data of those in view."""
    first = read_whole(request.GET.get("first"))
    if first is not None:
        start = max(1, first)
        return JsonResponse({"rows": event_table.rows(subject.events(start, start + ROWS_AT_ONCE - 1))})
    return HttpResponse(subject.columns(), content_type="application/json")


def event(request: HttpRequest, subject: Subject, number: int) -> HttpResponse:
    """One event's data in full."""
    streamed = next(iter(subject.events(number, number)), None)
    if streamed is None:
        raise Http404("no such event")
    context = {"html": event_table.body_html(streamed), "malformed": streamed.event.malformed}
    return render(request, "playground/answer/_event_body.html", context)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The response pane before the first run."""
    return render(request, "playground/answer/_start.html", {"has_form": True})


@require_safe
def example(request: HttpRequest, kind: str) -> HttpResponse:
    """An example of a real response, before the first run."""
    context = {"answer": OfExample(request, kind).drawing(), "kind": kind}
    return render(request, "playground/answer/_example.html", context)
