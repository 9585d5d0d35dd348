"""The status line of a run: numbers over their names, the phase bar, rate limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.answer import words
from playground.protocol.headers import rate_limits

if TYPE_CHECKING:
    from playground.answer.drawing import Drawing
    from playground.figures import Figures

BAR = 1000.0  # the width of the phase bar's drawing
GAP = 2.0
PHASE_WORDS = {
    "waiting": ("wait", "waiting"),
    "thinking": ("thinking", "thinking"),
    "text": ("text", "text"),
    "tool_use": ("tool", "tool_use"),
}


@dataclass(frozen=True)
class Measure:
    """`name` stands under the value. `tone` puts a dot before it: good, warn, bad, live."""

    name: str
    value: str
    tone: str = ""
    is_clock: bool = False  # counts on by itself while the run goes on


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
    resets: str = ""


def measures(drawing: Drawing) -> list[Measure]:
    figures = drawing.figures
    found = [
        _status(drawing),
        Measure(
            "duration" if drawing.is_over else "so far", words.duration(drawing.now_ms), is_clock=not drawing.is_over
        ),
    ]
    if figures.first_byte_ms is not None and figures.first_token_ms is None:
        found.append(Measure("first byte", words.duration(round(figures.first_byte_ms, 1))))
    if figures.first_token_ms is not None:
        found.append(Measure("first token", words.duration(figures.first_token_ms)))
    found += _tokens(drawing)
    cost = figures.cost_usd(drawing.about.model, is_sandbox=drawing.about.is_sandbox) if drawing.is_over else None
    if cost is not None and not drawing.about.is_sandbox:
        found.append(Measure("estimated cost", words.cost(cost)))
    return found


def _status(drawing: Drawing) -> Measure:
    figures, state = drawing.figures, drawing.state
    status = str(figures.http_status) if figures.http_status is not None else "\N{EN DASH}"
    if state == "running":
        return Measure("status", status, "live")
    if figures.http_status is None:
        return Measure(
            "status", "stopped" if state == "cancelled" else "no answer", "bad" if state == "failed" else "warn"
        )
    if state == "completed":
        return Measure("status", status, "good")
    if figures.http_status >= 400:
        return Measure("status", status, "warn" if figures.http_status < 500 else "bad")
    word = {"failed": "then error", "interrupted": "cut", "cancelled": "stopped"}[state]
    return Measure("status", f"{status}, {word}", "bad" if state == "failed" else "warn")


def _tokens(drawing: Drawing) -> list[Measure]:
    figures = drawing.figures
    tokens = figures.tokens()
    found: list[Measure] = []
    parts = [tokens["input_tokens"], tokens["cache_write_tokens"], tokens["cache_read_tokens"]]
    if any(part is not None for part in parts):
        name = "tokens in"
        if tokens["cache_read_tokens"]:
            name += f", {tokens['cache_read_tokens']:,} from cache"
        if tokens["cache_write_tokens"]:
            name += f", {tokens['cache_write_tokens']:,} to cache"
        found.append(Measure(name, f"{sum(part or 0 for part in parts):,}"))
    out = tokens["output_tokens"]
    if not drawing.is_over:
        characters = sum(drawn.block.size for drawn in drawing.blocks)
        if characters:  # the API counts at the end only; four characters to a token is its own rule of thumb
            found.append(Measure("tokens out, about", f"{max(out or 0, round(characters / 4)):,}"))
    elif out is not None:
        thinking = tokens["thinking_tokens"]
        is_partial = drawing.state != "completed"
        name = "tokens out" + (f", {thinking:,} thinking" if thinking else "") + (", so far" if is_partial else "")
        found.append(Measure(name, f"{out:,}"))
        spent_ms = drawing.now_ms - (figures.first_token_ms or 0)
        if figures.first_token_ms is not None and spent_ms > 100 and out > 1 and not is_partial:
            found.append(Measure("tokens per second", f"{out / spent_ms * 1000:,.0f}"))
    return found


def phases(figures: Figures, now_ms: float) -> list[Phase]:
    """Where the time went, to scale, in the order of the phase bar."""
    spent = [(kind, ms) for kind, ms in figures.phases_until(now_ms).items() if ms > 0]
    is_cut = figures.ended is not None and figures.ended.state in {"failed", "interrupted"}
    total = sum(ms for _, ms in spent)
    if total <= 0:
        return []
    room = BAR - GAP * (len(spent) - 1)
    at, found = 0.0, []
    for number, (kind, ms) in enumerate(spent):
        css, word = PHASE_WORDS[kind]
        if is_cut and number == len(spent) - 1 and figures.http_status is None:
            css = "cut"
        width = room * ms / total
        found.append(Phase(css, f"{word} {words.duration(ms)}", round(at, 1), round(width, 1)))
        at += width + GAP
    return found


def gauges(headers: list[tuple[str, str]]) -> list[Gauge]:
    found = []
    for limit in rate_limits(headers):
        if limit.remaining is None and limit.limit is None:
            continue
        remaining = "\N{EN DASH}" if limit.remaining is None else f"{limit.remaining:,}"
        of = f" of {limit.limit:,}" if limit.limit is not None else ""
        resets = f"full again at {limit.resets_at:%H:%M:%S} UTC" if limit.resets_at else ""
        part = None if limit.left is None else round(limit.left * 1000)
        found.append(Gauge(limit.what.replace("-", " "), f"{remaining}{of} left", part, resets))
    return found


def facts(drawing: Drawing) -> list[tuple[str, str]]:
    """The small print under the status line."""
    figures = drawing.figures
    found: list[tuple[str, str]] = []
    if figures.request_id:
        found.append(("request-id", figures.request_id[:200]))
    if reason := figures.accumulator.stop_reason:
        found.append(("stop_reason", reason[:80]))
    answered_by = figures.accumulator.message.get("model")
    if isinstance(answered_by, str) and answered_by != drawing.about.model:
        found.append(("answered by", answered_by[:120]))
    if figures.first_byte_ms is not None and figures.first_token_ms is not None:
        found.append(("first byte", words.duration(round(figures.first_byte_ms, 1))))
    cost = figures.cost_usd(drawing.about.model, is_sandbox=drawing.about.is_sandbox) if drawing.is_over else None
    if cost is not None and not drawing.about.is_sandbox:
        found.append(("list prices of", price_date()))
    tier = figures.accumulator.usage.get("service_tier")
    if isinstance(tier, str) and tier != "standard":
        found.append(("service_tier", tier[:40]))
    return found


def price_date() -> str:
    from playground.protocol import pricing

    return f"{pricing.PRICES_READ_ON:%d %B %Y}"
