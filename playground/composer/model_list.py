"""Remembers, in this process and for a while, which models a connection listed last, for the form to offer.

Remembered per connection, never per key: it is public to everybody who may use the connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone

from playground.sandbox.model_catalogue import MODELS, describe
from playground.workers import in_server

if TYPE_CHECKING:
    from accounts.models import Connection

REMEMBERED_S = 3600
FAILURE_REMEMBERED_S = 60


@dataclass(frozen=True)
class ModelList:
    """The model objects as the upstream gave them, or why there are none."""

    models: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""
    read_at: datetime = field(default_factory=timezone.now)


def _key(connection: Connection | None) -> str:
    return f"models:{connection.pk if connection else 'sandbox'}"


def remembered(connection: Connection | None) -> ModelList | None:
    """Return the connection's last list, if there is one; of the sandbox, which is built in, always."""
    if connection is None:
        return ModelList([describe(model) for model in MODELS])
    return _cached(_key(connection))


@in_server
def _cached(key: str) -> ModelList | None:
    cached = cache.get(key)
    return cached if isinstance(cached, ModelList) else None


def remember(connection: Connection | None, model_list: ModelList) -> None:
    cache.set(_key(connection), model_list, FAILURE_REMEMBERED_S if model_list.failure else REMEMBERED_S)


def forget(connection: Connection | None) -> None:
    cache.delete(_key(connection))
