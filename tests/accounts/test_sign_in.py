"""Sign up, log in, log out, and the lock-out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.lock_out import KNOWN_DAYS, WIDE
from accounts.models import User
from playground.recording import retention
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
WORDS = "Wrong username or password."


def log_in(client: Client, username: str, password: str, **extra: Any) -> Any:
    return client.post(reverse("login"), {"username": username, "password": password, **extra})


def sign_up(client: Client, username: str = "mira", password: str = "a-long-enough-one", **extra: Any) -> Any:
    data = {"username": username, "password1": password, "password2": password, **extra}
    return client.post(reverse("signup"), data)


def test_signing_up_makes_an_account_and_logs_in(client: Client) -> None:
    assert sign_up(client).status_code == 302
    assert client.get(reverse("account")).context["user"].username == "mira"


def test_a_name_that_differs_only_in_case_is_taken(client: Client, owner: User) -> None:
    assert "This name is taken." in sign_up(client, "OWNER").content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["short", "password123", "8462957301", "mira-mira"])
def test_a_weak_password_is_refused(client: Client, password: str) -> None:
    refused = sign_up(client, "mira-mira", password)
    assert refused.status_code == 200
    assert set(refused.context["form"].errors) == {"password1"}  # not where it is repeated
    assert not User.objects.exists()


def test_signing_up_can_be_closed(client: Client, settings: Any) -> None:
    settings.SIGN_UP_OPEN = False
    for response in (client.get(reverse("signup")), sign_up(client)):
        assert response.status_code == 403
        assert "Sign-up is closed" in response.content.decode()
    assert not User.objects.exists()
    assert reverse("signup") not in client.get(reverse("login")).content.decode()


def test_one_address_makes_only_so_many_accounts(client: Client, settings: Any) -> None:
    settings.SIGN_UPS_PER_HOUR = 1
    cache.clear()
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2::1"
    assert sign_up(client, "first").status_code == 302
    client.logout()
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2:ffff::9"  # the same network
    refused = sign_up(client, "second")
    assert refused.status_code == 429
    assert "Too many accounts were created from your address" in refused.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_nobody_is_sent_to_another_site_after_signing_in(client: Client, owner: User, wanted: str) -> None:
    assert sign_up(client, next=wanted).headers["Location"] == reverse("playground")
    client.logout()
    assert log_in(client, "owner", PASSWORD, next=wanted).headers["Location"] == reverse("playground")


def test_one_comes_back_to_the_page_that_asked(client: Client, owner: User) -> None:
    asked = client.get(reverse("connections"))
    assert asked.status_code == 302
    page = client.get(asked.headers["Location"])
    assert page.context["next"] == reverse("connections")
    assert log_in(client, "owner", PASSWORD, next=reverse("connections")).headers["Location"] == reverse("connections")


def test_logging_in_changes_the_session_key(client: Client, owner: User) -> None:
    client.get(reverse("login"))
    before = client.session.session_key
    log_in(client, "owner", PASSWORD)
    assert client.session.session_key != before


def test_logging_out_takes_a_post(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get(reverse("account")).status_code == 302


def test_unknown_names_wrong_passwords_and_inactive_accounts_get_the_same_answer(client: Client, owner: User) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    answers = [
        log_in(client, "owner", "wrong"),
        log_in(client, "nobody", "wrong"),
        log_in(client, "gone", PASSWORD),
    ]
    assert all(WORDS in answer.content.decode() for answer in answers)
    assert {answer.status_code for answer in answers} == {200}


def test_an_unknown_name_costs_as_many_password_hashes_as_a_known_one(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append("once") or encode(*args))
    counts = []
    for username in ("owner", "nobody"):
        hashed.clear()
        log_in(client, username, "wrong")
        counts.append(len(hashed))
    assert counts == [1, 1]


def test_passwords_are_stored_with_argon2(settings: Any) -> None:
    from django.conf import settings as all_settings
    from django.contrib.auth.hashers import make_password

    from playground import settings as written

    settings.PASSWORD_HASHERS = written.PASSWORD_HASHERS
    assert all_settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert make_password("x").startswith("argon2$argon2id$")


# --- The lock-out -----------------------------------------------------------------------------------------------------


def fail(client: Client, times: int, username: str = "owner") -> Any:
    for _ in range(times):
        answer = log_in(client, username, "wrong")
    return answer


@pytest.mark.parametrize("username", ["owner", "nobody"])
def test_too_many_wrong_passwords_lock_out_with_a_page_that_says_for_how_long(
    client: Client, owner: User, settings: Any, username: str
) -> None:
    answer = fail(client, settings.AXES_FAILURE_LIMIT, username)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert "15 minutes" in answer.content.decode()


def test_a_locked_out_name_is_refused_with_the_right_password_too(client: Client, owner: User, settings: Any) -> None:
    fail(client, settings.AXES_FAILURE_LIMIT)
    assert log_in(client, "owner", PASSWORD).status_code == 429


def test_the_lock_out_ends_after_the_cool_off(client: Client, owner: User, settings: Any) -> None:
    fail(client, settings.AXES_FAILURE_LIMIT)
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=attempt.attempt_time - dt.timedelta(minutes=16))
    assert log_in(client, "owner", PASSWORD).status_code == 302


def test_somebody_elses_address_is_not_locked_out(owner: User, settings: Any) -> None:
    fail(Client(REMOTE_ADDR="192.0.2.1"), settings.AXES_FAILURE_LIMIT)
    assert log_in(Client(REMOTE_ADDR="192.0.2.2"), "owner", PASSWORD).status_code == 302


def fail_from_everywhere(settings: Any, times: int, username: str = "owner") -> Any:
    """From addresses of which each stays below its own limit."""
    each = settings.AXES_FAILURE_LIMIT - 1
    for number in range(times):
        answer = log_in(Client(REMOTE_ADDR=f"198.51.100.{number // each}"), username, "wrong")
    return answer


@pytest.mark.parametrize("username", ["owner", "nobody"])
def test_an_account_tried_from_many_addresses_is_closed_to_unknown_ones_for_a_while(
    owner: User, settings: Any, username: str
) -> None:
    assert fail_from_everywhere(settings, WIDE * settings.AXES_FAILURE_LIMIT, username).status_code == 429
    assert log_in(Client(REMOTE_ADDR="192.0.2.2"), username, PASSWORD).status_code == 429
    before = timezone.now() - dt.timedelta(minutes=16)
    AccessAttempt.objects.update(attempt_time=before)
    assert log_in(Client(REMOTE_ADDR="192.0.2.2"), "owner", PASSWORD).status_code == 302


def test_whoever_has_logged_in_from_an_address_before_is_not_locked_out_by_others(owner: User, settings: Any) -> None:
    log_in(Client(REMOTE_ADDR="192.0.2.2"), "owner", PASSWORD)
    fail_from_everywhere(settings, WIDE * settings.AXES_FAILURE_LIMIT)
    assert log_in(Client(REMOTE_ADDR="192.0.2.2"), "owner", PASSWORD).status_code == 302
    assert log_in(Client(REMOTE_ADDR="192.0.2.3"), "owner", PASSWORD).status_code == 429
    # There too so many wrong ones count as anywhere.
    assert fail(Client(REMOTE_ADDR="192.0.2.2"), settings.AXES_FAILURE_LIMIT).status_code == 429


def test_one_address_cannot_try_any_number_of_accounts(owner: User, stranger: User, settings: Any) -> None:
    attacker, neighbour = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.1")
    log_in(neighbour, "stranger", PASSWORD)
    for number in range(WIDE * settings.AXES_FAILURE_LIMIT):
        answer = log_in(attacker, f"user-{number}", "wrong")
    assert answer.status_code == 429
    assert log_in(attacker, "owner", PASSWORD).status_code == 429
    assert log_in(Client(REMOTE_ADDR="192.0.2.9"), "owner", PASSWORD).status_code == 302
    assert log_in(neighbour, "stranger", PASSWORD).status_code == 302


def test_from_where_somebody_logged_in_is_forgotten_after_a_while(client: Client, owner: User) -> None:
    log_in(client, "owner", PASSWORD)
    retention.clear_sessions()
    assert AccessLog.objects.count() == 1
    AccessLog.objects.update(attempt_time=timezone.now() - dt.timedelta(days=KNOWN_DAYS + 1))
    retention.clear_sessions()
    assert not AccessLog.objects.exists()


def test_a_made_up_forwarded_address_does_not_escape_the_lock_out(owner: User, settings: Any) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        answer = log_in(Client(HTTP_X_FORWARDED_FOR=f"192.0.2.{number}"), "owner", "wrong")
    assert answer.status_code == 429


def test_a_right_password_forgives_the_wrong_ones(client: Client, owner: User, settings: Any) -> None:
    for _ in range(2):
        fail(client, settings.AXES_FAILURE_LIMIT - 1)
        assert log_in(client, "owner", PASSWORD).status_code == 302
        client.post(reverse("logout"))


def test_no_password_is_kept_of_failed_attempts(client: Client, owner: User) -> None:
    log_in(client, "owner", "CANARY-wrong-password")
    kept = AccessAttempt.objects.values().get()
    assert "CANARY" not in str(kept)
