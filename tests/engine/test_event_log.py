"""The packed log of a run reads like the list of events it was made from."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as some

from playground.engine.event_log import MOST_UNREAD, PACKED_BYTES, EventLog
from playground.engine.events import Answered, Ended, Received, Requested, RunEvent, Streamed
from playground.engine.live_run import RunMetadata
from playground.protocol.stream.sse import Decoder
from playground.recording.run_copy import Backlog, RunCopy

# Comments, odd line ends, a byte order mark, bytes that are no UTF-8, ids, names without data.
PIECES = [
    b"event: ping\ndata: {}\n\n",
    b"data: one\ndata: two\n\n",
    b": a comment\n\n",
    b"event: a\r\ndata:b\r\n\r\n",
    b"data: c\r\r",
    b"id: 7\nretry: 10\ndata: \xff\xfe\n\n",
    b"event: named\n\n",
    "data: \u2028 é 🙂\n\n".encode(),
    b"\xef\xbb\xbfdata: bom\n\n",
    b"\n\n",
    b"event: unfinished\ndata: x",
]


def told(body: bytes, cuts: list[int]) -> list[list[RunEvent]]:
    """The batches of a run that received this body in these pieces."""
    decoder, number, at_ms = Decoder(), 0, 2.0
    batches: list[list[RunEvent]] = [[Requested(0.0, "POST", "http://h", (), 2)], [Answered(1.0, 200, ())]]
    begin = 0
    for end in [*sorted(cut for cut in cuts if cut < len(body)), len(body)]:
        if begin < end:
            batch: list[RunEvent] = [Received(at_ms, body[begin:end])]
            for event in decoder.feed(body[begin:end]):
                number += 1
                batch.append(Streamed(at_ms, number, event, event.end))
            batches.append(batch)
            begin, at_ms = end, at_ms + 1.0
    for event in decoder.finish():
        number += 1
        batches.append([Streamed(at_ms, number, event, event.end)])
    return [*batches, [Ended(at_ms, "completed", None)]]


@given(
    body=some.lists(some.sampled_from(PIECES), max_size=12).map(b"".join),
    cuts=some.lists(some.integers(1, 300), max_size=12),
    age_ms=some.sampled_from([0.0, 1.0, 5.0]),
    packed_at_once=some.integers(1, 6),
    read_every=some.sampled_from([0, 1, 5]),
    slices=some.lists(some.tuples(some.integers(-30, 30), some.integers(-30, 30)), max_size=6),
)
def test_it_reads_like_a_list(
    body: bytes, cuts: list[int], age_ms: float, packed_at_once: int, read_every: int, slices: list[tuple[int, int]]
) -> None:
    log, plain = EventLog(age_ms, packed_at_once), []
    for batch in told(body, cuts):
        if read_every:
            log.keep_from(len(plain) // read_every * read_every)
        log.extend(batch)
        plain += batch
        assert len(log) == len(plain)
        assert log[-1] == plain[-1]
    for _ in range(2):
        assert list(log) == plain
        assert [log[place] for place in range(len(plain))] == plain
        assert [log[begin:end] for begin, end in slices] == [plain[begin:end] for begin, end in slices]
        assert log.body() == body
        while log.pack_some():
            pass


def test_a_long_stream_takes_less_than_its_bytes() -> None:
    import tracemalloc

    data = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"some words"}}\n\n'
    )
    log, decoder = EventLog(), Decoder()
    tracemalloc.start()
    for number in range(1, 5001):
        chunk = bytes(bytearray(data))  # a new object, as each read brings one
        [event] = decoder.feed(chunk)
        log.extend([Received(number * 20.0, chunk), Streamed(number * 20.0, number, event, event.end)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 0.8 * 5000 * len(data)


def test_who_reads_everything_and_is_far_behind_finds_it_packed() -> None:
    log = EventLog(age_ms=1.0, packed_at_once=2)
    log.keep_from(0)
    told = [Received(number / 10, b"x") for number in range(3 * MOST_UNREAD)]
    log.extend(told[:-1])
    log.extend(told[-1:])
    assert log[0] is not told[0]
    assert log[-MOST_UNREAD] is told[-MOST_UNREAD]
    assert list(log) == told


def test_what_the_one_who_reads_everything_has_not_read_stays_as_it_is_for_a_while() -> None:
    log = EventLog(age_ms=500.0, packed_at_once=2)
    log.keep_from(0)
    told = [Received(float(at_ms), b"x") for at_ms in range(0, 3000, 100)]
    for event in told:
        log.extend([event])
    assert all(kept is event for kept, event in zip(log, told, strict=True))
    log.keep_from(10)
    log.extend([Received(3000.0, b"x")])
    kept = list(log)
    assert all(kept[place] is not told[place] for place in range(10))  # packed, and made anew from it
    assert all(kept[place] is told[place] for place in range(10, 30))
    log.extend([Received(30_000.0, b"x")])
    assert log[20] == told[20]
    assert log[20] is not told[20]


def test_large_bytes_are_packed_a_part_at_a_time_and_come_back_whole() -> None:
    log = EventLog()
    pieces = [bytes([number % 251]) * 100_000 for number in range(200)]
    most = 0
    for number, piece in enumerate(pieces):
        packs = len(log._packs)
        log.extend([Received(number * 10.0, piece)])
        most = max(most, sum(pack.size for pack in log._packs[packs:]))
    assert 0 < most <= PACKED_BYTES + 100_000
    assert log.body() == b"".join(pieces)
    rounds = 0
    while log.pack_some():
        rounds += 1
    assert rounds > 1
    assert [event.data for event in log] == pieces


@given(
    body=some.lists(some.sampled_from(PIECES), max_size=12).map(b"".join),
    cuts=some.lists(some.integers(1, 300), max_size=12),
    age_ms=some.sampled_from([0.0, 1.0, 5.0]),
    packed_at_once=some.integers(1, 6),
    most_bytes=some.sampled_from([1, 100, 10_000]),
    asked_every=some.sampled_from([1, 3, 100]),
)
def test_its_pieces_are_all_that_the_events_are_made_of(
    body: bytes, cuts: list[int], age_ms: float, packed_at_once: int, most_bytes: int, asked_every: int
) -> None:
    log, read, place = EventLog(age_ms, packed_at_once), [], 0
    for number, batch in enumerate(told(body, cuts)):
        log.extend(batch)
        while number % asked_every == 0 and place < len(log):
            pieces, place = log.pieces(place, most_bytes)
            read += pieces
    while place < len(log):
        pieces, place = log.pieces(place, most_bytes)
        read += pieces
    assert b"".join(piece[1] for piece in read if isinstance(piece, tuple)) == body
    events = list(log)
    assert [piece for piece in read if not isinstance(piece, tuple)] == [*events[:2], events[-1]]
    copy = RunCopy(uuid4(), RunMetadata(), Backlog())
    for piece in read:
        copy.take([piece])
    assert copy.events[:] == events
