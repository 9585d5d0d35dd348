"""All events of a run, the older ones packed.

As objects, the events of a stream take about five times the memory of its bytes. Whoever follows live needs the last
moments only; older ones are wanted by a page that reloads, or never. So what is older than a quarter of a second, and
has been read by whoever reads all of it (the recorder), is packed: its bytes, compressed, and where in them each event
ended and when. Asked for, the events are cut out and decoded again, and are equal to what they were.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Final, overload

from playground.engine.events import Received, Streamed
from playground.protocol.stream.sse import Decoder

if TYPE_CHECKING:
    from playground.engine.events import RunEvent

AGE_MS: Final = 250.0
# What nobody has read is packed at this age, or when there are so many events of it.
UNREAD_MS: Final = 5_000.0
MOST_UNREAD: Final = 4_000
PACKED_AT_ONCE: Final = 64  # a pack has a cost of its own, so it holds at least so many
PACKED_BYTES: Final = 512 * 1024  # about; compressing more at once would hold up the others
_COMPRESSION: Final = 1  # the quickest: a stream's bytes shrink to a fifth all the same
_ITERATED_AT_ONCE: Final = 256
_RECEIVED: Final = 0
_STREAMED: Final = 1
_OTHER: Final = 2
_STREAMED_BYTE: Final = bytes([_STREAMED])
_EVENT_BYTES: Final = 64  # what an event counts beside its bytes, where work is cut into parts
_at_ms = attrgetter("at_ms")

# Time, received bytes, and how many server-sent events end with them; without bytes if those came before.
Piece = tuple[float, bytes, int]


class EventLog(Sequence["RunEvent"]):
    """Reads like a list of events, from any thread. Only grows, and only by the thread that made it."""

    def __init__(self, age_ms: float = AGE_MS, packed_at_once: int = PACKED_AT_ONCE) -> None:
        self._age_ms = age_ms
        self._packed_at_once = packed_at_once
        self._packs: list[_Pack] = []
        self._firsts: list[int] = []  # place of each pack's first event
        self._begins: list[int] = []  # where in the body each pack's bytes begin
        self._recent: list[RunEvent] = []
        self._lock = Lock()  # packing moves events from one list to another
        self._read_to: int | None = None  # by whoever reads everything
        self._packed = 0  # events
        self._packed_bytes = 0
        self._packed_number = 0  # of the last packed server-sent event
        self._packed_end = 0  # and where it ended

    def __len__(self) -> int:
        with self._lock:
            return self._packed + len(self._recent)

    def extend(self, events: Iterable[RunEvent]) -> None:
        """Add events, and pack what has become old by them."""
        self._recent += events
        if len(self._recent) > self._packed_at_once:
            now_ms = self._recent[-1].at_ms
            unread = 0 if self._read_to is None else self._packed + len(self._recent) - self._read_to
            read = len(self._recent) - min(unread, MOST_UNREAD)
            old = max(self._older_than(now_ms - self._age_ms, read), self._older_than(now_ms - UNREAD_MS))
            self._pack(self._within_bytes(old))

    def keep_from(self, place: int) -> None:
        """Somebody reads all events and has come to this place: what follows stays unpacked for a while longer."""
        self._read_to = place

    def _older_than(self, at_ms: float, most: int | None = None) -> int:
        """Return how many of the recent events, of the first `most`, are older; none if they do not make a pack."""
        recent = self._recent
        most = len(recent) if most is None else min(most, len(recent))
        if most <= self._packed_at_once or recent[self._packed_at_once].at_ms >= at_ms:
            return 0
        return bisect_left(recent, at_ms, hi=most, key=_at_ms)

    def _within_bytes(self, count: int) -> int:
        """Return how many of the first events can be compressed at once without holding up everybody else."""
        size = 0
        for place, event in enumerate(self._recent[:count]):
            size += len(event.data) if isinstance(event, Received) else 0
            if size >= PACKED_BYTES:
                return place + 1
        return count

    def pack_some(self) -> bool:
        """The run is over, and those who followed it live have read it: pack what still is not, a part at a time.
        Returns whether there is more."""
        self._pack(self._within_bytes(min(len(self._recent), MOST_UNREAD)))
        return bool(self._recent)

    def _pack(self, count: int) -> None:
        if not count:
            return
        pack = _Pack(self._recent[:count], self._packed_number, self._packed_end)
        with self._lock:
            self._packs.append(pack)
            self._firsts.append(self._packed)
            self._begins.append(self._packed_bytes)
            self._packed += count
            self._packed_bytes += pack.size
            self._packed_number, self._packed_end = pack.last_number, pack.last_end
            del self._recent[:count]

    def body(self) -> bytes:
        """All bytes received so far."""
        with self._lock:
            packs, recent = list(self._packs), list(self._recent)
        pieces = [pack.data() for pack in packs]
        return b"".join(pieces + [event.data for event in recent if isinstance(event, Received)])

    def pieces(self, begin: int, most_bytes: int) -> tuple[list[Piece | RunEvent], int]:
        """Return pieces from which the events from `begin` on can be made again, about `most_bytes` of them or one
        pack, and the place after them. Nothing is decoded, so this costs a fraction of the events themselves."""
        with self._lock:
            packed = self._packed
            recent = self._recent[max(0, begin - packed) :][:MOST_UNREAD]
        if begin >= packed:
            pieces, count = _pieces_of(recent, most_bytes)
            return pieces, begin + count
        number = bisect_right(self._firsts, begin) - 1
        first, pack = self._firsts[number], self._packs[number]
        return pack.pieces(begin - first), first + len(pack.kinds)

    @overload
    def __getitem__(self, place: int) -> RunEvent: ...
    @overload
    def __getitem__(self, place: slice) -> list[RunEvent]: ...
    def __getitem__(self, place: int | slice) -> RunEvent | list[RunEvent]:
        if isinstance(place, slice):
            begin, end, step = place.indices(len(self))
            events = self._between(begin, end) if step > 0 else self._between(end + 1, begin + 1)[::-1]
            return events[:: abs(step)]
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._between(place, place + 1)[0]

    def __iter__(self) -> Iterator[RunEvent]:
        place = 0
        while some := self._between(place, place + _ITERATED_AT_ONCE):
            yield from some
            place += len(some)

    def _between(self, begin: int, end: int) -> list[RunEvent]:
        with self._lock:
            packed = self._packed
            recent = self._recent[max(0, begin - packed) : max(0, end - packed)]
        events: list[RunEvent] = []
        if begin < packed:
            number = bisect_right(self._firsts, begin) - 1
            while number < len(self._firsts) and self._firsts[number] < min(end, packed):
                events += self._unpack(number, begin - self._firsts[number], end - self._firsts[number])
                number += 1
        return events + recent

    def _unpack(self, number: int, begin: int, end: int) -> list[RunEvent]:
        pack = self._packs[number]
        places = range(max(0, begin), min(end, len(pack.kinds)))
        streamed = iter(self._decoded(number, [place for place in places if pack.kinds[place] == _STREAMED]))
        data = pack.data() if any(pack.kinds[place] == _RECEIVED for place in places) else b""
        events: list[RunEvent] = []
        for place in places:
            kind = pack.kinds[place]
            if kind == _OTHER:
                events.append(pack.others[place])
            elif kind == _RECEIVED:
                events.append(Received(pack.at_ms(place), data[pack.received_before(place) : pack.marks[place]]))
            else:
                events.append(next(streamed))
        return events

    def _decoded(self, number: int, places: list[int]) -> list[Streamed]:
        """The pack's events at these places, between which it has no other event."""
        if not places:
            return []
        pack = self._packs[number]
        count, begin = pack.streamed_before(places[0])
        ends = [pack.marks[place] for place in places]
        decoder = Decoder(ends[-1] - begin + 1, offset=begin)
        events = decoder.feed(self._bytes(begin, ends[-1])) + decoder.finish()
        return [
            Streamed(pack.at_ms(place), count + nth, event, event.end)
            for nth, (place, event) in enumerate(zip(places, events, strict=True), start=1)
        ]

    def _bytes(self, begin: int, end: int) -> bytes:
        """A piece of the body. It may begin in an earlier pack: an event that was cut by two reads."""
        number = bisect_right(self._begins, begin) - 1
        pieces: list[bytes] = []
        while begin < end:
            offset, pack = self._begins[number], self._packs[number]
            if pack.size:
                pieces.append(pack.data()[begin - offset : end - offset])
            begin = max(begin, offset + pack.size)
            number += 1
        return b"".join(pieces)


