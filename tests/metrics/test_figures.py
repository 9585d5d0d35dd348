"""A run's figures, gathered from its events; and who is calling, in short."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.engine.events import Answered, Ended, Received, Streamed
from playground.metrics import figures, user_agents
from playground.protocol.stream import sse
from tests.support import runs


def test_phases_add_up_to_the_duration() -> None:
    events = runs.told(runs.stream("one two three", thinking="well then"), chunk=60, step_ms=25.0)
    gathered = figures.gather([*events, runs.ended(at_ms=2_000.0)])
    assert list(gathered.phases_until(0)) == ["waiting", "thinking", "text"]
    assert sum(gathered.phases.values()) == pytest.approx(2_000.0, abs=1)


def test_while_a_run_goes_on_its_phase_lasts() -> None:
    gathered = figures.gather(runs.told(b""))
    assert gathered.phases_until(700.0) == {"waiting": 700.0}


def test_the_first_token_is_the_first_text_of_any_kind() -> None:
    events = runs.told(runs.stream("text", thinking="thought"), chunk=10_000, step_ms=5.0)
    assert figures.gather(events).first_token_ms == 20.0
    assert figures.gather(runs.told(b"")).first_token_ms is None


def streamed(*events: dict[str, Any]) -> figures.Figures:
    made: list[Any] = [Answered(1.0, 200, ())]
    for number, event in enumerate(events, start=1):
        decoded = sse.Decoder().feed(sse.encode(event["type"], json.dumps(event)))[0]
        made.append(Streamed(number * 10.0, number, decoded, decoded.end))
    return figures.gather(made)


def test_usage_is_read_under_the_apis_names() -> None:
    usage = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 6,
        "cache_read_input_tokens": 7,
        "output_tokens": 8,
        "output_tokens_details": {"thinking_tokens": 3},
    }
    tokens = streamed({"type": "message_start", "message": {"id": "m", "content": [], "usage": usage}}).tokens()
    assert tokens == {
        "input_tokens": 5,
        "cache_write_tokens": 6,
        "cache_read_tokens": 7,
        "output_tokens": 8,
        "thinking_tokens": 3,
    }


@pytest.mark.parametrize(
    "usage", [None, [], "x", {"input_tokens": None}, {"input_tokens": {}}, {"output_tokens": 1e99}]
)
def test_odd_usage_is_no_fault(usage: Any) -> None:
    gathered = streamed({"type": "message_start", "message": {"id": "m", "content": [], "usage": usage}})
    assert set(gathered.tokens().values()) == {None}
    assert gathered.cost_usd("claude-opus-4-5") in (None, 0)


def test_the_sandbox_costs_nothing_and_unknown_models_are_not_priced() -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    gathered = streamed({"type": "message_start", "message": {"id": "m", "content": [], "usage": usage}})
    assert gathered.cost_usd("anything", is_sandbox=True) == 0
    assert gathered.cost_usd("no-such-model") is None
    assert gathered.cost_usd("claude-opus-4-5") > 0


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[" * 100_000, b"\xff", b'{"type":"error","error":{}}'])
def test_an_answer_that_is_no_message_has_figures_all_the_same(body: bytes) -> None:
    gathered = figures.gather([Answered(1.0, 200, ()), Received(2.0, body), Ended(3.0, "failed", None)])
    assert not gathered.has_message
    assert (gathered.received_size, gathered.first_byte_ms) == (len(body), 2.0)


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/146.0.0.0 Safari/537.36"
            ),
            "Chrome 146 on macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0", "Firefox 148 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/146.0 Safari/537.36 Edg/146.0", "Edge 146 on Windows"),
        ("Anthropic/Python 2.12.0", "anthropic-python 2.12.0"),
        ("AsyncAnthropic/Python 2.12.0", "anthropic-python 2.12.0"),
        ("Anthropic/JS 1.9.0", "anthropic-typescript 1.9.0"),
        ("curl/8.16.0", "curl 8.16.0"),
        ("claude-cli/2.0.1 (external, cli)", "claude-cli 2.0.1"),
        ("", ""),
        ("something odd", "something odd"),
        ("x" * 900, "x" * 80),
    ],
)
def test_user_agents_in_short(agent: str, label: str) -> None:
    assert user_agents.label(agent) == label
