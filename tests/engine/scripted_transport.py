"""An httpx transport whose answer the test hands out piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx


class Scripted(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """Answers 200 with an event stream made of what is put into `chunks`; None ends it."""

    def __init__(self, *chunks: bytes | None) -> None:
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.is_closed = False
        self.calls = 0
        for chunk in chunks:
            self.chunks.put_nowait(chunk)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self.chunks.get()) is not None:
            yield chunk

    async def aclose(self) -> None:
        self.is_closed = True

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self)
