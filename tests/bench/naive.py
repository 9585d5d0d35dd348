# ruff: noqa: E402 - Django is configured before what needs it is imported
"""What one would write first, for comparison: a Channels consumer and a relay, one frame and one write per event.

python -m tests.bench.naive UPSTREAM_PORT        prints its port; nothing is stored, nothing is checked
"""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings

settings.configure(SECRET_KEY="bench", INSTALLED_APPS=[], ALLOWED_HOSTS=["*"])
django.setup()

import httpx
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from daphne.server import Server

UPSTREAM = f"http://127.0.0.1:{sys.argv[1]}/v1/messages"
client: httpx.AsyncClient | None = None


def shared() -> httpx.AsyncClient:
    global client
    if client is None:
        client = httpx.AsyncClient(timeout=600, limits=httpx.Limits(max_connections=None))
    return client


class NaiveConsumer(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content: dict) -> None:
        if "seen" in str(content.get("type")):
            return
        async with shared().stream("POST", UPSTREAM, json=content) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    await self.send_json(json.loads(line[6:]))
        await self.close()


async def naive_relay(scope, receive, send) -> None:
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    async with shared().stream("POST", UPSTREAM, content=b"".join(pieces)) as answer:
        headers = [(b"content-type", answer.headers["content-type"].encode())]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        async for chunk in answer.aiter_raw():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class NaiveServer(Server):
    def listen_success(self, port) -> None:
        super().listen_success(port)
        print(port.getHost().port, flush=True)


if __name__ == "__main__":
    application = ProtocolTypeRouter({"http": naive_relay, "websocket": NaiveConsumer.as_asgi()})
    NaiveServer(application, endpoints=["tcp:port=0:interface=127.0.0.1"], verbosity=0).run()
