"""A line of the log, the same for a stored run and for one that goes on."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from playground.engine.live_run import RUNNING_STATES
from playground.metrics.figures import gather
from playground.models import Run
from playground.protocol.catalogue.block_types import PHASES
from playground.protocol.foreign_text import storable
from playground.recording.run_columns import about_columns, answer_columns
from playground.rendering import formatting
from playground.rendering.formatting import UNKNOWN
from playground.rendering.log_columns import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.utils.safestring import SafeString

    from playground.engine.live_run import LiveRun

FULL_BAR_MS = 30_000.0  # as long as the bar gets; below, its length is the square root of the duration
_GAP = 8.0
_BAR = '<rect class="{}" x="{}" y="0" width="{}" height="6"/>'


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log, ready to be written: a page has many lines, and a template's filters are slow."""

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
    endpoint: str = "messages"
    counted_tokens: int | None = None
    tokens_clamped: bool = False
    is_gone: bool = False  # the run is no longer at hand: the line leads nowhere

    @property
    def cells(self) -> SafeString:
        """The line's columns, but for the first. Not the template's work: a page has some five hundred."""
        drawn = (draw(self) for draw in CELLS.values())
        return format_html(_CELLS, *drawn, **{name: value_of(self) for name, value_of in _TITLES.items()})

    def line(self, *, pick: bool, query: str = "", is_visitor: bool = False) -> SafeString:
        """The line as HTML. `pick`: with a box to select it; `query`: of the log's address, kept by its link."""
        began = timezone.localtime(self.started_at)
        clock = f"{began:%H:%M:%S}"
        day = "" if began.date() == timezone.localdate() else f"{began.day} {began:%b}"
        time = format_html(
            '{}<time datetime="{}" title="{}">{}</time>',
            format_html("<small>{}&nbsp;</small>", day) if day else "",
            self.started_at.isoformat(),
            formatting.zoned(began),
            clock,
        )
        if not self.is_gone:
            address = _address("answer" if is_visitor else "run", self.id) + (f"?{query}" if query else "")
            time = format_html('<a href="{}">{}</a>', address, time)
        box = format_html(_PICK, self.id, clock, self.model) if pick else ""
        live, star = _LIVE if self.is_live else "", _STAR if self.starred else ""
        return format_html(_LINE, self.id, self.id, live, box, time, star, self.cells)

    @property
    def incoming(self) -> str:
        return _counted(self.tokens_in, is_clamped=self.tokens_clamped)

    @property
    def outgoing(self) -> str:
        return "\u2026" if self.is_live else _counted(self.tokens_out, is_clamped=self.tokens_clamped)


def row_of(run: Run, *, is_live: bool = False) -> Row:
    """The line of a run, stored or made by `run_of`. One that is not final and not live either was cut off; where
    several processes serve the site, they see to it that its state says so."""
    is_true = run.is_final or is_live or run.server_process is not None
    state = run.state if is_true else "interrupted"
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
        first_token=formatting.duration(run.first_token_ms),
        duration=formatting.duration(run.duration_ms),
        tokens_in=run.total_input_tokens,
        tokens_out=run.output_tokens,
        cost=cost_words(run.cost_usd),
        bars=bars(run.phases, run.duration_ms, cut=state in {"failed", "interrupted"}),
        phase_words=phase_words(run.phases),
        starred=run.starred,
        is_live=state in RUNNING_STATES,
        figures_only=not run.content_kept,
        session=run.client_session,
        endpoint=run.endpoint,
        counted_tokens=run.counted_tokens,
        tokens_clamped=run.tokens_clamped,
    )


def run_of(live: LiveRun) -> Run:
    """A run of the live log as its row in the database would be now. It is not saved, nor meant to be."""
    return Run(id=live.id, **live_columns(live))


def live_columns(live: LiveRun) -> dict[str, Any]:
    """The columns of a run that is in the live log, going on or over. Output and cost are not known before its end."""
    figures = gather(live.events, endpoint=live.about.endpoint)
    now_ms = live.duration_ms if live.duration_ms is not None else (time.time() - live.started_at.timestamp()) * 1000
    tokens = figures.tokens()
    return {
        **about_columns(live),
        **answer_columns(figures),
        **tokens,
        "state": live.state,
        "counted_tokens": figures.counted_tokens,
        "stop_reason": storable(figures.accumulator.stop_reason, 60),
        "first_token_ms": figures.first_token_ms,
        "duration_ms": now_ms,
        "phases": figures.phases_until(now_ms),
        "output_tokens": tokens["output_tokens"] if live.is_over else None,
        "tokens_clamped": figures.has_impossible_counts,
        "cost_usd": figures.cost_usd(live.about.model, is_sandbox=live.about.is_sandbox) if live.is_over else None,
    }


def _address(name: str, run_id: UUID) -> str:
    """`reverse`, once for all lines."""
    return _pattern(name, get_script_prefix()).replace(str(_NO_RUN), str(run_id))


