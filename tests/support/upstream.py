"""A second server on loopback: an upstream that wants a key or none, for tests that leave the sandbox."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789abcdef"
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Takes one request: keeps it for the test, checks its key, and lets the test's function answer."""

    server: Upstream
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.body = body
        self.server.requests.append((self.path, dict(self.headers), body))
        offered = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if self.server.key is not None and offered != self.server.key:
            self.send_json(
                401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
            )
        elif self.server.key is not None and self.path.startswith("/v1/models"):
            model = {
                "type": "model",
                "id": "second-1",
                "display_name": "Second 1",
                "created_at": "2026-01-01T00:00:00Z",
            }
            self.send_json(200, {"data": [model], "has_more": False, "first_id": "second-1", "last_id": "second-1"})
        else:
            self.server.answer(self)

    do_GET = do_POST = answer  # noqa: N815 - the names the base class looks for

    def send_json(self, status: int, value: Any) -> None:
        self.send_body(status, "application/json", json.dumps(value).encode())

    def send_body(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": content_type, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_events(self, events: list[dict[str, Any]], pause_s: float = 0.0) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("request-id", "req_second")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
            time.sleep(pause_s)


class Upstream(ThreadingHTTPServer):
    """`requests` holds (path, headers, body) of each request, in the order of arrival."""

    daemon_threads = True

    def __init__(self, answer: Answer, *, key: str | None = KEY) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.key = key
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, name="upstream", daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def text_events(*pieces: str) -> list[dict[str, Any]]:
    """The events of an answer whose one text block arrives in these pieces."""
    message = {
        "id": "msg_second",
        "type": "message",
        "role": "assistant",
        "model": "second-1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    }
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": len(pieces)}},
        {"type": "message_stop"},
    ]
