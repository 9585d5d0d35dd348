"""An upstream that repeats the key it was sent: the key is blotted out of its answer before anybody sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from playground.protocol.guessing import public_length, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

_SURE: Final = 8  # characters beyond what keys have in common: so many are the same by no chance
_LONGEST_LEAD: Final = 32  # bytes: a member's name, a colon and spaces
_STRING: Final = rb'[^"\\]*(?:\\.[^"\\]*)*\\?'  # in JSON, up to its end or that of what has arrived
_TEXT: Final = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"(' + _STRING + rb')("|\Z)', re.DOTALL)
_WHOLE_TEXTS: Final = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"(' + _STRING + rb')"', re.DOTALL)
_REST_OF_TEXT: Final = re.compile(b"(" + _STRING + rb')("|\Z)', re.DOTALL)


class Redaction:
    """Masks secrets in bytes that arrive in pieces; the number of bytes stays the same.

    The last bytes of a piece that could be the beginning of a secret are held back until the next one tells.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = [(text, public_length(secret)) for secret in secrets for text in spellings(secret)]
        self._secrets = [text.encode() for text, _ in spelled]
        self._beginnings = {secret[:4] for secret in self._secrets}  # which the spellings of a secret share
        self._held = b""
        self._in_deltas = _InDeltas([(text.encode(), public) for text, public in spelled])

    def feed(self, data: bytes, *, is_stream: bool = True) -> bytes:
        """Take bytes, and return those that may be passed on. `is_stream`: they may be of deltas."""
        if not self._secrets:
            return data
        data = self._held + data if self._held else data
        if any(beginning in data for beginning in self._beginnings):
            for secret in self._secrets:
                data = data.replace(secret, b"*" * len(secret))
        # No secret has a line break in it, and most reads of a stream end in one.
        held = 0 if data.endswith(b"\n") else max(_beginning(secret, data) for secret in self._secrets)
        self._held = data[len(data) - held :]
        data = data[: len(data) - held] if held else data
        return self._in_deltas.feed(data) if is_stream else data

    def finish(self) -> bytes:
        """Return what was held back: there is no more, so it is no secret."""
        held, self._held = self._held, b""
        return held


class _InDeltas:
    """Masks a secret that a stream spells a few characters at a time, a delta each.

    The deltas' texts are read as one. Nothing is held back: what shows that this is the secret (what other keys begin
    with too, and a little more) passes, and the rest of it is masked.
    """

    def __init__(self, secrets: Iterable[tuple[bytes, int]]) -> None:
        sure = [(secret, max(1, min(public + _SURE, len(secret) - _SURE))) for secret, public in secrets]
        self._secrets = [(secret, secret[:length]) for secret, length in sure]
        self._beginnings = {beginning for _, beginning in self._secrets}
        self._most = max((len(secret) for secret, _ in self._secrets), default=0)
        self._before = b""  # the end of the text so far
        self._lead = b""  # the last bytes that passed, where a text may begin that goes on in the next ones
        self._is_inside = False  # did they end in a text?
        self._is_escaped = False  # and there between a backslash and what it escapes?

    def feed(self, data: bytes) -> bytes:
        """Take what may be passed on so far, and return it with the rest of secrets masked."""
        if not self._is_inside and not self._lead and data.endswith(b"\n"):  # whole events, as nearly always
            whole = self._before + b"".join(_WHOLE_TEXTS.findall(data))
            if not any(beginning in whole for beginning in self._beginnings):
                self._before = whole[-self._most :]
                return data
        return self._masked(data)

    def _masked(self, data: bytes) -> bytes:
        read = self._lead + data
        masked = bytearray(read)
        at = 0
        if self._is_inside and (rest := _REST_OF_TEXT.match(read, int(self._is_escaped))):
            at = self._take(rest, masked, 0)
        for text in _TEXT.finditer(read, at):
            at = self._take(text, masked, text.start(1))
        passed = bytes(masked[len(self._lead) :])
        self._lead = b"" if self._is_inside or data.endswith(b"\n") else read[max(at, len(read) - _LONGEST_LEAD) :]
        return passed

    def _take(self, text: re.Match[bytes], masked: bytearray, start: int) -> int:
        """Mask this part of the text; return where it ends."""
        self._mask(text.string[start : text.end(1)], masked, start)
        self._is_inside = not text[2]
        self._is_escaped = self._is_inside and _ends_in_escape(text[1])
        return text.end()

    def _mask(self, piece: bytes, masked: bytearray, start: int) -> None:
        whole = self._before + piece
        shift = start - len(self._before)
        for secret, beginning in self._secrets:
            at = whole.find(beginning)
            while at >= 0:
                end = at + _length_in_common(secret, whole[at : at + len(secret)])
                end -= whole[end - 1 : end] == b"\\"  # it escapes what stands behind it
                first = max(at + len(beginning), len(self._before))
                if end > first:
                    masked[first + shift : end + shift] = b"*" * (end - first)
                at = whole.find(beginning, at + 1)
        self._before = whole[-self._most :]


def _ends_in_escape(text: bytes) -> bool:
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


def _length_in_common(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _beginning(secret: bytes, data: bytes) -> int:
    """Return how many of the last bytes are the beginning of the secret."""
    at = data.find(secret[:1], max(0, len(data) - len(secret) + 1))
    while at >= 0:
        if secret.startswith(data[at:]):
            return len(data) - at
        at = data.find(secret[:1], at + 1)
    return 0