def _pieces_of(events: Sequence[RunEvent], most_bytes: int) -> tuple[list[Piece | RunEvent], int]:
    """The first of these events as pieces, and how many they were."""
    pieces: list[Piece | RunEvent] = []
    place = size = 0
    while place < len(events) and size < most_bytes:
        event = events[place]
        place += 1
        if not isinstance(event, Received | Streamed):
            pieces.append(event)
            continue
        at_ms, begin = event.at_ms, place
        data = event.data if isinstance(event, Received) else b""
        while place < len(events) and type(later := events[place]) is Streamed and later.at_ms == at_ms:
            place += 1
        count = place - begin + isinstance(event, Streamed)
        pieces.append((at_ms, data, count))
        size += len(data) + _EVENT_BYTES * count
    return pieces, place


class _Pack:
    """Some events in a row. `marks` of received bytes count within `data`; those of events within the whole body."""

    __slots__ = (
        "_compressed",
        "_times",
        "_times_begin",
        "first_end",
        "first_number",
        "kinds",
        "last_end",
        "last_number",
        "marks",
        "others",
        "size",
    )

    def __init__(self, events: list[RunEvent], number: int, end: int) -> None:
        self.first_number, self.first_end = number, end
        data = b"".join(event.data for event in events if isinstance(event, Received))
        self.size = len(data)
        self._compressed = zlib.compress(data, _COMPRESSION)
        self._times, self._times_begin = array("d"), array("I")  # what one read has brought shares its time
        self.others: dict[int, RunEvent] = {}
        kinds, marks, size = bytearray(), array("Q"), 0
        for place, event in enumerate(events):
            if not self._times or event.at_ms != self._times[-1]:
                self._times.append(event.at_ms)
                self._times_begin.append(place)
            if isinstance(event, Received):
                size += len(event.data)
                kinds.append(_RECEIVED)
                marks.append(size)
            elif isinstance(event, Streamed):
                number, end = event.number, event.end
                kinds.append(_STREAMED)
                marks.append(end)
            else:
                self.others[place] = event
                kinds.append(_OTHER)
                marks.append(0)
        self.kinds = bytes(kinds)
        self.marks = marks if marks and max(marks) >= 2**32 else array("I", marks)
        self.last_number, self.last_end = number, end

    def at_ms(self, place: int) -> float:
        return self._times[bisect_right(self._times_begin, place) - 1]

    def data(self) -> bytes:
        return zlib.decompress(self._compressed)

    def pieces(self, begin: int) -> list[Piece | RunEvent]:
        """The events from this place on, see `EventLog.pieces`."""
        data, start = self.data(), self.received_before(begin)
        pieces: list[Piece | RunEvent] = []
        place, at = begin, bisect_right(self._times_begin, begin) - 1
        while place < len(self.kinds):
            kind = self.kinds[place]
            until = self._times_begin[at + 1] if at + 1 < len(self._times_begin) else len(self.kinds)
            if kind == _OTHER:
                pieces.append(self.others[place])
                place += 1
            else:
                end = self.marks[place] if kind == _RECEIVED else start
                first = place + (kind == _RECEIVED)
                streamed = self.kinds[first:until]
                count = len(streamed) - len(streamed.lstrip(_STREAMED_BYTE))
                pieces.append((self._times[at], data[start:end], count))
                start, place = end, first + count
            at += place >= until
        return pieces

    def received_before(self, place: int) -> int:
        """Return how many of the pack's bytes came before this place."""
        before = self.kinds.rfind(_RECEIVED, 0, place)
        return self.marks[before] if before >= 0 else 0

    def streamed_before(self, place: int) -> tuple[int, int]:
        """Number and end of the server-sent event before this place."""
        before = self.kinds.rfind(_STREAMED, 0, place)
        if before < 0:
            return self.first_number, self.first_end
        return self.first_number + self.kinds.count(_STREAMED, 0, place), self.marks[before]
