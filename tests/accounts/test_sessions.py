"""Whatever ends a session is told at once, and found again by the regular check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from accounts.login_sessions import is_valid, session_is_valid, sessions_ended
from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended() -> Iterator[list[tuple[Any, str | None]]]:
    heard: list[tuple[Any, str | None]] = []

    def hear(user_pk: Any, session_key: str | None, **_: Any) -> None:
        heard.append((user_pk, session_key))

    sessions_ended.connect(hear)
    yield heard
    sessions_ended.disconnect(hear)


def test_a_session_is_valid_until_it_is_logged_out(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    key = client.session.session_key
    assert is_valid(key, owner.pk)
    client.post(reverse("logout"))
    assert not is_valid(key, owner.pk)
    assert ended == [(owner.pk, key)]


def test_a_changed_password_ends_all_sessions(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    key = client.session.session_key
    user = User.objects.get()
    user.set_password("something-new-1")
    user.save()
    assert ended == [(owner.pk, None)]
    assert not is_valid(key, owner.pk)


def test_the_page_that_changes_the_password_ends_sockets_too(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    new = "another-good-one-7"
    client.post(reverse("password-change"), {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert ended == [(owner.pk, None)]
    assert is_valid(client.session.session_key, owner.pk)


def test_switching_an_account_off_ends_all_its_sessions(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    user = User.objects.get()
    user.is_active = False
    user.save()
    assert ended == [(owner.pk, None)]
    assert not is_valid(client.session.session_key, owner.pk)


def test_deleting_an_account_ends_all_its_sessions(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    key, pk = client.session.session_key, owner.pk
    owner.delete()
    assert (pk, None) in ended
    assert not is_valid(key, pk)


def test_other_changes_of_a_user_end_nothing(client: Client, owner: User, ended: list[Any]) -> None:
    client.force_login(owner)
    user = User.objects.get()
    user.keep_content = False
    user.save()
    assert ended == []
    assert is_valid(client.session.session_key, owner.pk)


def test_a_session_is_nobody_elses(client: Client, owner: User, stranger: User) -> None:
    client.force_login(owner)
    assert not is_valid(client.session.session_key, stranger.pk)
    assert not is_valid("made-up-key", owner.pk)
    assert not is_valid(None, owner.pk)


@pytest.mark.django_db(transaction=True)
async def test_the_check_reads_the_database_and_not_what_the_socket_remembers(owner: User) -> None:
    from channels.db import database_sync_to_async

    client = Client()
    await database_sync_to_async(client.force_login)(owner)
    key = client.cookies["sessionid"].value
    remembered = SessionStore(key)
    await database_sync_to_async(remembered.load)()
    scope = {"user": owner, "session": remembered}
    assert await session_is_valid(scope)
    await database_sync_to_async(SessionStore(key).delete)()
    assert not await session_is_valid(scope)


async def test_a_visitors_socket_has_no_session_to_lose() -> None:
    from django.contrib.auth.models import AnonymousUser

    assert await session_is_valid({"user": AnonymousUser(), "session": None})
