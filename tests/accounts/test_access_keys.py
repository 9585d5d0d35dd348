"""Access keys: made and shown once, listed, limited, revoked."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, Connection, User
from accounts.vault import digest
from tests.accounts.conftest import MakeConnection
from tests.support.markup import markup

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def make(client: Client, **values: Any) -> Any:
    return client.post(reverse("access-keys"), {"name": "laptop", "keep_content": "on"} | values)


def shown(response: Any) -> str:
    return set(re.findall(r"mpk_[\w-]{43}", response.content.decode())).pop()


def test_a_key_is_shown_once_and_found_by_its_digest(mine: Client, owner: User) -> None:
    response = make(mine)
    secret = shown(response)
    assert "ANTHROPIC_BASE_URL</span>=http://testserver\n" in response.content.decode()
    assert secret not in mine.get(reverse("access-keys")).content.decode()
    key = AccessKey.objects.get()
    assert key.digest == digest(secret)
    assert AccessKey.objects.find(secret) == key
    assert (key.owner, key.connection, key.masked) == (owner, None, f"mpk_…{secret[-4:]}")


def test_the_public_address_is_the_one_to_give_to_clients(mine: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://play.example.org"
    assert "ANTHROPIC_BASE_URL</span>=https://play.example.org\n" in make(mine).content.decode()


def test_everything_that_can_be_chosen_is_kept(mine: Client, connection: Connection) -> None:
    response = make(
        mine,
        connection=connection.pk,
        lifetime_days="7",
        models="claude-a\nclaude-b, claude-a",
        requests_per_minute="20",
        tokens_per_day="100000",
        keep_content="",
    )
    assert response.status_code == 200
    key = AccessKey.objects.get()
    assert key.connection == connection
    assert key.models == ["claude-a", "claude-b"]
    assert (key.requests_per_minute, key.tokens_per_day, key.keep_content) == (20, 100_000, False)
    assert key.expires_at is not None
    assert dt.timedelta(days=6.9) < key.expires_at - timezone.now() < dt.timedelta(days=7.1)
    assert key.may_ask_for("claude-a")
    assert not key.may_ask_for("claude-c")


def test_a_key_without_a_list_may_ask_for_any_model(owner: User) -> None:
    key, _secret = AccessKey.objects.issue(owner=owner, name="any")
    assert key.may_ask_for("whatever")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"connection": "00000000-0000-0000-0000-000000000000"},
        {"connection": "not-an-id"},
        {"requests_per_minute": "0"},
        {"requests_per_minute": "-1"},
        {"tokens_per_day": "9" * 40},
        {"lifetime_days": "100000"},
        {"models": "\n".join(f"m{number}" for number in range(51))},
        {"models": "m" * 300},
    ],
)
def test_what_cannot_be_used_is_refused(mine: Client, wrong: dict[str, str]) -> None:
    response = make(mine, **wrong)
    assert response.status_code == 200
    assert 'class="problem"' in response.content.decode()
    assert not AccessKey.objects.exists()


def test_somebody_elses_connection_cannot_be_chosen(
    mine: Client, make_connection: MakeConnection, stranger: User
) -> None:
    make(mine, connection=make_connection(stranger).pk)
    assert not AccessKey.objects.exists()


def test_two_working_keys_do_not_share_a_name_but_a_revoked_one_frees_it(mine: Client) -> None:
    make(mine)
    assert "You already have a key with this name." in make(mine, name="LAPTOP").content.decode()
    AccessKey.objects.get().revoke()
    make(mine)
    assert AccessKey.objects.count() == 2


def test_a_revoked_key_is_refused_at_once_and_keeps_its_date(mine: Client) -> None:
    secret = shown(make(mine))
    key = AccessKey.objects.get()
    mine.post(reverse("access-key-revoke", args=[key.pk]))
    assert AccessKey.objects.find(secret) is None
    first = AccessKey.objects.get().revoked_at
    mine.post(reverse("access-key-revoke", args=[key.pk]))
    assert AccessKey.objects.get().revoked_at == first
    assert "revoked" in mine.get(reverse("access-keys")).content.decode()


def test_keys_that_expired_or_whose_owner_left_are_not_found(owner: User) -> None:
    key, secret = AccessKey.objects.issue(owner=owner, name="x", expires_at=timezone.now() + dt.timedelta(hours=1))
    assert AccessKey.objects.find(secret) == key
    AccessKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert AccessKey.objects.find(secret) is None
    AccessKey.objects.update(expires_at=None)
    User.objects.update(is_active=False)
    assert AccessKey.objects.find(secret) is None


def test_a_key_does_not_reach_a_connection_that_became_somebody_elses(
    connection: Connection, owner: User, stranger: User
) -> None:
    _key, secret = AccessKey.objects.issue(owner=owner, name="x", connection=connection)
    Connection.objects.update(owner=stranger)
    assert AccessKey.objects.find(secret) is None


@pytest.mark.parametrize("wrong", ["", "mpk_", "mpk_wrong", "sk-ant-1", "mpk_\x00", "mpk_\ud800", "é" * 9000])
def test_any_other_text_is_no_key(owner: User, wrong: str) -> None:
    AccessKey.objects.issue(owner=owner, name="x")
    assert AccessKey.objects.find(wrong) is None


def test_the_digest_itself_is_no_key(owner: User) -> None:
    key, _secret = AccessKey.objects.issue(owner=owner, name="x")
    assert AccessKey.objects.find(key.digest) is None


def test_the_last_use_is_shown(mine: Client, owner: User) -> None:
    key, _secret = AccessKey.objects.issue(owner=owner, name="x")
    assert "never" in mine.get(reverse("access-keys")).content.decode()
    key.touch("192.0.2.7", dt.datetime(2026, 11, 2, 11, 40, tzinfo=dt.UTC))
    assert "2 Nov 2026, 11:40</time> from 192.0.2.7" in markup(mine.get(reverse("access-keys")))


def test_htmx_gets_the_part_and_not_the_page(mine: Client) -> None:
    response = mine.post(reverse("access-keys"), {"name": "a"}, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert shown(response)


def test_the_list_takes_the_same_number_of_queries_however_long(
    mine: Client, owner: User, connection: Connection, django_assert_num_queries: Any
) -> None:
    mine.get(reverse("access-keys"))
    for number in range(20):
        AccessKey.objects.issue(owner=owner, name=f"key {number}", connection=connection)
    with django_assert_num_queries(4):  # session, user, keys, connections to choose from
        mine.get(reverse("access-keys"))
