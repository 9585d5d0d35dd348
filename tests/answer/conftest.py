"""How fast the sandbox answers in a browser."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def paced(settings: Any) -> None:
    """The sandbox at four times its usual pace: slow enough to be seen streaming."""
    settings.SANDBOX_SPEED = 4.0
    settings.VISITOR_RUNS_PER_MINUTE = settings.RUNS_PER_MINUTE = 1000
