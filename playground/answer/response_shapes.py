"""The responses that a request to the Messages API can get: each status with the shape of its body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from playground.protocol.errors import ERROR_TYPES


@dataclass(frozen=True)
class ResponseShape:
    """`shape` is an example of the body, `language` what to colour it in."""

    status: int
    name: str
    about: str
    shape: str
    language: str = "json"

    @property
    def tone(self) -> str:
        """The tone of the dot before the status."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return "good"
        return "warn" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "bad"


_MESSAGE = {
    "id": "msg_01…",
    "type": "message",
    "role": "assistant",
    "model": "claude-…",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 6},
}
_STREAM = """event: message_start
data: {"type": "message_start", "message": {"id": "msg_01…", "role": "assistant", "content": [], …}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello!"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}}

event: message_stop
data: {"type": "message_stop"}"""
_ERRORS = {
    "invalid_request_error": ("A field is missing, unknown or has a wrong value.", "max_tokens: Field required"),
    "authentication_error": ("The credential is missing or wrong.", "invalid x-api-key"),
    "billing_error": ("The account cannot be charged.", "Your credit balance is too low."),
    "permission_error": ("The key does not allow this.", "Your API key may not use this resource."),
    "not_found_error": ("Not found. Usually the model does not exist.", "model: claude-unknown"),
    "conflict_error": ("The resource is being changed.", "The resource is in use."),
    "request_too_large": ("The body is larger than the API accepts.", "Request exceeds the maximum size."),
    "rate_limit_error": ("Too many requests or tokens. See retry-after.", "This would exceed your rate limit."),
    "api_error": ("Internal error of the API.", "Internal server error"),
    "timeout_error": ("The request took too long.", "Request timed out"),
    "overloaded_error": ("The API is overloaded.", "Overloaded"),
}


def _indented(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _error(type_: str, status: int) -> ResponseShape:
    about, message = _ERRORS[type_]
    body = {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_01…"}
    return ResponseShape(status, type_, about, _indented(body))


RESPONSE_SHAPES = (
    ResponseShape(200, "application/json", "The whole message, when stream is off.", _indented(_MESSAGE)),
    ResponseShape(200, "text/event-stream", "Server-sent events, when stream is on.", _STREAM, "text"),
    *(_error(type_, status) for type_, status in ERROR_TYPES.items()),
)
