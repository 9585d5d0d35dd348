"""A run's answer as a page shows it, made from its run events. Live, stored and shared pages all draw with this.

Feed events to `take`, call `draw`, and ask `patches` for what a page lacks that has drawn up to some revision. What
the patches build and what the templates write at once is the same HTML.
"""

from __future__ import annotations

import copy
import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from playground.answer.block_drawing import BlockDrawing, Patch, TailBudget, tidy
from playground.answer.failures import Note, stop_note, verdict
from playground.answer.measures import Fact, Gauge, Measure, facts, gauges, is_waiting, measures, outcome, phases
from playground.answer.remarks import remarks
from playground.answer.result_form import ResultForm, declared_example, example_result, form_for, image_form, saved_form
from playground.engine.events import Answered, Ended, Received, Requested, Streamed
from playground.metrics.figures import Figures
from playground.models.tool_mock import ToolMock, find
from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.message_change import Change
from playground.protocol.stream.other_formats import OtherFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from playground.answer.run_info import RunInfo
    from playground.engine.events import RunEvent
    from playground.protocol.stream.sse import ServerSentEvent

FIGURES_INTERVAL_S = 1.0
FIGURES_REST_S = 5.0  # under load
MAX_RAW_BODY = 2**20
_budget = TailBudget()


class _Noting(Accumulator):
    """An accumulator that remembers what the last event changed."""

    change: Change | None = None

    def add(self, event: ServerSentEvent) -> Change | None:
        self.change = super().add(event)
        return self.change


