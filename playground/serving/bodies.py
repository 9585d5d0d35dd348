"""How large a request's body may be, decided before the application sees any of it.

Twisted reads a whole body before it calls an application: without this, any address takes any size. The relay and the
pages named here take what a run's body may be; all others take little.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.urls import Resolver404, resolve

RELAY_PREFIX: Final = "/v1/"
# URL names: what carries a request body or a file.
LARGE: Final = frozenset(
    {
        "send",
        "edit",
        "change",
        "draft-form",
        "draft-part",
        "draft-start",
        "draft-import",
        "draft-models",
        "draft-tokens",
        "attachments",
        "conversation-save",
        "conversation-import",
        "send-results",
        "compare-runs",
        "answer-to-draft",
    }
)


def most_bytes(path: str) -> int:
    """The most a request to this path may carry."""
    return settings.MAX_RUN_BODY_BYTES if is_large_allowed(path) else settings.MAX_BODY_BYTES


def is_large_allowed(path: str) -> bool:
    if path.startswith(RELAY_PREFIX):
        return True
    try:
        return resolve(path).url_name in LARGE
    except Resolver404:
        return False


class Places:
    """So many large bodies may be on their way in at once: each is on disk and then in memory as a whole."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> bool:
        if self.taken >= settings.MAX_BIG_BODIES:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        self.taken -= 1
