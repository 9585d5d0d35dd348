"""Whole numbers in text of others: what pages post, headers say and upstreams answer."""

from __future__ import annotations

LONGEST = 9  # digits; Python itself refuses to read thousands of them, with an exception


def read_whole(text: str | None, longest: int = LONGEST) -> int | None:
    """The number, not negative and of at most `longest` digits; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= longest else None
