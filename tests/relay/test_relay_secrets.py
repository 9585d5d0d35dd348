"""What the relay masks and what it leaves alone: its own secrets, and nothing else that an answer says."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import httpx
import pytest
from channels.db import database_sync_to_async
from django.test import AsyncClient
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from accounts.models.connection import DefaultHeader
from playground.engine.redaction import Redaction
from playground.engine.upstream import Upstream, build
from playground.models import RunContent
from tests.support.examples import examples
from tests.support.raw_upstream import Exchange, RawUpstream, serving
from tests.support.relay_rig import JSON, Relay, answering, settle

RANDOM = "f3A9x07Qm2LrT8sVb1KcZ5nD"
ANSWERS = [
    (DefaultHeader("x-title", "Team Playground"), "", "Our Team Playground is up."),
    (DefaultHeader("http-referer", "https://example.com"), "", "See https://example.com and https://example.com/a."),
    (DefaultHeader("x-app-name", "internal-assistant-production"), "", "internal-assistant-production runs."),
    (DefaultHeader("x-trace", RANDOM, is_secret=False), "", f"Trace {RANDOM}."),
    (DefaultHeader("anthropic-beta", "context-1m-2025-08-07"), "", "Send context-1m-2025-08-07."),
    (None, "lm-studio", "brew install --cask lm-studio"),
    (None, "sk-no-key-required", "llama-server takes sk-no-key-required"),
    (None, "not-needed-for-this", "A key is not-needed-for-this server."),
]


@pytest.mark.parametrize(("header", "credential", "text"), ANSWERS)
async def test_what_is_no_secret_is_passed_on_and_stored_as_it_came(
    relay: Relay, header: DefaultHeader | None, credential: str, text: str
) -> None:
    body = json.dumps({"type": "message", "content": [{"type": "text", "text": text}]}).encode()
    async with serving(answering(body, JSON)) as upstream:
        await relay.to(upstream, credential=credential, headers=[header] if header else [])
        answer = await relay.post()
    assert answer.content == body
    run = await relay.run()
    assert await database_sync_to_async(lambda: b"".join(run.raw()))() == body


@pytest.mark.parametrize(
    ("header", "credential", "secret"),
    [
        (None, f"sk-ant-api03-{RANDOM}", f"sk-ant-api03-{RANDOM}"),
        (None, RANDOM, RANDOM),
        (DefaultHeader("x-gateway", RANDOM), "", RANDOM),
        (DefaultHeader("cf-aig-authorization", f"Bearer {RANDOM}"), "", RANDOM),
    ],
)
async def test_a_secret_that_an_upstream_repeats_does_not_come_out(
    relay: Relay, header: DefaultHeader | None, credential: str, secret: str
) -> None:
    async def repeats(exchange: Exchange) -> None:
        text = f"You sent {exchange.head.decode()}".replace("\r\n", " ")
        cut = text.find(secret) + 5
        await exchange.stream(text[:cut].encode())
        await exchange.chunk(text[cut:].encode())
        await exchange.close_stream()

    async with serving(repeats) as upstream:
        await relay.to(upstream, credential=credential, headers=[header] if header else [])
        answer = await relay.post()
        sent = upstream.exchanges[0].head.decode()
    assert secret in sent
    assert secret not in answer.text
    assert len(answer.text) == len(f"You sent {sent}".replace("\r\n", " ")) or "event: error" in answer.text
    run = await relay.run()
    stored = await database_sync_to_async(lambda: b"".join(run.raw()))()
    assert secret.encode() not in stored


VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60).map(str.strip)


@given(
    values=st.lists(VALUES.filter(bool), max_size=4),
    credential=st.one_of(st.just(""), VALUES),
    answer=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    data=st.data(),
)
@examples(300, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_passes_unchanged_but_for_secrets(
    values: list[str], credential: str, answer: bytes, cuts: list[int], data: st.DataObject
) -> None:
    """Whatever the default headers are, and also when the answer holds their values."""
    secret = {f"x-{at}": data.draw(st.booleans()) for at in range(len(values))}
    headers = {f"x-{at}": value for at, value in enumerate(values)}
    public = frozenset(name for name, is_secret in secret.items() if not is_secret)
    if values:
        answer += data.draw(st.sampled_from(values)).encode()
    outgoing = build(
        Upstream("u", "http://h", credential=credential, default_headers=headers, public_headers=public), "/"
    )
    redaction = Redaction(outgoing.secrets)
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    pieces = [redaction.feed(answer[begin:end]) for begin, end in pairwise(places)]
    passed = b"".join(pieces) + redaction.finish()
    expected = answer
    for word in outgoing.secrets:
        expected = expected.replace(word.encode(), b"*" * len(word))
    assert passed == expected
    if not any(word.encode() in answer for word in outgoing.secrets):
        assert passed == answer
    marked = [value for name, value in headers.items() if secret[name]]
    assert all(any(word in value for value in [credential, *marked]) for word in outgoing.secrets)
    assert all(len(word) >= 16 for word in outgoing.secrets)


# --- What was masked is never sent ---------------------------------------------------------------------------------


async def again(relay: Relay, action: str = "again", **data: Any) -> httpx.Response:
    """Do this with the one stored run, on its page."""
    run = await relay.run()
    client = AsyncClient()
    await client.aforce_login(relay.owner)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    async with httpx.AsyncClient(base_url=relay.url, cookies=cookies) as browser:
        await browser.get("accounts/login/")
        page = await browser.get("")
        assert page.status_code == 200
        token = browser.cookies["csrftoken"]
        response = await browser.post(f"requests/{run.pk}/{action}/", data=data, headers={"x-csrftoken": token})
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(settle(), relay.served.server.loop))
    return response


async def asked(upstream: RawUpstream, times: int) -> Exchange:
    """What the upstream was asked last, once it was asked so often."""
    async with asyncio.timeout(30):
        while len(upstream.exchanges) < times or not upstream.exchanges[times - 1].head:
            await asyncio.sleep(0.02)
    return upstream.exchanges[times - 1]


@pytest.mark.parametrize(
    "beta", ["context-1m-2025-08-07", "one-2025-01-01, two-2025-01-01", "key-management-2026-01-01"]
)
@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("again", {}),
        ("continue", {}),
        ("compare-columns", {"column": ["a"], "model-a": "other"}),
        ("results", {"text-0": "sunny"}),
    ],
)
async def test_a_default_beta_is_sent_again_and_readable_in_the_log(
    relay: Relay, beta: str, action: str, data: dict[str, Any]
) -> None:
    block = {"type": "text", "text": "Half"}
    if action == "results":
        block = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    answer = json.dumps({"type": "message", "content": [block], "stop_reason": "max_tokens"}).encode()
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    async with serving(answering(answer, JSON)) as upstream:
        await relay.to(upstream, headers=[("anthropic-beta", beta), ("x-team", RANDOM)])
        await relay.post(body, **{"anthropic-beta": "of-the-client-2025-01-01"})
        stored = dict((await relay.run()).content.request_headers)
        response = await again(relay, action, **data)
        assert response.status_code == 200
        await asked(upstream, 2)
        heads = [exchange.head.decode() for exchange in upstream.exchanges]
    names = [name.strip() for name in beta.split(",")] + ["of-the-client-2025-01-01"]
    assert stored["anthropic-beta"] == ",".join(names)
    assert "••••" in stored["x-team"]
    assert len(heads) == 2
    for head in heads:
        assert f"anthropic-beta: {','.join(names)}\r\n" in head
        assert f"x-team: {RANDOM}\r\n" in head


async def test_what_was_masked_by_an_earlier_version_is_left_out(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        await relay.post({"model": "m"})
        run = await relay.run()
        headers = [["anthropic-beta", "••••8-07"], ["anthropic-version", "2026-10-21"]]
        stored = RunContent.objects.filter(run=run)
        await database_sync_to_async(stored.update)(request_headers=headers, request_query="key=••••abcd&beta=true")
        await asyncio.to_thread(relay.served.end_all_runs)  # from here on it is in the database only
        assert (await again(relay)).status_code == 200
        head = (await asked(upstream, 2)).head.decode()
    assert head.startswith("POST /v1/messages?beta=true HTTP")
    assert "anthropic-beta" not in head
    assert "anthropic-version: 2026-10-21\r\n" in head


async def test_a_stored_credential_that_cannot_be_sent_says_so(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        answer = await (await relay.to(upstream, credential="••••f3a9")).post()
        assert upstream.exchanges == []
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert "credential cannot be sent" in error["message"]


@pytest.mark.parametrize("value", ["naïve", "tab\there", "日本"])
async def test_whatever_a_client_says_in_a_header_goes_up_byte_for_byte(relay: Relay, value: str) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        await relay.to(upstream)
        async with httpx.AsyncClient() as client:
            headers = [(b"x-api-key", relay.secret.encode()), (b"x-app", value.encode())]
            answer = await client.post(f"{relay.url}v1/messages", content=b"{}", headers=headers)
        assert answer.status_code == 200
        assert b"x-app: " + value.encode() + b"\r\n" in upstream.exchanges[0].head
