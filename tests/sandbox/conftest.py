from __future__ import annotations

import pytest

from tests.sandbox.sandbox_server import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()
