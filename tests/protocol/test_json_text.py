"""JSON text: what survives, what is refused, and where the mistake is said to be."""

import copy
import json
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.json.json_text import (
    JsonTextError,
    Limits,
    dump,
    lines_of,
    parse,
    parse_number,
    spelling,
)
from tests.protocol.bodies import ODD_NUMBERS, json_values


def same(one: object, other: object) -> bool:
    """Equal down to the spelling of numbers and the order of members."""
    return dump(one) == dump(other)


@given(json_values, st.sampled_from([None, 0, 2, 4]))
def test_what_is_written_is_read_back_the_same(value: object, indent: int | None) -> None:
    assert same(parse(dump(value, indent)), value)


@given(json_values)
def test_what_is_written_is_json_for_others_and_can_be_sent(value: object) -> None:
    assert json.loads(dump(value).encode()) == value


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_keeps_its_spelling(number: str) -> None:
    assert dump(parse(f"[{number}]"), None) == f"[{number}]"


@pytest.mark.parametrize("number", ODD_NUMBERS)
@pytest.mark.parametrize("through", [copy.deepcopy, copy.copy, lambda value: pickle.loads(pickle.dumps(value))])
def test_a_number_keeps_its_spelling_when_copied(number: str, through: object) -> None:
    assert spelling(through(parse(number))) == number  # type: ignore[operator]


@pytest.mark.parametrize("text", ["1", "-1", "0", "1.5", *ODD_NUMBERS])
def test_a_typed_number_is_read_as_it_is_spelled(text: str) -> None:
    number = parse_number(text)
    assert number is not None
    assert spelling(number) == text


@pytest.mark.parametrize("text", ["", "1,5", "0x10", "01", ".5", "5.", "+1", "NaN", "1e", "\u0661", "9" * 101, "1 "])
def test_what_is_no_number_is_not_read_as_one(text: str) -> None:
    assert parse_number(text) is None


def test_order_and_half_surrogates_survive() -> None:
    text = '{"z":1,"a":"\\ud800","m":"\\udc00x"}'
    assert dump(parse(text), None) == text


def test_line_separators_and_emoji_are_written_as_they_are() -> None:
    assert dump("a\u2028b😀", None) == '"a\u2028b😀"'


REFUSED = [
    ('{"a": 1,\n "a": 2}', '"a" stands twice', 2, 2),
    ('[{"a": 1}, {"b": {"c": 1, "c": 2}}]', '"c" stands twice', 1, 27),
    ("[1, NaN]", 'Unexpected "NaN"', 1, 5),
    ("[-Infinity]", 'Unexpected "-Infinity"', 1, 2),
    ("[1, 2", "comma", 1, 6),
    ("[1,]", "value is missing", 1, 4),
    ('{"a" 1}', "colon", 1, 6),
    ("{a: 1}", 'Unexpected "a"', 1, 2),
    ("{'a': 1}", "Unexpected", 1, 2),
    ('{"a": 1} x', 'Unexpected "x"', 1, 10),
    ("{} {}", "after the end", 1, 4),
    ("", "value is missing", 1, 1),
    ('"abc', "does not end", 1, 1),
    ('["a\nb"]', "control character", 1, 4),
    ("[01]", 'Unexpected "01"', 1, 2),
    ("\ufeff{}", "byte order mark", 1, 1),
    ('["\\x"]', "escape", 1, 3),
    ("[1,\r\n2,\r3,\nx]", 'Unexpected "x"', 4, 1),
]


@pytest.mark.parametrize(("text", "message", "line", "column"), REFUSED)
def test_a_mistake_is_told_with_its_place(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(JsonTextError) as caught:
        parse(text)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_bytes_that_are_not_utf8_are_told_with_their_offset() -> None:
    with pytest.raises(JsonTextError) as caught:
        parse('{"ä": "'.encode() + b'\xff"}')
    assert (caught.value.offset, caught.value.line, caught.value.column) == (8, 1, 8)


@pytest.mark.parametrize(
    ("text", "limits", "message"),
    [
        ("[[[1]]]", Limits(depth=2), "Nested more than 2 deep"),
        ("[1,2,3]", Limits(tokens=6), "More than 6 tokens"),
        ("[12345]", Limits(number_length=4), "A number of more than 4"),
        ("[" * 101 + "]" * 101, Limits(), "Nested more than 100 deep"),
        ("[" * 100_000, Limits(), "Nested more than 100 deep"),
        ("[" + "1," * 100_000 + "1]", Limits(), "More than 200,000 tokens"),
        ("9" * 101, Limits(), "A number of more than 100"),
    ],
)
def test_limits_are_kept_before_anything_is_built(text: str, limits: Limits, message: str) -> None:
    with pytest.raises(JsonTextError, match=message):
        parse(text, limits)


def test_just_inside_the_limits_is_taken() -> None:
    assert parse("[[1]]", Limits(depth=2, tokens=5, number_length=1)) == [[1]]
    assert parse("9" * 100) == int("9" * 100)


@given(st.text() | st.binary())
def test_whatever_comes_is_read_or_refused_with_a_place_inside_it(text: str | bytes) -> None:
    place = (0, 1, 1)
    try:
        parse(text)
    except JsonTextError as error:
        place = (error.offset, error.line, error.column)
    assert place >= (0, 1, 1)
    assert place[0] <= len(text)


@given(st.text(alphabet='{}[],:"\\ \n\r1-.eEtrunfals\ud800'))
def test_what_is_taken_is_what_the_standard_library_takes(text: str) -> None:
    try:
        taken: object = parse(text)
    except JsonTextError:
        return
    assert json.loads(text) == taken


def test_infinity_that_no_text_spelled_is_not_written() -> None:
    with pytest.raises(ValueError, match="inf"):
        dump([float("inf")])


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, b"bytes"])
def test_what_is_no_json_value_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        dump(value)


PLACES = """{
  "messages": [
    {"role": "user", "content": "{\\"messages\\": 1}"},
    {"role": "assistant", "content": []}
  ],
  "a.b": {"": null}
}"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("messages",), 2),
        (("messages", 0, "content"), 3),
        (("messages", 1), 4),
        (("messages", 1, "content"), 4),
        (("messages", 1, "content", 0, "text"), 4),
        (("a.b", ""), 6),
        (("nowhere",), 1),
    ],
)
def test_a_path_is_found_in_the_text(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(PLACES, [path]) == {path: line}


def places_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in members:
        yield from places_in(child, (*path, step))


@given(json_values)
def test_every_value_is_found_on_the_line_on_which_it_is_written(value: object) -> None:
    text = dump(value)
    places = dict(places_in(value))
    lines = text.split("\n")
    for path, line in lines_of(text, list(places)).items():
        if not isinstance(places[path], dict | list):
            assert dump(places[path], None) in lines[line - 1]
