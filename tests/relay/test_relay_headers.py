"""What a client's header lines come to: credentials in any order and form, lines of one name, words of a status."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from itertools import product
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from accounts.models import AccessKey
from accounts.models.connection import DefaultHeader
from playground.serving.request_heads import reason_phrase
from tests.relay.test_relay_requests import STALE, Pairs, send
from tests.support import socket_clients as sockets
from tests.support.raw_upstream import SECRET, Exchange, serving
from tests.support.relay_rig import CLOSE, JSON, Relay, answering

# --- Credentials ---------------------------------------------------------------------------------------------------

GOOD = [
    ("x-api-key", "KEY"),
    ("x-api-key", "  KEY\t"),
    ("X-API-Key", "KEY"),
    ("authorization", "Bearer KEY"),
    ("Authorization", "bearer KEY"),
    ("AUTHORIZATION", "BEARER   KEY "),
]
FOREIGN = [
    ("x-api-key", STALE),
    ("x-api-key", ""),
    ("x-api-key", "   "),
    ("x-api-key", "Bearer"),
    ("x-api-key", "dummy"),
    ("x-api-key", "REVOKED"),
    ("x-api-key", "EXPIRED"),
    ("x-api-key", "mpk_"),
    ("x-api-key", "\xe9\xff"),
    ("authorization", f"Bearer {STALE}"),
    ("authorization", "Bearer REVOKED"),
    ("authorization", "Bearer"),
    ("authorization", "Bearer "),
    ("authorization", ""),
    ("authorization", "Basic dXNlcjpwYXNz"),
    ("authorization", "Digest username=x"),
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/2026/x"),
    ("authorization", "Keyless"),
    ("proxy-authorization", "Basic dXNlcjpwYXNz"),
]


class Keys:
    """A valid key of the relay's owner, and others that are not or not any more."""

    def __init__(self, relay: Relay) -> None:
        issue = AccessKey.objects.issue
        self.valid = relay.secret
        revoked, self.revoked = issue(owner=relay.owner, name="revoked", connection=None)
        revoked.revoke()
        expired, self.expired = issue(owner=relay.owner, name="expired", connection=None)
        AccessKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
        self.other = issue(owner=relay.owner, name="other", connection=None)[1]

    def in_(self, *lines: tuple[str, str]) -> Pairs:
        named = {"REVOKED": self.revoked, "EXPIRED": self.expired, "OTHER": self.other, "KEY": self.valid}
        found = []
        for name, value in lines:
            for mark, secret in named.items():
                value = value.replace(mark, secret)
            found.append((name, value))
        return found


def told(relay: Relay, lines: Pairs, path: str = "v1/messages", method: str = "POST") -> tuple[int, Any]:
    """Status and JSON of the answer to exactly these lines, which no client library may tidy up."""
    named = [f"{name}: {value}" for name, value in lines]
    line, _, body = sockets.whole_answer(relay.url, method, f"/{path}", *named, body=b"{}")
    return int(line.split()[1]), json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


async def ask(relay: Relay, keys: Keys, *lines: tuple[str, str], path: str = "v1/messages") -> tuple[int, str]:
    """Status and, of an error, its type."""
    method = "GET" if path == "v1/models" else "POST"
    status, value = await asyncio.to_thread(told, relay, keys.in_(*lines), path, method)
    return status, value.get("error", {}).get("type", "")


OK = 200, ""
REFUSED = 401, "authentication_error"
PATHS = ["v1/messages", "v1/messages/count_tokens", "v1/models"]


@pytest.fixture(autouse=True)
def as_often_as_wanted(settings: Any) -> None:
    settings.RUNS_PER_MINUTE = 0


async def keys_of(relay: Relay) -> Keys:
    return await database_sync_to_async(Keys)(relay)


