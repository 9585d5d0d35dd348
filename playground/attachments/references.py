"""References to stored files in a body: found while it is edited, replaced by their bytes when it is sent."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from playground.models.attachment import REFERENCE


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def references(body: Any) -> set[str]:
    """Every `attachment:<id>` that stands alone as a string anywhere in the body."""
    return {text for text in _strings(body) if len(text) == 47 and REFERENCE.fullmatch(text)}


def resolve(value: Any, data: Callable[[str], bytes | None]) -> Any:
    """The body with each reference replaced: by base64, or by the text itself where the source wants text.

    A reference that `data` knows nothing of stays as it is: it is somebody else's, or a text that only looks like one.
    """
    if isinstance(value, dict):
        if value.get("type") in ("base64", "text") and isinstance(value.get("data"), str):
            return value | {"data": _bytes_of(value, data)}
        return {name: resolve(each, data) for name, each in value.items()}
    if isinstance(value, list):
        return [resolve(each, data) for each in value]
    return value


def _bytes_of(source: dict[str, Any], data: Callable[[str], bytes | None]) -> str:
    reference: str = source["data"]
    content = data(reference) if REFERENCE.fullmatch(reference) else None
    if content is None:
        return reference
    return base64.b64encode(content).decode() if source["type"] == "base64" else content.decode("utf-8", "replace")
