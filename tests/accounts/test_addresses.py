"""What may be typed as an address, a credential and a default header."""

from __future__ import annotations

import pytest

from accounts.addresses import ConnectionValueError, check_headers, clean_base_url, clean_credential


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("  https://api.anthropic.com/  ", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
        ("HTTPS://API.Example.com/Team/v1", "https://api.example.com/Team"),
        ("http://localhost:11434", "http://localhost:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://my_gateway.lan:8080/anthropic", "http://my_gateway.lan:8080/anthropic"),
    ],
)
def test_an_address_is_kept_without_its_v1(typed: str, kept: str) -> None:
    assert clean_base_url(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "api.anthropic.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "sandbox://x",
        "javascript:alert(1)",
        "//example.com",
        "https://",
        "https:///v1",
        "https://user:password@example.com",
        "https://user@example.com",
        "https://@example.com",
        "https://example.com:99999",
        "https://example.com:0",
        "https://example.com:port",
        "https://[::1",
        "https://exa mple.com",
        "https://example.com/a b",
        "https://example.com\\@evil.com",
        "https://example.com/v1?key=1",
        "https://example.com/#x",
        "https://example.com/?",
        "https://example.com\r\nHost: evil",
        "https://example.com\x00",
        "https://exämple.com",
        "https://example.com。evil.com",
        "https://-example.com",
    ],
)
def test_what_is_no_plain_http_address_is_refused(typed: str) -> None:
    with pytest.raises(ConnectionValueError):
        clean_base_url(typed)


def test_a_credential_loses_blanks_and_a_pasted_bearer() -> None:
    assert clean_credential(" Bearer sk-1234 \n") == "sk-1234"


@pytest.mark.parametrize("typed", ["sk 1234", "sk\r\nHost: evil", "sk\x00", "schlüssel", "\ud800x", "x" * 5000])
def test_a_credential_that_no_header_can_carry_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(ConnectionValueError) as refused:
        clean_credential(typed)
    assert typed not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "X-Api-Key",
        "authorization",
        "proxy-x",
        "a b",
        "",
        "é",
    ],
)
def test_a_default_header_cannot_reframe_the_request_or_carry_the_credential(name: str) -> None:
    with pytest.raises(ConnectionValueError):
        check_headers([(name, "value")])


@pytest.mark.parametrize("value", ["", "a\r\nb", "a\nb", "a\x00", "é", "x" * 5000])
def test_a_default_header_has_a_value_on_one_line(value: str) -> None:
    with pytest.raises(ConnectionValueError):
        check_headers([("X-Team", value)])


def test_a_default_header_is_given_once() -> None:
    with pytest.raises(ConnectionValueError, match="twice"):
        check_headers([("X-Team", "a"), ("x-team", "b")])


def test_ordinary_default_headers_pass() -> None:
    check_headers([("X-Team", "blue"), ("anthropic-beta", "a,b"), ("cf-access-client-secret", "s3cr3t!")])
