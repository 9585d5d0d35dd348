"""The status line of a run: numbers over their names, the phase bar, rate limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.protocol import pricing
from playground.protocol.catalogue.block_types import PHASES
from playground.protocol.foreign_text import encodable
from playground.protocol.headers import rate_limits
from playground.rendering import formatting

if TYPE_CHECKING:
    from datetime import datetime

    from playground.answer.drawing import Drawing
    from playground.metrics.figures import Figures

BAR = 1000.0  # the width of the phase bar's drawing
GAP = 2.0


@dataclass(frozen=True)
class Measure:
    """One figure of the status line. `short` is the word shown beside the value ("": the value speaks for itself),
    `name` the whole one, for screen readers. `tone` puts a dot before the value: good, warn, bad, live. `css` says
    which figures go first when the line is narrow."""

    name: str
    value: str
    tone: str = ""
    is_clock: bool = False  # counts on by itself while the run goes on
    short: str = ""
    aside: str = ""  # a part of the short words that a narrow line leaves out
    is_after: bool = False  # the word stands after the value
    css: str = ""


@dataclass(frozen=True)
class Phase:
    kind: str
    words: str
    x: float
    width: float


@dataclass(frozen=True)
class Gauge:
    """`part` is what is left of a rate limit, 0 to 1000, None when only one of the two numbers is known."""

    what: str
    words: str
    part: int | None
    resets_at: datetime | None = None


@dataclass(frozen=True)
class Fact:
    """A line of the small print. `is_code`: the value stands as the API wrote it."""

    name: str
    value: str
    is_code: bool = True


def measures(drawing: Drawing) -> list[Measure]:
    figures = drawing.figures
    shown = [_status(drawing)]
    if is_waiting(drawing):
        waited = formatting.duration(drawing.now_ms)
        what = "waiting for first token" if drawing.about.asked_for_stream else "waiting for the response"
        shown.append(Measure(what, waited, is_clock=True, short=what))
        return shown
    duration = formatting.duration(drawing.now_ms)
    shown.append(Measure("duration" if drawing.is_over else "so far", duration, is_clock=not drawing.is_over))
    if figures.first_token_ms is not None:
        shown.append(Measure("first token", formatting.duration(figures.first_token_ms), short="first token"))
    shown += _tokens(drawing)
    if (counted := drawing.token_count) is not None:
        shown.append(Measure("input tokens counted", f"{counted:,}", short="tokens counted", is_after=True))
    if cost := _cost(drawing):
        shown.append(cost)
    return shown


def is_waiting(drawing: Drawing) -> bool:
    """Return whether the request has been sent and nothing of the message has come yet."""
    has_nothing = drawing.figures.first_token_ms is None and not any(drawn.block.size for drawn in drawing.blocks)
    return drawing.state == "running" and has_nothing


def _cost(drawing: Drawing) -> Measure | None:
    if not drawing.is_over or not drawing.figures.has_message:
        return None
    if drawing.about.is_sandbox:
        return Measure("cost", "Free", css="figure-less")
    cost = drawing.figures.cost_usd(drawing.about.model, is_sandbox=False)
    return None if cost is None else Measure("estimated cost", formatting.cost(cost), css="figure-less")


def _status(drawing: Drawing) -> Measure:
    figures, state = drawing.figures, drawing.state
    css = "figure-lead"
    if state == "running":
        return Measure("status", "Sent" if is_waiting(drawing) else "Streaming", "live", css=css)
    if figures.http_status is None:
        value, tone = ("Stopped", "warn") if state == "cancelled" else ("No response", "bad")
        return Measure("status", value, tone if state != "interrupted" else "warn", css=css)
    status = str(figures.http_status)
    if state == "completed":
        return Measure("status", status, "good", css=css)
    if figures.http_status >= 400:
        return Measure("status", status, "warn" if figures.http_status < 500 else "bad", css=css)
    word = {"failed": "then error", "interrupted": "cut off", "cancelled": "stopped"}[state]
    return Measure("status", f"{status}, {word}", "bad" if state == "failed" else "warn", css=css)


def _tokens(drawing: Drawing) -> list[Measure]:
    figures = drawing.figures
    tokens = figures.tokens()
    counts: list[Measure] = []
    parts = [tokens["input_tokens"], tokens["cache_write_tokens"], tokens["cache_read_tokens"]]
    if any(part is not None for part in parts):
        name, aside = "tokens in", ""
        if tokens["cache_read_tokens"]:
            name += f", {tokens['cache_read_tokens']:,} from cache"
            aside = f", {tokens['cache_read_tokens']:,} cached"
        if tokens["cache_write_tokens"]:
            name += f", {tokens['cache_write_tokens']:,} to cache"
        value = f"{sum(part or 0 for part in parts):,}"
        counts.append(Measure(name, value, short="in", aside=aside, is_after=True, css="figure-in"))
    counts += _tokens_out(drawing, tokens["output_tokens"], tokens["thinking_tokens"])
    if figures.has_impossible_counts:
        counts.append(Measure("token counts", "not plausible as reported", "warn", short="token counts"))
    return counts


def tokens_about(drawing: Drawing) -> int | None:
    """Return an estimate of the tokens that came, None where the API has counted them.

    It counts at the end, with the stop reason: before, and of a response that was cut off, it has said "1". Four
    characters to a token is its own rule of thumb.
    """
    accumulator = drawing.figures.accumulator
    if drawing.state == "completed" or (drawing.is_over and accumulator.stop_reason is not None):
        return None
    characters = sum(drawn.block.size for drawn in drawing.blocks)
    return max(drawing.figures.tokens()["output_tokens"] or 0, round(characters / 4)) if characters else None


def _tokens_out(drawing: Drawing, out: int | None, thinking: int | None) -> list[Measure]:
    figures = drawing.figures
    if (about := tokens_about(drawing)) is not None:
        return [Measure("tokens out, about", f"~{about:,}", short="out", is_after=True, css="figure-out")]
    if out is None or not drawing.is_over:
        return []
    aside = f", {thinking:,} thinking" if thinking else ""
    name = "tokens out" + aside + ("" if drawing.state == "completed" else ", so far")
    counts = [Measure(name, f"{out:,}", short="out", aside=aside, is_after=True, css="figure-out")]
    spent_ms = drawing.now_ms - (figures.first_token_ms or 0)
    if figures.first_token_ms is not None and spent_ms > 100 and out > 1 and drawing.state == "completed":
        rate = f"{out / spent_ms * 1000:,.0f}"
        counts.append(Measure("tokens per second", rate, short="tokens/s", is_after=True, css="figure-less"))
    return counts


def phases(figures: Figures, now_ms: float) -> list[Phase]:
    """Return where the time went, to scale, in the order of the phase bar."""
    spent = [(kind, ms) for kind, ms in figures.phases_until(now_ms).items() if ms > 0]
    is_cut = figures.ended is not None and figures.ended.state in {"failed", "interrupted"}
    total = sum(ms for _, ms in spent)
    if total <= 0:
        return []
    by_kind = {str(kind): css for kind, css in PHASES.items()}
    room = BAR - GAP * (len(spent) - 1)
    at, parts = 0.0, []
    for number, (kind, ms) in enumerate(spent):
        css = by_kind[kind]
        if is_cut and number == len(spent) - 1 and figures.http_status is None:
            css = "cut"
        width = room * ms / total
        parts.append(Phase(css, f"{kind} {formatting.duration(ms)}", round(at, 1), round(width, 1)))
        at += width + GAP
    return parts


def gauges(headers: list[tuple[str, str]]) -> list[Gauge]:
    gauges = []
    for limit in rate_limits(headers):
        if limit.remaining is None and limit.limit is None:
            continue
        remaining = formatting.count(limit.remaining)
        of = f" of {limit.limit:,}" if limit.limit is not None else ""
        part = None if limit.left is None else round(limit.left * 1000)
        gauges.append(Gauge(limit.what.replace("-", " "), f"{remaining}{of} left", part, limit.resets_at))
    return gauges


def facts(drawing: Drawing) -> list[Fact]:
    """The small print under the status line."""
    figures = drawing.figures
    facts: list[Fact] = []
    if figures.request_id:
        facts.append(Fact("request-id", figures.request_id[:200]))
    if reason := figures.accumulator.stop_reason:
        facts.append(Fact("stop_reason", reason[:80]))
    answered_by = figures.accumulator.message.get("model")
    if isinstance(answered_by, str) and answered_by != drawing.about.model:
        facts.append(Fact("answered by", answered_by[:120]))
    if figures.first_byte_ms is not None and figures.first_token_ms is not None:
        facts.append(Fact("first byte", formatting.duration(round(figures.first_byte_ms, 1)), is_code=False))
    cost = figures.cost_usd(drawing.about.model, is_sandbox=drawing.about.is_sandbox) if drawing.is_over else None
    if cost is not None and not drawing.about.is_sandbox:
        facts.append(Fact("list prices of", price_date(), is_code=False))
    tier = figures.accumulator.usage.get("service_tier")
    if isinstance(tier, str) and tier != "standard":
        facts.append(Fact("service_tier", tier[:40]))
    return facts


def price_date() -> str:
    return f"{pricing.PRICES_READ_ON:%d %B %Y}"


def outcome(drawing: Drawing) -> str:
    """Return how the run ended, as one sentence for screen readers; empty while it goes on."""
    figures = drawing.figures
    if not drawing.is_over:
        return ""
    if drawing.state == "completed" and drawing.token_count is not None:
        return f"Token count: {formatting.plural(drawing.token_count, 'input token')}."
    if drawing.state == "completed":
        if calls := [encodable(call.name)[:80] for call in drawing.calls]:
            missing = formatting.plural(len(calls), "result")
            return f"The model calls {', '.join(calls)}. {missing} wanted."
        out = figures.tokens()["output_tokens"]
        tokens = f", {formatting.plural(out, 'token')}" if out is not None else ""
        return f"Response complete{tokens} in {formatting.duration(drawing.now_ms)}."
    note = drawing.verdict
    status = f" {figures.http_status}" if figures.http_status is not None and figures.http_status >= 400 else ""
    if drawing.state == "failed":
        return f"Error{status}. {note.title if note else ''}."
    return f"{note.title if note else 'Ended'}."
