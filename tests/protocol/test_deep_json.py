"""JSON that nests to the end of the stack is refused, and nothing else fails while a reader is down there."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from playground.protocol.errors import parse_error
from playground.protocol.json.received_json import loads, read_json, try_loads

if TYPE_CHECKING:
    from collections.abc import Callable

DEEP = "[" * 5_000
READERS = [try_loads, read_json, lambda text: parse_error(500, text.encode())]


class Node:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


@pytest.mark.parametrize("read", READERS)
def test_the_collector_calls_nothing_at_the_end_of_the_stack(
    read: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    told: list[int] = []
    references = []
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # what the other tests have left is not looked at each time
    try:
        for count in range(800, 1_100):  # so many objects later the collector would run, at any depth
            gc.collect()
            gc.set_threshold(count)
            references.append(weakref.ref(Node(), lambda _, count=count: told.append(count)))
            read(DEEP)
            assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    gc.collect()
    assert failed == []
    assert len(told) == len(references)


@pytest.mark.parametrize("text", [DEEP, '{"a": ' * 5_000, "[" * 5_000 + "]" * 5_000])
def test_what_nests_too_deeply_is_refused_like_any_text_that_is_no_json(text: str) -> None:
    assert try_loads(text) is None
    assert read_json(text) == (None, "nested more than 100 deep")
    assert parse_error(500, text.encode()).message.startswith(text[:4])
    with pytest.raises(ValueError, match="nested too deeply"):
        loads(text)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        assert loads("[1]") == [1]
        assert not gc.isenabled()
    finally:
        gc.enable()
