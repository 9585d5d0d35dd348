"""What is deleted goes, also where a request begins to refer to it in that moment."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.deletion import sql
from django.urls import reverse

from accounts import deletion
from accounts.leaving import delete_with_everything
from accounts.models import Connection, User
from playground.models import Run
from tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


@pytest.fixture
def before_the_rows_go(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Do something on another connection once Django has cleared all references and is about to delete."""
    delete_batch = sql.DeleteQuery.delete_batch

    def prepare(interfere: Callable[[], object]) -> None:
        waiting = [threading.Thread(target=lambda: (interfere(), connection.close()))]

        def interfered(query: Any, *arguments: Any) -> Any:
            if waiting and query.model in (Connection, User):
                thread = waiting.pop()
                thread.start()
                thread.join(20)
            return delete_batch(query, *arguments)

        monkeypatch.setattr(sql.DeleteQuery, "delete_batch", interfered)

    return prepare


@pytest.fixture
def mine(owner: User) -> Connection:
    return Connection.objects.create(owner=owner, name="Mine", base_url="https://a.example")


def a_request_comes(owner: User, mine: Connection) -> None:
    Run.objects.filter(pk=runs.stored_run(owner).pk).update(connection=mine.pk)


def test_a_connection_goes_while_a_request_begins_to_use_it(
    client: Client, owner: User, mine: Connection, before_the_rows_go: Any
) -> None:
    client.force_login(owner)
    before_the_rows_go(partial(a_request_comes, owner, mine))
    assert client.post(reverse("connection-delete", args=[mine.pk])).status_code == 302
    assert not Connection.objects.filter(pk=mine.pk).exists()
    assert Run.objects.get().connection_id is None


@pytest.mark.parametrize("delete", [User.delete, delete_with_everything])
def test_an_account_goes_while_a_request_is_stored(
    owner: User, mine: Connection, before_the_rows_go: Any, delete: Callable[[User], object]
) -> None:
    before_the_rows_go(partial(a_request_comes, owner, mine))
    delete(owner)
    assert not User.objects.exists()
    assert not Run.objects.exists()


def test_within_a_transaction_the_caller_is_told(mine: Connection) -> None:
    calls = []

    def refuse() -> None:
        calls.append(1)
        raise IntegrityError

    with pytest.raises(IntegrityError), transaction.atomic():
        deletion.retried(refuse)
    assert len(calls) == 1
    with pytest.raises(IntegrityError):
        deletion.retried(refuse)
    assert len(calls) == 1 + deletion.MOST_TRIES
