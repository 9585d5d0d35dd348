"""Recognises an uploaded file by its bytes: the types that the API takes as base64 or as text, and no others.

Nothing is decoded here: of an image only the header is read, for its size. SVG is text that can run, so it is not taken
as an image.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.exceptions import PlaygroundError

MOST_TEXT_BYTES = 4 * 2**20
MOST_PIXELS = 2**31 - 1  # what PNG itself allows, and a column of PostgreSQL can hold; a file may claim more


class UnknownFileError(PlaygroundError, ValueError):
    """Not a type that the API takes; the message is for the reader."""


@dataclass(frozen=True, slots=True)
class FileType:
    """`width` and `height` are in pixels, None where the header does not tell."""

    media_type: str
    width: int | None = None
    height: int | None = None


def recognise(data: bytes) -> FileType:
    """The type of a file. Raises `UnknownFileError` for anything but JPEG, PNG, GIF, WebP, PDF and plain text."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileType("image/png", _number(data, 16, 4), _number(data, 20, 4))
    if data.startswith(b"\xff\xd8\xff"):
        return FileType("image/jpeg", *_jpeg_size(data))
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return FileType("image/gif", _little(data, 6, 2), _little(data, 8, 2))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FileType("image/webp", *_webp_size(data))
    if b"%PDF-" in data[:1024]:
        return FileType("application/pdf")
    return FileType("text/plain") if _is_text(data) else _unknown()


def _unknown() -> FileType:
    raise UnknownFileError("this is not a JPEG, PNG, GIF, WebP, PDF or plain text file")


def _is_text(data: bytes) -> bool:
    if not data or len(data) > MOST_TEXT_BYTES or b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _number(data: bytes, at: int, size: int) -> int | None:
    return min(int.from_bytes(data[at : at + size], "big"), MOST_PIXELS) or None


def _little(data: bytes, at: int, size: int) -> int | None:
    return int.from_bytes(data[at : at + size], "little") or None


def _jpeg_size(data: bytes) -> tuple[int | None, int | None]:
    """Width and height from the first frame header; segments before it are stepped over, a few hundred at most."""
    at = 2
    for _ in range(500):
        if at + 9 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        # SOF0 to SOF15 carry the size; C4, C8 and CC are other tables.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(data, at + 7, 2), _number(data, at + 5, 2)
        at += 2 + (_number(data, at + 2, 2) or 2)
    return None, None


def _webp_size(data: bytes) -> tuple[int | None, int | None]:
    if data[12:16] == b"VP8X":
        return (_little(data, 24, 3) or 0) + 1, (_little(data, 27, 3) or 0) + 1
    if data[12:16] == b"VP8L":
        bits = _little(data, 21, 4) or 0
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if data[12:16] == b"VP8 ":
        return (_little(data, 26, 2) or 0) & 0x3FFF or None, (_little(data, 28, 2) or 0) & 0x3FFF or None
    return None, None
