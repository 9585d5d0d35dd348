"""The relay: the API's own addresses for SDK clients. A plain ASGI application beside Django.

Transparent: the caller's bytes go up as they are, status, useful headers and bytes come down as they are. It records
problems and refuses nothing because of them. Its own errors have the API's shape. It sets no cookie and reads none.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

from django.conf import settings

from playground import dispatch
from playground.databases.availability import RETRY_AFTER_S, is_database_away
from playground.dispatch.launch import Refused
from playground.dispatch.process import CUT
from playground.dispatch.run_request import ClientInfo, RunRequest
from playground.engine.events import Answered, Ended, Failure, Received, Streamed
from playground.engine.live_run import LiveRun
from playground.exceptions import PlaygroundError
from playground.identity.asgi_types import Receive, Scope, Send
from playground.identity.visitors import client_address, owner_of_user
from playground.protocol.content_encoding import decoded
from playground.protocol.endpoints import COUNT_TOKENS, MESSAGES, Endpoint
from playground.protocol.errors import error_body, type_of_status
from playground.protocol.stream.sse import encode
from playground.relay import access, streams
from playground.relay.access import Admission, keys, presented_keys
from playground.relay.endpoint_paths import advice
from playground.relay.model_limit import check_model

Headers = list[tuple[bytes, bytes]]

logger = logging.getLogger(__name__)

_PIECE: Final = 64 * 1024
_IN_A_QUERY: Final = "".join(chr(point) for point in range(ord("!"), ord("~") + 1) if chr(point) != "#")
# What a client may say to the upstream beside the body. Credentials, cookies, and what proxies in front add stay here.
_PASSED: Final = ("accept", "user-agent", "idempotency-key", "content-encoding")
_PASSED_PREFIXES: Final = ("anthropic-", "x-stainless-", "x-claude-", "x-app")
# An upstream's answer must never act as a page of this site.
_ALWAYS: Final[Headers] = [
    (b"x-accel-buffering", b"no"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]
# Framing is the server's; the date is when we answer.
_NOT_RETURNED: Final = frozenset({"content-length", "date", "server", "via"})
# HTTP statuses of what went wrong before the upstream answered. What is not here is 502.
_STATUS_OF: Final = {
    "timeout": 504,
    "duration": 504,
    "blocked": 403,
    "internal": 500,
    "server_stopping": 503,
    "stopped": 503,
}

access.listen()
streams.listen()


async def relay(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request below `/v1/`."""
    client = _Client(scope, receive, send)
    try:
        if not await client.is_answered_by_cors():
            await _route(client)
    except Refused as refusal:
        await client.refuse(refusal)
    except ClientLeft:
        pass
    except Exception as fault:
        if is_database_away(fault) and not client.has_begun:
            logger.warning("a relayed request was refused: the database is away")
            await client.refuse(
                Refused("The database of this server is unavailable. Try again soon.", 503, RETRY_AFTER_S)
            )
            return
        # Only its kind: the text of an error may hold what was sent.
        logger.error("a relayed request failed: %s", type(fault).__name__)
        if client.has_begun:
            raise  # the server cuts the connection, so that no half answer looks whole
        await client.refuse(
            Refused("This server failed to handle the request. The request itself is not the cause.", 500)
        )


class ClientLeft(PlaygroundError, ConnectionError):
    """The client hung up while it was sending."""


async def _route(client: _Client) -> None:
    path = client.scope["path"].rstrip("/")
    method = client.scope["method"]
    allowed: tuple[str, ...]
    if path == MESSAGES:
        allowed, answer = ("POST",), _messages
    elif path == COUNT_TOKENS:
        allowed, answer = ("POST",), _count_tokens
    elif path == "/v1/models" or _is_model(path):
        allowed, answer = ("GET", "HEAD"), _models
    else:
        raise Refused(f"Not found. {advice(client.scope['path'])}", 404)
    if method not in allowed:
        client.extra.append((b"allow", ", ".join(allowed).encode()))
        raise Refused(
            f"{method} is not allowed here; {' and '.join(allowed)} {'is' if len(allowed) == 1 else 'are'}.", 405
        )
    await answer(client, await keys.admit_one_of(presented_keys(client.scope["headers"]), client.address))


def _is_model(path: str) -> bool:
    """One model's address. Steps such as `..` would lead to anything that the upstream's key opens."""
    steps = path.removeprefix("/v1/models/").split("/")
    return path.startswith("/v1/models/") and not any(step in {"", ".", ".."} for step in steps)


async def _messages(client: _Client, admission: Admission) -> None:
    run = await _start(client, admission, "messages")
    try:
        async with _stopping_when_gone(client, admission, run):
            await _hand_on(client, run)
    finally:
        admission.spend(run)


