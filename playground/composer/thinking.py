"""Turning thinking on: the values that it does not go with are changed along, and the reader is told."""

from __future__ import annotations

from typing import Any

BUDGET = 4096
SMALL_BUDGET = 2048  # when max_tokens leaves no room for the other
LEAST_TOP_P = 0.95
_FORCED = ("any", "tool")


def fit(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The body with thinking enabled and the rest valid beside it; what else was changed, as a sentence or "".

    Source: the API's rules for `thinking.enabled`: a budget below max_tokens, temperature 1, no top_k, a top_p of at
    least 0.95, no forced tool.
    """
    changed, messages = dict(body), []
    most = body.get("max_tokens")
    limit = most if isinstance(most, int) and not isinstance(most, bool) else None
    budget = BUDGET if limit is None or limit > BUDGET else SMALL_BUDGET
    changed["thinking"] = {**body["thinking"], "budget_tokens": budget}
    if limit is not None and limit <= budget:
        changed["max_tokens"] = 2 * budget
        messages.append(f"max_tokens raised to {2 * budget:,} to fit the budget")
    left_out = [name for name in ("temperature", "top_k", "top_p") if name in body and not _goes(name, body[name])]
    for name in left_out:
        del changed[name]
    if left_out:
        messages.append(f"{', '.join(left_out)} left out")
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in _FORCED:
        kept = {name: value for name, value in choice.items() if name not in ("type", "name")}
        changed["tool_choice"] = {"type": "auto", **kept}
        messages.append("tool_choice set to auto")
    return changed, f"{'; '.join(messages)}." if messages else ""


def _goes(name: str, value: Any) -> bool:
    if name == "top_p":
        return isinstance(value, int | float) and value >= LEAST_TOP_P
    return name == "temperature" and value == 1
