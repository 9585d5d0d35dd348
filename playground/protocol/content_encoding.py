"""Compressed bodies made readable, within a limit: what is small on the wire can be very large."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable

import brotli

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

MOST_LAYERS = 3


def decoded(data: bytes, encoding: str | None, most: int) -> bytes | None:
    """The body without its `content-encoding`; as it is when there is none.

    None when it cannot be read: a coding that is not known, damaged data, or more than `most` bytes.
    """
    codings = [coding.strip().lower() for coding in (encoding or "").split(",")]
    layers = [coding for coding in codings if coding not in {"", "identity"}]
    if len(layers) > MOST_LAYERS:
        return None
    content: bytes | None = data
    for coding in reversed(layers):
        if content is None or coding not in _READERS:
            return None
        content = _READERS[coding](content, most)
    return content


def _deflated(data: bytes, most: int) -> bytes | None:
    framed = _inflated(data, most, 15)
    return _inflated(data, most, -15) if framed is None else framed  # some send it without zlib's frame


def _inflated(data: bytes, most: int, window_bits: int) -> bytes | None:
    return _members(data, most, lambda: zlib.decompressobj(window_bits), zlib.error)


def _members(
    data: bytes,
    most: int,
    make_stream: Callable[[], zlib._Decompress | ZstdDecompressor],
    error: type[Exception],
) -> bytes | None:
    """The contents of all members, one after the other: a gzip file may have several, and so may Zstandard's frames."""
    pieces, size = [], 0
    while data:
        stream = make_stream()
        try:
            pieces.append(stream.decompress(data, most + 1 - size))
        except error:
            return None
        size += len(pieces[-1])
        if size > most or not stream.eof:
            return None
        data = stream.unused_data
    return b"".join(pieces)


def _brotli(data: bytes, most: int) -> bytes | None:
    stream = brotli.Decompressor()
    pieces, size = [], 0
    try:
        while not stream.is_finished():
            pieces.append(stream.process(data, output_buffer_limit=most + 1 - size))
            data = b""
            size += len(pieces[-1])
            is_cut_off = not pieces[-1] and stream.can_accept_more_data() and not stream.is_finished()
            if size > most or is_cut_off:
                return None
    except brotli.error:
        return None
    return b"".join(pieces)


def _zstandard(data: bytes, most: int) -> bytes | None:
    return _members(data, most, ZstdDecompressor, ZstdError)


_READERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": lambda data, most: _inflated(data, most, 31),
    "x-gzip": lambda data, most: _inflated(data, most, 31),
    "deflate": _deflated,
    "br": _brotli,
    "zstd": _zstandard,
}
