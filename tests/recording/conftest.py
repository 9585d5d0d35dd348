"""A recorder that is stopped after the test."""

from __future__ import annotations

from typing import Any

import pytest

from playground.recording import recorder as records


@pytest.fixture
async def recorder() -> Any:
    recorder = records.Recorder(every_s=0.01)
    yield recorder
    await recorder.stop()


async def settled(recorder: records.Recorder) -> None:
    while recorder._recordings:
        await recorder.settle()
