"""How much is tried: a contributor's run takes a few examples of a property and of many alike cases, CI takes all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import hypothesis
import pytest

IN_CI = bool(os.environ.get("CI"))
USUAL = 100  # Hypothesis's own number
FEW = 4  # in a contributor's run, one in so many


def examples(count: int = USUAL, **more: Any) -> hypothesis.settings:
    """Settings for a test. There is no deadline: a busy machine is no reason for a property to fail."""
    return hypothesis.settings(max_examples=count if IN_CI else max(10, count // FEW), deadline=None, **more)


def one_of_each(cases: Iterable[Any], kind: Callable[[Any], object] = lambda _: None) -> list[Any]:
    """Cases for `parametrize`: the first of each kind is in every run, those that follow are slow tests."""
    seen: set[object] = set()
    parameters = []
    for case in cases:
        marks = [pytest.mark.slow] if kind(case) in seen else []
        seen.add(kind(case))
        parameters.append(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks))
    return parameters
