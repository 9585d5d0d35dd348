"""One session as its page shows it: figures, steps in words, misses with their numbers, what filled the context."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.utils import timezone

from playground.protocol.catalogue.block_types import PHASES, block_type
from playground.recording.session_loading import LoadedSession, RunFigures
from playground.rendering import formatting
from playground.sessions.causes import ADVICE, WORDS, Miss, TtlPlan, reason_of_the_api, ttl_plans
from playground.sessions.context import Carried, heaviest
from playground.sessions.narration import words_of
from playground.sessions.steps import Step
from playground.sessions.threads import Thread

STEPS_AT_FIRST = 50  # rows of the table that come with the page
STEPS_AT_ONCE = 200  # rows that are fetched as the reader comes to them
HEAVIEST = 8
LIVE_S = 120.0  # a session with a request in the last two minutes is live


@dataclass(frozen=True, slots=True)
class NumberedMiss:
    """A miss with its number on the page, and the number of its step."""

    number: int
    step_number: int
    thread: str
    miss: Miss

    @property
    def tone(self) -> str:
        """ "avoidable", "expected" or "outside": what the mark's colour and shape tell."""
        if self.miss.is_avoidable:
            return "avoidable"
        return "expected" if self.miss.is_expected else "outside"

    @property
    def cost(self) -> str:
        return dollars(self.miss.cost_usd)

    @property
    def advice(self) -> str:
        return ADVICE[self.miss.cause]


@dataclass(frozen=True, slots=True)
class PhasePart:
    """A phase of a step: its colour, its words, and its place in the bar."""

    kind: str
    words: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StepRow:
    """A line of the table. `read`, `written` and `plain` are parts of the bar, of 100 in all."""

    number: int
    step: Step
    figures: RunFigures
    thread: str
    is_main: bool
    words: str
    tone: str
    miss: NumberedMiss | None
    retry_of: int | None
    is_rewritten: bool
    is_compacted: bool
    bar: tuple[float, float, float]

    @property
    def started_at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.step.started_s, dt.UTC)

    @property
    def clock(self) -> str:
        return f"{timezone.localtime(self.started_at):%H:%M:%S}"

    @property
    def zoned(self) -> str:
        return formatting.zoned(timezone.localtime(self.started_at))

    @property
    def cost(self) -> str:
        is_nothing = self.step.cost_usd is None and (self.step.is_count or not self.step.is_answered)
        return formatting.UNKNOWN if is_nothing else dollars(self.step.cost_usd)

    @property
    def duration(self) -> str:
        return formatting.duration(self.figures.duration_ms)

    @property
    def first_token(self) -> str:
        return formatting.duration(self.figures.first_token_ms)

    @property
    def uncached(self) -> int | None:
        return self.step.input_tokens

    @property
    def api_reason(self) -> str:
        """The API's own reason for a cache miss here, whether one was found or not."""
        return reason_of_the_api(self.step)

    @property
    def phases(self) -> list[PhasePart]:
        """Where the time went, as parts of a bar that is 100 wide."""
        spent = [(kind, css, ms) for kind, css in PHASES.items() if (ms := self.figures.phases.get(kind, 0.0)) > 0]
        total = sum(ms for _, _, ms in spent)
        parts, at = [], 0.0
        for kind, css, ms in spent:
            width = 100 * ms / total
            parts.append(PhasePart(css, f"{kind} {formatting.duration(ms)}", round(at, 2), round(width, 2)))
            at += width
        return parts

    @property
    def tool(self) -> str:
        """The name of the one tool that was called: it stands out from its argument."""
        return self.step.calls[0].name if len(self.step.calls) == 1 and self.step.is_answered else ""

    @property
    def after_tool(self) -> str:
        return self.words.removeprefix(self.tool).strip() if self.tool else self.words


@dataclass(frozen=True, slots=True)
class HeavyBlock:
    """A block that cost much over its life, with the step that brought it."""

    carried: Carried
    step_number: int
    words: str

    @property
    def cost(self) -> str:
        return dollars(self.carried.cost_usd)


