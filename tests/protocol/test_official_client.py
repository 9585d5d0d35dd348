"""Where a stream is in order, the official client gathers the same message as we do."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import httpx2
import pytest

from playground.protocol.stream.accumulator import Accumulator
from playground.sandbox.model_catalogue import MODELS
from tests.protocol.test_streams import STREAMS
from tests.sandbox.sandbox_server import WEATHER, Sandbox, accumulate, body

IN_ORDER = [
    "plain_text",
    "thinking_and_tool_use",
    "web_search_with_citations",
    "line_separators",
    "openrouter_comments",
]


def official_message(stream: bytes) -> dict[str, Any]:
    """What the official client makes of a stream; members that it adds by itself are left out."""
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    http_client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    client = anthropic.Anthropic(api_key="k", base_url="http://x.invalid", http_client=http_client, max_retries=0)
    with client.messages.stream(model="m", max_tokens=10, messages=[{"role": "user", "content": "x"}]) as events:
        return events.get_final_message().to_dict(mode="json", exclude_unset=True)


def compared(message: dict[str, Any]) -> dict[str, Any]:
    """Without what the official client alone leaves out or adds: counts it does not merge, results it parses."""
    kept = {name: value for name, value in message.items() if name not in ("usage", "stop_details", "parsed_output")}
    kept["content"] = [{k: v for k, v in block.items() if k != "parsed_output"} for block in message["content"]]
    return kept


@pytest.mark.parametrize("name", IN_ORDER)
def test_recorded_streams_mean_the_same_to_the_official_client(name: str) -> None:
    stream = (STREAMS / f"{name}.sse").read_bytes()
    assert compared(official_message(stream)) == compared(accumulate(stream).message)


@pytest.mark.parametrize("model", [m.id for m in MODELS if m.behaviour in ("talk", "think", "tools", "echo", "refuse")])
def test_the_sandboxes_streams_mean_the_same_to_the_official_client(model: str) -> None:
    asked = body("Search the web for the weather in Lisbon and Oslo", model, stream=True, tools=[WEATHER])
    response = asyncio.run(Sandbox().send("POST", "/v1/messages", asked))
    ours: Accumulator = accumulate(response.content)
    assert compared(official_message(response.content)) == compared(ours.message)
