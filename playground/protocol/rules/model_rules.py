"""Rules that hang on the model: thinking, effort, sampling, prefill, forced tools, how much it writes.

Sources: the vendor's pages on thinking and on migration, as restated in the catalogue of models.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.protocol.catalogue.known_models import EFFORTS, THINKING_TYPES, ModelFacts
from playground.protocol.catalogue.output import DISPLAY_NEEDING_BETA, LEAST_THINKING_BUDGET
from playground.protocol.rules.problems import Edit, Problem, Repair, Severity
from playground.protocol.rules.request_view import RequestView
from playground.protocol.rules.shape import is_number

# The sampling members and what the API assumes for them (top_k has no number for "all").
SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 1, "top_k": None}
INTERLEAVED = "interleaved-thinking-2025-05-14"
# Above it a repair would only make nonsense larger.
_MOST_SENSIBLE_BUDGET = 10_000_000


def model_rules(request: RequestView) -> Iterator[Problem]:
    """Everything that depends on the model or on how it should think."""
    yield from _budget(request)
    yield from _sampling_with_thinking(request)
    yield from _display(request)
    yield from _forced_tool_with_thinking(request)
    if request.facts is not None:
        yield from _thinking_of_model(request, request.facts)
        yield from _effort_of_model(request, request.facts)
        yield from _sampling_of_model(request, request.facts)
        yield from _output_of_model(request, request.facts)
        yield from _inputs_of_model(request, request.facts)


def _leave_out(*path: str | int) -> Repair:
    return Repair(f"Leave {path[-1]} out", (("remove", path, None),))


def _budget(request: RequestView) -> Iterator[Problem]:
    budget, most = request.part("thinking").get("budget_tokens"), request.body.get("max_tokens")
    place = ("thinking", "budget_tokens")
    if request.part_type("thinking") in ("adaptive", "disabled", "between_tools"):
        if "budget_tokens" in request.part("thinking"):
            message = f"budget_tokens is not allowed with {request.part_type('thinking')} thinking"
            yield Problem(place, message, repair=_leave_out(*place))
    elif is_number(budget) and is_number(most) and budget >= most:
        severity: Severity = "warning" if INTERLEAVED in request.betas else "error"
        yield Problem(place, "budget_tokens must be less than max_tokens", severity, _more_room(request, most, budget))


def _more_room(request: RequestView, most: float, budget: float) -> Repair | None:
    """Raise max_tokens above the budget, or lower the budget where the model does not write that much."""
    limit = request.facts.most_output_tokens if request.facts else None
    if budget > _MOST_SENSIBLE_BUDGET:
        return None
    raised = int(budget) + LEAST_THINKING_BUDGET
    if limit is None or raised <= limit:
        return Repair(f"Raise max_tokens to {raised:,}", (("set", ("max_tokens",), raised),))
    lowered = int(most) // 2
    if lowered < LEAST_THINKING_BUDGET:
        return None
    return Repair(f"Lower budget_tokens to {lowered:,}", (("set", ("thinking", "budget_tokens"), lowered),))


def _sampling_with_thinking(request: RequestView) -> Iterator[Problem]:
    if request.part_type("thinking") not in ("enabled", "adaptive"):
        return
    temperature, top_p = request.body.get("temperature"), request.body.get("top_p")
    if is_number(temperature) and temperature != 1:
        message = "temperature must be 1 with thinking"
        yield Problem(("temperature",), message, repair=_leave_out("temperature"))
    if is_number(request.body.get("top_k")):
        yield Problem(("top_k",), "top_k is not allowed with thinking", repair=_leave_out("top_k"))
    if is_number(top_p) and not 0.95 <= top_p <= 1:
        message = "top_p may have to be between 0.95 and 1 with thinking"
        yield Problem(("top_p",), message, "warning", _leave_out("top_p"))


def _display(request: RequestView) -> Iterator[Problem]:
    display = request.part("thinking").get("display")
    beta = DISPLAY_NEEDING_BETA.get(display) if isinstance(display, str) else None
    if beta and beta not in request.betas:
        message = f"display {display} needs the anthropic-beta {beta}"
        yield Problem(("thinking", "display"), message, repair=Repair(f"Add the beta {beta}", betas=(beta,)))


def _forced_tool_with_thinking(request: RequestView) -> Iterator[Problem]:
    if request.part_type("tool_choice") not in ("any", "tool"):
        return
    choice = request.part("tool_choice")
    kept = {name: value for name, value in choice.items() if name == "disable_parallel_tool_use"}
    repair = Repair("Let the model choose", (("set", ("tool_choice",), {"type": "auto", **kept}),))
    place = ("tool_choice", "type")
    if request.facts is not None and not request.facts.takes_forced_tools:
        message = f"{request.model} does not support forced tool use: tool_choice must be auto or none"
        yield Problem(place, message, repair=repair)
    elif request.part_type("thinking") in ("enabled", "adaptive"):
        severity: Severity = "error" if request.part_type("thinking") == "enabled" else "warning"
        message = "Forced tool use does not work with thinking"
        yield Problem(place, message, severity, repair)


def _thinking_of_model(request: RequestView, facts: ModelFacts) -> Iterator[Problem]:
    kind = request.part_type("thinking")
    if facts.thinking is None or kind not in THINKING_TYPES:
        return
    if kind not in facts.thinking:
        allowed = sorted(facts.thinking)
        message = f"{request.model} does not support {kind} thinking; it supports {' or '.join(allowed) or 'none'}"
        yield Problem(("thinking", "type"), message, repair=_other_thinking(kind, facts))
    elif kind == "disabled" and facts.disabled_up_to is not None:
        effort = request.part("output_config").get("effort")
        if effort in EFFORTS and EFFORTS.index(effort) > EFFORTS.index(facts.disabled_up_to):
            message = f"{request.model} supports disabled thinking only up to effort {facts.disabled_up_to}"
            edit: Edit = ("set", ("output_config", "effort"), facts.disabled_up_to)
            yield Problem(
                ("thinking", "type"), message, repair=Repair(f"Set effort to {facts.disabled_up_to}", (edit,))
            )


def _other_thinking(kind: str, facts: ModelFacts) -> Repair:
    allowed = facts.thinking or frozenset()
    # What is nearest to what was meant: less thinking for "disabled", thinking for the others.
    supported = ("between_tools",) if kind == "disabled" else ("adaptive",)
    for name in supported:
        if name in allowed:
            return Repair(f"Set thinking to {name}", (("set", ("thinking",), {"type": name}),))
    if kind == "adaptive" and "enabled" in allowed:
        budget = {"type": "enabled", "budget_tokens": LEAST_THINKING_BUDGET}
        return Repair("Set thinking to enabled", (("set", ("thinking",), budget),))
    return _leave_out("thinking")


def _effort_of_model(request: RequestView, facts: ModelFacts) -> Iterator[Problem]:
    effort = request.part("output_config").get("effort")
    if facts.efforts is None or effort not in EFFORTS or effort in facts.efforts:
        return
    levels = [level for level in EFFORTS if level in facts.efforts]
    place = ("output_config", "effort")
    if not levels:
        yield Problem(place, f"{request.model} does not support effort", repair=_leave_out(*place))
        return
    nearest = min(levels, key=lambda level: abs(EFFORTS.index(level) - EFFORTS.index(effort)))
    repair = Repair(f"Set effort to {nearest}", (("set", place, nearest),))
    yield Problem(place, f"{request.model} supports only effort {', '.join(levels)}", repair=repair)


def _sampling_of_model(request: RequestView, facts: ModelFacts) -> Iterator[Problem]:
    for name, default in SAMPLING_DEFAULTS.items():
        value = request.body.get(name)
        if not is_number(value) or facts.sampling == "any" or (facts.sampling == "default" and value == default):
            continue
        yield Problem((name,), f"{request.model} does not support {name}", repair=_leave_out(name))
    both = [is_number(request.body.get(name)) for name in ("temperature", "top_p")]
    if all(both) and facts.sampling == "any":
        yield Problem(("top_p",), "Some models refuse temperature and top_p together", "warning", _leave_out("top_p"))


def _output_of_model(request: RequestView, facts: ModelFacts) -> Iterator[Problem]:
    most, limit = request.body.get("max_tokens"), facts.most_output_tokens
    longer_allowed = any(beta.startswith("output-") for beta in request.betas)
    if limit is not None and is_number(most) and most > limit and not longer_allowed:
        repair = Repair(f"Set max_tokens to {limit:,}", (("set", ("max_tokens",), limit),))
        yield Problem(("max_tokens",), f"{request.model} generates at most {limit:,} tokens", repair=repair)


def _inputs_of_model(request: RequestView, facts: ModelFacts) -> Iterator[Problem]:
    for _, block in request.blocks():
        if block.type == "image" and facts.takes_images is False:
            yield Problem(block.path, f"{request.model} does not support images")
        if block.type == "document" and facts.takes_pdfs is False:
            source = block.members.get("source")
            if isinstance(source, dict) and source.get("media_type") == "application/pdf":
                yield Problem(block.path, f"{request.model} does not support PDF documents")
    wants_format = request.part("output_config").get("format")
    if wants_format and facts.takes_formats is False:
        place = ("output_config", "format")
        yield Problem(place, f"{request.model} does not support an output format", repair=_leave_out(*place))
    if not facts.takes_fallbacks and request.body.get("fallbacks"):
        yield Problem(("fallbacks",), f"{request.model} does not support fallbacks", repair=_leave_out("fallbacks"))
