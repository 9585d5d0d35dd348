"""Token usage to US dollars: an estimate from list prices, which stand with their date in `prices.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRICES: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text(encoding="utf-8"))

PRICES_READ_ON = date.fromisoformat(_PRICES["read_on"])
WEB_SEARCH_USD = Decimal(_PRICES["web_search_usd"])
_MILLION = 1_000_000
_MOST_TOKENS = 10**12  # of one request; anything above is no count
# Gateways write the vendor before the name, and releases have a date behind it.
_GATEWAY = re.compile(r"^(anthropic/|~anthropic/)")
_RELEASE = re.compile(r"([-@]20\d{6}|-latest)$")


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    cache_read: Decimal

    def times(self, factor: Decimal) -> Rates:
        return Rates(
            self.input * factor,
            self.output * factor,
            self.cache_write_5m * factor,
            self.cache_write_1h * factor,
            self.cache_read * factor,
        )


class Estimate(NamedTuple):
    """US dollars for a request not yet sent: if nothing is answered, and if max_tokens are."""

    least: Decimal
    most: Decimal


@lru_cache(maxsize=256)
def _entry_of(model: str) -> dict[str, Any] | None:
    entry: dict[str, Any] | None = _PRICES["models"].get(known_name(model))
    return entry


@lru_cache(maxsize=256)
def _listed(*listed: str) -> Rates:
    return Rates(*map(Decimal, listed))


def rates(
    model: str,
    input_tokens: int = 0,
    *,
    speed: str | None = None,
    inference_geo: str | None = None,
    service_tier: str | None = None,
) -> Rates | None:
    """Return the prices of a model, None when they are unknown. The sandbox's models cost nothing.

    `input_tokens` is the whole prompt, cached parts included: some models cost more for long prompts.
    """
    if model.startswith("sandbox-"):
        return Rates(*[Decimal(0)] * 5)
    entry = _entry_of(model)
    if entry is None:
        return None
    long_prompt = entry.get("long_prompt")
    tier = long_prompt if long_prompt and input_tokens > long_prompt["above_tokens"] else entry
    rates = _listed(*tier["rates"])
    if speed == "fast" and "fast_factor" in entry:
        rates = rates.times(Decimal(entry["fast_factor"]))
    if inference_geo == "us":
        rates = rates.times(Decimal(_PRICES["us_inference_factor"]))
    if service_tier == "batch":
        rates = rates.times(Decimal(_PRICES["batch_factor"]))
    return rates


def known_name(model: str) -> str:
    """A model's id as the price list has it: without gateway, release date or `-latest`."""
    return _RELEASE.sub("", _GATEWAY.sub("", model)).replace(".", "-")


def cost_usd(model: str, usage: Mapping[str, Any]) -> Decimal | None:
    """Return the cost of one answer, None when the model's price is unknown or a count makes no sense.

    `usage` is the answer's own; a missing or null count is 0. Cache writes without a breakdown count as 5 minutes.
    """
    names = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [_count(usage, name) for name in names]
    hour = _count(_inside(usage, "cache_creation"), "ephemeral_1h_input_tokens")
    searches = _count(_inside(usage, "server_tool_use"), "web_search_requests")
    into, out, written, read = counts
    if into is None or out is None or written is None or read is None or hour is None or searches is None:
        return None
    prices = rates(
        model,
        into + written + read,
        speed=usage.get("speed"),
        inference_geo=usage.get("inference_geo"),
        service_tier=usage.get("service_tier"),
    )
    if prices is None:
        return None
    hour = min(hour, written)
    tokens = into * prices.input + out * prices.output + read * prices.cache_read
    tokens += (written - hour) * prices.cache_write_5m + hour * prices.cache_write_1h
    free = model.startswith("sandbox-")
    return tokens / _MILLION + (0 if free else searches * WEB_SEARCH_USD)


def estimate(model: str, input_tokens: int, max_tokens: int, **conditions: str | None) -> Estimate | None:
    """Estimate what a request may cost before it is sent. `conditions` are those of `rates`. Nothing is taken as
    cached."""
    prices = rates(model, input_tokens, **conditions)
    if prices is None:
        return None
    least = input_tokens * prices.input / _MILLION
    return Estimate(least, least + max_tokens * prices.output / _MILLION)


def _count(counts: Mapping[str, Any], name: str) -> int | None:
    """A count; 0 if absent or null, None if it is not one."""
    value = counts.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TOKENS:
        return None
    return value


def _inside(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, dict) else {}