@pytest.mark.slow
async def test_one_valid_key_counts_whatever_stands_beside_it_and_in_which_order(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        keys = await keys_of(await relay.to(upstream))
        wrong = {}
        for good, foreign in product(GOOD, FOREIGN):
            for lines in ((good, foreign), (foreign, good)):
                answer = await ask(relay, keys, *lines)
                wrong |= {} if answer == OK else {lines: answer}
        heads = [exchange.head.decode("latin-1") for exchange in upstream.exchanges]
    assert wrong == {}
    assert len(heads) == 2 * len(GOOD) * len(FOREIGN)
    for head in heads:  # the upstream is shown its own credential and no other
        assert head.lower().count("x-api-key:") == 1
        assert f"x-api-key: {SECRET}\r\n" in head
        assert "authorization" not in head.lower()


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_key_twice_is_one_key(relay: Relay, path: str) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        keys = await keys_of(await relay.to(upstream))
        for one, other in product(GOOD, GOOD):
            assert await ask(relay, keys, one, other, path=path) == OK, (one, other)


@pytest.mark.parametrize("path", PATHS)
async def test_two_different_valid_keys_are_refused_in_every_form(relay: Relay, path: str) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        keys = await keys_of(await relay.to(upstream))
        others = [(name, value.replace("KEY", "OTHER")) for name, value in GOOD]
        for one, other in product(GOOD, others):
            for lines in ((one, other), (other, one), (one, ("x-api-key", STALE), other)):
                assert await ask(relay, keys, *lines, path=path) == REFUSED, lines
        assert upstream.exchanges == []


async def test_no_valid_key_is_refused_whatever_is_sent_instead(relay: Relay) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        keys = await keys_of(await relay.to(upstream))
        for lines in [(), *((one,) for one in FOREIGN), *zip(FOREIGN, FOREIGN[5:], strict=False)]:
            assert await ask(relay, keys, *lines) == REFUSED, lines
        assert upstream.exchanges == []


# --- Lines of one name ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_connection", "lines", "expected"),
    [
        ("", ["a-2025-01-01"], "a-2025-01-01"),
        ("", ["b-2025-01-01", "a-2025-01-01"], "b-2025-01-01,a-2025-01-01"),
        ("", ["a-2025-01-01,b-2025-01-01", "a-2025-01-01", "b-2025-01-01"], "a-2025-01-01,b-2025-01-01"),
        ("", ["a-2025-01-01 ,, b-2025-01-01,", "", ","], "a-2025-01-01,b-2025-01-01"),
        ("o-2025-01-01", [], "o-2025-01-01"),
        ("o-2025-01-01", [""], "o-2025-01-01"),
        ("o-2025-01-01", ["o-2025-01-01"], "o-2025-01-01"),
        ("o-2025-01-01, p-2025-01-01", ["a-2025-01-01", "p-2025-01-01"], "o-2025-01-01,p-2025-01-01,a-2025-01-01"),
        ("", [f"b{n}-2025-01-01" for n in range(60)], ",".join(f"b{n}-2025-01-01" for n in range(60))),
        ("", ["", ","], None),
    ],
)
async def test_lines_of_betas_are_one_list_with_each_once(
    relay: Relay, of_connection: str, lines: list[str], expected: str | None
) -> None:
    names = ["anthropic-beta", "Anthropic-Beta", "ANTHROPIC-BETA"]
    sent = [(names[at % 3], line) for at, line in enumerate(lines)]
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        default = [DefaultHeader("Anthropic-Beta", of_connection, is_secret=False)] if of_connection else []
        await relay.to(upstream, headers=default)
        for path in PATHS:
            method = "GET" if path == "v1/models" else "POST"
            answer = await send(relay, [("x-api-key", relay.secret), *sent], path, method=method)
            assert answer.status_code == 200
            head = upstream.exchanges[-1].head.decode()
            named = [line for line in head.split("\r\n") if line.lower().startswith("anthropic-beta:")]
            assert [line.partition(": ")[2] for line in named] == ([] if expected is None else [expected]), path


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("x-app", "cli"), ("x-app", "desk")], "x-app: cli,desk"),
        ([("x-claude-code-x", "1"), ("X-Claude-Code-X", "2"), ("x-claude-code-x", "1")], "x-claude-code-x: 1,2,1"),
        ([("accept", "application/json"), ("accept", "text/x")], "accept: application/json,text/x"),
        ([("anthropic-version", "2023-06-01"), ("anthropic-version", "2023-06-01")], "anthropic-version: 2023-06-01"),
        ([("anthropic-version", "2023-06-01"), ("anthropic-version", "2026-10-21")], "anthropic-version: 2026-10-21"),
        ([("user-agent", "one/1"), ("user-agent", "two/2")], "user-agent: two/2"),
        ([("idempotency-key", "k-1"), ("idempotency-key", "k-1")], "idempotency-key: k-1"),
        ([("x-app", "of-the-client")], "x-app: of-the-client"),
    ],
)
async def test_of_other_headers_each_name_goes_up_once(relay: Relay, lines: Pairs, expected: str) -> None:
    async with serving(answering(b"{}", JSON, CLOSE)) as upstream:
        headers = [DefaultHeader("X-App" if len(lines) == 1 else "x-other", "of-the-connection", is_secret=False)]
        await relay.to(upstream, headers=headers)
        own = [("x-api-key", relay.secret), ("user-agent", "test/1")]
        taken = {name.lower() for name, _ in lines}
        await send(relay, [*(pair for pair in own if pair[0] not in taken), *lines])
        head = upstream.exchanges[0].head.decode()
    name = expected.partition(":")[0]
    assert [line for line in head.split("\r\n") if line.lower().startswith(f"{name}:")] == [expected]


# --- The status line -----------------------------------------------------------------------------------------------

STATUSES = [203, 299, 400, 402, 409, 413, 414, 418, 422, 424, 425, 429, 431, 451, 499, 500, 501, 505, 520, 529, 599]


@pytest.mark.parametrize("phrase", ["Words Of Its Own", ""])
async def test_an_upstreams_status_goes_down_with_the_words_of_that_status(relay: Relay, phrase: str) -> None:
    told = {}
    answers = iter([answering(b"{}", JSON, CLOSE, status=f"{status} {phrase}") for status in STATUSES])

    async def script(exchange: Exchange) -> None:
        await next(answers)(exchange)

    async with serving(script) as upstream:
        await relay.to(upstream)
        for status in STATUSES:
            told[status] = await asyncio.to_thread(status_line, relay, f"x-api-key: {relay.secret}")
    assert told == {status: f"HTTP/1.1 {status} {reason_phrase(status)}" for status in STATUSES}
    assert not any(words in line for words in ("Unknown Status", "Own") for line in told.values())


async def test_an_error_of_the_relays_own_has_its_words_too(relay: Relay) -> None:
    assert await asyncio.to_thread(status_line, relay, "x-api-key: none") == "HTTP/1.1 401 Unauthorized"


def status_line(relay: Relay, *lines: str) -> str:
    return sockets.whole_answer(relay.url, "POST", "/v1/messages", *lines, body=b"{}")[0]
