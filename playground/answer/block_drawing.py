"""One content block, drawn as it grows. Each change has a revision, so a page can be told what it lacks and no more."""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from playground.answer.server_results import describe_result, sources_of
from playground.protocol.catalogue.block_types import block_type
from playground.protocol.foreign_text import encodable
from playground.protocol.json import json_text
from playground.rendering import formatting, markdown

if TYPE_CHECKING:
    from playground.answer.result_form import ResultForm
    from playground.protocol.stream.growing_block import GrowingBlock

Patch = dict[str, Any]

TAIL_RENDERED = 3_000  # characters of an open tail that are still rendered; a longer one grows as plain text
TAIL_INTERVAL_S = 0.12
TAIL_REST = 60  # a tail that took long to draw rests this many times as long
PARTS_IN_LEAF = 40  # as in static/js/answer/draw.js
MAX_SHOWN_JSON = 20_000  # characters of one block's JSON on the page; the JSON tab and the downloads have all of it


class TailBudget:
    """Limits how much of the process's time goes into drawing what will be drawn again.

    Under load tails arrive as plain text and take their shape when they are finished.
    """

    def __init__(self, share: float = 0.04) -> None:
        self.share = share
        self._credit_s = share
        self._at = time.monotonic()

    def allows(self) -> bool:
        now = time.monotonic()
        self._credit_s = min(self.share, self._credit_s + (now - self._at) * self.share)
        self._at = now
        return self._credit_s > 0

    def spend(self, seconds: float) -> None:
        self._credit_s -= seconds


@dataclass
class Timing:
    """Milliseconds since sending; None where there was no such event."""

    opened_ms: float | None = None
    closed_ms: float | None = None

    @property
    def lasted_ms(self) -> float | None:
        return None if self.opened_ms is None or self.closed_ms is None else self.closed_ms - self.opened_ms