async def _count_tokens(client: _Client, admission: Admission) -> None:
    run = await _start(client, admission, "count_tokens")
    async with _stopping_when_gone(client, admission, run):
        await _hand_over(client, await dispatch.answer_of(run))


async def _start(client: _Client, admission: Admission, endpoint: Endpoint) -> LiveRun:
    """Start the run of this request, and tell the client its id. Raises Refused."""
    key = admission.key
    body = await client.body()
    readable = await _readable(client, body)
    if key.models:
        await check_model(readable, admission)
    request = RunRequest(
        body=body,
        readable_body=readable,
        owner=owner_of_user(key.owner_id),
        user=key.owner,
        connection=key.connection,
        upstream=admission.upstream,
        query=client.query,
        version=client.header("anthropic-version"),
        headers=tuple(client.passed_headers()),
        source="relay",
        endpoint=endpoint,
        client=ClientInfo(client.header("user-agent") or "", client.address),
        access_key=key,
        keep_content=key.keep_content,
    )
    run = await dispatch.start(request)
    client.extra.append((b"playground-run-id", str(run.id).encode()))
    return run


@asynccontextmanager
async def _stopping_when_gone(client: _Client, admission: Admission, run: LiveRun) -> AsyncIterator[None]:
    """A client that hangs up ends its run, since nobody else waits for the answer; so does a key that is revoked."""

    async def stop_when_gone() -> None:
        await client.until_gone()
        run.stop("client_left")

    watching = asyncio.get_running_loop().create_task(stop_when_gone())
    try:
        with streams.streams.following(admission.key, run):
            yield
    finally:
        watching.cancel()


async def _hand_on(client: _Client, run: LiveRun) -> None:
    """Status, headers and bytes as they come."""
    answer: Answered | None = None
    has_events = False
    async for batch in run.gather():
        data = b"".join(event.data for event in batch if isinstance(event, Received))
        for event in batch:
            if isinstance(event, Answered):
                answer = event
            elif isinstance(event, Streamed):
                has_events = True
            elif isinstance(event, Ended):
                await _finish(client, answer, data, event, has_events=has_events)
                return
        if answer is not None and not 300 <= answer.status < 400:
            await client.begin(answer.status, _returned(answer))
            if data:
                await client.more(data)


async def _finish(client: _Client, answer: Answered | None, data: bytes, ended: Ended, *, has_events: bool) -> None:
    failure = ended.failure
    if failure is not None and (answer is None or failure.kind == "redirect"):
        raise Refused(failure.message, _STATUS_OF.get(failure.kind, 502))
    assert answer is not None
    streams = has_events or _streams(answer)
    # A client that reads events sees nothing of an error that came as JSON, so it is said once more as an event.
    is_unseen_error = streams and not has_events and failure is not None and failure.kind == "error_event"
    may_say_so = streams and (ended.state in {"interrupted", "cancelled"} or is_unseen_error)
    if failure is not None and ended.is_cut and not may_say_so:
        await _break_off(client, failure, data)
        return
    await client.begin(answer.status, _returned(answer))
    if failure is not None and may_say_so:
        data += _error_event(failure, (data or client.last_byte)[-1:])
    await client.end(data)


async def _break_off(client: _Client, failure: Failure, data: bytes) -> None:
    """An answer that has no way to say that it ended early must not end like a whole one."""
    if not client.has_begun:
        raise Refused(failure.message, _STATUS_OF.get(failure.kind, 502))
    if data:
        await client.more(data)
    await client.cut()


def _error_event(failure: Failure, last_byte: bytes) -> bytes:
    """Return the event that tells the client that its stream ended early.

    An event may be unfinished before it, and nothing can take that back. Without a blank line in between the two are
    one event, whose last name counts: the clients see an error, not an event of theirs with half its data.
    """
    kind, message = "timeout_error" if failure.kind in {"idle", "duration"} else "api_error", failure.message
    if failure.kind == "error_event":
        kind, message = str(failure.detail["type"]), str(failure.detail["message"])
    line_end = b"" if last_byte in {b"", b"\n", b"\r"} else b"\n"
    return line_end + encode("error", json.dumps(error_body(kind, message)))


def _streams(answer: Answered) -> bool:
    headers = dict(answer.headers)
    is_plain = headers.get("content-encoding", "identity") == "identity"
    return is_plain and headers.get("content-type", "").startswith("text/event-stream")


def _returned(answer: Answered) -> Headers:
    return [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers if name not in _NOT_RETURNED
    ]


