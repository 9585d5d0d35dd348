"""The official clients work against the relay, unchanged, with nothing but its address and an access key."""

from __future__ import annotations

import anthropic
import httpx
import pytest

from accounts.models import AccessKey, User
from playground.models import Run

MODEL = "sandbox-stories"
ASK = [{"role": "user", "content": "Explain server-sent events, with a table."}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather somewhere",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def secret(transactional_db: None, owner: User) -> str:
    return AccessKey.objects.issue(owner=owner, name="laptop")[1]


@pytest.fixture
def client(live_url: str, secret: str) -> anthropic.Anthropic:
    with anthropic.Anthropic(base_url=live_url, api_key=secret, max_retries=0) as client:
        yield client


def stored(served, **filters: object) -> Run:
    """The one run, once the recorder has written it."""
    from playground.dispatch import process

    served.server.call(lambda: process.current().recorder.settle())
    return Run.objects.get(**filters)


def test_create_returns_a_message(client: anthropic.Anthropic, served) -> None:
    message = client.messages.create(model=MODEL, max_tokens=200, messages=ASK)
    assert message.type == "message"
    assert message.content[0].text
    run = stored(served)
    assert (run.state, run.source, run.model, run.http_status) == ("completed", "relay", MODEL, 200)
    assert run.user_agent.startswith("Anthropic/Python")
    assert run.output_tokens == message.usage.output_tokens
    assert run.access_key_name == "laptop"


def test_create_with_stream_yields_events_to_the_end(client: anthropic.Anthropic, served) -> None:
    stream = client.messages.create(model=MODEL, max_tokens=200, messages=ASK, stream=True)
    types = [event.type for event in stream]
    assert types[0] == "message_start"
    assert types[-1] == "message_stop"
    assert stored(served).stream


def test_the_stream_helper_gathers_text_and_message(client: anthropic.Anthropic, served) -> None:
    with client.messages.stream(model=MODEL, max_tokens=200, messages=ASK) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert message.content[0].text == text
    assert stored(served).message()["content"][0]["text"] == text


def test_the_stream_helper_gathers_a_tools_input(client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model="sandbox-tools", max_tokens=500, messages=ASK, tools=[WEATHER], tool_choice={"type": "any"}
    ) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    assert isinstance(call.input["city"], str)


def test_beta_calls_keep_their_query_and_their_header(client: anthropic.Anthropic, served) -> None:
    client.beta.messages.create(model=MODEL, max_tokens=50, messages=ASK, betas=["context-1m-2025-08-07"])
    headers = dict(stored(served).content.request_headers)
    assert headers["anthropic-beta"] == "context-1m-2025-08-07"


def test_tokens_are_counted(client: anthropic.Anthropic, served) -> None:
    counted = client.messages.count_tokens(model=MODEL, messages=ASK)
    run = stored(served)
    assert (run.endpoint, run.model, run.stream) == ("count_tokens", MODEL, False)
    assert run.counted_tokens == counted.input_tokens > 0
    with pytest.raises(anthropic.BadRequestError):
        client.messages.count_tokens(model=MODEL, messages=[])


def test_models_are_listed_and_shown(client: anthropic.Anthropic) -> None:
    models = list(client.models.list(limit=3))
    assert MODEL in [model.id for model in models]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("sandbox-error-400", anthropic.BadRequestError),
        ("sandbox-error-401", anthropic.AuthenticationError),
        ("sandbox-error-429", anthropic.RateLimitError),
        ("sandbox-error-500", anthropic.InternalServerError),
        ("sandbox-error-529", anthropic.InternalServerError),
        ("no-such-model", anthropic.NotFoundError),
    ],
)
def test_errors_are_raised_as_the_right_classes(client: anthropic.Anthropic, model: str, error: type, served) -> None:
    with pytest.raises(error) as raised:
        client.messages.create(model=model, max_tokens=50, messages=ASK)
    assert raised.value.body["type"] == "error"
    assert raised.value.request_id
    assert stored(served).failure_kind == "http_status"


@pytest.mark.parametrize("model", ["sandbox-error-in-stream", "sandbox-truncated"])
def test_a_stream_that_fails_on_the_way_raises(client: anthropic.Anthropic, model: str, served) -> None:
    with (
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(model=model, max_tokens=300, messages=ASK) as s,
    ):
        s.until_done()
    assert stored(served).state in {"failed", "interrupted"}


def test_both_ways_to_send_the_key_work(live_url: str, secret: str) -> None:
    for headers in (
        {"x-api-key": secret},
        {"Authorization": f"Bearer {secret}"},
        {"AUTHORIZATION": f"bearer {secret}"},
    ):
        assert httpx.get(f"{live_url}v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["x", "mpk_wrong", "sk-ant-provider-key"])
def test_a_wrong_key_is_an_authentication_error(live_url: str, key: str) -> None:
    with (
        anthropic.Anthropic(base_url=live_url, api_key=key, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(model=MODEL, max_tokens=50, messages=ASK)


def test_a_client_that_hangs_up_cancels_its_run(live_url: str, secret: str, served, settings) -> None:
    settings.SANDBOX_SPEED = 1.0
    body = {"model": "sandbox-long", "max_tokens": 4000, "messages": ASK, "stream": True}
    with httpx.stream("POST", f"{live_url}v1/messages", json=body, headers={"x-api-key": secret}) as response:
        next(response.iter_raw())
    served.server.call(lambda: ended_run())
    run = stored(served)
    assert (run.state, run.failure_kind) == ("cancelled", "stopped")
    assert run.event_count > 0


async def ended_run() -> None:
    from playground import dispatch

    for run in dispatch.get_live().running:
        await run.ended()
