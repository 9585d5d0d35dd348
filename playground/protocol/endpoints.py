"""The endpoints of the API that a run is sent to, with their paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Endpoint = Literal["messages", "count_tokens"]

MESSAGES: Final = "/v1/messages"
COUNT_TOKENS: Final = f"{MESSAGES}/count_tokens"
PATHS: Final[dict[Endpoint, str]] = {"messages": MESSAGES, "count_tokens": COUNT_TOKENS}


def endpoint_named(name: str) -> Endpoint:
    """The endpoint as it is stored of a run; anything else is read as "messages"."""
    return "count_tokens" if name == "count_tokens" else "messages"


def path_of(endpoint: Endpoint, query: str = "") -> str:
    """The path that a request is sent to, with the query of its address."""
    path = PATHS[endpoint]
    return f"{path}?{query}" if query else path


def token_count_in(answer: Any) -> int | None:
    """The number in an answer of `count_tokens`; None when it has none."""
    count = answer.get("input_tokens") if isinstance(answer, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None