@lru_cache(maxsize=16)
def _pattern(name: str, _prefix: str) -> str:
    return reverse(name, args=[_NO_RUN])


_NO_RUN = UUID(int=0)
_LINE = '<tr role="row" id="run-{}" data-run-id="{}"{}>\n{}<td role="cell" class="time">\n  {}{}</td>\n{}\n</tr>\n'
_LIVE = mark_safe(" data-live")
_STAR = mark_safe(' <span class="starred" role="img" aria-label="starred">★</span>')
_PICK = (
    '<td role="cell" class="pick">\n<input type="checkbox" name="run" value="{}" form="selection" '
    'aria-label="Select {} {}">\n</td>\n'
)

# --- Cells. The one of the time is a link whose address the page knows: see `Row.line`.

_SPARK = (
    '<svg viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">'
    '<rect class="rail" x="0" y="2.5" width="1000" height="1"/>{}</svg><span class="visually-hidden">{}</span>'
)


def _status(row: Row) -> SafeString:
    return format_html('<span class="status"><span class="dot" data-tone="{}"></span>{}</span>', row.tone, row.status)


def _phases(row: Row) -> SafeString:
    return format_html(_SPARK, row.bars, row.phase_words)


def _model(row: Row) -> SafeString | str:
    if row.endpoint == "messages":
        return row.model or UNKNOWN
    return format_html('<span>{}</span> <span class="tag">{}</span>', row.model or UNKNOWN, row.endpoint)


def _tokens(row: Row) -> SafeString:
    if row.counted_tokens is not None:
        counted = _counted(row.counted_tokens, is_clamped=row.tokens_clamped)
        return format_html("{} <small>counted</small>", counted)
    if row.tokens_in is None and row.tokens_out is None:
        return format_html("<small>{}</small>", UNKNOWN)
    return format_html("{} <small>in</small> {} <small>out</small>", row.incoming, row.outgoing)


def _source_words(row: Row) -> str:
    return ", ".join(filter(None, [row.source, row.key, "content not stored" if row.figures_only else ""]))


def _source(row: Row) -> SafeString:
    words = _source_words(row)
    if row.is_live or not row.session:
        return format_html("<small>{}</small>", words)
    address = _address("session-of-run", row.id)
    return format_html('<small>{}</small> <small><a href="{}">session</a></small>', words, address)


CELLS: dict[str, Callable[[Row], str]] = {
    "status": _status,
    "model": _model,
    "agent": lambda row: row.agent or UNKNOWN,
    "connection": lambda row: row.connection,
    "phases": _phases,
    "first_token": lambda row: row.first_token,
    "duration": lambda row: row.duration,
    "tokens": _tokens,
    "cost": lambda row: row.cost,
    "source": _source,
}
# The whole of what the table may have to cut.
_TITLES: dict[str, Callable[[Row], str]] = {
    "model": lambda row: row.model,
    "agent": lambda row: row.user_agent,
    "connection": lambda row: row.connection,
    "source": _source_words,
}
_MORE = {name: f' title="{{{name}}}"' for name in _TITLES}
_CELLS = "\n".join(
    f'<td role="cell" class="{column.css}"{_MORE.get(column.name, "")}>{{}}</td>'
    for column in TABLE
    if column.name in CELLS
)


def status_words(state: str, status: int | None) -> tuple[str, str]:
    """The words of the status column and the tone of the dot before them."""
    if state in RUNNING_STATES:
        return ("streaming" if status is not None else "waiting"), "live"
    if state == "cancelled":
        return "stopped", "quiet"
    if state == "interrupted":
        return (f"{status} cut" if status is not None else "cut off"), "warn"
    if status is None:
        return "no response", "bad"
    if state == "completed":
        return str(status), "good"
    if status < 400:
        return f"{status} error", "bad"
    return str(status), "warn" if status < 500 else "bad"


def cost_words(cost: Decimal | None) -> str:
    if cost is None:
        return UNKNOWN
    return formatting.cost(Decimal(cost)) if Decimal(cost) else "Free"


def bars(phases: Mapping[str, float], duration_ms: float | None, *, cut: bool) -> SafeString:
    """The phase bar as SVG, 1000 wide at most. What failed or was cut off ends in red."""
    return format_html_join("", _BAR, _bars(phases, duration_ms, cut=cut))


def _bars(phases: Mapping[str, float], duration_ms: float | None, *, cut: bool) -> Iterator[tuple[str, str, str]]:
    """Kind, place and width of each part of the bar."""
    spent = [(css, phases[kind]) for kind, css in PHASES.items() if phases.get(kind, 0) > 0]
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


def _counted(tokens: int | None, *, is_clamped: bool = False) -> str:
    """A count; with a question mark when the upstream claimed what cannot be."""
    return UNKNOWN if tokens is None else f"{tokens:,}{'?' if is_clamped else ''}"


def phase_words(phases: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {formatting.duration(phases[kind])}" for kind in PHASES if phases.get(kind, 0) > 0)
