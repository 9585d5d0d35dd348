"""The relay's runs in progress, which end with the account and the access key that they were started for.

A run is stopped at once when its account is deactivated or deleted, or its key revoked, in this process or in one that
announces it; and by a check of all of them every 30 seconds when that happened in the database itself.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from channels.db import database_sync_to_async
from django.db.models.signals import post_delete, post_save

from accounts.models import AccessKey, User
from playground.cluster import announcements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.engine.live_run import LiveRun, StopReason

RECHECK_S: Final = 30.0

logger = logging.getLogger(__name__)


class OpenStreams:
    """Runs with the primary keys of their account and access key. They are stopped in the event loop they belong to."""

    def __init__(self) -> None:
        self._runs: dict[LiveRun, tuple[int, int]] = {}
        self._check: asyncio.Task[None] | None = None

    @contextmanager
    def following(self, key: AccessKey, run: LiveRun) -> Iterator[None]:
        """While a client is being answered with this run."""
        self._runs[run] = key.owner_id, key.pk
        if self._check is None or self._check.done() or self._check.get_loop() is not asyncio.get_running_loop():
            self._check = asyncio.get_running_loop().create_task(self._recheck(), name="check the relay's accounts")
        try:
            yield
        finally:
            self._runs.pop(run, None)

    def end(self, *, user_pk: int | None = None, key_pk: int | None = None) -> None:
        """Stop the runs of this account, or of this key. May be called in any thread."""
        for run, (user, key) in tuple(self._runs.items()):
            if user == user_pk:
                _stop(run, "account_ended")
            elif key == key_pk:
                _stop(run, "key_ended")

    async def _recheck(self) -> None:
        """Check all streams again. A failure must not end the check for all others."""
        while self._runs:
            await asyncio.sleep(RECHECK_S)
            try:
                users, access_keys = ({pks[place] for pks in tuple(self._runs.values())} for place in (0, 1))
                ended = await database_sync_to_async(_ended)(users, access_keys)
                for user_pk in ended[0]:
                    self.end(user_pk=user_pk)
                for key_pk in ended[1]:
                    self.end(key_pk=key_pk)
            except Exception as problem:
                logger.error("the relay's accounts could not be checked: %s", type(problem).__name__)


def _stop(run: LiveRun, reason: StopReason) -> None:
    if run.task is not None:
        run.task.get_loop().call_soon_threadsafe(run.stop, reason)


def _ended(user_pks: set[int], key_pks: set[int]) -> tuple[set[int], set[int]]:
    """Return which of these accounts are deactivated or gone, and which of these keys are not valid any more."""
    active = User.objects.filter(pk__in=user_pks, is_active=True).values_list("pk", flat=True)
    valid = AccessKey.objects.valid().filter(pk__in=key_pks).values_list("pk", flat=True)
    return user_pks - set(active), key_pks - set(valid)


streams = OpenStreams()


def _user_saved(instance: User, **_: Any) -> None:
    if not instance.is_active:
        streams.end(user_pk=instance.pk)


def _user_deleted(instance: User, **_: Any) -> None:
    streams.end(user_pk=instance.pk)


def _key_saved(instance: AccessKey, **_: Any) -> None:
    if instance.revoked_at is not None:
        streams.end(key_pk=instance.pk)


def _key_deleted(instance: AccessKey, origin: Any = None, **_: Any) -> None:
    if not isinstance(origin, User):  # it is the account that ends, and says so
        streams.end(key_pk=instance.pk)


def _announced(user_pk: int | None = None, key_pk: int | None = None) -> None:
    streams.end(user_pk=user_pk, key_pk=key_pk)


def listen() -> None:
    """Have the streams told of accounts and keys that end."""
    post_save.connect(_user_saved, sender=User, dispatch_uid="relay streams: user saved")
    post_delete.connect(_user_deleted, sender=User, dispatch_uid="relay streams: user deleted")
    post_save.connect(_key_saved, sender=AccessKey, dispatch_uid="relay streams: key saved")
    post_delete.connect(_key_deleted, sender=AccessKey, dispatch_uid="relay streams: key deleted")
    announcements.on("access_ended", _announced)
