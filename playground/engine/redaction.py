"""An upstream that repeats the key it was sent: the key is blotted out of its answer before anybody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Redaction:
    """Masks secrets in bytes that arrive in pieces; the number of bytes stays the same.

    The last bytes of a piece that could be the beginning of a secret are held back until the next one tells.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes, and return those that may be passed on."""
        data = self._held + data if self._held else data
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, b"*" * len(secret))
        held = max((_beginning(secret, data) for secret in self._secrets), default=0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held] if held else data

    def finish(self) -> bytes:
        """Return what was held back: there is no more, so it is no secret."""
        held, self._held = self._held, b""
        return held


def _beginning(secret: bytes, data: bytes) -> int:
    """Return how many of the last bytes are the beginning of the secret."""
    at = data.find(secret[:1], max(0, len(data) - len(secret) + 1))
    while at >= 0:
        if secret.startswith(data[at:]):
            return len(data) - at
        at = data.find(secret[:1], at + 1)
    return 0
