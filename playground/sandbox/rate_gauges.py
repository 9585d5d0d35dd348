"""Rate limits that fill up and empty like the API's, over one minute. Nobody is refused because of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_WINDOW_S = 60.0
_LIMITS = {"requests": 1_000, "input-tokens": 450_000, "output-tokens": 90_000}
_LIMITS["tokens"] = _LIMITS["input-tokens"] + _LIMITS["output-tokens"]


class RateGauges:
    """Counts what the requests of the last minute have used. `now` gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._spent: deque[tuple[float, int, int]] = deque()  # when, input tokens, output tokens

    def spend(self, usage: Mapping[str, Any]) -> None:
        """Count a request by its usage. What was read from the prompt cache does not count, as with the API."""
        into = usage["input_tokens"] + usage["cache_creation_input_tokens"]
        self._spent.append((self._now(), into, usage["output_tokens"]))

    def headers(self) -> dict[str, str]:
        now = self._now()
        while self._spent and self._spent[0][0] <= now - _WINDOW_S:
            self._spent.popleft()
        into = sum(spent[1] for spent in self._spent)
        out = sum(spent[2] for spent in self._spent)
        used = {"requests": len(self._spent), "input-tokens": into, "output-tokens": out, "tokens": into + out}
        full_at = self._spent[-1][0] + _WINDOW_S if self._spent else now
        reset = datetime.fromtimestamp(full_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {}
        for what, limit in _LIMITS.items():
            headers[f"anthropic-ratelimit-{what}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{what}-remaining"] = str(max(0, limit - used[what]))
            headers[f"anthropic-ratelimit-{what}-reset"] = reset
        return headers
