"""What is found by looking through a body is what a parser finds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from playground.protocol.json import scanning as module
from playground.protocol.json.scanning import outer_members, strings

WANTED = frozenset({"model", "stream"})
NAMES = some.sampled_from(["model", "stream", "mod\\el", 'mo"del', "messages", "metadata", "é", "{", "["])
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.text(max_size=12)
    | some.sampled_from(['"', "\\", '\\"', "]"]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(
    members=some.lists(some.tuples(NAMES, VALUES), max_size=8),
    indent=some.sampled_from([None, 2]),
    ascii_only=some.booleans(),
    window=some.sampled_from([1, 2, 7, 100_000]),
)
def test_it_finds_what_a_parser_finds(
    members: list[tuple[str, Any]], indent: int | None, ascii_only: bool, window: int
) -> None:
    pairs = [
        f"{json.dumps(name, ensure_ascii=ascii_only)}: {json.dumps(value, indent=indent, ensure_ascii=ascii_only)}"
        for name, value in members
    ]
    text = "{" + ", ".join(pairs) + "}"
    parsed = {name: value for name, value in json.loads(text).items() if name in WANTED}
    expected = {name: None if isinstance(value, dict | list) else value for name, value in parsed.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WINDOW", window)
        assert outer_members(text.encode("utf-8", "surrogatepass"), WANTED) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", {}),
        (b"[1, 2]", {}),
        (b'[{"model": "a"}]', {}),
        (b'"model": "a"', {}),
        (b'{"model": "a"', {"model": "a"}),
        (b'{"model"', {}),
        (b'{"model": "a', {"model": None}),
        (b'{"model": "a"} {"model": "b"}', {"model": "a"}),
        (b'{"m\\u006fdel": "a"}', {"model": "a"}),
        (b'{"model": "' + b"a" * 5000 + b'"}', {"model": None}),
        (b'{"system": "\\\\", "model": "a"}', {"model": "a"}),
        (b'{"system": "\\\\\\", \\"model\\": ", "stream": true}', {"stream": True}),
        (b"[" * 100_000, {}),
        (b"}" * 10, {}),
    ],
)
def test_odd_bodies_give_what_there_is(text: bytes, found: dict[str, Any]) -> None:
    assert outer_members(text, WANTED) == found


def test_a_body_of_nothing_but_quotes_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_MARKS", 1000)
    text = b'{"model": "a", "x": [' + b'"",' * 10_000 + b'""], "stream": true}'
    assert outer_members(text, WANTED) == {"model": "a"}


@given(value=VALUES, room=some.sampled_from([0, 1, 5, 1000]), ascii_only=some.booleans())
def test_its_texts_are_found_in_their_order(value: Any, room: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert "".join(strings(text.encode("utf-8", "surrogatepass"), room)) == "".join(texts_of(json.loads(text)))[:room]


def texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for member in members for text in texts_of(member)]


def test_texts_of_some_members_are_passed_over() -> None:
    body = json.dumps({"type": "text", "text": "a", "source": {"data": "x" * 99, "b": ["c", "d"]}}).encode()
    assert list(strings(body, 1000, {"type", "data"})) == ["a", "c", "d"]
    assert list(strings(body, 2)) == ["te"]


def test_a_text_that_is_cut_within_an_escape_is_found_up_to_it() -> None:
    assert list(strings(json.dumps(["é" * 50]).encode(), 7)) == ["é" * 7]
    assert list(strings(json.dumps(["é" * 50], ensure_ascii=False).encode(), 7)) == ["é" * 7]
