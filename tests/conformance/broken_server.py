"""Broken servers: the sandbox with one fault built in, so that each check can be shown to find it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from playground.conformance.check import Request, Result
from playground.conformance.checks import CHECKS
from playground.conformance.direct_sender import LIMITS, SANDBOX_FAILING_MODEL, is_enough, outgoing_for
from playground.conformance.http_exchange import Exchange
from playground.conformance.plan import Plan
from playground.conformance.runner import Runner
from playground.engine.exchange import run
from playground.engine.upstream import SANDBOX, Outgoing
from playground.protocol.stream.sse import Decoder
from playground.sandbox.transport import SandboxTransport

MODEL = "sandbox-stories"


@dataclass(frozen=True)
class Answer:
    """What a server answers. Each chunk comes after its pause in seconds."""

    status: int
    headers: Mapping[str, str]
    chunks: tuple[tuple[float, bytes], ...]

    @property
    def body(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def with_body(self, body: bytes) -> Answer:
        return replace(self, chunks=((0.0, body),))

    def with_json(self, value: Any) -> Answer:
        return self.with_body(json.dumps(value).encode())

    def with_header(self, name: str, value: str | None) -> Answer:
        headers = {key: kept for key, kept in self.headers.items() if key != name}
        return replace(self, headers=headers if value is None else headers | {name: value})


@dataclass(frozen=True)
class Asked:
    """A request on its way: the check's own record, and the bytes."""

    request: Request
    outgoing: Outgoing

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.outgoing.body)
        except ValueError:
            return None

    @property
    def path(self) -> str:
        return httpx.URL(self.outgoing.url).path

    def with_body(self, body: Any) -> Asked:
        return replace(self, outgoing=replace(self.outgoing, body=json.dumps(body).encode()))

    def with_url(self, url: str) -> Asked:
        return replace(self, outgoing=replace(self.outgoing, url=url))


Clean = Callable[[Asked], Awaitable[Answer]]
Fault = Callable[[Asked, Clean], Awaitable[Answer | None]]  # None: this request is answered as it should be


