"""Connections: who sees which, adding, changing, deleting, and what is never shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import vault
from accounts.models import AccessKey, Connection, User
from accounts.vault import BlobDamagedError, ServerKeyMissingError
from tests.accounts.conftest import CREDENTIAL, HEADER_VALUE, MakeConnection

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://api.example.com"


@pytest.fixture
def mine(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def form(**changes: Any) -> dict[str, Any]:
    plain = {"name": "Anthropic", "base_url": URL, "auth_style": "x-api-key", "anthropic_version": "2023-06-01"}
    return plain | {"credential": CREDENTIAL} | changes


def add(client: Client, **changes: Any) -> Any:
    return client.post(reverse("connection-add"), form(**changes))


def change(client: Client, connection: Connection, **changes: Any) -> Any:
    return client.post(reverse("connection-edit", args=[connection.pk]), form(credential="") | changes)


# --- The row ----------------------------------------------------------------------------------------------------------


def test_the_secrets_of_a_row_come_back_to_those_who_send_requests(connection: Connection) -> None:
    assert Connection.objects.get().secrets() == (CREDENTIAL, [("X-Team", HEADER_VALUE)])


def test_a_connection_without_secrets_has_none(make_connection: MakeConnection, owner: User) -> None:
    plain = make_connection(owner, credential="", headers=[])
    assert plain.secrets() == ("", [])
    assert plain.masked_credential == ""


def test_a_credential_pasted_onto_somebody_elses_row_does_not_open(
    make_connection: MakeConnection, owner: User, stranger: User
) -> None:
    theirs, own = make_connection(owner), make_connection(stranger, credential="other-credential")
    Connection.objects.filter(pk=own.pk).update(credential=theirs.credential)
    with pytest.raises(BlobDamagedError):
        Connection.objects.get(pk=own.pk).secrets()


def test_a_row_handed_to_another_owner_does_not_open(connection: Connection, stranger: User) -> None:
    for new_owner in (stranger.pk, None):
        Connection.objects.update(owner=new_owner)
        with pytest.raises(BlobDamagedError):
            Connection.objects.get().secrets()


def test_a_missing_server_key_is_an_error_in_words(connection: Connection, settings: Any) -> None:
    settings.VAULT_KEYS = ["another key"]
    with pytest.raises(ServerKeyMissingError, match="Put that key back"):
        Connection.objects.get().secrets()


def test_names_are_unique_for_an_owner_and_for_everyone(make_connection: MakeConnection, owner: User) -> None:
    make_connection(owner, "One")
    make_connection(None, "Two")
    for whose, name in ((owner, "ONE"), (None, "two")):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_connection(whose, name)


def test_who_can_use_which(make_connection: MakeConnection, owner: User, stranger: User) -> None:
    own, theirs = make_connection(owner, "own"), make_connection(stranger, "theirs")
    listed = make_connection(None, "listed")
    public = make_connection(None, "public", visitors_allowed=True)
    assert set(Connection.objects.usable_by(owner)) == {own, listed, public}
    assert set(Connection.objects.usable_by(stranger)) == {theirs, listed, public}
    assert set(Connection.objects.usable_by(AnonymousUser())) == {public}
    assert set(Connection.objects.owned_by(owner)) == {own}


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_the_list_shows_own_ones_the_operators_and_the_sandbox(
    mine: Client, make_connection: MakeConnection, connection: Connection, stranger: User
) -> None:
    make_connection(None, "House gateway")
    make_connection(stranger, "Not yours")
    page = mine.get(reverse("connections")).content.decode()
    assert all(name in page for name in ("Anthropic", "House gateway", "Sandbox", "••••3a9"[:4] + CREDENTIAL[-4:]))
    assert "Not yours" not in page


def test_the_operators_credential_is_not_even_hinted_at(mine: Client, make_connection: MakeConnection) -> None:
    make_connection(None)
    assert CREDENTIAL[-4:] not in mine.get(reverse("connections")).content.decode()


def test_adding_stores_what_was_typed(mine: Client, owner: User) -> None:
    headers = {"header_name": ["X-Team", ""], "header_value": ["blue", ""], "header_kept": ["", ""]}
    response = add(mine, base_url=f"{URL}/v1/", auth_style="bearer", **headers)
    assert response.status_code == 302
    stored = Connection.objects.get()
    assert (stored.owner, stored.base_url, stored.auth_style) == (owner, URL, "bearer")
    assert stored.secrets() == (CREDENTIAL, [("X-Team", "blue")])


@pytest.mark.parametrize("name", ["anthropic", "House Gateway", "sandbox"])
def test_a_name_in_use_is_refused(
    mine: Client, make_connection: MakeConnection, connection: Connection, name: str
) -> None:
    make_connection(None, "House gateway")
    assert "You already have a connection with this name." in add(mine, name=name).content.decode()
    assert Connection.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a\x00b"},
        {"base_url": "https://user:pw@example.com"},
        {"base_url": "sandbox://playground"},
        {"credential": "two words"},
        {"credential": "x" * 5000},
        {"auth_style": "basic"},
        {"anthropic_version": "2023\r\nX: y"},
        {"header_name": ["Host"], "header_value": ["x"], "header_kept": [""]},
        {"header_name": ["X-Team"], "header_value": [""], "header_kept": [""]},
        {"header_name": ["X-Team"], "header_value": [""], "header_kept": ["0"]},
        {"header_name": ["X-Team"], "header_value": [""], "header_kept": ["9" * 30]},
        {"header_name": ["a"] * 40, "header_value": ["b"] * 40, "header_kept": [""] * 40},
    ],
)
def test_what_cannot_be_used_is_refused_with_the_form_shown_again(mine: Client, wrong: dict[str, Any]) -> None:
    response = add(mine, **wrong)
    assert response.status_code == 200
    assert "circle-alert" in response.content.decode() or 'class="problem"' in response.content.decode()
    assert not Connection.objects.exists()


def test_a_refused_form_does_not_give_the_secrets_back(mine: Client) -> None:
    headers = {"header_name": ["X-Team"], "header_value": [HEADER_VALUE], "header_kept": [""]}
    page = add(mine, base_url="not an address", **headers).content.decode()
    assert "X-Team" in page
    assert CREDENTIAL not in page
    assert HEADER_VALUE not in page


def test_the_edit_page_shows_hints_only(mine: Client, connection: Connection) -> None:
    page = mine.get(reverse("connection-edit", args=[connection.pk])).content.decode()
    assert f"••••{CREDENTIAL[-4:]} (unchanged)" in page
    assert f"••••{HEADER_VALUE[-4:]} (unchanged)" in page
    assert CREDENTIAL not in page
    assert HEADER_VALUE not in page


def test_saving_without_typing_secrets_keeps_them(mine: Client, connection: Connection) -> None:
    kept = {"header_name": ["X-Group"], "header_value": [""], "header_kept": ["0"]}
    change(mine, connection, name="Renamed", **kept)
    stored = Connection.objects.get()
    assert stored.name == "Renamed"
    assert stored.secrets() == (CREDENTIAL, [("X-Group", HEADER_VALUE)])


def test_a_removed_row_removes_the_header_and_a_tick_the_credential(mine: Client, connection: Connection) -> None:
    change(mine, connection, remove_credential="on")
    assert Connection.objects.get().secrets() == ("", [])


def test_another_address_asks_for_the_credential_again(mine: Client, connection: Connection) -> None:
    page = change(mine, connection, base_url="https://evil.example").content.decode()
    assert "enter the credential again" in page
    assert Connection.objects.get().base_url == URL


def test_another_address_asks_for_the_headers_values_again(mine: Client, connection: Connection) -> None:
    kept = {"header_name": ["X-Team"], "header_value": [""], "header_kept": ["0"]}
    page = change(mine, connection, base_url="https://evil.example", credential=CREDENTIAL, **kept).content.decode()
    assert "enter the value of X-Team again" in page
    assert Connection.objects.get().base_url == URL


def test_with_everything_typed_again_the_address_changes(mine: Client, connection: Connection) -> None:
    typed = {"header_name": ["X-Team"], "header_value": [HEADER_VALUE], "header_kept": ["0"]}
    change(mine, connection, base_url="https://new.example/v1", credential="new-credential-1", **typed)
    stored = Connection.objects.get()
    assert stored.base_url == "https://new.example"
    assert stored.secrets() == ("new-credential-1", [("X-Team", HEADER_VALUE)])


def test_the_same_address_written_otherwise_asks_for_nothing(mine: Client, connection: Connection) -> None:
    assert change(mine, connection, base_url=f"{URL}/v1/").status_code == 302
    assert Connection.objects.get().secrets()[0] == CREDENTIAL


def test_a_change_forgets_what_the_last_test_found(mine: Client, connection: Connection) -> None:
    Connection.objects.update(test_passed=True, test_result="12 models")
    change(mine, connection, auth_style="bearer")
    assert Connection.objects.get().test_passed is None


def test_with_the_server_key_gone_the_form_says_so_and_saving_overwrites_nothing(
    mine: Client, connection: Connection, settings: Any
) -> None:
    before = Connection.objects.values("credential", "default_headers").get()
    keys, settings.VAULT_KEYS = settings.VAULT_KEYS, ["another key"]
    page = mine.get(reverse("connection-edit", args=[connection.pk])).content.decode()
    assert "Put that key back" in page
    assert change(mine, connection, name="Renamed").status_code == 302
    assert change(mine, connection, base_url="https://evil.example", credential="typed-anew").status_code == 200
    stored = Connection.objects.get()
    assert (stored.name, stored.base_url) == ("Renamed", URL)
    assert Connection.objects.values("credential", "default_headers").get() == before
    settings.VAULT_KEYS = keys
    assert stored.secrets()[0] == CREDENTIAL


def test_deleting_takes_its_access_keys_along(mine: Client, connection: Connection, owner: User) -> None:
    AccessKey.objects.issue(owner=owner, connection=connection, name="ci")
    AccessKey.objects.issue(owner=owner, connection=None, name="sandbox")
    assert "1 access key that points at it" in " ".join(
        mine.get(reverse("connection-edit", args=[connection.pk])).content.decode().split()
    )
    mine.post(reverse("connection-delete", args=[connection.pk]))
    assert not Connection.objects.exists()
    assert [key.name for key in AccessKey.objects.all()] == ["sandbox"]


def test_what_a_user_called_a_connection_is_text_and_not_markup(
    mine: Client, make_connection: Any, owner: User
) -> None:
    make_connection(owner, "<script>alert(1)</script>", test_result="<img src=x>", tested_at="2026-01-01T00:00Z")
    page = mine.get(reverse("connections")).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


# --- Which default headers are secrets --------------------------------------------------------------------------------


def marked(*marks: str, values: tuple[str, ...] = ("Team Playground", "f3A9x07Qm2LrT8sVb1Kc")) -> dict[str, Any]:
    names = ["x-title", "x-gateway"]
    return {"header_name": names, "header_value": values, "header_kept": ["0", "1"], "header_secret": marks}


def test_a_header_that_may_be_shown_is_shown_in_its_form_and_a_secret_one_is_not(mine: Client) -> None:
    add(mine, **marked("no", "yes"))
    connection = Connection.objects.get()
    assert [header.is_secret for header in connection.marked_headers()] == [False, True]
    page = mine.get(reverse("connection-edit", args=[connection.pk])).content.decode()
    assert "Team Playground" in page
    assert "f3A9x07Qm2LrT8sVb1Kc" not in page


def test_headers_without_a_mark_are_secrets(mine: Client) -> None:
    add(mine, **(marked() | {"header_secret": []}))
    assert [header.is_secret for header in Connection.objects.get().marked_headers()] == [True, True]
    older = Connection.objects.get()
    older.default_headers = vault.current().seal(b'[["x-title", "Team"]]', older.place("default_headers"))
    assert older.marked_headers() == [("x-title", "Team", True)]


def test_a_secret_does_not_come_out_by_being_called_none(mine: Client) -> None:
    add(mine, **marked("no", "yes"))
    connection = Connection.objects.get()
    answer = change(mine, connection, **marked("no", "no", values=("Team Playground", "")))
    assert "Enter the value of x-gateway again" in answer.content.decode()
    assert "f3A9x07Qm2LrT8sVb1Kc" not in answer.content.decode()
    change(mine, connection, **marked("yes", "yes", values=("", "")))
    assert Connection.objects.get().marked_headers() == [
        ("x-title", "Team Playground", True),
        ("x-gateway", "f3A9x07Qm2LrT8sVb1Kc", True),
    ]
