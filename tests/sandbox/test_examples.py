"""The examples of the first page, sent to the sandbox: each answer shows what its example is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from playground.composer.request_examples import BY_ID
from tests.sandbox.sandbox_server import Sandbox

Message = dict[str, Any]


def _kinds(message: Message) -> list[str]:
    return [block["type"] for block in message["content"]]


def _text(message: Message) -> str:
    return "".join(block.get("text", "") for block in message["content"])


SHOWS: dict[str, Callable[[Message], bool]] = {
    "hello": lambda message: "| Planet" in _text(message),
    "vision": lambda message: "picture" in _text(message) or "image" in _text(message),
    "tools": lambda message: _kinds(message).count("tool_use") == 2,
    "thinking": lambda message: _kinds(message)[0] == "thinking",
    "structured": lambda message: set(json.loads(_text(message))) == {"name", "born", "city"},
    "caching": lambda message: message["usage"]["cache_creation_input_tokens"] > 0,
    "search": lambda message: any(block.get("citations") for block in message["content"]),
    "pdf": lambda message: any(block.get("citations") for block in message["content"]),
}


def test_each_example_is_looked_at() -> None:
    assert SHOWS.keys() == BY_ID.keys()


@pytest.mark.parametrize("name", SHOWS)
async def test_the_sandbox_shows_what_the_example_is_about(sandbox: Sandbox, name: str) -> None:
    example = BY_ID[name]
    answer = await sandbox.send("POST", "/v1/messages", example.make() | {"stream": False})
    assert answer.status_code == 200
    assert SHOWS[name](answer.json()), answer.text[:2_000]
