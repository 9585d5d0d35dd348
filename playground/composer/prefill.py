"""Simple fields of a body from a link: `/?model=…&prompt=…&max_tokens=…`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.protocol.json import json_text

LONGEST = 20_000  # characters of one value
TEXTS = ("model", "system", "service_tier")
NUMBERS = ("max_tokens", "temperature", "top_p", "top_k")


def prefilled(body: Any, query: Mapping[str, str]) -> Any | None:
    """A new body with what the link says; None when it says nothing. `prompt` becomes the only user turn.

    The model is the body's own when the link names none, so that the link works where there is no key for its author's.
    """
    texts: dict[str, Any] = {name: query[name][:LONGEST] for name in TEXTS if query.get(name)}
    for name in NUMBERS:
        number = json_text.parse_number(query.get(name, "")[:40])
        if number is not None:
            texts[name] = number
    if query.get("stream") in {"true", "false"}:
        texts["stream"] = query["stream"] == "true"
    prompt = query.get("prompt", "")[:LONGEST]
    if not texts and not prompt:
        return None
    start = body if isinstance(body, dict) else {}
    new = {name: start[name] for name in ("model", "max_tokens", "stream") if name in start} | texts
    if prompt:
        return new | {"messages": [{"role": "user", "content": prompt}]}
    return {**start, **texts}
