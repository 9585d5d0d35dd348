"""A server with gaps, on loopback: the sandbox behind HTTP, with some of the faults that real servers had.

Also a program, to look at a report with findings: `python -m tests.conformance.gappy_server`.
"""

from __future__ import annotations

import asyncio
import json
import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from playground.sandbox.transport import SandboxTransport

_OPENAI_ERROR = {"error": {"message": "", "type": "BadRequestError", "param": None, "code": 400}}


class Handler(BaseHTTPRequestHandler):
    """Passes requests to the sandbox and spoils what comes back."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "gappy/0.3.1", ""
    sandbox = SandboxTransport(speed=math.inf)

    def log_message(self, *_: object) -> None:
        """Keep the output quiet."""

    def answer(self) -> None:
        body = self._read()
        if "count_tokens" in self.path:
            self._send(404, {"detail": "Not Found"}, "application/json")
            return
        status, kind, content = asyncio.run(self._ask(_spoilt_request(body)))
        if kind.startswith("text/event-stream"):
            content = _spoilt_stream(content)
        elif status >= 400:
            _OPENAI_ERROR["error"]["message"] = json.loads(content)["error"]["message"] if content else ""
            content = json.dumps(_OPENAI_ERROR).encode()
        self._send(status, content, kind)

    do_GET = do_POST = do_HEAD = do_OPTIONS = answer  # noqa: N815 - the names the base class looks for

    def _read(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    async def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")
        }
        headers.pop("transfer-encoding", None)
        request = httpx.Request(self.command, f"sandbox://playground{self.path}", headers=headers, content=body or None)
        response = await self.sandbox.handle_async_request(request)
        content = b"".join([bytes(chunk) async for chunk in response.stream])  # type: ignore[union-attr]
        return response.status_code, response.headers.get("content-type", "application/json"), content

    def _send(self, status: int, content: Any, kind: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _spoilt_request(body: bytes) -> bytes:
    """stop_sequences and tool_choice have no effect."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, dict):
        value.pop("stop_sequences", None)
        if isinstance(value.get("tool_choice"), dict):
            value.pop("tool_choice")
    return json.dumps(value).encode()


def _spoilt_stream(content: bytes) -> bytes:
    """No pings, no tokens at the start, OpenAI's end."""
    events = [event for event in content.split(b"\n\n") if event and not event.startswith(b"event: ping")]
    told = b"".join(event + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    start, mark, rest = told.partition(b"\n\n")
    name, _, data = start.partition(b"\ndata: ")
    value = json.loads(data)
    value["message"]["usage"]["input_tokens"] = 0
    return name + b"\ndata: " + json.dumps(value).encode() + mark + rest


class GappyServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        Thread(target=self.serve_forever, name="gappy", daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    print(GappyServer(8765).url, flush=True)
    asyncio.run(asyncio.sleep(100_000))
