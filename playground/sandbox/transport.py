"""The sandbox as an httpx transport: it answers the API's addresses, opens no port and needs no key.

Mount it under its own scheme: `AsyncClient(mounts={"sandbox://": SandboxTransport()})`.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

from playground.protocol.endpoints import COUNT_TOKENS, MESSAGES
from playground.protocol.errors import error_body
from playground.protocol.json.received_json import read_json
from playground.sandbox import model_catalogue, request_checks
from playground.sandbox.playback import Timed, play, to_bytes, to_json
from playground.sandbox.prompt_cache import PromptCache, count_prompt
from playground.sandbox.rate_gauges import RateGauges
from playground.sandbox.reply import Refusal, Reply
from playground.sandbox.request_reader import Request, to_be_repeated
from playground.sandbox.scenarios import compose

Answer = Reply | Refusal | dict[str, Any]

BODY_LIMIT = 32 * 1024 * 1024  # bytes, as the API's
_SMALL_BODY = 256 * 1024  # bytes; larger ones are read in a thread
_THINKS_BEFORE_REFUSING_S = 0.12
_FROM_A_BROWSER = "anthropic-dangerous-direct-browser-access"
_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "*",
    "access-control-max-age": "600",
}


class SandboxTransport(httpx.AsyncBaseTransport):
    """`speed` multiplies the pace of the answers; `math.inf` leaves all waiting out.

    `now` gives seconds since the epoch: the prompt cache and the rate limits follow it.
    """

    def __init__(self, speed: float = 1.0, now: Callable[[], float] = time.time) -> None:
        if not speed > 0:
            raise ValueError(f"speed is a positive factor, not {speed}")
        self.speed = speed
        self._cache = PromptCache(now)
        self._gauges = RateGauges(now)
        self._numbers = itertools.count(1)
        self._routes: Mapping[str, tuple[str, Callable[[httpx.Request, bytes], Answer]]] = {
            MESSAGES: ("POST", self._create),
            COUNT_TOKENS: ("POST", self._count_tokens),
            "/v1/models": ("GET", self._list_models),
            "/v1/models/{id}": ("GET", self._show_model),
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return httpx.Response(204, headers=_PREFLIGHT)
        body = await request.aread()
        if len(body) > _SMALL_BODY:
            answer = await asyncio.to_thread(self._answer, request, body)
        else:
            answer = self._answer(request, body)
        response = await self._respond(answer)
        _allow_origin(request, response)
        return response if request.method != "HEAD" else _without_body(response)

    async def _respond(self, answer: Answer) -> httpx.Response:
        if isinstance(answer, Refusal):
            await asyncio.sleep(self._real_seconds(_THINKS_BEFORE_REFUSING_S))
            return self._refused(answer)
        if isinstance(answer, Reply):
            return await self._replied(answer)
        return self._json(200, answer)

    def _answer(self, request: httpx.Request, body: bytes) -> Answer:
        path = unquote(request.url.path).rstrip("/")
        route = self._routes.get("/v1/models/{id}" if path.startswith("/v1/models/") else path)
        if route is None:
            return Refusal(404, "not_found_error", "Not found")
        method, answer = route
        verb = "GET" if request.method == "HEAD" else request.method
        if verb != method:
            return Refusal(405, "invalid_request_error", "Method Not Allowed", {"allow": method})
        if len(body) > BODY_LIMIT:
            return Refusal(413, "request_too_large", "Request exceeds the maximum size")
        return request_checks.check_headers(_by_name(request)) or answer(request, body)

    def _create(self, request: httpx.Request, body: bytes) -> Reply | Refusal:
        parsed = _checked(request, body, counting=False)
        if isinstance(parsed, Refusal):
            return parsed
        prompt = self._cache.use(parsed.body)
        model = model_catalogue.BY_ID[parsed.body["model"]]
        if prompt.total > model.max_input_tokens:
            return request_checks.invalid(
                f"prompt is too long: {prompt.total} tokens > {model.max_input_tokens} maximum"
            )
        return compose(parsed, model, prompt)

    def _count_tokens(self, request: httpx.Request, body: bytes) -> Refusal | dict[str, Any]:
        parsed = _checked(request, body, counting=True)
        if isinstance(parsed, Refusal):
            return parsed
        tokens = count_prompt(parsed.body)
        managed = {"context_management": {"original_input_tokens": tokens}}
        return {"input_tokens": tokens} | (managed if parsed.body.get("context_management") else {})

    def _list_models(self, request: httpx.Request, _: bytes) -> Refusal | dict[str, Any]:
        try:
            return model_catalogue.page(parse_qs(request.url.query.decode("ascii", "replace")))
        except ValueError as error:
            return request_checks.invalid(str(error))

    def _show_model(self, request: httpx.Request, _: bytes) -> Refusal | dict[str, Any]:
        model_id = unquote(request.url.path).removeprefix("/v1/models/").rstrip("/")
        if model := model_catalogue.BY_ID.get(model_id):
            return model_catalogue.describe(model)
        return Refusal(404, "not_found_error", f"model: {model_id}")

    # -- answers as httpx knows them

    async def _replied(self, reply: Reply) -> httpx.Response:
        self._gauges.spend(reply.message["usage"])
        if reply.streamed:
            headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
            stream = PlayedStream(play(reply), self.speed)
            return httpx.Response(200, headers=self._headers() + headers, stream=stream)
        played = list(play(reply))
        await asyncio.sleep(self._real_seconds(sum(timed.delay_s for timed in played)))
        if reply.breaks == "error":
            return self._refused(Refusal(529, "overloaded_error", "Overloaded (simulated)"))
        if reply.breaks == "truncated":
            text = to_json(reply.message)
            headers = [("content-type", "application/json")]
            return httpx.Response(200, headers=self._headers() + headers, content=text[: len(text) // 2].encode())
        return self._json(200, reply.message)

    def _refused(self, refusal: Refusal) -> httpx.Response:
        headers = self._headers(refusal.headers)
        if refusal.page is not None:
            return httpx.Response(
                refusal.status, headers=[("content-type", "text/html")], content=refusal.page.encode()
            )
        request_id = dict(headers)["request-id"]
        body = error_body(refusal.type, refusal.message, request_id, refusal.details)
        headers.append(("content-type", "application/json"))
        return httpx.Response(refusal.status, headers=headers, content=to_json(body).encode())

    def _json(self, status: int, body: dict[str, Any]) -> httpx.Response:
        headers = [*self._headers(), ("content-type", "application/json")]
        return httpx.Response(status, headers=headers, content=to_json(body).encode())

    def _headers(self, more: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
        """The request's id and the gauges, with `more` in place of what has the same name."""
        own = {
            "request-id": f"req_sandbox{next(self._numbers):016}",
            "anthropic-organization-id": "00000000-0000-4000-8000-5a4db0c00000",
            **self._gauges.headers(),
        }
        return list((own | dict(more or {})).items())

    def _real_seconds(self, seconds: float) -> float:
        return 0.0 if math.isinf(self.speed) else seconds / self.speed