async def _readable(client: _Client, body: bytes) -> bytes:
    """The body as it was before the client compressed it, for the log and for limits; as it is if it cannot be read."""
    lines = [value.decode("latin-1") for name, value in client.scope["headers"] if name == b"content-encoding"]
    if not lines:
        return body
    readable = await asyncio.to_thread(decoded, body, ",".join(lines), settings.MAX_RUN_BODY_BYTES)
    return body if readable is None else readable


async def _models(client: _Client, admission: Admission) -> None:
    path = client.scope["path"]
    if _is_model(path) and not admission.key.may_ask_for(path.removeprefix("/v1/models/").rstrip("/")):
        raise Refused("This access key may not ask for this model.", 403)
    path = quote(path, safe="/:@-._~")
    fetched = await dispatch.fetch_for_key(
        admission.upstream,
        admission.key,
        f"{path}?{client.query}" if client.query else path,
        version=client.header("anthropic-version"),
        extra_headers=client.passed_headers(),
    )
    await _hand_over(client, fetched)


async def _hand_over(client: _Client, fetched: dispatch.Fetched) -> None:
    """A short answer, whole: one that ended early, or is a redirect, is an error instead."""
    failure = fetched.failure
    if failure is not None and (fetched.status is None or fetched.is_cut or failure.kind == "redirect"):
        raise Refused(failure.message, _STATUS_OF.get(failure.kind, 502))
    await client.begin(fetched.status or 502, _returned(Answered(0.0, fetched.status or 502, fetched.headers)))
    await client.end(fetched.body)


class _Client:
    """One client: its request's parts, and the way to answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.address = client_address(scope)
        self.extra: Headers = []
        self._receive = receive
        self._send = send
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self.last_byte = b""
        self.has_begun = False

    def header(self, name: str) -> str | None:
        value = self._headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def passed_headers(self) -> list[tuple[str, str]]:
        named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.scope["headers"]]
        return [(name, value) for name, value in named if name in _PASSED or name.startswith(_PASSED_PREFIXES)]

    @property
    def query(self) -> str:
        """The query as the client spelled it; bytes that no address can hold are escaped."""
        return quote(self.scope["query_string"], safe=_IN_A_QUERY)

    async def body(self) -> bytes:
        """The whole body. The server has limited it already; this holds behind any other server too."""
        pieces, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientLeft
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > settings.MAX_RUN_BODY_BYTES:
                raise Refused(f"A request has at most {settings.MAX_RUN_BODY_BYTES:,} bytes.", 413)
            more = message.get("more_body", False)
        return b"".join(pieces)

    async def until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def begin(self, status: int, headers: Headers) -> None:
        if not self.has_begun:
            self.has_begun = True
            await self._send(
                {"type": "http.response.start", "status": status, "headers": [*headers, *_ALWAYS, *self.extra]}
            )

    async def more(self, data: bytes) -> None:
        """Send in pieces that fit a socket's buffer: `send` waits after each one while the client does not read."""
        if self.scope["method"] == "HEAD":
            return
        self.last_byte = data[-1:]
        for begin in range(0, len(data), _PIECE):
            piece = data[begin : begin + _PIECE]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        if len(data) > _PIECE:
            await self.more(data)
            data = b""
        if self.scope["method"] == "HEAD":
            data = b""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def cut(self) -> None:
        """End the connection instead of the answer."""
        await self._send({"type": CUT})

    async def refuse(self, refusal: Refused) -> None:
        """An error of our own, in the API's shape."""
        body = json.dumps(error_body(type_of_status(refusal.status), refusal.reason)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if refusal.retry_after_s is not None:
            headers.append((b"retry-after", str(max(1, round(refusal.retry_after_s))).encode()))
        await self.begin(refusal.status, headers)
        await self.end(body)

    async def is_answered_by_cors(self) -> bool:
        """Browsers on other sites get in only where the operator has said so; True if this was only their question."""
        origin = self.header("origin")
        if origin is None or not _is_listed(origin, settings.RELAY_CORS_ORIGINS):
            return False
        self.extra += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"request-id, retry-after, playground-run-id"),
            (b"vary", b"origin"),
        ]
        if self.scope["method"] != "OPTIONS" or self.header("access-control-request-method") is None:
            return False
        self.extra += [
            (b"access-control-allow-methods", b"GET, HEAD, POST"),
            (b"access-control-allow-headers", self._headers.get(b"access-control-request-headers", b"content-type")),
            (b"access-control-max-age", b"600"),
        ]
        await self.begin(204, [])
        await self.end()
        return True


def _is_listed(origin: str, listed: Iterable[str]) -> bool:
    return any(entry in {"*", origin} for entry in listed)
