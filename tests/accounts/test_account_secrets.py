"""Canaries: a credential, a header's value, an access key and a password, looked for wherever they could come out."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from accounts.models import AccessKey, Connection, User
from tests.accounts.conftest import CREDENTIAL, HEADER_VALUE

pytestmark = pytest.mark.django_db(transaction=True)
CANARIES = (CREDENTIAL, HEADER_VALUE)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator", password="x")


def everything_stored() -> str:
    """All tables, each value as text; bytes as they would stand in a dump."""
    with database.cursor() as cursor:
        rows = []
        for table in database.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [f"{table} {value!r}" for row in cursor.fetchall() for value in row]
    return "\n".join(bytes(row).decode("latin-1") if isinstance(row, memoryview) else row for row in rows)


def test_a_dump_of_the_database_holds_no_secret_in_the_clear(connection: Connection, owner: User) -> None:
    _key, secret = AccessKey.objects.issue(owner=owner, name="x", connection=connection)
    dumped = io.StringIO()
    call_command("dumpdata", "accounts", stdout=dumped)
    for text in (everything_stored(), dumped.getvalue()):
        assert "api.example.com" in text
        for canary in (*CANARIES, secret):
            assert canary not in text


def test_no_page_of_the_owner_shows_a_secret(client: Client, owner: User, connection: Connection) -> None:
    _key, secret = AccessKey.objects.issue(owner=owner, name="x", connection=connection)
    client.force_login(owner)
    pages = [
        reverse(name)
        for name in ("connections", "connection-add", "access-keys", "account", "account-delete", "password-change")
    ]
    for address in (*pages, reverse("connection-edit", args=[connection.pk])):
        response = client.get(address)
        assert response.status_code == 200
        for canary in (*CANARIES, secret):
            assert canary not in response.content.decode()
            assert canary not in str(response.headers)


def test_no_admin_page_shows_a_secret_or_a_blob(client: Client, operator: User, connection: Connection) -> None:
    listed = Connection(owner=None, name="House", base_url="https://api.example.com")
    listed.set_credential(CREDENTIAL)
    listed.set_headers([("X-Team", HEADER_VALUE)])
    listed.save()
    key, secret = AccessKey.objects.issue(owner=operator, name="x")
    client.force_login(operator)
    addresses = [reverse(f"admin:accounts_{name}_changelist") for name in ("connection", "accesskey", "user")]
    addresses += [reverse("admin:accounts_connection_change", args=[each.pk]) for each in (connection, listed)]
    addresses += [reverse("admin:accounts_connection_delete", args=[listed.pk])]
    addresses += [reverse("admin:accounts_accesskey_change", args=[key.pk])]
    blobs = [bytes(blob).hex()[:40] for blob in (listed.credential, listed.default_headers)]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        for canary in (*CANARIES, secret, key.digest, *blobs):
            assert canary not in response.content.decode()


def test_no_log_line_at_debug_holds_a_secret(client: Client, owner: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    password = "CANARY-password-5521"
    client.post(reverse("login"), {"username": "owner", "password": password})
    client.force_login(owner)
    headers = {"header_name": ["X-Team"], "header_value": [HEADER_VALUE], "header_kept": [""]}
    data = {"name": "A", "auth_style": "x-api-key", "anthropic_version": "2023-06-01", "credential": CREDENTIAL}
    client.post(reverse("connection-add"), data | headers | {"base_url": "not an address"})
    client.post(reverse("connection-add"), data | headers | {"base_url": "https://api.example.com"})
    assert Connection.objects.count() == 1
    logged = "\n".join(f"{record.getMessage()} {record.exc_text} {record.args}" for record in caplog.records)
    for canary in (*CANARIES, password):
        assert canary not in logged


def test_an_error_report_of_a_failing_form_holds_no_secret(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from django.views.debug import ExceptionReporter

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Connection, "save", fail)
    client.force_login(owner)
    client.raise_request_exception = False
    data = {"name": "A", "auth_style": "x-api-key", "anthropic_version": "2023-06-01", "credential": CREDENTIAL}
    response = client.post(reverse("connection-add"), data | {"base_url": "https://api.example.com"})
    assert response.status_code == 500
    report = ExceptionReporter(response.wsgi_request, *response.exc_info).get_traceback_text()
    assert "the disk is full" in report
    assert CREDENTIAL not in report
    assert CREDENTIAL not in response.content.decode()


def test_neither_rows_nor_places_say_a_secret_when_printed(connection: Connection) -> None:
    assert CREDENTIAL not in repr(connection) + str(connection) + repr(connection.place("credential"))