class PlayedStream(httpx.AsyncByteStream):
    """Events as bytes, each after its pause. Closing it ends the pause and the play at once."""

    def __init__(self, events: Iterable[Timed], speed: float = 1.0) -> None:
        self._events = iter(events)
        self._speed = speed
        self._waiting: asyncio.Future[None] | None = None
        self.closed = False
        self.sent = 0  # events handed over

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for timed in self._events:
            await self._wait(timed.delay_s)
            if self.closed:
                return
            self.sent += 1
            yield to_bytes(timed.event)

    async def aclose(self) -> None:
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _wait(self, delay_s: float) -> None:
        if delay_s <= 0 or math.isinf(self._speed):
            await asyncio.sleep(0)  # others get their turn, also at full speed
            return
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(delay_s / self._speed, _wake, self._waiting)
        try:
            await self._waiting
        finally:
            timer.cancel()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _checked(request: httpx.Request, body: bytes, *, counting: bool) -> Request | Refusal:
    headers = _by_name(request)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return request_checks.invalid(f"The request body is not valid UTF-8: byte {error.start}")
    value, problem = read_json(text)
    if problem is not None:
        return request_checks.invalid(f"The request body is not valid JSON: {problem}")
    if isinstance(value, dict) and value.get("model") == model_catalogue.ECHO:
        return to_be_repeated(value, text)
    version = headers["anthropic-version"]
    refusal = request_checks.check_body(
        value, counting=counting, version=version, betas=request_checks.betas_of(headers)
    )
    return refusal or Request(value, text)


def _allow_origin(request: httpx.Request, response: httpx.Response) -> None:
    """A page may read an answer when it has said that it means to call from a browser, as with the API."""
    if request.headers.get(_FROM_A_BROWSER) == "true" and "origin" in request.headers:
        response.headers["access-control-allow-origin"] = "*"


def _without_body(response: httpx.Response) -> httpx.Response:
    """The answer to HEAD: RFC 9110, section 9.3.2."""
    return httpx.Response(response.status_code, headers=response.headers.raw)


def _by_name(request: httpx.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
