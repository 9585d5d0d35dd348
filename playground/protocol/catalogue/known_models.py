"""Facts about the models: which thinking they take, what they refuse, how much they read and write.

Source: the vendor's pages on models, migration and thinking, read on `READ_ON`. A compatible server may give any id to
anything, and the vendor may change a model: an unknown id has no facts, and what `GET /v1/models` tells is preferred.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

READ_ON = date(2026, 11, 22)

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING_TYPES = ("adaptive", "enabled", "disabled", "between_tools")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model. None means not known; token counts are of one request.

    `sampling`: whether temperature, top_p and top_k are taken at any value, at their default only, or not at all.
    `disabled_up_to`: the highest effort at which thinking can be switched off.
    """

    context_tokens: int | None = None
    most_output_tokens: int | None = None
    thinking: frozenset[str] | None = None
    disabled_up_to: str | None = None
    efforts: frozenset[str] | None = None
    sampling: Literal["any", "default", "none"] = "any"
    takes_prefill: bool = True
    takes_forced_tools: bool = True
    takes_fallbacks: bool = True
    takes_images: bool | None = None
    takes_pdfs: bool | None = None
    takes_formats: bool | None = None


_LARGE = ModelFacts(context_tokens=1_000_000, most_output_tokens=128_000, takes_prefill=False, sampling="none")
_ADAPTIVE_ONLY = replace(_LARGE, thinking=frozenset({"adaptive"}), takes_forced_tools=False)
_NO_BUDGET = replace(_LARGE, thinking=frozenset({"adaptive", "disabled"}))
_GENERATION_4_6 = replace(_LARGE, thinking=frozenset({"adaptive", "enabled", "disabled"}), sampling="any")
_GENERATION_4_5 = ModelFacts(
    context_tokens=200_000,
    most_output_tokens=64_000,
    thinking=frozenset({"enabled", "disabled"}),
    efforts=frozenset(),
)

# Newest first: the order in which they are offered.
FACTS: dict[str, ModelFacts] = {
    "claude-fable-5-2": _ADAPTIVE_ONLY,
    "claude-mythos-5-2": _ADAPTIVE_ONLY,
    "claude-opus-5-5": _ADAPTIVE_ONLY,
    "claude-sonnet-5-5": replace(_ADAPTIVE_ONLY, thinking=frozenset({"adaptive", "between_tools"})),
    "claude-haiku-5-5": replace(_NO_BUDGET, disabled_up_to="high", sampling="default", takes_fallbacks=False),
    "claude-fable-5-1": _ADAPTIVE_ONLY,
    "claude-mythos-5-1": _ADAPTIVE_ONLY,
    "claude-fable-5": replace(_ADAPTIVE_ONLY, takes_forced_tools=True),
    "claude-mythos-5": replace(_LARGE, thinking=None),
    "claude-opus-5": replace(_NO_BUDGET, disabled_up_to="high"),
    "claude-sonnet-5": _NO_BUDGET,
    "claude-opus-4-8": _NO_BUDGET,
    "claude-opus-4-7": _NO_BUDGET,
    "claude-mythos-preview": replace(_LARGE, thinking=None),
    "claude-opus-4-6": _GENERATION_4_6,
    "claude-sonnet-4-6": _GENERATION_4_6,
    "claude-haiku-4-5": _GENERATION_4_5,
    "claude-haiku-4-5-20251001": _GENERATION_4_5,
    # Whether Opus 4.5 takes an effort is not confirmed.
    "claude-opus-4-5": replace(_GENERATION_4_5, efforts=None),
    "claude-opus-4-5-20251101": replace(_GENERATION_4_5, efforts=None),
    "claude-sonnet-4-5": _GENERATION_4_5,
    "claude-sonnet-4-5-20250929": _GENERATION_4_5,
}

KNOWN_MODELS = tuple(FACTS)

_DATED = re.compile(r"-[0-9]{8}$")

# The shortest prompt that is cached at all, by the beginning of a model's id; the longest beginning that fits counts.
# Source: the vendor's page on prompt caching. A model that is not listed is taken to need `_CACHE_MINIMUM`.
_CACHE_MINIMUM = 1_024
_CACHE_MINIMUMS = {
    "sandbox-": 512,
    "claude-opus-5": 512,
    "claude-fable-5": 512,
    "claude-mythos-5": 512,
    "claude-opus-4-7": 2_048,
    "claude-opus-4-6": 4_096,
    "claude-opus-4-5": 4_096,
    "claude-haiku-4-5": 4_096,
}


def cache_minimum_tokens(model: str) -> int:
    """Return how many tokens a prompt must have for the model to cache it; a shorter one is silently not cached."""
    fitting = [beginning for beginning in _CACHE_MINIMUMS if model.startswith(beginning)]
    return _CACHE_MINIMUMS[max(fitting, key=len)] if fitting else _CACHE_MINIMUM


def facts_of(model: str, entry: Mapping[str, Any] | None = None) -> ModelFacts | None:
    """Return the facts about a model id; `told` is its object from `GET /v1/models`, or that object's `capabilities`.

    None when nothing is known. Members of `told` that do not have the documented shape are passed over.
    """
    known = FACTS.get(model) or FACTS.get(_DATED.sub("", model))
    if entry is None:
        return known
    return _with_told(known or ModelFacts(), entry)


def _with_told(facts: ModelFacts, entry: Mapping[str, Any]) -> ModelFacts:
    if isinstance(entry.get("capabilities"), Mapping):
        facts = replace(
            facts,
            context_tokens=_count(entry.get("max_input_tokens")) or facts.context_tokens,
            most_output_tokens=_count(entry.get("max_tokens")) or facts.most_output_tokens,
        )
        entry = entry["capabilities"]
    return replace(
        facts,
        thinking=_thinking(entry.get("thinking"), facts.thinking),
        efforts=_efforts(entry.get("effort"), facts.efforts),
        takes_images=_supported(entry.get("image_input"), facts.takes_images),
        takes_pdfs=_supported(entry.get("pdf_input"), facts.takes_pdfs),
        takes_formats=_supported(entry.get("structured_outputs"), facts.takes_formats),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _supported(value: Any, otherwise: bool | None = None) -> bool | None:
    """The truth of `{"supported": true}`, or of a bare true or false."""
    if isinstance(value, Mapping):
        value = value.get("supported")
    return value if isinstance(value, bool) else otherwise


def _thinking(value: Any, otherwise: frozenset[str] | None) -> frozenset[str] | None:
    types = value.get("types") if isinstance(value, Mapping) else None
    if not isinstance(types, Mapping):
        # A model that cannot think takes no switch but "disabled".
        return frozenset({"disabled"}) if _supported(value) is False else otherwise
    return frozenset(name for name in THINKING_TYPES if _supported(types.get(name)))


def _efforts(value: Any, otherwise: frozenset[str] | None) -> frozenset[str] | None:
    supported = _supported(value)
    if supported is None or not isinstance(value, Mapping):
        return otherwise
    levels = frozenset(name for name in EFFORTS if _supported(value.get(name)))
    # A server that only says "supported" has not told which.
    return levels or None if supported else frozenset()
