from __future__ import annotations

import pytest

from tests.sandbox.upstream import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()
