"""Commands of the operator: add_connection, add_access_key, rotate_keys, and the check for missing server keys."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from accounts import rotation, vault
from accounts.models import AccessKey, Connection, User
from tests.accounts.conftest import CREDENTIAL, HEADER_VALUE, MakeConnection

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> str:
    output = io.StringIO()
    call_command(name, *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


# --- add_connection ---------------------------------------------------------------------------------------------------


def test_a_connection_is_added_with_the_credential_of_standard_input(owner: User, typed: Any) -> None:
    typed(f"{CREDENTIAL}\n")
    said = run("add_connection", "owner", "Work", "https://api.example.com/v1", "--auth", "bearer")
    stored = Connection.objects.get()
    assert (stored.owner, stored.name, stored.auth_style) == (owner, "Work", "bearer")
    assert stored.secrets() == (CREDENTIAL, [])
    assert CREDENTIAL not in said


def test_without_a_credential_none_is_sent(owner: User, typed: Any) -> None:
    typed("")
    run("add_connection", "owner", "Local", "http://localhost:11434")
    assert Connection.objects.get().secrets() == ("", [])


def test_an_upstream_for_everyone_has_no_owner(owner: User, typed: Any) -> None:
    typed(CREDENTIAL)
    run("add_connection", "owner", "House", "https://api.example.com", "--everyone", "--visitors")
    stored = Connection.objects.get()
    assert stored.owner is None
    assert stored.visitors_allowed
    assert stored.secrets()[0] == CREDENTIAL


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody", "Work", "https://api.example.com"),
        ("owner", "Sandbox", "https://api.example.com"),
        ("owner", "Work", "ftp://api.example.com"),
        ("owner", "Work", "https://api.example.com", "--visitors"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_stored(owner: User, typed: Any, arguments: tuple[str]) -> None:
    typed(CREDENTIAL)
    with pytest.raises(CommandError) as refused:
        run("add_connection", *arguments)
    assert CREDENTIAL not in str(refused.value)
    assert not Connection.objects.exists()


# --- add_access_key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Sandbox", "sandbox"])
def test_the_key_is_the_last_word_of_the_output(owner: User, name: str) -> None:
    secret = run("add_access_key", "owner", "--connection", name).split()[-1]
    key = AccessKey.objects.find(secret)
    assert key is not None
    assert (key.owner, key.connection) == (owner, None)


def test_a_key_for_a_connection_of_the_user_or_the_operator(
    owner: User, connection: Connection, make_connection: MakeConnection
) -> None:
    listed = make_connection(None, "House")
    for wanted in (connection, listed):
        found = AccessKey.objects.find(run("add_access_key", "owner", "--connection", wanted.name).split()[-1])
        assert found is not None
        assert found.connection == wanted


@pytest.mark.parametrize("username", ["stranger", "nobody"])
def test_no_key_for_somebody_elses_connection(connection: Connection, stranger: User, username: str) -> None:
    with pytest.raises(CommandError):
        run("add_access_key", username, "--connection", "Anthropic")
    assert not AccessKey.objects.exists()


# --- rotate_keys ------------------------------------------------------------------------------------------------------


def both_columns(connection: Connection) -> list[bytes]:
    connection.refresh_from_db()
    return [bytes(connection.credential), bytes(connection.default_headers)]


def test_after_rotating_the_old_key_is_not_needed(
    settings: Any, connection: Connection, make_connection: MakeConnection
) -> None:
    listed = make_connection(None, "House")
    settings.VAULT_KEYS = ["new", *settings.VAULT_KEYS]
    assert "4 rewrapped, 0 had" in run("rotate_keys")
    settings.VAULT_KEYS = ["new"]
    for each in (connection, listed):
        each.refresh_from_db()
        assert each.secrets() == (CREDENTIAL, [("X-Team", HEADER_VALUE)])
    assert "0 rewrapped, 4 had" in run("rotate_keys")


def test_with_the_old_key_gone_nothing_is_overwritten(settings: Any, connection: Connection) -> None:
    before = both_columns(connection)
    settings.VAULT_KEYS = ["new"]
    with pytest.raises(CommandError, match="2 could not be read and are unchanged") as refused:
        run("rotate_keys")
    assert CREDENTIAL not in str(refused.value)
    assert both_columns(connection) == before


def test_one_unreadable_row_does_not_stop_the_others(
    settings: Any, connection: Connection, make_connection: MakeConnection, owner: User
) -> None:
    other = make_connection(owner, "Other")
    Connection.objects.filter(pk=connection.pk).update(credential=other.credential)
    settings.VAULT_KEYS = ["new", *settings.VAULT_KEYS]
    with pytest.raises(CommandError, match="1 could not be read"):
        run("rotate_keys")
    settings.VAULT_KEYS = ["new"]
    other.refresh_from_db()
    assert other.secrets()[0] == CREDENTIAL


def test_a_credential_saved_while_rotating_wins(
    settings: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAULT_KEYS = ["new", *settings.VAULT_KEYS]
    rewrap, saved = vault.Vault.rewrap, []

    def save_in_between(self: vault.Vault, blob: bytes, place: vault.Place) -> bytes | None:
        rewrapped = rewrap(self, blob, place)
        if not saved:
            saved.append(True)
            during = Connection.objects.get(pk=connection.pk)
            during.set_credential("typed-meanwhile")
            during.save()
        return rewrapped

    monkeypatch.setattr(vault.Vault, "rewrap", save_in_between)
    run("rotate_keys")
    settings.VAULT_KEYS = ["new"]
    connection.refresh_from_db()
    assert connection.secrets()[0] == "typed-meanwhile"


def test_a_row_deleted_while_rotating_stays_deleted(settings: Any, connection: Connection) -> None:
    settings.VAULT_KEYS = ["new", *settings.VAULT_KEYS]
    done = rotation.Rotation()
    pk = connection.pk
    connection.delete()
    rotation.rotate_one(pk, "credential", done)
    assert not Connection.objects.exists()
    assert done == rotation.Rotation()


# --- The check --------------------------------------------------------------------------------------------------------


def test_a_missing_server_key_is_found_before_a_request_needs_it(settings: Any, connection: Connection) -> None:
    def found() -> list[Any]:
        return [each for each in run_checks(databases=["default"], tags=["database"]) if each.id == "accounts.E001"]

    assert found() == []
    settings.VAULT_KEYS = ["another"]
    (error,) = found()
    assert vault.key_id(bytes(connection.credential)).hex() in error.msg


def test_the_start_of_the_server_warns_of_it_and_goes_on(settings: Any, connection: Connection) -> None:
    from playground.management.commands.serve import Command

    said = io.StringIO()
    command = Command(stderr=said, no_color=True)
    command.warn_of_missing_server_keys()
    assert said.getvalue() == ""
    settings.VAULT_KEYS = ["another"]
    command.warn_of_missing_server_keys()
    assert "not configured" in said.getvalue()
    assert "Nothing was changed" in said.getvalue()
