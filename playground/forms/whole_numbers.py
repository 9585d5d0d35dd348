"""Whole numbers as pages post them."""

from __future__ import annotations

LONGEST = 9  # digits; Python itself refuses to read thousands of them, with an exception


def read_whole(text: str) -> int | None:
    """The number, not negative; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST else None
