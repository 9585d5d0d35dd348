"""The bytes that a run sent and received. Apart from the figures, because they are larger and kept for a shorter
time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Length

from playground.engine.events import Streamed
from playground.models.fields import ForeignJson
from playground.protocol.stream import sse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.models.run import Run

Mark = list[Any]  # [number, end offset in the received bytes, at_ms]


class RunContent(models.Model):
    """Byte for byte what was sent, and the message that came of it. Its id numbers the rows of the search."""

    run = models.OneToOneField("playground.Run", on_delete=models.CASCADE, related_name="content")
    owner_id = models.BigIntegerField()  # the run's; repeated for the size cap, which reads nothing but this table
    request_body = models.BinaryField()
    request_query = models.TextField(default="", blank=True)  # of the address, masked
    request_headers = ForeignJson(default=list)  # masked pairs
    response_headers = ForeignJson(default=list)
    message = ForeignJson(null=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes of both directions, for the size cap

    class Meta:
        indexes = [models.Index(fields=["owner_id", "id", "size"], name="content_owner")]

    def __str__(self) -> str:
        return f"content of run {self.run_id}"


class RunBatch(models.Model):
    """Bytes of the answer in the order they came. `marks` tell which events ended in them, and when."""

    run = models.ForeignKey("playground.Run", on_delete=models.CASCADE, related_name="batches", db_index=False)
    start = models.PositiveBigIntegerField()  # offset of `data` in the whole answer
    data = models.BinaryField()
    first_event = models.PositiveIntegerField()  # number of the first event that ends here, or would
    event_count = models.PositiveIntegerField(default=0)
    begun = models.PositiveBigIntegerField(default=0)  # offset at which the first of these events begins
    marks = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "start"], name="batch_start")]
        indexes = [models.Index(fields=["run", "first_event"], name="batch_first_event")]

    def __str__(self) -> str:
        return f"bytes from {self.start} on of run {self.run_id}"


def read_events(run: Run, first: int, last: int) -> list[Streamed]:
    """Cut events `first` to `last` out of the stored bytes."""
    first = max(1, first)
    if last < first:
        return []
    with_events = run.batches.filter(event_count__gt=0)
    # Found from the index. A row's length stands behind its bytes, which SQLite would read of all earlier rows.
    before = with_events.filter(first_event__lte=first).order_by("-first_event").values_list("first_event", flat=True)
    ending_here = with_events.filter(first_event__gte=before.first() or 0, first_event__lte=last)
    batches = [batch for batch in ending_here.order_by("start") if batch.first_event + batch.event_count > first]
    if not batches:
        return []
    begin = batches[0].begun
    marks = [mark for batch in batches for mark in batch.marks]
    for number, end, _at in marks:
        if number < first:
            begin = end
    chosen = [mark for mark in marks if first <= mark[0] <= last]
    data = _bytes_between(run, batches, begin, chosen[-1][1])
    return list(_decode(data, begin, chosen))


def _bytes_between(run: Run, batches: list[RunBatch], begin: int, end: int) -> bytes:
    """An event may begin in a batch in which none ends, or go on through one: such batches are read as well."""
    parts = {batch.start: bytes(batch.data) for batch in batches}
    has_gap = any(earlier.start + len(earlier.data) < later.start for earlier, later in pairwise(batches))
    if begin < batches[0].start or has_gap:
        missing = run.batches.annotate(stop=F("start") + Length("data")).filter(stop__gt=begin, start__lt=end)
        parts |= {batch.start: bytes(batch.data) for batch in missing.exclude(start__in=list(parts))}
    ordered = sorted(parts)
    joined = b"".join(parts[start] for start in ordered)
    return joined[begin - ordered[0] : end - ordered[0]]


def _decode(data: bytes, begin: int, marks: list[Mark]) -> Iterable[Streamed]:
    """One event per mark: all at once where the bytes read the same that way, else each by itself."""
    events = _decode_at_once(data, begin)
    if len(events) == len(marks) and all(event.end == mark[1] for event, mark in zip(events, marks, strict=True)):
        return [Streamed(mark[2], mark[0], event, mark[1]) for event, mark in zip(events, marks, strict=True)]
    return _decode_each(data, begin, marks)


def _decode_at_once(data: bytes, begin: int) -> list[sse.ServerSentEvent]:
    decoder = sse.Decoder(max_event=max(len(data) + 1, sse.MAX_EVENT), offset=begin)
    return decoder.feed(data) + decoder.finish()


def _decode_each(data: bytes, begin: int, marks: list[Mark]) -> Iterable[Streamed]:
    """Cut by the marks and not by blank lines, so numbers stay right whatever the bytes are."""
    at = begin
    for number, end, at_ms in marks:
        decoder = sse.Decoder(max_event=max(end - at + 1, sse.MAX_EVENT), offset=at)
        part = data[at - begin : end - begin]
        events = decoder.feed(part) + decoder.finish()
        event = events[-1] if events else sse.ServerSentEvent(None, "", size=len(part), malformed="no event found here")
        yield Streamed(at_ms, number, event, end)
        at = end
