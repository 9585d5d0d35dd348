"""How many examples a property is tried with: a contributor's run takes a few, CI takes them all."""

from __future__ import annotations

import os
from typing import Any

import hypothesis

IN_CI = bool(os.environ.get("CI"))
USUAL = 100  # Hypothesis's own number
FEW = 4  # in a contributor's run, one in so many


def examples(count: int = USUAL, **more: Any) -> hypothesis.settings:
    """Settings for a test. There is no deadline: a busy machine is no reason for a property to fail."""
    return hypothesis.settings(max_examples=count if IN_CI else max(10, count // FEW), deadline=None, **more)
