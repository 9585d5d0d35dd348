"""The reports of real servers that were read by hand: see `test_real_servers.py`, which makes them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.conformance.checks import BY_ID, EDITION

FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))


def test_there_are_three_servers() -> None:
    assert [path.name.partition("-")[0] for path in FILES] == ["fakellm", "litellm", "mockllm"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_finding_was_reviewed(path: Path) -> None:
    golden = json.loads(path.read_text())
    assert path.stem == f"{golden['server']}-{golden['version']}"
    assert golden["edition"] == EDITION
    assert [each["check"] for each in golden["findings"] if not each["reviewed"]] == []
    named = [each["check"] for each in golden["findings"]] + golden["passed"] + golden["skipped"]
    assert set(named) <= BY_ID.keys()
    assert len(named) > 200
