"""A relay in front of an upstream of the test's own, and calls to it with a key of the owner's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from channels.db import database_sync_to_async

from accounts.models import AccessKey, Connection, User
from playground.dispatch import process
from playground.models import Run
from tests.support.raw_upstream import SECRET, Exchange, RawUpstream

JSON = "content-type: application/json"
CLOSE = "connection: close"  # each request has its own, in the order they came
MODEL = "sandbox-stories"
BODY = {"model": MODEL, "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}


class Relay:
    """A connection to an upstream of the test's, a key for it, and calls with that key."""

    def __init__(self, url: str, owner: User, served: Any) -> None:
        self.url = url
        self.owner = owner
        self.served = served
        self.secret = ""

    async def to(self, upstream: RawUpstream | None, *, of_operator: bool = False, **values: Any) -> Relay:
        whose = None if of_operator else self.owner
        self.secret = await database_sync_to_async(self._issue)(upstream, whose, values)
        return self

    def _issue(self, upstream: RawUpstream | None, whose: User | None, values: dict[str, Any]) -> str:
        connection = None
        if upstream is not None:
            connection = Connection(owner=whose, name="raw", base_url=f"{upstream.url}/v1/")
            connection.set_credential(values.pop("credential", SECRET))
            connection.set_headers(values.pop("headers", []))
            connection.save()
        return AccessKey.objects.issue(owner=self.owner, connection=connection, name="key", **values)[1]

    async def post(
        self, body: bytes | dict[str, Any] = b"{}", path: str = "v1/messages", **headers: str
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx.AsyncClient() as client:
            return await client.post(self.url + path, content=content, headers={"x-api-key": self.secret, **headers})

    def stream(self, client: httpx.AsyncClient) -> AbstractAsyncContextManager[httpx.Response]:
        return client.stream("POST", f"{self.url}v1/messages", content=b"{}", headers={"x-api-key": self.secret})

    async def settle(self) -> None:
        """Wait until everything is stored."""
        settled = asyncio.run_coroutine_threadsafe(settle(), self.served.server.loop)
        await asyncio.wrap_future(settled)

    async def run(self) -> Run:
        """The one run that was stored."""
        await self.settle()
        return await database_sync_to_async(Run.objects.select_related("content").get)()


async def settle() -> None:
    await process.current().recorder.settle()


def saying(data: bytes) -> Callable[[Exchange], Any]:
    async def script(exchange: Exchange) -> None:
        await exchange.say(data)

    return script


def answering(body: bytes, *lines: str, status: str = "200 OK") -> Callable[[Exchange], Any]:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines])
    return saying(head.encode() + b"\r\n\r\n" + body)
