"""The owner of the runs, reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User


@pytest.fixture
def reader(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client
