"""Ended sessions, revoked keys and switched-off accounts, announced to all processes.

Django's signals tell the process, or the command, in which it happens; this hands them on. Those who hold what has
ended (websockets, streams of the relay, the cache of keys) listen to `sessions_ended` and to the announcements.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save

from accounts.login_sessions import sessions_ended
from accounts.models import AccessKey, Connection, User
from playground.cluster import announcements


def listen() -> None:
    """Hand everything on, both ways."""
    sessions_ended.connect(_sessions_ended, dispatch_uid="announce ended sessions")
    for model in (AccessKey, Connection, User):
        post_save.connect(_saved, sender=model, dispatch_uid=f"announce a saved {model.__name__}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"announce a deleted {model.__name__}")
    announcements.on("sessions_ended", _end_sessions)


def _sessions_ended(*, user_pk: Any, session_key: str | None, is_announced: bool = False, **_: Any) -> None:
    if not is_announced:
        announcements.tell("sessions_ended", user_pk=user_pk, session_key=session_key)


def _end_sessions(*, user_pk: Any, session_key: str | None) -> None:
    sessions_ended.send(sender=User, user=None, user_pk=user_pk, session_key=session_key, is_announced=True)


def _saved(instance: Any, update_fields: Any = None, **_: Any) -> None:
    if update_fields is not None and set(update_fields) == {"last_login"}:
        return  # nothing depends on it, and everybody logs in
    announcements.tell("keys_changed")
    if isinstance(instance, User) and not instance.is_active:
        announcements.tell("access_ended", user_pk=instance.pk)
    elif isinstance(instance, AccessKey) and instance.revoked_at is not None:
        announcements.tell("access_ended", key_pk=instance.pk)


def _deleted(instance: Any, origin: Any = None, **_: Any) -> None:
    announcements.tell("keys_changed")
    if isinstance(instance, User):
        announcements.tell("access_ended", user_pk=instance.pk)
    elif isinstance(instance, AccessKey) and not isinstance(origin, User):
        announcements.tell("access_ended", key_pk=instance.pk)
