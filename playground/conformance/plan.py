"""A report's plan: which checks it runs, within which bounds, and what that costs at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from playground.conformance.check import Check, Request
from playground.conformance.checks import BY_ID, CHECKS, FIRST
from playground.protocol import pricing

MOST_AT_ONCE: Final = 3


@dataclass(frozen=True)
class Plan:
    """The areas to check, and the bounds. `pace` is requests per minute; None: as fast as answers come.

    `cap_tokens` counts where the model's price is not known. `failing_model` breaks off its streams on purpose.
    """

    model: str
    checks: tuple[Check, ...]
    at_once: int = 2
    pace: float | None = None
    cap_usd: Decimal | None = None
    cap_tokens: int | None = None
    failing_model: str = ""


@dataclass(frozen=True)
class Estimate:
    """The most that a plan will send. `usd` is None where the price is not known."""

    requests: int
    input_tokens: int
    output_tokens: int
    usd: Decimal | None


def chosen(areas: Iterable[str] = ()) -> tuple[Check, ...]:
    """The checks of these areas, all where none is named, with those they depend on; in the catalogue's order."""
    names = set(areas)
    ids = {FIRST} | {check.id for check in CHECKS if not names or check.area in names}
    todo = list(ids)
    while todo:
        for needed in BY_ID[todo.pop()].depends:
            if needed not in ids:
                ids.add(needed)
                todo.append(needed)
    return tuple(check for check in CHECKS if check.id in ids)


def in_order(checks: tuple[Check, ...]) -> list[Check]:
    """Each check after those it depends on, else in the catalogue's order."""
    by_id = {check.id: check for check in checks}
    ordered: dict[str, Check] = {}

    def place(check: Check) -> None:
        for needed in check.depends:
            if needed in by_id and needed not in ordered:
                place(by_id[needed])
        ordered.setdefault(check.id, check)

    for check in checks:
        place(check)
    return list(ordered.values())


def estimate(checks: Iterable[Check], model: str) -> Estimate:
    """Each request counts once, however many checks share it."""
    seen: set[Request] = set()
    requests = into = out = 0
    for check in checks:
        for step in check.steps:
            if isinstance(step, Request):
                if step in seen:
                    continue
                seen.add(step)
            requests += 1
            more = step.expected_tokens() if isinstance(step, Request) else (400, 200)
            if not check.bad_request:
                into, out = into + more[0], out + more[1]
    return Estimate(requests, into, out, usd_of(model, {"input_tokens": into, "output_tokens": out}))


def usd_of(model: str, usage: Mapping[str, Any]) -> Decimal | None:
    try:
        return pricing.cost_usd(model, usage)
    except (ValueError, TypeError, ArithmeticError):
        return None
