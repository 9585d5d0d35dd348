"""What the snippets for official clients have in common: which bodies the typed clients take."""

from __future__ import annotations

from typing import Any

from playground.protocol.json import json_text

PLAIN_HTTP_NOTE = "The official client would not send this request as it is, so this is plain HTTP."
LARGEST_LONG = 2**63 - 1


def is_long(value: object) -> bool:
    """Whether a value of JSON is a whole number of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_LONG


def number_text(value: object) -> str:
    """A number of JSON as it is spelled; empty for anything else."""
    return json_text.dump(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def takes_typed_parameters(body: Any) -> bool:
    """Whether a body has what the typed clients demand, and look into before they send it."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return False
    thinking = body.get("thinking")
    has_thinking_type = isinstance(thinking, dict) and isinstance(thinking.get("type"), str)
    return (
        isinstance(body.get("model"), str) and is_long(body.get("max_tokens")) and (not thinking or has_thinking_type)
    )
