"""The event stream format: line ends, fields, limits, and that it does not matter how the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playground.protocol.stream.sse import Decoder, EventTooLarge, ServerSentEvent, encode

# Built so that every byte is next to something it could be confused with.
STREAM = (
    b"\xef\xbb\xbf: keep-alive\n\n"
    b'event: a\ndata: {"text": "\xe2\x80\xa8\xc2\x85 \xf0\x9f\x8c\x8a"}\n\n'
    b"data:no space\r\ndata:  two spaces\r\n\r\n"
    b"id: 7\rretry: 1500\rdata: carriage\r\r"
    b"data\nevent:b\n\n:\ndata: last\n\n"
)
EXPECTED = [
    ("a", '{"text": "\u2028\x85 🌊"}'),
    (None, "no space\n two spaces"),
    (None, "carriage"),
    ("b", ""),
    (None, "last"),
]

MARKS = [b":", b" ", b"x", b"3", b"\r", b"\n", b"\r\n", b"\r\r", b"\n\n", b"\r\n\r\n"]
FIELDS = [b"data", b"event", b"id", b"retry", b"data: y\r", b"data: y\n\n", b": c\n"]
ODDITIES = [b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xff", b"\0"]
pieces_of_streams = st.lists(st.sampled_from(MARKS + FIELDS + ODDITIES), max_size=25).map(b"".join)


def decode(stream: bytes, cuts: list[int] | None = None, offset: int = 0) -> list[ServerSentEvent]:
    decoder = Decoder(offset=offset)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts or []), len(stream)]
    return [event for at, to in pairwise(edges) for event in decoder.feed(stream[at:to])] + decoder.finish()


def names_and_data(stream: bytes) -> list[tuple[str | None, str]]:
    return [(event.name, event.data) for event in decode(stream)]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_where_the_chunks_are_cut_does_not_matter(size: int) -> None:
    events = decode(STREAM, list(range(size, len(STREAM), size)))
    assert [(event.name, event.data) for event in events] == EXPECTED
    assert events[-1].end == len(STREAM)


@given(pieces_of_streams, st.lists(st.integers(0, 80), max_size=12))
def test_any_stream_cut_anywhere_decodes_the_same(stream: bytes, cuts: list[int]) -> None:
    whole = decode(stream)
    assert decode(stream, cuts) == whole
    assert decode(stream, list(range(len(stream)))) == whole


@pytest.mark.parametrize("begins", [b"event: long\ndata: ", b"data: ", b": "], ids=["named", "nameless", "a comment"])
def test_a_long_event_is_not_looked_at_from_its_start_with_each_read(begins: bytes) -> None:
    looked_at = 0

    class Counting(bytearray):
        def rfind(self, *place: Any) -> int:
            nonlocal looked_at
            looked_at += len(self)
            return super().rfind(*place)

        def __contains__(self, item: Any) -> bool:
            nonlocal looked_at
            looked_at += len(self)
            return super().__contains__(item)

    stream = begins + b"x" * 1_000_000 + b"\n\n"
    decoder = Decoder()
    decoder._buffer = Counting()
    for at in range(0, len(stream), 500):
        decoder.feed(stream[at : at + 500])
        assert decoder._scanned >= len(decoder._buffer) - 1 or len(decoder._buffer) <= 20_000
    assert looked_at < 2 * len(stream)


@pytest.mark.parametrize("between", [b"", b": a comment\n\n", b"id: 7\n", b"\n"])
@pytest.mark.parametrize("size", [700, 4_096, 40_000, 65_536])
def test_usual_and_other_events_of_any_length_take_turns_however_they_are_cut(size: int, between: bytes) -> None:
    lengths = [5, 90_000, 12, 20_000, 16_300, 7, 70_000, 1, 16_400]
    stream = b"".join(b"event: e\ndata: %s\n\n%s" % (b"x" * length, between) for length in lengths * 3)
    events = decode(stream, list(range(size, len(stream), size)))
    assert [len(event.data) for event in events] == lengths * 3
    assert [event.id for event in events][:1] == [None]
    assert events == decode(stream)


@given(pieces_of_streams)
@example(b"data: y\n\n\xef\xbb\xbfdata: y\n\ndata: y\n\n")
@example(b"data: y\n\n\xef\xbb\xbf\rdata: y\n\n")
def test_events_cut_out_by_their_ends_are_the_same_events(stream: bytes) -> None:
    begin = 0
    for event in decode(stream):
        (alone,) = decode(stream[begin : event.end], offset=begin)
        assert (alone.name, alone.data, alone.id, alone.size) == (event.name, event.data, event.id, event.size)
        begin = event.end
    assert begin <= len(stream)


@given(pieces_of_streams)
def test_a_part_that_begins_behind_an_event_decodes_as_it_did_in_the_whole(stream: bytes) -> None:
    events = decode(stream)
    for nth, event in enumerate(events, start=1):
        decoder = Decoder(offset=event.end)
        assert decoder.feed(stream[event.end :]) + decoder.finish() == events[nth:]


@given(
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1),
    st.text(st.characters(codec="utf-8")),
)
def test_what_is_encoded_decodes_to_the_same(name: str | None, data: str) -> None:
    (event,) = decode(encode(name, data))
    assert event.name == name
    assert event.data == data.replace("\r\n", "\n").replace("\r", "\n")
    assert event.size == event.end == len(encode(name, data))


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_an_event_is_handed_over_as_soon_as_its_blank_line_has_ended(line_end: bytes) -> None:
    decoder = Decoder()
    assert [event.data for event in decoder.feed(b"data: now" + line_end * 2)] == ["now"]


def test_a_blank_line_that_may_still_be_a_crlf_waits_for_its_second_half() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: x\r\n\r") == []
    assert [event.end for event in decoder.feed(b"\n")] == [11]


def test_a_stream_that_ends_between_cr_and_lf_loses_nothing() -> None:
    decoder = Decoder()
    decoder.feed(b"data: x\r\n\r")
    assert [event.data for event in decoder.finish()] == ["x"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_characters_that_only_python_takes_for_line_ends_stay_in_the_data(separator: str) -> None:
    data = json.dumps({"text": f"a{separator}b"}, ensure_ascii=False)
    assert names_and_data(f"data: {data}\n\n".encode()) == [(None, data)]


def test_fields_are_read_as_the_standard_says() -> None:
    (event,) = decode(b"id: 12\nretry: 30\nid: a\0b\ndata: 1\nunknown: x\ndata\nevent: e\n\n")
    assert event == ServerSentEvent("e", "1\n", 59, 59, "12")


def test_comments_and_blank_lines_are_no_events_and_not_part_of_one() -> None:
    (event,) = decode(b": PROCESSING\n\n\n: PROCESSING\ndata: x\n\n")
    assert (event.data, event.size, event.end) == ("x", 9, 37)


def test_an_unfinished_event_is_dropped() -> None:
    events = decode(b"data: a\n\ndata: b\n")
    assert [(event.data, event.end) for event in events] == [("a", 9)]


@pytest.mark.parametrize("rest", [b"", b"\n", b": comment", b": comment\n\n"])
def test_a_comment_at_the_end_is_no_event(rest: bytes) -> None:
    assert [event.data for event in decode(b"data: a\n\n" + rest)] == ["a"]


def test_bytes_that_are_not_utf8_are_replaced_and_told() -> None:
    (event,) = decode(b"data: caf\xe9\n\n")
    assert event.data == "caf\ufffd"
    assert event.malformed == "not UTF-8 at byte 3 of the data"


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_an_event_above_the_limit_stops_the_decoder_after_those_before_it(size: int) -> None:
    stream = b"data: small\n\n" + b"data: " + b"x" * 100 + b"\n\ndata: small\n\n"
    decoder = Decoder(max_event=50)
    seen: list[str] = []

    def feed_all() -> None:
        for at in range(0, len(stream) + size, size):
            seen.extend(event.data for event in decoder.feed(stream[at : at + size]))

    with pytest.raises(EventTooLarge):
        feed_all()
    assert seen == ["small"]
    with pytest.raises(EventTooLarge):
        decoder.finish()


@pytest.mark.parametrize("endless", [b"x" * 60, b"data: x\n" * 10, b": comment without an end" * 3])
def test_an_event_that_never_ends_is_above_the_limit_too(endless: bytes) -> None:
    with pytest.raises(EventTooLarge, match="larger than 50 bytes"):
        Decoder(max_event=50).feed(endless)


def test_many_comments_are_not_one_large_event() -> None:
    decoder = Decoder(max_event=50)
    assert decoder.feed(b": keep-alive\n" * 1_000) == []


def test_a_name_with_a_line_break_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="line break"):
        encode("a\ndata: forged", "x")
