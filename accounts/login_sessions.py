"""Ending a session ends its sockets: at once by a signal, and by a check every 30 s because a signal can be missed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_out
from django.dispatch import Signal, receiver
from django.utils.crypto import constant_time_compare

# Sent with `user` (may be unsaved after deletion: compare `user_pk`), `user_pk`, and `session_key`; None means all the
# user's sessions. It is sent in the thread of whatever ended them, so a receiver that lives on an event loop has to
# use `call_soon_threadsafe`.
sessions_ended = Signal()


def end_all(user: Any) -> None:
    """Tell that every session of this user has ended."""
    sessions_ended.send(sender=type(user), user=user, user_pk=user.pk, session_key=None)


@receiver(user_logged_out)
def _end_one(sender: type, request: Any, user: Any, **_: Any) -> None:
    if user is not None:
        key = getattr(getattr(request, "session", None), "session_key", None)
        sessions_ended.send(sender=sender, user=user, user_pk=user.pk, session_key=key)


async def session_is_valid(scope: Mapping[str, Any]) -> bool:
    """Return whether the socket's session still counts: it exists, and is this user's, who is active and has the same
    password.

    A visitor's socket has no session that could end. Reads the database: for every 30 s, not for every frame.
    """
    user = scope.get("user")
    if user is None or not user.is_authenticated:
        return True
    return await database_sync_to_async(is_valid)(session_key(scope), user.pk)


def session_key(scope: Mapping[str, Any]) -> str | None:
    """The key of the socket's session, to compare with the one `sessions_ended` names."""
    return getattr(scope.get("session"), "session_key", None)


def is_valid(key: str | None, user_pk: Any) -> bool:
    """The synchronous form, for a session's key and the user it should belong to."""
    if not key:
        return False
    stored = import_module(settings.SESSION_ENGINE).SessionStore(key).load()
    user = get_user_model().objects.filter(pk=user_pk, is_active=True).first()
    if user is None or str(stored.get(SESSION_KEY)) != str(user.pk):
        return False
    known = stored.get(HASH_SESSION_KEY, "")
    current = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(known, each) for each in current)
