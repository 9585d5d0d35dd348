"""Who a browser is: its signed cookie, its owner's name, its address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from playground.identity import visitors


def scope(cookie: str) -> dict[str, Any]:
    return {"headers": [(b"cookie", f"{visitors.COOKIE}={cookie}".encode())]}


def test_a_visitor_is_known_again_by_the_signed_cookie() -> None:
    assert visitors.owner_of(scope(visitors.sign("abc"))) == "visitor:abc"


@pytest.mark.parametrize("cookie", ["abc", "abc:forged", "", '"\x00'])
def test_a_forged_cookie_names_nobody(cookie: str) -> None:
    assert visitors.owner_of(scope(cookie)) is None


def test_a_signed_cookie_that_was_changed_names_nobody() -> None:
    assert visitors.owner_of(scope(visitors.sign("abc") + "x")) is None


def test_each_browser_gets_an_id_of_its_own(client: Any, db: None) -> None:
    first = client.get("/accounts/login/").cookies[visitors.COOKIE].value
    client.cookies.clear()
    second = client.get("/accounts/login/").cookies[visitors.COOKIE].value
    assert visitors.read(first)
    assert visitors.read(first) != visitors.read(second)


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: Any, db: None) -> None:
    cookie = client.get("/accounts/login/").cookies[visitors.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "unknown", "127.0.0.1"),
    ],
)
def test_only_the_operators_proxies_are_believed_about_the_address(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})
    assert visitors.client_address(request) == address


def test_what_several_proxies_say_in_lines_of_their_own_counts_as_one_list(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 2
    lines = [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"203.0.113.9")]
    assert visitors.client_address({"client": ["127.0.0.1", 1], "headers": lines}) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
    ],
)
def test_addresses_that_one_may_have_any_number_of_count_as_one(address: str, counted: str) -> None:
    assert visitors.network_of(address) == counted
