"""No body is bad enough to break the sandbox: it answers or it refuses."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playground.sandbox.model_catalogue import MODELS
from tests.sandbox.sandbox_server import CLOCK, WEATHER, Sandbox, accumulate
from tests.support.examples import examples

SIGNED = {"type": "thinking", "thinking": "", "signature": "bWVzc2FnxxIHNpZ25lZA"}
RICH: dict[str, Any] = {
    "model": "sandbox-tools",
    "max_tokens": 2_000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "The lamp."},
                    "citations": {"enabled": True},
                },
                {
                    "type": "search_result",
                    "source": "s",
                    "title": "t",
                    "content": [{"type": "text", "text": "x"}],
                    "citations": {"enabled": True},
                },
                {"type": "text", "text": "Search the weather in Lisbon, and list 12 things"},
            ],
        },
        {"role": "assistant", "content": [SIGNED, {"type": "tool_use", "id": "a", "name": "get_time", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "noon"}]}],
        },
    ],
    "tools": [WEATHER, CLOCK, {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"]}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "summarized"},
    "output_config": {"effort": "low"},
    "stop_sequences": ["zzz"],
    "metadata": {"user_id": "u"},
}

scalars = st.none() | st.booleans() | st.integers(-2, 10**20) | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    scalars | st.sampled_from(["", "a", "text", "auto", "adaptive", "\ud83c"]) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for step, inner in steps for place in places(inner, (*path, step))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = copy.copy(value)
    if path[0] in (copied if isinstance(copied, dict) else range(len(copied) if isinstance(copied, list) else 0)):
        copied[path[0]] = changed(copied[path[0]], path[1:], new)
    return copied


@examples(400)
@given(
    st.lists(st.tuples(st.sampled_from(places(RICH)), anything), min_size=1, max_size=3),
    st.sampled_from([model.id for model in MODELS if model.behaviour != "long"]),
    st.booleans(),
)
def test_a_body_changed_anywhere_is_answered_or_refused(
    changes: list[tuple[tuple[Any, ...], Any]], model: str, stream: bool
) -> None:
    body: Any = RICH | {"model": model, "stream": stream}
    for path, new in changes:
        body = changed(body, path, new)
    response = asyncio.run(Sandbox().send("POST", "/v1/messages", content=json.dumps(body).encode()))
    assert response.status_code in (200, 400, 401, 404, 429, 500, 502, 529)
    if response.headers["content-type"].startswith("text/event-stream"):
        assert accumulate(response.content).problems == [] or body["max_tokens"] < 2_000


@given(anything)
def test_any_json_is_answered_or_refused(body: Any) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        response = asyncio.run(Sandbox().send("POST", path, content=json.dumps(body).encode()))
        assert response.status_code == 400


def test_the_body_that_is_changed_is_answered_when_unchanged() -> None:
    response = asyncio.run(Sandbox().send("POST", "/v1/messages", RICH))
    assert response.status_code == 200, response.text
