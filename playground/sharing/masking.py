"""Masking chosen words wherever they stand."""

from __future__ import annotations

import re
from typing import Any

MASK = "•••••"


def mask_within(value: Any, secrets: list[str]) -> Any:
    """A copy of a JSON value in which each secret is masked, in texts and in names."""
    if not secrets:
        return value
    pattern = _pattern(secrets)
    return _masked(value, pattern)


def _pattern(secrets: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(secret) for secret in sorted(set(secrets), key=len, reverse=True) if secret))


def _masked(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, dict):
        return {pattern.sub(MASK, name): _masked(member, pattern) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked(item, pattern) for item in value]
    return value


def mask_text(pieces: list[str], secrets: list[str]) -> list[str]:
    """The pieces of one text with its secrets masked, as many pieces as before.

    A secret that begins in one piece and ends in another is masked in the first and gone from the others.
    """
    whole = "".join(pieces)
    spans = [match.span() for match in _pattern(secrets).finditer(whole)]
    if not spans:
        return pieces
    names: list[str] = []
    start = 0
    for piece in pieces:
        names.append(_without(whole, start, start + len(piece), spans))
        start += len(piece)
    return names


def _without(whole: str, start: int, end: int, spans: list[tuple[int, int]]) -> str:
    """Characters `start` to `end`; a masked span shows as the mask in the piece it begins in."""
    parts: list[str] = []
    at = start
    for begin, stop in spans:
        if stop <= at or begin >= end:
            continue
        parts.append(whole[at : max(begin, at)])
        if begin >= start:
            parts.append(MASK)
        at = max(at, stop)
    parts.append(whole[at:end] if at < end else "")
    return "".join(parts)
