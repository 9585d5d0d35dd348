from __future__ import annotations

from typing import Any

import pytest

from tests.guarantees.stage import Stage, set_up


@pytest.fixture
def stage(owner: Any, settings: Any, tmp_path: Any) -> Stage:
    """An owner with one of everything. Their files lie in a folder of the test's."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return set_up(owner)
