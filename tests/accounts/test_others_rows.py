"""Somebody else's rows are not there; without an account nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import urls
from accounts.models import AccessKey, Connection, User
from tests.accounts.conftest import MakeConnection

pytestmark = pytest.mark.django_db(transaction=True)
OPEN_TO_ALL = {"login", "logout", "signup"}
OF_A_ROW = {"connection-edit", "connection-delete", "access-key-revoke"}
NAMES = {pattern.name for pattern in (*urls.urlpatterns, *urls.connection_patterns, *urls.key_patterns)}


@pytest.fixture
def addresses(owner: User, connection: Connection) -> dict[str, str]:
    key, _secret = AccessKey.objects.issue(owner=owner, name="theirs", connection=connection)
    rows = {
        "connection-edit": connection.pk,
        "connection-delete": connection.pk,
        "access-key-revoke": key.pk,
    }
    return {name: reverse(name, args=[rows[name]] if name in rows else []) for name in NAMES}


def snapshot() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Connection, AccessKey, User)]


@pytest.mark.parametrize("name", sorted(OF_A_ROW))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_strangers_row_is_not_there(
    client: Client, stranger: User, addresses: dict[str, str], name: str, method: str
) -> None:
    client.force_login(stranger)
    before = snapshot()
    response = getattr(client, method)(addresses[name], {"name": "taken over", "base_url": "https://evil.example"})
    assert response.status_code in ({404} if method == "post" or name == "connection-edit" else {405})
    assert b"Anthropic" not in response.content
    assert snapshot()[:2] == before[:2]


@pytest.mark.parametrize("name", ["connection-edit", "connection-delete"])
def test_the_operators_upstream_is_not_a_users_to_change(
    client: Client, stranger: User, make_connection: MakeConnection, name: str
) -> None:
    listed = make_connection(None, "House gateway")
    client.force_login(stranger)
    assert client.post(reverse(name, args=[listed.pk])).status_code == 404
    assert Connection.objects.filter(pk=listed.pk).exists()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", sorted(NAMES - OPEN_TO_ALL))
def test_without_an_account_one_is_asked_to_log_in(
    client: Client, addresses: dict[str, str], name: str, method: str
) -> None:
    before = snapshot()
    response = getattr(client, method)(addresses[name])
    assert response.status_code in {302, 405}
    if response.status_code == 302:
        assert response.headers["Location"].startswith(reverse("login"))
    assert snapshot() == before


def test_a_part_of_a_page_whose_session_has_ended_takes_the_whole_page_to_the_log_in(client: Client) -> None:
    page = {"HX-Request": "true", "HX-Current-URL": "http://testserver/keys/?a=1"}
    response = client.post(reverse("access-keys"), {"name": "x"}, headers=page)
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2Fkeys%2F%3Fa%3D1"


def test_the_way_back_from_the_log_in_never_leads_to_another_site(client: Client, owner: User) -> None:
    page = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/keys/"}
    response = client.post(reverse("access-keys"), {"name": "x"}, headers=page)
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2F"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_get_changes_nothing(client: Client, owner: User, addresses: dict[str, str], name: str) -> None:
    client.force_login(owner)
    before = snapshot()
    client.get(addresses[name])
    assert snapshot() == before


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_post_from_another_site_is_refused(owner: User, addresses: dict[str, str], name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    before = snapshot()
    assert client.post(addresses[name], {"password": "x"}).status_code in {403, 405}
    assert snapshot() == before


def test_a_number_that_fits_no_column_is_not_found(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.post(reverse("access-key-revoke", args=[10**30])).status_code == 404


def test_the_sweep_knows_every_address_of_this_app() -> None:
    served = {pattern.name for pattern in walk(get_resolver().url_patterns)}
    assert served >= NAMES
    assert len(NAMES) == 14


def walk(patterns: Any) -> Any:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


@pytest.mark.parametrize("page", ["http://[::1/x", "https://ex\u2100mple.com/", "http://testserver\\@evil/", "\x00"])
def test_a_page_that_is_no_address_leads_home_after_signing_in(client: Client, page: str) -> None:
    response = client.get("/keys/", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2F"
