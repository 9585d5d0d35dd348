"""The sandbox's addresses, headers and errors."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from playground.protocol.errors import parse_error
from playground.protocol.headers import rate_limits, retry_after_s
from playground.sandbox.model_catalogue import MODELS
from playground.sandbox.transport import SandboxTransport
from tests.sandbox.sandbox_server import VERSION, Sandbox, body

# The echo answers with the request, in which "stream" differs.
ANSWERING = [model.id for model in MODELS if model.behaviour in ("talk", "think", "tools", "long", "slow", "refuse")]


@pytest.mark.parametrize("model", ANSWERING)
async def test_a_stream_and_a_whole_answer_say_the_same(sandbox: Sandbox, model: str) -> None:
    asked = "Tell me a story and draw a table, 300"
    streamed = await sandbox.answer(asked, model)
    assert streamed.ending == "complete"
    assert streamed.message == await sandbox.message(asked, model)


async def test_the_same_request_gets_the_same_answer(sandbox: Sandbox) -> None:
    other = Sandbox()
    assert await sandbox.message("What is a tide?") == await other.message("What is a tide?")
    assert await sandbox.text("What is a tide?") != await sandbox.text("What is a lamp?")


async def test_answers_carry_the_headers_of_the_api(sandbox: Sandbox) -> None:
    first = await sandbox.send("POST", "/v1/messages", body("Hello"))
    second = await sandbox.send("POST", "/v1/messages", body("Hello"))
    assert first.headers["request-id"].startswith("req_")
    assert first.headers["request-id"] != second.headers["request-id"]
    before, after = (rate_limits(response.headers)[0] for response in (first, second))
    assert (before.what, before.remaining, after.remaining) == ("requests", 999, 998)


async def test_rate_limits_recover_after_a_minute(sandbox: Sandbox) -> None:
    await sandbox.send("POST", "/v1/messages", body("Hello"))
    sandbox.clock.seconds += 61
    assert rate_limits((await sandbox.send("GET", "/v1/models")).headers)[0].left == 1.0


@pytest.mark.parametrize(
    ("model", "status", "type_"),
    [
        ("sandbox-error-400", 400, "invalid_request_error"),
        ("sandbox-error-401", 401, "authentication_error"),
        ("sandbox-error-429", 429, "rate_limit_error"),
        ("sandbox-error-500", 500, "api_error"),
        ("sandbox-error-529", 529, "overloaded_error"),
        ("sandbox-error-page", 502, "api_error"),
        ("claude-opus-5", 404, "not_found_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_models_that_fail_fail_as_the_api_does(
    sandbox: Sandbox, model: str, status: int, type_: str, stream: bool
) -> None:
    response = await sandbox.send("POST", "/v1/messages", body("Hello", model, stream=stream))
    error = parse_error(response.status_code, response.content, response.headers["content-type"])
    assert (response.status_code, error.type) == (status, type_)
    assert error.message


async def test_too_many_requests_say_when_to_come_back(sandbox: Sandbox) -> None:
    response = await sandbox.send("POST", "/v1/messages", body("Hello", "sandbox-error-429"))
    assert retry_after_s(response.headers) == 7
    assert response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert json.loads(response.content)["request_id"] == response.headers["request-id"]


async def test_an_error_in_mid_stream_leaves_what_came_before(sandbox: Sandbox) -> None:
    failed = await sandbox.answer("Tell me a story", "sandbox-error-in-stream")
    assert failed.ending == "failed"
    assert failed.api_error is not None
    assert failed.api_error.type == "overloaded_error"
    assert failed.message["content"][0]["text"]


@pytest.mark.parametrize(
    ("model", "ending"), [("sandbox-truncated", "truncated"), ("sandbox-error-in-stream", "failed")]
)
async def test_a_short_answer_breaks_too(sandbox: Sandbox, model: str, ending: str) -> None:
    assert (await sandbox.answer("Say hello.", model)).ending == ending


async def test_a_stream_that_breaks_off_is_truncated(sandbox: Sandbox) -> None:
    assert (await sandbox.answer("Tell me a story", "sandbox-truncated")).ending == "truncated"
    whole = await sandbox.send("POST", "/v1/messages", body("Tell me a story", "sandbox-truncated"))
    with pytest.raises(json.JSONDecodeError):
        whole.json()


async def test_a_refusal_says_why(sandbox: Sandbox) -> None:
    message = (await sandbox.answer("Hello", "sandbox-refusal")).message
    assert (message["stop_reason"], message["content"]) == ("refusal", [])
    assert message["stop_details"]["type"] == "refusal"


async def test_the_list_of_models_has_pages(sandbox: Sandbox) -> None:
    seen: list[str] = []
    query = "limit=4"
    while True:
        page = (await sandbox.send("GET", f"/v1/models?{query}")).json()
        seen += [model["id"] for model in page["data"]]
        assert page["last_id"] == seen[-1]
        if not page["has_more"]:
            break
        query = f"limit=4&after_id={page['last_id']}"
    assert seen == [model.id for model in MODELS]
    before = (await sandbox.send("GET", f"/v1/models?limit=2&before_id={seen[4]}")).json()
    assert [model["id"] for model in before["data"]] == seen[2:4]
    assert before["has_more"] is True


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after_id=nope", "before_id=nope"])
async def test_a_page_that_makes_no_sense_is_refused(sandbox: Sandbox, query: str) -> None:
    assert (await sandbox.send("GET", f"/v1/models?{query}")).status_code == 400


async def test_a_limit_of_thousands_of_digits_is_refused_in_the_apis_words(sandbox: Sandbox) -> None:
    error = (await sandbox.send("GET", f"/v1/models?limit={'9' * 5000}")).json()["error"]
    assert error["message"] == "limit: Input should be an integer between 1 and 1000"


async def test_only_the_lifecycle_asked_for_is_listed(sandbox: Sandbox) -> None:
    assert (await sandbox.send("GET", "/v1/models?lifecycle=retired")).json()["data"] == []


async def test_a_model_describes_itself_and_says_it_is_simulated(sandbox: Sandbox) -> None:
    model = (await sandbox.send("GET", "/v1/models/sandbox-stories")).json()
    assert model["capabilities"]["thinking"]["supported"] is True
    assert "simulated" in model["display_name"]
    assert (await sandbox.send("GET", "/v1/models/nope")).status_code == 404


async def test_the_official_clients_model_type_takes_every_description(sandbox: Sandbox) -> None:
    from anthropic.types import ModelInfo

    for model in (await sandbox.send("GET", "/v1/models?limit=100")).json()["data"]:
        assert ModelInfo.model_validate(model, strict=False).lifecycle == "active"


async def test_counted_tokens_are_those_of_the_answers_usage(sandbox: Sandbox) -> None:
    asked = {"system": "Be brief.", "tools": [{"name": "f", "input_schema": {"type": "object"}}]}
    counted = await sandbox.send("POST", "/v1/messages/count_tokens", _without(body("Hello") | asked, "max_tokens"))
    assert counted.json() == {"input_tokens": (await sandbox.message("Hello", **asked))["usage"]["input_tokens"]}


async def test_counting_for_a_model_that_is_not_the_sandboxs_says_so(sandbox: Sandbox) -> None:
    asked = _without(body("Hello", model="claude-sonnet-4-5"), "max_tokens")
    response = await sandbox.send("POST", "/v1/messages/count_tokens", asked)
    assert (response.status_code, response.json()["error"]["type"]) == (404, "not_found_error")


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key != name}


async def test_what_bounds_an_answer_has_no_place_in_counting(sandbox: Sandbox) -> None:
    response = await sandbox.send("POST", "/v1/messages/count_tokens", body("Hello"))
    assert response.json()["error"]["message"] == "max_tokens: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messages", 405), ("POST", "/v1/models", 405), ("GET", "/", 404), ("POST", "/v1/complete", 404)],
)
async def test_other_addresses_and_methods_are_refused(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    response = await sandbox.send(method, path)
    assert (response.status_code, response.json()["type"]) == (status, "error")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "anthropic-version: header is required"),
        ({"anthropic-version": "2020-01-01"}, "is not a valid version"),
        (VERSION | {"anthropic-beta": "files-api-2025-04-14, nonsense"}, "Unexpected value(s) `nonsense`"),
    ],
)
async def test_headers_are_checked(sandbox: Sandbox, headers: dict[str, str], words: str) -> None:
    response = await sandbox.send("POST", "/v1/messages", body("Hello"), headers)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_beta_values_of_other_clients_are_taken(sandbox: Sandbox) -> None:
    headers = VERSION | {"anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14"}
    assert (await sandbox.send("POST", "/v1/messages", body("Hello"), headers)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox, content: bytes) -> None:
    response = await sandbox.send("POST", "/v1/messages", content=content)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_a_body_above_the_limit_is_refused(sandbox: Sandbox) -> None:
    response = await sandbox.send("POST", "/v1/messages", content=b" " * (32 * 1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_a_speed_is_a_positive_factor(speed: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        SandboxTransport(speed=speed)


async def test_a_client_that_stops_reading_closes_the_stream() -> None:
    transport = SandboxTransport(speed=math.inf)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        asked = body("2000", "sandbox-long", stream=True)
        async with client.stream("POST", "sandbox://x/v1/messages", json=asked, headers=VERSION) as response:
            async for _ in response.aiter_raw():
                break
        stream = response.stream._stream  # type: ignore[union-attr] # httpx wraps what the transport returned
        assert stream.closed
        assert stream.sent < 10
