"""Headers: what is secret, what is kept, what is refused, rate limits and waiting times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from anthropic.types import AnthropicBetaParam
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.headers import (
    API_VERSIONS,
    BETAS,
    RateLimit,
    is_secret,
    kept_response_headers,
    mask,
    mask_headers,
    rate_limits,
    refused_default_header,
    retry_after_s,
)

KEY = "sk-ant-api03-abcdefghijklmnop-f3a9"


@pytest.mark.parametrize(
    "name",
    [
        "x-api-key",
        "X-Api-Key",
        "Authorization",
        "cookie",
        "x-goog-api-key",
        "cf-access-token",
        "helicone-auth",
        "my-secret",
    ],
)
def test_headers_that_hold_secrets_are_known_by_their_name(name: str) -> None:
    assert mask_headers([(name, KEY)]) == [(name, "••••f3a9")]


@pytest.mark.parametrize("value", [KEY, f"key={KEY}", "Bearer abc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"])
def test_a_value_that_looks_like_a_key_is_masked_whatever_its_header_is_called(value: str) -> None:
    ((_, shown),) = mask_headers([("x-note", value)])
    assert shown.startswith("••••")


def test_the_scheme_of_an_authorization_stays_readable() -> None:
    assert mask_headers([("Authorization", f"Bearer {KEY}")]) == [("Authorization", "Bearer ••••f3a9")]


def test_a_known_secret_is_masked_wherever_it_occurs() -> None:
    assert mask_headers([("x-route", "to-hunter2hunter2-now")], ["hunter2hunter2"]) == [("x-route", "to-••••ter2-now")]


def test_harmless_headers_stay_as_they_are() -> None:
    pairs = [
        ("anthropic-version", "2023-06-01"),
        ("anthropic-ratelimit-tokens-limit", "1000"),
        ("anthropic-ratelimit-input-tokens-remaining", "7"),
        ("user-agent", "Anthropic/Python 2.12.0"),
        ("x-author", "Ada"),
    ]
    assert mask_headers(pairs) == pairs


@given(st.text(min_size=12, alphabet=st.characters(codec="ascii", categories=["L", "N"])))
def test_no_more_than_four_characters_of_a_secret_are_shown(secret: str) -> None:
    assert mask(secret) == "••••" + secret[-4:]


@pytest.mark.parametrize("secret", ["", "abc", "12345678901"])
def test_nothing_of_a_short_secret_is_shown(secret: str) -> None:
    assert mask(secret) == "••••"


def test_names_are_compared_without_regard_to_case() -> None:
    assert is_secret("X-API-KEY")
    assert kept_response_headers([("Request-Id", "r")]) == [("Request-Id", "r")]


def test_only_known_response_headers_are_kept() -> None:
    pairs = [
        ("request-id", "req_1"),
        ("set-cookie", "session=1"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("x-powered-by", "PHP"),
        ("retry-after", "3"),
    ]
    assert [name for name, _ in kept_response_headers(pairs)] == [
        "request-id",
        "anthropic-ratelimit-requests-limit",
        "retry-after",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "evil.example"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "close"),
        ("accept-encoding", "gzip"),
        ("x-a", "one\r\nx-b: two"),
        ("x-a", "one\ntwo"),
        ("x-a", "nul\0"),
        ("x-a", " padded"),
        ("x-a", "naïve"),
        ("", "x"),
        ("x a", "x"),
        ("x:a", "x"),
        ("x\n", "x"),
        ("é", "x"),
    ],
)
def test_headers_that_would_break_a_request_are_refused_in_words(name: str, value: str) -> None:
    assert refused_default_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [("x-team", "blue"), ("HTTP-Referer", "https://a.example/?q=1"), ("x-empty", "")]
)
def test_ordinary_headers_are_not_refused(name: str, value: str) -> None:
    assert refused_default_header(name, value) is None


def test_rate_limits_become_gauges() -> None:
    headers = {
        "Anthropic-Ratelimit-Requests-Limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:00Z",
        "anthropic-ratelimit-input-tokens-limit": "many",
        "anthropic-priority-input-tokens-remaining": "5",
        "anthropic-ratelimit-unheard-of": "1",
    }
    requests, tokens, priority = rate_limits(headers)
    assert requests == RateLimit("requests", 50, 49, datetime(2026, 11, 22, 10, tzinfo=UTC))
    assert requests.left == 0.98
    assert (tokens.what, tokens.limit, tokens.left) == ("input-tokens", None, None)
    assert (priority.what, priority.remaining) == ("priority-input-tokens", 5)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=datetime(2026, 11, 22, 10, tzinfo=UTC)) == seconds


@given(st.text(), st.text())
def test_no_header_is_bad_enough_to_raise(name: str, value: str) -> None:
    retry_after_s([(name, value), ("retry-after", value)])
    rate_limits([(name, value), ("anthropic-ratelimit-tokens-reset", value)])
    mask_headers([(name, value)])
    refused_default_header(name, value)


def test_both_versions_and_every_beta_value_are_described() -> None:
    assert API_VERSIONS == ("2023-06-01", "2026-10-21")
    assert all(BETAS.values())


# What the client also names, for administration, agents, batches and other endpoints.
NOT_FOR_MESSAGES = (
    "admin-user-",
    "agent-memory-",
    "analytics-",
    "ce-",
    "dreaming-",
    "experimental-claude-tag-",
    "managed-agents-",
    "mcp-tunnels-",
    "message-batches-",
    "spend-limit-reads-",
    "telemetry-destinations-",
    "webhooks-",
)


def test_the_beta_values_for_messages_that_the_official_client_names_are_known() -> None:
    named = {value for part in get_args(AnthropicBetaParam) for value in get_args(part)}
    assert {beta for beta in named if not beta.startswith(NOT_FOR_MESSAGES)} == set(BETAS)
