"""Compressed bodies are read within a limit; what cannot be read is None, whatever it is."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from typing import Final

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.content_encoding import decoded
from tests.support.examples import examples

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
CODINGS: Final = sorted(PACKERS)


@pytest.mark.parametrize("coding", CODINGS)
@examples(50)
@given(data=st.binary(max_size=5_000))
def test_what_was_packed_is_read(coding: str, data: bytes) -> None:
    assert decoded(PACKERS[coding](data), coding.upper(), 5_000) == data


@pytest.mark.parametrize("coding", CODINGS)
def test_exactly_the_limit_is_read_and_one_byte_more_is_not(coding: str) -> None:
    packed = PACKERS[coding](b" " * 100_000)
    assert decoded(packed, coding, 100_000) == b" " * 100_000
    assert decoded(packed, coding, 99_999) is None


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_cut_off_or_no_such_coding_is_not_read(coding: str) -> None:
    packed = PACKERS[coding](b"a body that is long enough to be cut anywhere " * 20)
    assert [decoded(packed[:end], coding, 10_000) for end in range(1, len(packed))] == [None] * (len(packed) - 1)
    assert decoded(b"not compressed at all", coding, 10_000) is None


@pytest.mark.parametrize("coding", CODINGS)
@examples(200)
@given(data=st.binary(max_size=200))
def test_no_bytes_raise(coding: str, data: bytes) -> None:
    decoded(data, coding, 10_000)


def test_two_frames_after_each_other_are_one_body() -> None:
    assert decoded(zstd.compress(b"one ") + zstd.compress(b"two"), "zstd", 100) == b"one two"
