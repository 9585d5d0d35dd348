"""The figures of several runs beside each other, one line for each figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playground.engine.live_run import LiveRun
from playground.metrics.figures import gather
from playground.rendering import formatting
from playground.request_log.rows import cost_words, status_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playground.models import Run

UNKNOWN = "\N{EN DASH}"
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
    figures = [_figures(run) for run in runs]
    return [
        Line("model", [Cell(_model(run)) for run in runs]),
        Line("status", [Cell(*_status(run)) for run in runs]),
        _line("first token", "first_token_ms", figures, formatting.duration, "shortest"),
        _line("total", "duration_ms", figures, formatting.duration, "shortest"),
        _line("tokens in", "tokens_in", figures, _count),
        _line("tokens out", "tokens_out", figures, _count),
        _line("tokens per second", "rate", figures, _rate, "fastest"),
        _line("cost", "cost_usd", figures, cost_words, "cheapest"),
    ]


@dataclass(frozen=True)
class Footer:
    """The cells under one column: one for each figure, with its name, or what the best one of a line is called."""

    cells: list[tuple[str, Cell]]


BEST_WORDS = {"first token": "soonest", "total": "fastest", "cost": "cheapest"}


def footers(runs: Sequence[LiveRun | Run | None]) -> list[Footer]:
    """The figures under each column: total, first token, tokens, cost. None has not been sent."""
    found = {line.name: line.cells for line in lines(runs)}
    made = []
    for number in range(len(runs)):
        status = found["status"][number]
        total, cost = found["total"][number], found["cost"][number]
        incoming, outgoing = found["tokens in"][number].words, found["tokens out"][number].words
        is_known = UNKNOWN not in (incoming, outgoing)
        cells = [
            ("total", replace(total, tone=status.tone, status=status.words)),
            ("first token", found["first token"][number]),
            ("tokens", Cell(f"{incoming} → {outgoing}" if is_known else UNKNOWN)),
            ("cost", replace(cost, words="Free") if _is_free(runs[number]) else cost),
        ]
        named = [(BEST_WORDS[name] if cell.is_best and name in BEST_WORDS else name, cell) for name, cell in cells]
        made.append(Footer(named))
    return made


def _is_free(run: LiveRun | Run | None) -> bool:
    """Was the sandbox asked, which costs nothing? Then "Free" is more to the point than no figure."""
    if run is None:
        return False
    return run.about.is_sandbox if isinstance(run, LiveRun) else run.is_sandbox


def _model(run: LiveRun | Run | None) -> str:
    return (run.about.model if isinstance(run, LiveRun) else run.model if run else "") or UNKNOWN


def _status(run: LiveRun | Run | None) -> tuple[str, float, bool, str]:
    if run is None:
        return UNKNOWN, 0.0, False, ""
    told, tone = status_words(run.state, run.status if isinstance(run, LiveRun) else run.http_status)
    return told, 0.0, False, tone


def _figures(run: LiveRun | Run | None) -> dict[str, Any]:
    """The figures of a run that has ended; nothing of one that goes on: they would be old at once."""
    if run is None or not (run.is_over if isinstance(run, LiveRun) else run.is_final):
        return {}
    if isinstance(run, LiveRun):
        figures = gather(list(run.events), endpoint=run.about.endpoint)
        tokens = figures.tokens()
        cost = figures.cost_usd(run.about.model, is_sandbox=run.about.is_sandbox)
        found: dict[str, Any] = {"first_token_ms": figures.first_token_ms, "duration_ms": run.duration_ms}
    else:
        names = ("input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens")
        tokens = {name: getattr(run, name) for name in names}
        cost = run.cost_usd
        found = {"first_token_ms": run.first_token_ms, "duration_ms": run.duration_ms}
    parts = [tokens[name] for name in ("input_tokens", "cache_write_tokens", "cache_read_tokens")]
    known = [part for part in parts if part is not None]
    found |= {"tokens_in": sum(known) if known else None, "tokens_out": tokens["output_tokens"]}
    found |= {"cost_usd": cost, "competes": run.state == "completed"}
    return found | {"rate": _rate_of(found)}


def _rate_of(found: dict[str, Any]) -> float | None:
    first, total, out = found["first_token_ms"], found["duration_ms"], found["tokens_out"]
    spent_ms = total - first if first is not None and total is not None else 0
    return out / spent_ms * 1000 if out and out > 1 and spent_ms > 100 else None


def _line(name: str, key: str, found: list[dict[str, Any]], write: Callable[[Any], str], best: str = "") -> Line:
    values = [each.get(key) for each in found]
    most = max((value for value in values if value is not None), default=0)
    competing = {value for value, each in zip(values, found, strict=True) if value is not None and each["competes"]}
    chosen = (max if best == "fastest" else min)(competing) if best and len(competing) > 1 else None
    cells = [
        Cell(
            UNKNOWN if value is None else write(value),
            float(value) / float(most) * WIDTH if value and most else 0.0,
            is_best=value is not None and value == chosen and each["competes"],
        )
        for value, each in zip(values, found, strict=True)
    ]
    return Line(name, cells, best)


def _count(number: int) -> str:
    return f"{number:,}"


def _rate(number: float) -> str:
    return f"{number:,.0f}"
