"""The sandbox at full speed, and words to ask it with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import httpx

from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.sse import Decoder
from playground.sandbox.transport import SandboxTransport

VERSION = {"anthropic-version": "2023-06-01"}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}
CLOCK = {"name": "get_time", "description": "The time of day", "input_schema": {"type": "object", "properties": {}}}


@dataclass
class Clock:
    """A clock that is set by hand."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Sandbox:
    clock: Clock = field(default_factory=Clock)
    transport: SandboxTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = SandboxTransport(speed=math.inf, now=self.clock)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        client = httpx.AsyncClient(transport=self.transport, base_url="sandbox://playground", trust_env=False)
        async with client:
            sent = VERSION if headers is None else headers
            return await client.request(method, path, json=body, content=content, headers=sent)

    async def answer(self, asked: Any = "Hello", model: str = "sandbox-stories", **members: Any) -> Accumulator:
        """What a stream gives. `asked` is a text, the blocks of one user turn, or whole messages."""
        response = await self.send("POST", "/v1/messages", body(asked, model, stream=True, **members))
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return accumulate(response.content)

    async def message(self, asked: Any = "Hello", model: str = "sandbox-stories", **members: Any) -> dict[str, Any]:
        response = await self.send("POST", "/v1/messages", body(asked, model, **members))
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def text(self, asked: Any = "Hello", model: str = "sandbox-stories", **members: Any) -> str:
        content = (await self.message(asked, model, **members))["content"]
        return "".join(block["text"] for block in content if block["type"] == "text")

    async def refusal(self, **members: Any) -> tuple[int, str, str]:
        """Status, type and message of the error that a changed body gets."""
        response = await self.send("POST", "/v1/messages", body("Hello") | members)
        error = response.json()["error"]
        return response.status_code, error["type"], error["message"]


def body(asked: Any, model: str = "sandbox-stories", **members: Any) -> dict[str, Any]:
    whole = isinstance(asked, list) and asked and "role" in asked[0]
    messages = asked if whole else [{"role": "user", "content": asked}]
    return {"model": model, "max_tokens": 4_096, "messages": messages} | members


def accumulate(stream: bytes) -> Accumulator:
    decoder, accumulator = Decoder(), Accumulator()
    for event in [*decoder.feed(stream), *decoder.finish()]:
        accumulator.add(event)
    accumulator.finish()
    return accumulator
