"""What operators can do in the admin: list upstreams for everyone, see the rest, revoke keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AccessKey, Connection, User
from tests.accounts.conftest import CREDENTIAL, HEADER_VALUE, MakeConnection

pytestmark = pytest.mark.django_db
ADD = "admin:accounts_connection_add"
CHANGE = "admin:accounts_connection_change"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator", password="x"))
    return client


def form(**changes: Any) -> dict[str, Any]:
    plain = {"name": "House", "base_url": "https://api.example.com", "auth_style": "x-api-key"}
    return plain | {"anthropic_version": "2023-06-01", "credential": "", "header_lines": ""} | changes


def test_an_operator_lists_an_upstream_for_everyone(operator: Client) -> None:
    page = operator.get(reverse(ADD)).content.decode()
    assert 'name="credential"' in page
    values = form(credential=CREDENTIAL, header_lines=f"X-Team: {HEADER_VALUE}\n", visitors_allowed="on")
    assert operator.post(reverse(ADD), values).status_code == 302
    stored = Connection.objects.get()
    assert stored.owner is None
    assert stored.visitors_allowed
    assert stored.secrets() == (CREDENTIAL, [("X-Team", HEADER_VALUE)])


def test_a_weak_password_is_refused_at_its_own_field(operator: Client) -> None:
    weak = {"usable_password": "true", "password1": "short", "password2": "short"}
    reset = reverse("admin:auth_user_password_change", args=[User.objects.get().pk])
    for address, values in ((reset, weak), (reverse("admin:accounts_user_add"), weak | {"username": "new"})):
        page = operator.post(address, values)
        form = page.context["form"] if "form" in page.context else page.context["adminform"].form
        assert set(form.errors) == {"password1"}
    assert User.objects.get().check_password("x")


def test_changing_its_name_keeps_its_secrets(operator: Client, make_connection: MakeConnection) -> None:
    listed = make_connection(None, "House")
    assert operator.post(reverse(CHANGE, args=[listed.pk]), form(name="New name")).status_code == 302
    stored = Connection.objects.get()
    assert stored.name == "New name"
    assert stored.secrets() == (CREDENTIAL, [("X-Team", HEADER_VALUE)])


@pytest.mark.parametrize("typed", [{}, {"credential": CREDENTIAL}])
def test_another_address_asks_for_all_secrets_again(
    operator: Client, make_connection: MakeConnection, typed: dict[str, str]
) -> None:
    listed = make_connection(None, "House")
    values = form(base_url="https://evil.example", **typed)
    assert "again" in operator.post(reverse(CHANGE, args=[listed.pk]), values).content.decode()
    assert Connection.objects.get().base_url == "https://api.example.com"


def test_a_users_connection_is_not_the_operators_to_change(operator: Client, connection: Connection) -> None:
    address = reverse(CHANGE, args=[connection.pk])
    assert 'name="credential"' not in operator.get(address).content.decode()
    assert operator.post(address, form(base_url="https://evil.example", credential="x")).status_code == 403
    assert Connection.objects.get().base_url == "https://api.example.com"


def test_keys_are_revoked_and_never_made_there(operator: Client, owner: User) -> None:
    key, secret = AccessKey.objects.issue(owner=owner, name="leaked")
    listing = reverse("admin:accounts_accesskey_changelist")
    operator.post(listing, {"action": "revoke", "_selected_action": [key.pk]})
    assert AccessKey.objects.find(secret) is None
    assert operator.get(reverse("admin:accounts_accesskey_add")).status_code == 403


def test_a_new_user_can_be_made_there(operator: Client) -> None:
    values = {"username": "mira", "password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    operator.post(reverse("admin:accounts_user_add"), values | {"usable_password": "true"})
    assert User.objects.filter(username="mira").exists()


def test_people_without_staff_rights_do_not_get_in(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get(reverse("admin:accounts_connection_changelist")).status_code == 302