@dataclass
class SessionPage:
    """Everything of the page that comes from digests."""

    loaded: LoadedSession
    rows: list[StepRow] = field(default_factory=list)
    misses: list[NumberedMiss] = field(default_factory=list)
    has_figures: bool = True  # a copy may be without times, tokens and cost

    def __post_init__(self) -> None:
        ordered = sorted(self.loaded.steps, key=lambda step: (step.started_s, step.id))
        self.number_of = {step.id: number for number, step in enumerate(ordered, 1)}
        threads = self.loaded.threads
        self.misses = [
            NumberedMiss(
                number, self.number_of[miss.step], threads.threads[threads.places[miss.step].thread].name, miss
            )
            for number, miss in enumerate(self.loaded.misses, 1)
        ]
        by_step = {each.miss.step: each for each in self.misses}
        self.rows = [self._row(number, step, by_step.get(step.id)) for number, step in enumerate(ordered, 1)]

    def _row(self, number: int, step: Step, miss: NumberedMiss | None) -> StepRow:
        place = self.loaded.threads.places[step.id]
        thread = self.loaded.threads.threads[place.thread]
        figures = self.loaded.figures[step.id]
        has_failed = not step.is_answered and not step.is_count
        tone = "live" if step.state == "running" else "bad" if has_failed else ""
        return StepRow(
            number,
            step,
            figures,
            thread.name,
            thread.name == "main",
            words_of(step, error=figures.error),
            tone,
            miss,
            self.number_of.get(place.retry_of),
            place.is_rewritten,
            place.is_compacted,
            _bar(step),
        )

    def row_of(self, step_id: str) -> StepRow | None:
        number = self.number_of.get(step_id)
        return self.rows[number - 1] if number else None

    @cached_property
    def threads(self) -> tuple[Thread, ...]:
        """The main agent first, side calls last."""
        threads = self.loaded.threads.threads
        return tuple(sorted(threads, key=lambda thread: (thread.is_side, thread.name != "main", thread.steps[0].id)))

    @property
    def is_live(self) -> bool:
        last = self.rows[-1].step if self.rows else None
        return last is not None and timezone.now().timestamp() - last.ended_s < LIVE_S

    @property
    def duration(self) -> str:
        first, last = self.rows[0].step.started_s, max(row.step.ended_s for row in self.rows)
        return formatting.duration(max(0.0, last - first) * 1_000)

    @property
    def failed(self) -> int:
        return sum(row.tone == "bad" for row in self.rows)

    @property
    def counts(self) -> int:
        """How many of the requests only counted tokens."""
        return sum(row.step.is_count for row in self.rows)

    @property
    def retried(self) -> int:
        return sum(row.retry_of is not None for row in self.rows)

    @cached_property
    def retried_steps(self) -> frozenset[str]:
        """The failed steps that a later one repeats."""
        return frozenset(self.rows[row.retry_of - 1].step.id for row in self.rows if row.retry_of)

    def total(self, name: str) -> int:
        return sum(getattr(row.step, name) or 0 for row in self.rows)

    @cached_property
    def tokens(self) -> dict[str, int]:
        counted = {
            "input": self.total("input_tokens"),
            "written": self.total("written_tokens"),
            "read": self.total("read_tokens"),
            "output": self.total("output_tokens"),
        }
        return counted | {"all": counted["input"] + counted["written"] + counted["read"]}

    @cached_property
    def has_counts(self) -> bool:
        """Whether the server told token counts at all. Without them nothing is 0: it is not known."""
        return any(row.step.total_tokens is not None for row in self.rows)

    @property
    def read_percent(self) -> int | None:
        return round(100 * self.tokens["read"] / self.tokens["all"]) if self.tokens["all"] else None

    @cached_property
    def cost_usd(self) -> float | None:
        costs = [row.step.cost_usd for row in self.rows]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if known else None

    @property
    def cost(self) -> str:
        return dollars(self.cost_usd)

    @cached_property
    def avoidable(self) -> list[NumberedMiss]:
        return [miss for miss in self.misses if miss.miss.is_avoidable]

    @property
    def avoidable_usd(self) -> float:
        return sum(each.miss.cost_usd or 0.0 for each in self.avoidable)

    @property
    def avoidable_cost(self) -> str:
        return dollars(self.avoidable_usd)

    @property
    def avoidable_percent(self) -> int | None:
        return round(100 * self.avoidable_usd / self.cost_usd) if self.cost_usd else None

    @property
    def cost_without_misses(self) -> str:
        """The session's cost with every avoidable miss avoided."""
        return dollars(None if self.cost_usd is None else max(0.0, self.cost_usd - self.avoidable_usd))

    @property
    def causes(self) -> list[tuple[str, int]]:
        counted = Counter(each.miss.cause for each in self.misses)
        return [(words, counted[cause]) for cause, words in WORDS.items() if counted[cause]]  # type: ignore[index]

    @cached_property
    def ttl_plans(self) -> list[TtlPlan]:
        """The choices of TTL, where an entry expired at all; the cheapest first."""
        if not any(each.miss.cause == "ttl_expired" for each in self.misses):
            return []
        return ttl_plans([each.miss for each in self.misses], {step.id: step for step in self.loaded.steps})

    @cached_property
    def heaviest(self) -> list[HeavyBlock]:
        heavy = []
        for thread in self.threads:
            if thread.is_side or not self.has_figures:
                continue
            for carried in heaviest(thread.steps, self.loaded.blocks, HEAVIEST):
                step = self.row_of(carried.step)
                number = step.number if step else 0
                heavy.append(HeavyBlock(carried, number, self._block_words(carried, thread)))
        return sorted(heavy, key=lambda each: (-(each.carried.cost_usd or 0.0), -each.carried.tokens))[:HEAVIEST]

    def _block_words(self, carried: Carried, thread: Thread) -> str:
        """A tool's result is told by the call it answers."""
        block = carried.block
        if block.section == "tools":
            return f"tool {block.label}".strip()
        if block.section == "system":
            return f"system: {block.label}" if block.label else "system prompt"
        if block_type(block.kind).context_part == "tool results":
            for step in thread.steps:
                for call in step.calls:
                    if call.id and call.id == block.label:
                        return f"{call.name} {call.argument}".strip()
            return "tool result"
        return block.label or block.kind or block.role


def dollars(usd: float | None) -> str:
    """US dollars, "unknown" without a price, "Free" for nothing."""
    if usd is None:
        return "unknown"
    if usd == 0:
        return "Free"
    if abs(usd) >= 1:
        return f"${usd:,.2f}"
    return f"${usd:.3f}" if abs(usd) >= 0.001 else formatting.cost(Decimal(str(round(usd, 8))))


def _bar(step: Step) -> tuple[float, float, float]:
    total = step.total_tokens
    if not total:
        return 0.0, 0.0, 0.0
    read = 100 * (step.read_tokens or 0) / total
    written = 100 * (step.written_tokens or 0) / total
    return round(read, 1), round(written, 1), round(max(0.0, 100 - read - written), 1)
