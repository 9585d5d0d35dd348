"""People's connections and keys, as the tests of this folder use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Connection, User

CREDENTIAL = "sk-ant-CANARY-credential-9f3a9"
HEADER_VALUE = "CANARY-header-value-77c1"

MakeConnection = Callable[..., Connection]


@pytest.fixture
def make_connection(db: None) -> MakeConnection:
    def make(owner: User | None, name: str = "Anthropic", **values: Any) -> Connection:
        headers = values.pop("headers", [("X-Team", HEADER_VALUE)])
        credential = values.pop("credential", CREDENTIAL)
        connection = Connection(owner=owner, name=name, **({"base_url": "https://api.example.com"} | values))
        connection.set_credential(credential)
        connection.set_headers(headers)
        connection.save()
        return connection

    return make


@pytest.fixture
def connection(make_connection: MakeConnection, owner: User) -> Connection:
    return make_connection(owner)
