"""The figures of several runs beside each other, one line for each figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playground.engine.live_run import LiveRun
from playground.models import Run
from playground.rendering import formatting
from playground.rendering.formatting import UNKNOWN
from playground.request_log.rows import cost_words, run_of, status_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH = 100.0  # of a bar's drawing


@dataclass(frozen=True)
class Cell:
    """`part`: the length of its bar, `WIDTH` for the greatest of its line. `is_best`: none of the others is better;
    what came to no good end does not compete."""

    words: str
    part: float = 0.0
    is_best: bool = False
    tone: str = ""
    status: str = ""  # of the column's run, where the tone is its


@dataclass(frozen=True)
class Line:
    name: str
    cells: list[Cell]
    best: str = ""  # what the best one is: "shortest"


def lines(runs: Sequence[LiveRun | Run | None]) -> list[Line]:
    """A line for each figure, with a cell for each run; None has not been sent."""
    shown = _as_stored(runs)
    return [
        Line("model", [Cell(run.model or UNKNOWN if run else UNKNOWN) for run in shown]),
        Line("status", [_status(run) for run in shown]),
        _line("first token", lambda run: run.first_token_ms, shown, formatting.duration, "shortest"),
        _line("total", lambda run: run.duration_ms, shown, formatting.duration, "shortest"),
        _line("tokens in", lambda run: run.total_input_tokens, shown, formatting.count),
        _line("tokens out", lambda run: run.output_tokens, shown, formatting.count),
        _line("tokens per second", _tokens_per_second, shown, _rate, "fastest"),
        _line("cost", lambda run: run.cost_usd, shown, cost_words, "cheapest"),
    ]


@dataclass(frozen=True)
class Footer:
    """The cells under one column: one for each figure, with its name, or what the best one of a line is called."""

    cells: list[tuple[str, Cell]]


BEST_WORDS = {"first token": "soonest", "total": "fastest", "cost": "cheapest"}


def footers(runs: Sequence[LiveRun | Run | None]) -> list[Footer]:
    """The figures under each column: total, first token, tokens, cost. None has not been sent."""
    shown = _as_stored(runs)
    cells_of = {line.name: line.cells for line in lines(shown)}
    made = []
    for number, run in enumerate(shown):
        status = cells_of["status"][number]
        total, cost = cells_of["total"][number], cells_of["cost"][number]
        incoming, outgoing = cells_of["tokens in"][number].words, cells_of["tokens out"][number].words
        is_known = UNKNOWN not in (incoming, outgoing)
        cells = [
            ("total", replace(total, tone=status.tone, status=status.words)),
            ("first token", cells_of["first token"][number]),
            ("tokens", Cell(f"{incoming} → {outgoing}" if is_known else UNKNOWN)),
            # The sandbox costs nothing, and "Free" is more to the point than no figure.
            ("cost", replace(cost, words="Free") if run is not None and run.is_sandbox else cost),
        ]
        named = [(BEST_WORDS[name] if cell.is_best and name in BEST_WORDS else name, cell) for name, cell in cells]
        made.append(Footer(named))
    return made


def _as_stored(runs: Sequence[LiveRun | Run | None]) -> list[Run | None]:
    return [run_of(run) if isinstance(run, LiveRun) else run for run in runs]


def _status(run: Run | None) -> Cell:
    if run is None:
        return Cell(UNKNOWN)
    words, tone = status_words(run.state, run.http_status)
    return Cell(words, tone=tone)


def _tokens_per_second(run: Run) -> float | None:
    """Behind the first token. None where too little came, or too fast, to say."""
    first, total, out = run.first_token_ms, run.duration_ms, run.output_tokens
    spent_ms = total - first if first is not None and total is not None else 0
    return out / spent_ms * 1000 if out and out > 1 and spent_ms > 100 else None


def _line(
    name: str,
    figure: Callable[[Run], Any],
    runs: Sequence[Run | None],
    write: Callable[[Any], str],
    best: str = "",
) -> Line:
    # A run in progress has none: it would be outdated at once.
    values = [figure(run) if run is not None and run.is_final else None for run in runs]
    competes = [run is not None and run.state == Run.State.COMPLETED for run in runs]
    most = max((value for value in values if value is not None), default=0)
    competing = {value for value, may_win in zip(values, competes, strict=True) if value is not None and may_win}
    chosen = (max if best == "fastest" else min)(competing) if best and len(competing) > 1 else None
    cells = [
        Cell(
            UNKNOWN if value is None else write(value),
            float(value) / float(most) * WIDTH if value and most else 0.0,
            is_best=value is not None and value == chosen and may_win,
        )
        for value, may_win in zip(values, competes, strict=True)
    ]
    return Line(name, cells, best)


def _rate(number: float) -> str:
    return f"{number:,.0f}"
