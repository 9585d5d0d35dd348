"""A line of the log, the same for a stored run and for one that goes on."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from django.utils.html import format_html_join

from playground import user_agents
from playground.answer import words
from playground.figures import PHASES, gather
from playground.models import Run
from playground.models.fields import clean
from playground.recording import about_columns, answer_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.utils.safestring import SafeString

    from playground.engine.live_run import LiveRun

FULL_BAR_MS = 30_000.0  # as long as the bar gets; below, its length is the square root of the duration
_GAP = 8.0
_BAR = '<rect class="{}" x="{}" y="0" width="{}" height="6"/>'
_CSS = {"waiting": "wait", "thinking": "thinking", "text": "text", "tool_use": "tool"}


@dataclass(frozen=True, slots=True)
class Row:
    """What a line shows, ready to be written: a page has many lines, and a template's filters are slow."""

    id: UUID
    started_at: dt.datetime
    state: str
    status: str
    tone: str
    model: str
    agent: str
    user_agent: str
    connection: str
    source: str
    key: str
    first_token: str
    duration: str
    tokens_in: int | None
    tokens_out: int | None
    cost: str
    bars: SafeString
    phase_words: str
    starred: bool = False
    is_live: bool = False
    figures_only: bool = False
    session: str = ""

    @property
    def clock(self) -> str:
        return f"{self.started_at:%H:%M:%S}"

    @property
    def day(self) -> str:
        """The day it began; empty for today."""
        began = self.started_at
        return "" if began.date() == timezone.now().date() else f"{began.day} {began:%b}"

    @property
    def moment(self) -> str:
        """When it began, for programs."""
        return self.started_at.isoformat()

    @property
    def incoming(self) -> str:
        return _counted(self.tokens_in)

    @property
    def outgoing(self) -> str:
        return "\u2026" if self.is_live else _counted(self.tokens_out)


def row_of(run: Run, *, is_live: bool = False) -> Row:
    """The line of a stored run. One that is not final and not live either was cut off."""
    state = run.state if run.is_final or is_live else "interrupted"
    status, tone = status_words(state, run.http_status)
    return Row(
        id=run.pk,
        started_at=run.started_at,
        state=state,
        status=status,
        tone=tone,
        model=run.model,
        agent=run.agent,
        user_agent=run.user_agent,
        connection=run.connection_name,
        source=run.source,
        key=run.access_key_name,
        first_token=words.duration(run.first_token_ms),
        duration=words.duration(run.duration_ms),
        tokens_in=run.total_input_tokens,
        tokens_out=run.output_tokens,
        cost=cost_words(run.cost_usd),
        bars=bars(run.phases, run.duration_ms, cut=state in {"failed", "interrupted"}),
        phase_words=phase_words(run.phases),
        starred=run.starred,
        is_live=state in {"queued", "running"},
        figures_only=not run.content_kept,
        session=run.client_session,
    )


def live_row(live: LiveRun) -> Row:
    """The line of a run that is in the live log, going on or over."""
    figures = gather(live.events)
    columns = about_columns(live)
    tokens = figures.tokens()
    incoming = [tokens["input_tokens"], tokens["cache_write_tokens"], tokens["cache_read_tokens"]]
    now_ms = live.duration_ms if live.duration_ms is not None else (time.time() - live.started_at.timestamp()) * 1000
    phases = figures.phases_until(now_ms)
    status, tone = status_words(live.state, live.status)
    over = live.is_over
    cost = figures.cost_usd(live.about.model, is_sandbox=live.about.base_url.startswith("sandbox:")) if over else None
    return Row(
        id=live.id,
        started_at=columns["started_at"],
        state=live.state,
        status=status,
        tone=tone,
        model=columns["model"],
        agent=clean(user_agents.label(live.about.user_agent), 80),
        user_agent=columns["user_agent"],
        connection=columns["connection_name"],
        source=columns["source"],
        key=columns["access_key_name"],
        first_token=words.duration(figures.first_token_ms),
        duration=words.duration(now_ms),
        tokens_in=sum(part or 0 for part in incoming) if any(part is not None for part in incoming) else None,
        tokens_out=tokens["output_tokens"] if over else None,
        cost=cost_words(cost),
        bars=bars(phases, now_ms, cut=live.state in {"failed", "interrupted"}),
        phase_words=phase_words(phases),
        is_live=not over,
        figures_only=not live.about.keep_content,
        session=columns["client_session"],
    )


def live_columns(live: LiveRun) -> dict[str, Any]:
    """What a filter compares of a run that is in the live log."""
    figures = gather(live.events)
    reason = clean(figures.accumulator.stop_reason, 60)
    agent = clean(user_agents.label(live.about.user_agent), 80)
    return about_columns(live) | answer_columns(figures) | {"state": live.state, "stop_reason": reason, "agent": agent}


def status_words(state: str, status: int | None) -> tuple[str, str]:
    """The words of the status column and the tone of the dot before them."""
    if state in {"queued", "running"}:
        return ("streaming" if status is not None else "waiting"), "live"
    if state == "cancelled":
        return "stopped", "quiet"
    if state == "interrupted":
        return (f"{status} cut" if status is not None else "cut off"), "warn"
    if status is None:
        return "no answer", "bad"
    if state == "completed":
        return str(status), "good"
    if status < 400:
        return f"{status} error", "bad"
    return str(status), "warn" if status < 500 else "bad"


def cost_words(cost: Decimal | None) -> str:
    return "\u2013" if cost is None else words.cost(Decimal(cost))


def bars(phases: Mapping[str, float], duration_ms: float | None, *, cut: bool) -> SafeString:
    """The phase bar as SVG, 1000 wide at most. What failed or was cut off ends in red."""
    return format_html_join("", _BAR, _bars(phases, duration_ms, cut=cut))


def _bars(phases: Mapping[str, float], duration_ms: float | None, *, cut: bool) -> Iterator[tuple[str, str, str]]:
    """Kind, place and width of each part of the bar."""
    spent = [(_CSS[kind], phases[kind]) for kind in PHASES if phases.get(kind, 0) > 0]
    if not duration_ms or not spent:
        if cut:
            yield "cut", "0.0", "30.0"
        return
    length = 1000 * min(1.0, sqrt(duration_ms / FULL_BAR_MS))
    if cut and len(spent) == 1 and spent[0][0] == "wait":
        yield "cut", "0.0", f"{max(length, 24):.0f}.0"
        return
    parts = len(spent) + cut
    room = max(length - _GAP * (parts - 1) - (60 if cut else 0), 12.0 * len(spent))
    total = sum(ms for _, ms in spent)
    at = 0.0
    for kind, ms in spent:
        width = max(room * ms / total, 6.0)
        yield kind, f"{at:.1f}", f"{width:.1f}"
        at += width + _GAP
    if cut:
        yield "cut", f"{at:.1f}", "60.0"


def _counted(tokens: int | None) -> str:
    return "\u2013" if tokens is None else f"{tokens:,}"


def phase_words(phases: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {words.duration(phases[kind])}" for kind in PHASES if phases.get(kind, 0) > 0)
