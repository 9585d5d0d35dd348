"""`/metrics`: who may read it, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from playground.serving.metrics_endpoint import may_read
from tests.serving.rig import get, post

LOCAL = {"client": ["127.0.0.1", 1], "headers": [(b"host", b"localhost:8000")]}


def asked(**changes: Any) -> dict[str, Any]:
    return LOCAL | changes


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (LOCAL, True),
        (asked(client=["::1", 1], headers=[(b"host", b"[::1]:8000")]), True),
        (asked(client=["10.1.2.3", 1]), False),
        (asked(client=None), False),
        (asked(headers=[(b"host", b"localhost"), (b"x-forwarded-for", b"1.2.3.4")]), False),
        (asked(headers=[(b"host", b"rebound.example")]), False),
        (asked(headers=[(b"host", b"localhost"), (b"authorization", b"Bearer x")]), True),
    ],
)
def test_without_a_token_only_this_machines_own_tools_may_read(scope: Any, may: bool, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert may_read(scope) is may


@pytest.mark.parametrize(("given", "may"), [(b"Bearer right", True), (b"Bearer wrong", False), (b"right", False)])
def test_with_a_token_only_who_has_it_may_read(given: bytes, may: bool, settings: Any) -> None:
    settings.METRICS_TOKEN = "right"
    assert may_read(asked(client=["10.1.2.3", 1], headers=[(b"authorization", given)])) is may
    assert not may_read(LOCAL)


def test_runs_are_counted_by_state_with_their_times(serve: Any) -> None:
    serving = serve(PLAYGROUND_SANDBOX_SPEED="inf")
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    question = {"model": "sandbox-echo", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
    assert post(f"{url}v1/messages", json=question | {"stream": True}, headers=headers).status_code == 200
    text = get(f"{url}metrics").text
    assert 'playground_runs_total{endpoint="messages",source="relay",state="completed"} 1.0' in text
    assert "playground_first_token_seconds_count 1.0" in text
    assert "playground_run_seconds_count 1.0" in text
    for name in ("runs_in_progress", "websockets", "loop_lag_seconds", "recorder_backlog_events", "recorder_failing"):
        assert f"\nplayground_{name} " in text
    assert "process_resident_memory_bytes" in text
    assert get(f"{url}metrics", headers={"x-forwarded-for": "1.2.3.4"}).status_code == 404
