"""The account's page: password, what is kept, deleting it."""

from __future__ import annotations

from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import leaving
from accounts.models import AccessKey, Connection, User
from playground.models import Run
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another-good-one-7"


def change(client: Client, old: str = PASSWORD, new: str = NEW) -> Any:
    data = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("password-change"), data)


def test_changing_the_password_keeps_this_session_and_ends_the_others(owner: User) -> None:
    here, elsewhere = Client(), Client()
    here.force_login(owner)
    elsewhere.force_login(owner)
    assert change(here).status_code == 302
    assert here.get(reverse("account")).status_code == 200
    assert elsewhere.get(reverse("account")).status_code == 302
    assert User.objects.get().check_password(NEW)


def test_the_present_password_is_asked_for(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert "Wrong password." in change(client, old="wrong").content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_a_weak_new_password_is_refused_at_its_own_field(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert set(change(client, new="short").context["form"].errors) == {"new_password1"}
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("name", ["password-change", "account-delete"])
def test_guessing_the_password_in_a_stolen_session_locks_out_too(
    client: Client, owner: User, settings: Any, name: str
) -> None:
    client.force_login(owner)
    data = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW, "password": "wrong"}
    answers = [client.post(reverse(name), data).status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_keeping_content_can_be_switched_off_and_on(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("account-keep-content"), {})
    assert User.objects.get().keep_content is False
    client.post(reverse("account-keep-content"), {"keep_content": "on"})
    assert User.objects.get().keep_content is True


def test_deleting_the_account_says_what_will_go(client: Client, owner: User, connection: Connection) -> None:
    AccessKey.objects.issue(owner=owner, name="one")
    AccessKey.objects.issue(owner=owner, name="two")
    client.force_login(owner)
    page = client.get(reverse("account-delete")).content.decode()
    assert "1 connection" in page
    assert "2 access keys" in page


def test_deleting_the_account_takes_everything_of_it_and_nothing_else(
    client: Client, owner: User, stranger: User, make_connection: Any
) -> None:
    make_connection(owner)
    kept = make_connection(stranger)
    AccessKey.objects.issue(owner=owner, name="one")
    client.force_login(owner)
    assert client.post(reverse("account-delete"), {"password": PASSWORD}).status_code == 302
    assert list(User.objects.all()) == [stranger]
    assert list(Connection.objects.all()) == [kept]
    assert not AccessKey.objects.exists()
    assert client.get(reverse("account")).status_code == 302


def test_no_record_of_its_log_ins_stays_behind(client: Client, owner: User) -> None:
    for password in ("wrong", PASSWORD):
        client.post(reverse("login"), {"username": "owner", "password": password})
    assert AccessLog.objects.filter(username="owner").exists()
    client.post(reverse("account-delete"), {"password": PASSWORD})
    assert not User.objects.exists()
    assert not AccessLog.objects.exists()
    assert not AccessAttempt.objects.exists()


def test_an_account_with_much_in_it_is_deleted_in_short_transactions(
    client: Client, owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "ROWS_AT_ONCE", 2)
    Run.objects.bulk_create(Run(owner=owner, started_at=timezone.now()) for _ in range(5))
    kept = Run.objects.create(owner=stranger, started_at=timezone.now())
    client.force_login(owner)
    assert "5 requests" in client.get(reverse("account-delete")).content.decode()
    client.post(reverse("account-delete"), {"password": PASSWORD})
    assert list(Run.objects.all()) == [kept]
    assert list(User.objects.all()) == [stranger]


def test_deleting_the_account_needs_the_password(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.get(reverse("account-delete"))
    assert "Wrong password." in client.post(reverse("account-delete"), {"password": "x"}).content.decode()
    assert User.objects.filter(pk=owner.pk).exists()
