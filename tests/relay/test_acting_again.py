"""A relayed request sent again, compared and opened in the playground: with its own headers, query and connection."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from channels.db import database_sync_to_async
from django.test import Client

from accounts.models import AccessKey, Connection
from accounts.models.connection import DefaultHeader
from playground.export import run_files
from playground.models import Draft
from tests.protocol.test_snippet_queries import QUERIES
from tests.relay.test_relay_secrets import RANDOM, again, asked
from tests.support import socket_clients as sockets
from tests.support.examples import one_of_each
from tests.support.raw_upstream import serving
from tests.support.relay_rig import BODY, CLOSE, JSON, Relay, answering

HALF = {"type": "message", "content": [{"type": "text", "text": "Half"}], "stop_reason": "max_tokens"}
ANSWER = json.dumps(HALF).encode()
OF_CONNECTION = [
    DefaultHeader("anthropic-beta", "one-2025-01-01, two-2025-01-01", is_secret=False),
    DefaultHeader("x-title", "Team Playground", is_secret=False),
    DefaultHeader("X-Gateway", RANDOM),
    DefaultHeader("x-tenant", "team-7"),
]
OF_CLIENT = {
    "anthropic-version": "2026-10-21",
    "anthropic-beta": "own-2025-01-01,one-2025-01-01",
    "anthropic-workspace-id": "wrkspc_1",
    "idempotency-key": "once-and-only-once",
    "user-agent": "agent/7",
    "x-stainless-retry-count": "0",
    "x-claude-code-session-id": "s-1",
    "x-app": "cli",
}
OF_ONE_SENDING = ("idempotency-key", "x-stainless-retry-count", "x-claude-code-session-id", "x-app")
BETAS = "one-2025-01-01,two-2025-01-01,own-2025-01-01"


def headers_of(head: bytes) -> dict[str, str]:
    pairs = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return {name.lower(): value for name, _, value in pairs}


async def only_stored(relay: Relay) -> None:
    """From here on the run is in the database alone."""
    await relay.run()
    await asyncio.to_thread(relay.served.end_all_runs)


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "stored"])
@pytest.mark.parametrize("status", one_of_each(["200 OK", "429 Slow down"]))
@pytest.mark.parametrize("action", ["again", "compare-columns"])
async def test_what_is_sent_again_has_the_headers_of_the_request_and_of_its_connection(
    relay: Relay, status: str, action: str, is_live: bool
) -> None:
    async with serving(answering(ANSWER, JSON, CLOSE, status=status)) as upstream:
        await relay.to(upstream, headers=OF_CONNECTION)
        await relay.post(BODY, "v1/messages?beta=true", **OF_CLIENT)
        if not is_live:
            await only_stored(relay)
        data = {"column": ["a"], "model-a": "other"} if action == "compare-columns" else {}
        assert (await again(relay, action, **data)).status_code == 200
        await asked(upstream, 2)
        first, second = (headers_of(exchange.head) for exchange in upstream.exchanges)
        lines = [exchange.head.partition(b"\r\n")[0] for exchange in upstream.exchanges]
    assert lines[0] == lines[1] == b"POST /v1/messages?beta=true HTTP/1.1"
    assert second["anthropic-beta"] == first["anthropic-beta"] == BETAS
    assert second["user-agent"] != "agent/7"
    assert not [name for name in OF_ONE_SENDING if name in second]
    for name in ("anthropic-version", "anthropic-workspace-id", "x-title", "x-gateway", "x-tenant", "x-api-key"):
        assert second[name] == first[name], name


@pytest.mark.parametrize("is_gone", [False, True], ids=["still there", "deleted"])
async def test_another_connection_is_told_nothing_of_what_the_first_one_adds(relay: Relay, is_gone: bool) -> None:
    async with serving(answering(ANSWER, JSON, CLOSE)) as upstream, serving(answering(ANSWER, JSON, CLOSE)) as other:
        await relay.to(upstream, headers=OF_CONNECTION)
        await relay.post(BODY, **OF_CLIENT)
        await only_stored(relay)

        def add() -> Connection:
            if is_gone:
                Connection.objects.all().delete()
            added = Connection(owner=relay.owner, name="other", base_url=other.url)
            added.set_headers([DefaultHeader("x-title", "Others", is_secret=False)])
            added.save()
            return added

        added = await database_sync_to_async(add)()
        await again(relay, "compare-columns", column=["a"], **{"connection-a": str(added.pk)})
        sent = headers_of((await asked(other, 1)).head)
    assert (sent["x-title"], sent.get("anthropic-workspace-id")) == ("Others", None if is_gone else "wrkspc_1")
    assert not {"x-gateway", "x-tenant", "x-api-key"} & sent.keys()
    assert not any("•" in value for value in sent.values())


# --- Opened in the playground --------------------------------------------------------------------------------------


def opened(relay: Relay, run_pk: Any, before: dict[str, Any] | None = None) -> tuple[Draft, str]:
    """The draft once the run was opened, and what its page is told to say then."""
    client = Client()
    client.force_login(relay.owner)
    client.get("/")
    if before:
        Draft.objects.filter(user=relay.owner).delete()
        Draft.objects.create(user=relay.owner, body=b"{}", **before)
    answer = client.post(f"/requests/{run_pk}/open/")
    assert answer.status_code == 302
    toast = json.loads(unquote(client.cookies["toast"].value))["words"]
    return Draft.objects.select_related("connection").get(user=relay.owner), toast


@pytest.mark.parametrize("is_live", [True, False], ids=["live", "stored"])
@pytest.mark.parametrize("of_operator", [False, True], ids=["own connection", "for everyone"])
@pytest.mark.parametrize("status", one_of_each(["200 OK", "400 Bad Request", "529 Overloaded"]))
async def test_a_run_opens_with_its_own_headers_and_connection_whatever_was_written_before(
    relay: Relay, status: str, of_operator: bool, is_live: bool
) -> None:
    async with serving(answering(ANSWER, JSON, CLOSE, status=status)) as upstream:
        await relay.to(upstream, of_operator=of_operator, headers=OF_CONNECTION)
        await relay.post(BODY, "v1/messages?beta=true", **OF_CLIENT, accept="application/x-own")
    run = await relay.run()
    if not is_live:
        await only_stored(relay)
    before = {"extra_headers": [["x-other", "of another request"]], "betas": ["other-2025-01-01"], "accept": "text/x"}
    draft, toast = await database_sync_to_async(opened)(relay, run.pk, before)
    assert json.loads(bytes(draft.body)) == BODY
    assert (draft.anthropic_version, ",".join(draft.betas), draft.accept) == ("2026-10-21", BETAS, "application/x-own")
    assert draft.extra_headers == [["anthropic-workspace-id", "wrkspc_1"]]
    assert draft.connection is not None
    assert draft.connection.name == "raw"
    assert toast == "Request replaced by one from the log. The query of its address (?beta=true) is not sent from here"


async def test_a_run_of_the_sandbox_opens_for_the_sandbox(relay: Relay) -> None:
    await relay.to(None)
    await relay.post(BODY, **OF_CLIENT)
    run = await relay.run()

    def elsewhere() -> Connection:
        return Connection.objects.create(owner=relay.owner, name="elsewhere", base_url="https://a.example")

    before = {"connection": await database_sync_to_async(elsewhere)()}
    draft, toast = await database_sync_to_async(opened)(relay, run.pk, before)
    assert draft.connection is None
    assert (draft.anthropic_version, draft.betas) == ("2026-10-21", ["own-2025-01-01", "one-2025-01-01"])
    assert toast == "Request replaced by one from the log"


async def test_a_connection_that_may_not_be_used_any_more_does_not_come_along(relay: Relay) -> None:
    async with serving(answering(ANSWER, JSON, CLOSE)) as upstream:
        await relay.to(upstream, of_operator=True, headers=OF_CONNECTION)
        await relay.post(BODY, **OF_CLIENT)
    run = await relay.run()
    await only_stored(relay)

    def take_away() -> None:
        AccessKey.objects.all().delete()
        Connection.objects.all().delete()

    await database_sync_to_async(take_away)()
    draft, _ = await database_sync_to_async(opened)(relay, run.pk)
    assert (draft.connection, draft.extra_headers) == (None, [])
    assert (draft.anthropic_version, ",".join(draft.betas)) == ("2026-10-21", BETAS)


# --- The query -------------------------------------------------------------------------------------------------------

ODD = [*QUERIES, "?", "a=?b", "a=%zz&b=%", "a=<b>", "api_key=0123456789abcdef&beta=true", "&", "="]


def special_characters(query: str) -> frozenset[str]:
    return frozenset(query) & frozenset("&=?%+<[")


@pytest.mark.parametrize("query", one_of_each(ODD, kind=special_characters), ids=lambda query: ascii(query[:20]))
async def test_a_query_of_any_form_goes_up_is_told_and_sent_again_as_it_is(relay: Relay, query: str) -> None:
    async with serving(answering(ANSWER, JSON, CLOSE)) as upstream:
        await relay.to(upstream)
        lines = (f"x-api-key: {relay.secret}", "content-type: application/json")
        body = json.dumps(BODY).encode()
        line, _, _ = await asyncio.to_thread(
            sockets.whole_answer, relay.url, "POST", f"/v1/messages?{query}", *lines, body=body
        )
        assert line == "HTTP/1.1 200 OK"
        run = await relay.run()
        await only_stored(relay)
        assert (await again(relay)).status_code == 200
        await asked(upstream, 2)
        targets = [exchange.head.split(b" ")[1].decode() for exchange in upstream.exchanges]
    path, _, first = targets[0].partition("?")
    assert path == "/v1/messages"
    assert first == query.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")  # as every address has them
    is_secret = "api_key" in query
    assert targets[1].partition("?")[2] == (first if not is_secret else "beta=true")
    har = (await database_sync_to_async(run_files.as_har)(run))["log"]["entries"][0]["request"]
    told = await database_sync_to_async(run_files.as_json)(run)
    assert har["url"] == told["request"]["url"]
    if not is_secret:
        assert httpx.URL(har["url"]).query.decode() == first
        listed = [(each["name"], each["value"]) for each in har["queryString"]]
        assert listed == parse_qsl(first, keep_blank_values=True)
    assert "0123456789ab" not in json.dumps([har, told])


async def test_requests_that_make_no_run_pass_their_query_on_too(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        await relay.to(upstream)
        for method, path in (("POST", "v1/messages/count_tokens"), ("GET", "v1/models"), ("GET", "v1/models/a")):
            for query in ("beta=true", "limit=5&after_id=a%2Fb", "lifecycle=active&lifecycle=retired", "a='b'"):
                target, key = f"/{path}?{query}", f"x-api-key: {relay.secret}"
                await asyncio.to_thread(sockets.whole_answer, relay.url, method, target, key, body=b"{}")
                assert upstream.exchanges[-1].head.split(b" ")[1].decode() == target
