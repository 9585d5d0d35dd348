"""Deletion of what requests in progress may come to refer to while it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from django.db import IntegrityError, connection

MOST_TRIES: Final = 5

T = TypeVar("T")


def retried(delete: Callable[[], T]) -> T:
    """Delete again where a row was written meanwhile that refers to what goes, as a request does that has just begun.

    Django clears the references that it sees; PostgreSQL tells of later ones only when the transaction is committed. In
    a transaction of the caller's only the caller can begin again. Raises IntegrityError after `MOST_TRIES`.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return delete()
        except IntegrityError:
            if connection.in_atomic_block:
                raise
    return delete()
