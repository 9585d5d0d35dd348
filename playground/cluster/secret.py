"""Checks that this process has the secret of the others: without it they would not take each other's cookies."""

from __future__ import annotations

from django.utils.crypto import constant_time_compare, salted_hmac

from playground.cluster import keys
from playground.cluster.redis_link import AWAY, thread_client

_SALT = "playground.cluster.secret"


def fingerprint() -> str:
    """Return a fingerprint of `SECRET_KEY`, from which the key cannot be found."""
    return salted_hmac(_SALT, "site", algorithm="sha256").hexdigest()


def has_the_sites_secret() -> bool:
    """True also when no other process lives, or Redis cannot be asked."""
    try:
        known = thread_client().get(keys.SECRET)
    except AWAY:
        return True
    return not isinstance(known, bytes) or constant_time_compare(known.decode(), fingerprint())
