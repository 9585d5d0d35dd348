"""Whose pages may open a websocket."""

from __future__ import annotations

from typing import Any

import pytest

from playground.sockets.origins import is_own_page


def opens(origin: str, host: str) -> bool:
    return is_own_page({b"origin": origin.encode(), b"host": host.encode()})


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", ".example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://play.example.org"]
    settings.BEHIND_HTTPS = False


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("https://a.example.org", "a.example.org"),
        ("HTTP://LOCALHOST", "localhost"),
        ("https://play.example.org", "localhost:8000"),  # a proxy in front that calls us by another name
    ],
)
def test_our_own_pages_do(origin: str, host: str) -> None:
    assert opens(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "localhost:8000"),
        ("http://evil.example", "localhost"),
        ("http://evil.example", "evil.example"),  # a foreign name that was made to lead here
        ("https://play.example.org", "evil.example"),
        ("null", "localhost"),
        ("", "localhost"),
        ("http://localhost", ""),
        ("http://", ""),
        ("http://[", "["),
    ],
)
def test_no_other_page_does(origin: str, host: str) -> None:
    assert not opens(origin, host)


def test_a_page_without_encryption_does_not_where_the_site_has_it(settings: Any) -> None:
    settings.BEHIND_HTTPS = True
    assert not opens("http://localhost", "localhost")
    assert opens("https://localhost", "localhost")