class _Canned(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.answer.status, headers=dict(self.answer.headers), stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for pause_s, chunk in self.answer.chunks:
            if pause_s:
                await asyncio.sleep(pause_s)
            yield chunk


@dataclass
class Server:
    """The sandbox, its answers remembered; `broken` gives what a server with that fault is found to do."""

    sandbox: SandboxTransport = field(default_factory=lambda: SandboxTransport(speed=math.inf))
    _answers: dict[tuple[Any, ...], Answer] = field(default_factory=dict)
    _exchanges: dict[Request, Exchange] = field(default_factory=dict)
    _sound: dict[str, Result] = field(default_factory=dict)
    _outgoing: dict[Request, Outgoing] = field(default_factory=dict)

    async def clean(self, asked: Asked) -> Answer:
        outgoing = asked.outgoing
        key = (outgoing.method, outgoing.url, outgoing.headers, outgoing.body)
        if key not in self._answers:
            request = httpx.Request(
                outgoing.method, outgoing.url, headers=list(outgoing.headers), content=outgoing.body or None
            )
            response = await self.sandbox.handle_async_request(request)
            chunks = tuple([(0.0, bytes(chunk)) async for chunk in response.stream])  # type: ignore[union-attr]
            self._answers[key] = Answer(response.status_code, dict(response.headers), chunks)
        return self._answers[key]

    async def send(self, request: Request, fault: Fault | None) -> Exchange:
        if request not in self._outgoing:
            self._outgoing[request] = outgoing_for(request, SANDBOX, MODEL, SANDBOX_FAILING_MODEL)
        asked = Asked(request, self._outgoing[request])
        altered = await fault(asked, self.clean) if fault else None
        if altered is not None:
            return await _receive(asked, altered)
        if request not in self._exchanges:
            self._exchanges[request] = await _receive(asked, await self.clean(asked))
        return self._exchanges[request]

    async def sound_results(self) -> dict[str, Result]:
        """The same without a fault."""
        if not self._sound:
            self._sound = await self.results()
        return self._sound

    async def results(self, fault: Fault | None = None) -> dict[str, Result]:
        """What the whole catalogue finds, by id."""
        results: dict[str, Result] = {}

        async def no_waiting(_: float) -> None:
            return None

        plan = Plan(MODEL, CHECKS, at_once=1, failing_model=SANDBOX_FAILING_MODEL)
        runner = Runner(
            plan, lambda request: self.send(request, fault), lambda result: results.update({result.id: result}),
            sleep=no_waiting,
        )  # fmt: skip
        await runner.run()
        return results


async def _receive(asked: Asked, answer: Answer) -> Exchange:
    """The answer by the way of the engine, as from any server."""
    exchange = Exchange(asked.request, asked.outgoing.body, model=MODEL)
    async with httpx.AsyncClient(transport=_Canned(answer)) as client:
        async for event in run(asked.outgoing, client, LIMITS):
            exchange.add(event)
            if is_enough(exchange, event):
                exchange.hung_up = True
                break
    return exchange


# --- Faults ---


@dataclass
class Event:
    """One event of a stream, to be spoilt. `raw` stands in place of the data as JSON."""

    name: str | None
    value: Any = None
    raw: bytes | None = None

    def to_bytes(self) -> bytes:
        data = self.raw if self.raw is not None else json.dumps(self.value).encode()
        name = f"event: {self.name}\n".encode() if self.name is not None else b""
        return name + b"data: " + data + b"\n\n"


def events(change: Callable[[list[Event]], list[Event] | None], only: Request) -> Fault:
    """The events of one stream, changed in place or replaced."""

    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request is not only:
            return None
        answer = await clean(asked)
        decoder = Decoder()
        told = [Event(each.name, json.loads(each.data)) for each in [*decoder.feed(answer.body), *decoder.finish()]]
        changed = change(told)
        return answer.with_body(b"".join(each.to_bytes() for each in (told if changed is None else changed)))

    return fault


def each_event(kind: str, change: Callable[[Any], object], only: Request) -> Fault:
    """Each event of one type, its data changed in place."""

    def spoil(told: list[Event]) -> None:
        for event in told:
            if event.value["type"] == kind:
                change(event.value)

    return events(spoil, only)


def body(change: Callable[[Any], Any], *only: Request) -> Fault:
    """The JSON of an answer, changed in place or replaced."""

    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request not in only:
            return None
        answer = await clean(asked)
        value = answer.json
        changed = change(value)
        return answer.with_json(value if changed is None else changed)

    return fault


def header(name: str, value: str | None, *only: Request) -> Fault:
    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        return (await clean(asked)).with_header(name, value) if asked.request in only else None

    return fault


def sees(change: Callable[[Any], Any], *only: Request) -> Fault:
    """The server answers another request than it was sent: it ignores a member, or reads it wrongly."""

    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request not in only:
            return None
        value = asked.body
        changed = change(value)
        return await clean(asked.with_body(value if changed is None else changed))

    return fault


def answers(status: int, text: str | bytes, content_type: str, matches: Callable[[Asked], bool]) -> Fault:
    async def fault(asked: Asked, _: Clean) -> Answer | None:
        content = text if isinstance(text, bytes) else text.encode()
        headers = {"content-type": content_type, "request-id": "req_broken"}
        return Answer(status, headers, ((0.0, content),)) if matches(asked) else None

    return fault


def breaks_on(matches: Callable[[Asked], bool]) -> Fault:
    """HTTP 500 with a page, as a proxy gives it when the server behind it has crashed."""
    return answers(500, "<html><title>Internal Server Error</title></html>", "text/html", matches)


def refuses(matches: Callable[[Asked], bool], status: int = 400) -> Fault:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "Extra inputs are not permitted"}}
    return answers(status, json.dumps(error), "application/json", matches)


def is_one_of(*requests: Request) -> Callable[[Asked], bool]:
    return lambda asked: asked.request in requests


def takes(request: Request) -> Fault:
    """A bad request is answered as if it were a good one."""
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": "Good day."}],
        "usage": {"input_tokens": 5, "output_tokens": 3},
    }  # fmt: skip
    return answers(200, json.dumps(message), "application/json", is_one_of(request))


def results_of(value: Any) -> list[Any]:
    """The tool results in a request's last turn."""
    messages = value.get("messages") if isinstance(value, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    blocks = content if isinstance(content, list) else []
    return [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"]