class Drawing:
    """One run's answer so far. Not safe for two threads at once.

    Its many members are what the templates of an answer read, one each.
    """

    def __init__(self, about: RunInfo) -> None:
        self.about = about
        self.revision = 0
        self.number = 0  # of the last event taken
        self.figures = Figures(endpoint=about.endpoint)
        self.figures.accumulator = _Noting()
        self._read_ms = self._shown_read_ms = 0.0  # of the last event: as it came, and as it is shown
        self.now_ms = 0.0  # of the last event
        self.shown_ms = 0.0  # of the last one that is not bytes: they come before the events that are read from them
        self._drawn: dict[int, BlockDrawing] = {}
        self._fresh: set[int] = set()
        self._closed: set[int] = set()
        self._figures_revision = 0
        self._figures_due = True
        self._has_begun = False  # do the figures on the page name the first token?
        self._figures_drawn_at = 0.0
        self._ending_revision = 0
        self.other_format = OtherFormat()  # what the events of another API than ours say
        self._body = bytearray()  # the beginning of an answer that is no stream, as received
        self.key = ""  # makes the ids of elements differ between answers on one page
        self.mocks: dict[tuple[str, str], ToolMock] = {}
        self.examples: dict[str, str] = {}  # of tools' outputs, as typed
        self.images: tuple[tuple[str, str], ...] = ()  # files that can be a result: reference and name
        self.links: Any = None  # where the page gets what is not drawn: `answer.runs.Links`
        self.budget = _budget

    # -- what arrives

    def take_all(self, events: Iterable[RunEvent]) -> None:
        for event in events:
            self.take(event)

    def take(self, event: RunEvent) -> None:
        # The log keeps hundredths of a millisecond: rounding by way of them makes live and stored runs show the same.
        if event.at_ms != self._read_ms:  # what one read has brought shares its time
            self._read_ms = event.at_ms
            self._shown_read_ms = round(round(event.at_ms, 2), 1)
        at_ms = self._shown_read_ms
        if isinstance(event, Streamed):  # built by hand, not by `replace`: there can be 100,000 of them
            event = Streamed(at_ms, event.number, event.event, event.end)
        elif at_ms != event.at_ms:
            event = replace(event, at_ms=at_ms)
        self.now_ms = event.at_ms
        if not isinstance(event, Received):
            self.shown_ms = event.at_ms
        self.figures.add(event)
        match event:
            case Streamed():
                self.number = event.number
                self._body.clear()
                self._follow(event)
            case Answered() | Requested():
                self._figures_due = True
            case Received():
                if not self.number and len(self._body) < MAX_RAW_BODY:
                    self._body += event.data
            case Ended():
                self._end()

    def _follow(self, event: Streamed) -> None:
        change = self.figures.accumulator.change  # type: ignore[attr-defined]
        if change is None:
            if not self.figures.accumulator.has_begun:
                self.other_format.add_event(event.event)
            return
        if change.index is None:
            self._sync(event.at_ms)
            return
        drawn = self._block(change.index, event.at_ms)
        if drawn is None:
            return
        if change.what == "block_closed":
            drawn.close(event.at_ms)
            self._closed.add(change.index)
        elif change.added:
            drawn.grow(change.added)

    def _block(self, index: int, at_ms: float | None) -> BlockDrawing | None:
        if index not in self._drawn:
            block = self.figures.accumulator.block(index)
            if block is None:
                return None
            self._drawn[index] = BlockDrawing(block, self.budget)
            self._drawn[index].timing.opened_ms = at_ms
            self._fresh.add(index)
        return self._drawn[index]

    def _sync(self, at_ms: float | None) -> None:
        """Take blocks that came along whole, with `message_start` or in a JSON answer."""
        for block in self.figures.accumulator.blocks:
            if block.index not in self._drawn:
                drawn = self._block(block.index, at_ms)
                if drawn is not None and block.text:
                    drawn.grow(block.text)
                if not block.open:
                    self._closed.add(block.index)

    def _end(self) -> None:
        self._sync(None)
        self._closed |= {index for index, drawn in self._drawn.items() if not drawn.is_shut}

    # -- drawing

    @property
    def is_over(self) -> bool:
        return self.figures.ended is not None

    @property
    def redraw_in_s(self) -> float | None:
        """When to draw again although nothing arrives, in seconds: some text on the page has not taken its shape."""
        return 0.12 if any(drawn.wants_redrawing for drawn in self._drawn.values()) else None

    def draw(self, now_s: float | None = None) -> int:
        """Draw what is new; return the revision this makes."""
        now_s = time.monotonic() if now_s is None else now_s
        self.revision += 1
        for index in sorted(self._drawn):
            drawn = self._drawn[index]
            if index in self._fresh:
                drawn.whole = self.revision
            if drawn.wants_drawing or drawn.wants_redrawing:
                drawn.draw(self.revision, now_s)
        self._finish_blocks()
        self._draw_figures(now_s)
        if self.is_over and not self._ending_revision:
            self._ending_revision = self.revision
        return self.revision

    def _finish_blocks(self) -> None:
        calls_wait = self.about.can_answer and self.is_over and self.figures.accumulator.stop_reason == "tool_use"
        thinking = [drawn for drawn in self._drawn.values() if drawn.type == "thinking"]
        for index in self._closed:
            drawn = self._drawn[index]
            if len(thinking) == 1 and drawn.type == "thinking":
                drawn.tokens = self.figures.tokens()["thinking_tokens"] or drawn.block.estimated_tokens or None
            drawn.finish(self.revision)
        if calls_wait:
            for drawn in self._drawn.values():
                if drawn.type == "tool_use" and drawn.id and not drawn.result_wanted:
                    drawn.result_form = self._result_form(drawn)
                    drawn.result_wanted, drawn.whole = True, self.revision
        tokens = self.figures.tokens()["thinking_tokens"] if self.is_over and len(thinking) == 1 else None
        if tokens and thinking[0].tokens != tokens:
            thinking[0].tokens, thinking[0].head = tokens, self.revision
        self._closed.clear()
        self._fresh.clear()

    def _result_form(self, drawn: BlockDrawing) -> ResultForm:
        """Filled in with what was saved for this call, else made like the example of the tool's output, or, without
        one, like what the tool returned before."""
        form_id, mock = f"results-{self.key}", find(self.mocks, drawn.name, drawn.block.value.get("input"))
        if mock is not None and mock.text:
            form = saved_form(form_id, mock.text, is_error=mock.is_error)
        elif mock is not None and mock.image in dict(self.images):
            form = image_form(form_id, mock.image, is_error=mock.is_error)
        else:
            example = declared_example(self.examples, drawn.name)
            form = form_for(form_id, example_result(self.about.body, drawn.name) if example is None else example)
        return replace(form, images=self.images)

    @property
    def answers_itself(self) -> bool:
        """Whether there is a saved result for each call."""
        return bool(self.calls) and all(call.result_form and call.result_form.is_saved for call in self.calls)

    def _draw_figures(self, now_s: float) -> None:
        has_begun = self.figures.first_token_ms is not None
        is_due = self._figures_due or self.is_over or has_begun != self._has_begun
        waited_s = now_s - self._figures_drawn_at
        if is_due or waited_s >= FIGURES_REST_S or (waited_s >= FIGURES_INTERVAL_S and _budget.allows()):
            self._figures_due, self._has_begun = False, has_begun
            self._figures_drawn_at = now_s
            self._figures_revision = self.revision

    def spend_from(self, budget: TailBudget) -> None:
        """Draw the tails of all blocks on this budget, of those too that are there already."""
        self.budget = budget
        for drawn in self._drawn.values():
            drawn.budget = budget

    def copy(self) -> Drawing:
        """A drawing like this one that goes its own way. What never changes is shared, the HTML above all."""
        fixed = [self.about, self.links, *(html for drawn in self.blocks for _, html in drawn.parts)]
        return copy.deepcopy(self, {id(value): value for value in fixed})

    # -- what a page is told

    def patches(self, since: int) -> list[Patch]:
        """Return what a page lacks that has drawn up to revision `since` (0: nothing). Applying a patch twice does no
        harm."""
        patches: list[Patch] = []
        if self._figures_revision > since:
            patches.append({"op": "figures", "html": self.figures_html})
        for drawn in self.blocks:
            patches += drawn.patches(since)
        if self._ending_revision > since:
            patches.append({"op": "ending", "html": self.ending_html})
        return patches

    # -- for the templates

    @property
    def blocks(self) -> list[BlockDrawing]:
        return [self._drawn[index] for index in sorted(self._drawn)]

    @property
    def figures_html(self) -> SafeString:
        began = time.perf_counter()
        try:
            return self._render_figures()
        finally:
            _budget.spend(time.perf_counter() - began)

    def _render_figures(self) -> SafeString:
        return tidy(render_to_string("playground/answer/_figures.html", {"answer": self}))

    @property
    def ending_html(self) -> SafeString:
        return tidy(render_to_string("playground/answer/_ending.html", {"answer": self}))

    @property
    def digest(self) -> str:
        """Names what a page shows that has drawn all of it."""
        pieces = (self.figures_html, *(drawn.html for drawn in self.blocks), self.ending_html)
        return hashlib.sha256("\n".join(pieces).encode()).hexdigest()[:32]

    @property
    def raw_body(self) -> bytes:
        """The first MiB of what was received, if it was no stream."""
        return bytes(self._body)

    @property
    def state(self) -> str:
        return self.figures.ended.state if self.figures.ended else "running"

    @property
    def has_no_content(self) -> bool:
        """Whether it was completed with nothing to show, and no other note says why."""
        if self.stop_note or self.figures.is_too_large_to_read or self.about.is_count:
            return False
        return self.state == "completed" and not self.blocks

    @property
    def token_count(self) -> int | None:
        """The answer of a request to count tokens."""
        counted = self.figures.counted_tokens
        return self.about.counted_tokens if counted is None else counted

    @property
    def measures(self) -> list[Measure]:
        return measures(self)

    @property
    def is_waiting(self) -> bool:
        return is_waiting(self)

    @property
    def outcome(self) -> str:
        return outcome(self)

    @property
    def phases(self) -> list[Any]:
        return phases(self.figures, self.now_ms)

    @property
    def gauges(self) -> list[Gauge]:
        return gauges(self.figures.response_headers)

    @property
    def facts(self) -> list[Fact]:
        return facts(self)

    @property
    def verdict(self) -> Note | None:
        return verdict(self)

    @property
    def remarks(self) -> list[str]:
        return remarks(self)

    @property
    def stop_note(self) -> Note | None:
        return stop_note(self)

    @property
    def calls(self) -> list[BlockDrawing]:
        """The calls that wait for a result from here."""
        return [drawn for drawn in self.blocks if drawn.result_wanted]

    @property
    def kinds(self) -> list[str]:
        return [drawn.kind for drawn in self.blocks]