@dataclass
class BlockDrawing:
    """Everything a page shows of one block. `whole`, `head`, … are the revisions at which they last changed.

    Its many members are what the templates of a block read, one each.
    """

    block: GrowingBlock
    budget: TailBudget
    timing: Timing = field(default_factory=Timing)
    whole: int = 0
    head: int = 0
    shut: int = 0
    tail: int = 0
    parts: list[tuple[int, SafeString]] = field(default_factory=list)
    pieces: list[tuple[int, str]] = field(default_factory=list)  # plain text appended since the tail was drawn
    tail_html: SafeString = field(default_factory=SafeString)
    tokens: int | None = None  # of thinking, where the answer tells
    result_wanted: bool = False
    result_form: ResultForm | None = None

    def __post_init__(self) -> None:
        self.is_prose = block_type(self.block.type).is_prose
        self._splitter = markdown.Splitter()
        self._headings: markdown.Headings = ()  # above what is not drawn yet
        self._taken = 0  # characters handed to the splitter
        self._new_parts: list[str] = []
        self._new_text: list[str] = []
        self._tail_drawn_at = 0.0
        self._tail_took_s = 0.0

    # -- what arrives

    def grow(self, text: str) -> None:
        """Take text that the block's reader sees: prose, or a piece of a tool's input."""
        text = encodable(text)
        if self.is_prose:
            text = text[: max(0, markdown.MAX_RENDERED - self._taken)]
            self._taken += len(text)
            self._new_parts += self._splitter.feed(text)
        if text:
            self._new_text.append(text)

    def close(self, at_ms: float | None) -> None:
        if self.timing.closed_ms is None:
            self.timing.closed_ms = at_ms

    @property
    def is_shut(self) -> bool:
        return self.shut > 0

    @property
    def wants_drawing(self) -> bool:
        return bool(self._new_text or self._new_parts)

    @property
    def wants_redrawing(self) -> bool:
        """Return whether some text on the page has not taken its shape yet, and could."""
        return self.is_prose and not self.is_shut and bool(self.pieces) and self._splitter.tail_size <= TAIL_RENDERED

    # -- drawing

    def draw(self, revision: int, now_s: float) -> None:
        """Draw what is new. Finished parts are drawn once; the tail is drawn again, but not each time."""
        if self._new_parts:
            self._draw_parts(revision, self._new_parts)
            self._new_parts, self._new_text = [], []
            self._draw_tail(revision, now_s)
            return
        due = now_s - self._tail_drawn_at >= max(TAIL_INTERVAL_S, TAIL_REST * self._tail_took_s)
        if self.is_prose and due and self._splitter.tail_size <= TAIL_RENDERED and self.budget.allows():
            self._new_text = []
            self._draw_tail(revision, now_s)
        elif self._new_text:
            self.pieces.append((revision, "".join(self._new_text)))
            self._new_text = []
            if self._splitter.tail_size > TAIL_RENDERED and not self.tail_html.startswith("<pre"):
                self._draw_tail(revision, now_s)

    def _draw_parts(self, revision: int, texts: list[str]) -> None:
        for text in texts:
            html, self._headings = markdown.draw(text, self._headings)
            self.parts.append((revision, html))

    def _draw_tail(self, revision: int, now_s: float) -> None:
        began = time.perf_counter()
        text = self._splitter.tail
        is_short = len(text) <= TAIL_RENDERED
        self.tail_html = markdown.draw(text, self._headings).html if is_short else markdown.plain(text)
        self.tail, self.pieces = revision, []
        self._tail_drawn_at = now_s
        self._tail_took_s = min(0.01, time.perf_counter() - began)
        self.budget.spend(self._tail_took_s)

    def finish(self, revision: int) -> None:
        """The block is over: its tail becomes its last part."""
        if self.is_shut:
            return
        if self.is_prose:
            rest = self._splitter.tail
            self._draw_parts(revision, [*self._new_parts, *([rest] if rest.strip() else [])])
        else:
            self.whole = revision
        self._new_parts, self._new_text, self.pieces = [], [], []
        self.tail_html = SafeString("")
        self.shut = self.head = revision

    # -- what a page is told

    def patches(self, since: int) -> list[Patch]:
        """Return what has changed after revision `since`, in the order in which it is to be applied."""
        if self.whole > since:
            return [{"op": "block", "index": self.block.index, "html": self.html}]
        patches: list[Patch] = []
        if self.head > since:
            patches.append(self._patch("head", html=self.head_html))
        first_new = bisect_right(self.parts, since, key=itemgetter(0))
        patches += [
            self._patch("part", part=number, html=html)
            for number, (_, html) in enumerate(self.parts[first_new:], start=first_new)
        ]
        if self.shut > since:
            patches.append(self._patch("shut", html=self.foot_html))
        elif self.tail > since:
            patches.append(self._patch("tail", html=self.open_html, to=len(self.pieces)))
        elif self.pieces and self.pieces[-1][0] > since:
            first = bisect_right(self.pieces, since, key=itemgetter(0))
            text = self._text_after(first)
            patches.append(self._patch("text", text=text, after=first, to=len(self.pieces)))
        return patches

    def _patch(self, op: str, **members: Any) -> Patch:
        return {"op": op, "index": self.block.index, **members}

    def _text_after(self, first: int) -> str:
        return "".join(text for _, text in self.pieces[first:])

    # -- HTML

    @property
    def html(self) -> SafeString:
        return tidy(render_to_string("playground/answer/_block.html", {"drawn": self}))

    @property
    def head_html(self) -> SafeString:
        if not self.has_head:
            return SafeString("")
        return tidy(render_to_string("playground/answer/_block_head.html", {"drawn": self}))

    @property
    def foot_html(self) -> SafeString:
        if not (self.sources or self.hidden):
            return SafeString("")
        return tidy(render_to_string("playground/answer/_block_foot.html", {"drawn": self}))

    @property
    def has_head(self) -> bool:
        return self.block.type != "text"

    @property
    def open_html(self) -> SafeString:
        """The tail as it stands, with the plain text after it."""
        return self.tail_html + escape(self._text_after(0))

    @property
    def part_list(self) -> list[SafeString]:
        return [html for _, html in self.parts]

    @property
    def leaves(self) -> list[list[tuple[int, SafeString]]]:
        """The finished parts with their numbers, so many to an element."""
        numbered = list(enumerate(self.part_list))
        return [numbered[at : at + PARTS_IN_LEAF] for at in range(0, len(numbered), PARTS_IN_LEAF)]

    @property
    def type(self) -> str:
        return self.block.type

    @property
    def kind(self) -> str:
        """The name of its colour on the page."""
        return block_type(self.block.type).wire_kind

    @property
    def shape(self) -> str:
        """The shape its template draws: prose, thinking, redacted, call, result or raw."""
        return block_type(self.block.type).shape

    @property
    def name(self) -> str:
        return str(self.block.value.get("name") or "")

    @property
    def id(self) -> str:
        return str(self.block.value.get("id") or self.block.value.get("tool_use_id") or "")

    @property
    def is_signed(self) -> bool:
        return bool(self.block.value.get("signature"))

    @property
    def is_omitted(self) -> bool:
        """Thinking whose words the API keeps to itself: only the signature comes."""
        return self.block.type == "thinking" and self.is_shut and not self.block.size

    @property
    def lasted(self) -> str:
        return formatting.duration(self.timing.lasted_ms) if self.timing.lasted_ms is not None else ""

    @property
    def size(self) -> str:
        return formatting.plural(self.block.size, "character")

    @property
    def hidden(self) -> str:
        """How much of a long text is left out of the page; empty if nothing is."""
        over = self.block.size - markdown.MAX_RENDERED if self.is_prose else 0
        return formatting.size(over) if over > 0 else ""

    @property
    def input_problem(self) -> str | None:
        return self.block.input_problem if self.is_shut else None

    @property
    def json_html(self) -> SafeString:
        """A tool's input, or a block that we have no drawing for: pretty when it can be read, else as it was sent."""
        if self.block.takes_input:
            if self.block.input_problem:
                return markdown.highlight_code(cut(self.block.partial_json), "text")
            return pretty(self.block.value.get("input"))
        return pretty(self.block.value)

    @property
    def result(self) -> Any:
        return describe_result(self.block.value)

    @property
    def sources(self) -> list[Any]:
        return sources_of(self.block.value.get("citations"))


def tidy(html: SafeString) -> SafeString:
    """Return a template's output without the white space around it."""
    return mark_safe(html.strip())  # noqa: S308 - a template escaped it


def cut(text: str) -> str:
    """Text that a page can take; what is missing is named."""
    if len(text) <= MAX_SHOWN_JSON:
        return text
    return f"{text[:MAX_SHOWN_JSON]}\n… {formatting.size(len(text) - MAX_SHOWN_JSON)} more"


def pretty(value: Any) -> SafeString:
    """A JSON value, indented and coloured."""
    return markdown.highlight_code(cut(json_text.dump(value)), "json")
