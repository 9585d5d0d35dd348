"""Limits the size of a request's body, before the application sees any of it.

Twisted reads a whole body before it calls an application: without this, any address takes any size. The relay and the
pages named here take what a run's body may be; all others take little.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from django.conf import settings
from django.urls import Resolver404, resolve

RELAY_PREFIX: Final = "/v1/"
# A body that comes in slower than this, on the average since its first byte could come, is not waited for.
LEAST_BYTES_PER_S: Final = 8 * 1024
GRACE_S: Final = 10.0  # for which any pace will do
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
        "session-import",
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


class BodySlot:
    """One large body's. Call `arrived` when it has come in whole, `give_back` when the application is done with it."""

    def __init__(self, slots: BodySlots, address: str) -> None:
        self._slots = slots
        self._address = address
        self._is_arriving = self._is_taken = True

    def arrived(self) -> None:
        """Stop counting the body against its sender, who cannot hold it up any more."""
        if self._is_arriving:
            self._is_arriving = False
            self._slots.arriving -= Counter((self._address,))

    def give_back(self) -> None:
        self.arrived()
        if self._is_taken:
            self._is_taken = False
            self._slots.taken -= 1


class BodySlots:
    """Limits how many large bodies may be on their way in at once: each is on disk and then in memory as a whole.

    Nobody has logged in yet when a slot is taken, so one address gets a share of them only.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.arriving: Counter[str] = Counter()  # by address

    def take(self, address: str) -> BodySlot | int:
        """Return a slot, or the status to refuse with, when this address has its share or there is none left."""
        if self.arriving[address] >= settings.MAX_BIG_BODIES_PER_ADDRESS:
            return 429
        if self.taken >= settings.MAX_BIG_BODIES:
            return 503
        self.taken += 1
        self.arriving[address] += 1
        return BodySlot(self, address)
