"""A run: one request sent and what came back. Its figures are here, its content in `run_content`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

from playground.models import run_content
from playground.models.fields import ForeignJson
from playground.sandbox.address import is_sandbox_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.engine.events import Streamed

FINAL_STATES = ("completed", "failed", "interrupted", "cancelled")
FIGURES = (
    "duration_ms", "status_class", "source", "state", "first_token_ms", "input_tokens", "cache_write_tokens",
    "cache_read_tokens", "output_tokens", "cost_usd", "endpoint",
)  # fmt: skip


class RunQuerySet(models.QuerySet["Run"]):
    def owned_by(self, user: Any) -> RunQuerySet:
        """The runs of one person; none for a visitor."""
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def newest_first(self, before: UUID | None = None) -> RunQuerySet:
        """Sort by time, which is the order of the ids. `before` is the last id of the page above."""
        return (self if before is None else self.filter(pk__lt=before)).order_by("-pk")

    def oldest_first(self, after: UUID | None = None) -> RunQuerySet:
        return (self if after is None else self.filter(pk__gt=after)).order_by("pk")

    def unfinished(self) -> RunQuerySet:
        return self.exclude(state__in=FINAL_STATES)


class Run(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        INTERRUPTED = "interrupted"
        CANCELLED = "cancelled"

    class Source(models.TextChoices):
        PLAYGROUND = "playground"
        RELAY = "relay"
        CHECK = "check"  # sent by a conformance report
        IMPORTED = "imported"

    class Endpoint(models.TextChoices):
        MESSAGES = "messages"
        COUNT_TOKENS = "count_tokens"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs", db_index=False)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    failure_kind = models.CharField(max_length=20, blank=True)
    failure_message = models.TextField(blank=True)
    failure_detail = ForeignJson(null=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.PLAYGROUND)
    endpoint = models.CharField(
        max_length=12, choices=Endpoint, default=Endpoint.MESSAGES, db_default=Endpoint.MESSAGES
    )

    # What was asked, of whom, by whom. Names are copies: the rows they come from may be renamed or deleted.
    model = models.CharField(max_length=200, blank=True)
    stream = models.BooleanField(default=False)
    connection = models.ForeignKey(
        "accounts.Connection", on_delete=models.SET_NULL, null=True, related_name="+", db_index=True
    )
    connection_name = models.CharField(max_length=200, blank=True)
    base_url = models.TextField(blank=True)
    access_key = models.ForeignKey(
        "accounts.AccessKey", on_delete=models.SET_NULL, null=True, related_name="+", db_index=True
    )
    access_key_name = models.CharField(max_length=200, blank=True)
    user_agent = models.CharField(max_length=500, blank=True)
    agent = models.CharField(max_length=80, blank=True)  # the user agent in short, e.g. "Chrome 146 on macOS"
    client_address = models.CharField(max_length=45, blank=True)
    client_session = models.CharField(max_length=200, blank=True)  # what the client calls its session, if it says so
    request_size = models.PositiveBigIntegerField(default=0)

    # What came back. Times are milliseconds since sending, by the monotonic clock.
    started_at = models.DateTimeField()
    http_status = models.PositiveSmallIntegerField(null=True)
    status_class = models.PositiveSmallIntegerField(default=0)  # 2, 4 or 5; 1: another status, 0: none
    first_byte_ms = models.FloatField(null=True)
    first_token_ms = models.FloatField(null=True)
    duration_ms = models.FloatField(null=True)
    phases = models.JSONField(default=dict)  # phase -> milliseconds; phases as in `playground.metrics.figures`
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    thinking_tokens = models.BigIntegerField(null=True)
    counted_tokens = models.BigIntegerField(null=True)  # the answer of `count_tokens`: not used, so part of no sum
    tokens_clamped = models.BooleanField(default=False)  # the upstream claimed counts that cannot be
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    stop_reason = models.CharField(max_length=60, blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    received_size = models.PositiveBigIntegerField(default=0)
    event_count = models.PositiveIntegerField(default=0)

    # Where several processes serve the site: the one that it belongs to, see `ServerProcess`.
    server_process = models.UUIDField(null=True)

    # What is kept of it.
    content_kept = models.BooleanField(default=True)  # False: only figures, by the owner's wish
    content_removed_at = models.DateTimeField(null=True)  # swept later, by age or size
    log_complete = models.BooleanField(default=True)  # False: storing failed for part of the answer

    note = models.TextField(blank=True)
    starred = models.BooleanField(default=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        # Each filter of the log by itself reads one index from the newest entry on. Durations are no such filter, they
        # are looked through from the newest on; `run_figures` holds what is compared, and what is charted, so the rows
        # are not touched.
        indexes = [
            models.Index(fields=["owner", "-id"], name="run_owner"),
            *(
                models.Index(fields=["owner", column, "-id"], name=f"run_{column[:20]}")
                for column in (
                    "status_class",
                    "state",
                    "model",
                    "connection_name",
                    "access_key_name",
                    "source",
                    "agent",
                    "stop_reason",
                    "client_session",
                )
            ),
            models.Index(fields=["owner", "-id", *FIGURES], name="run_figures"),
            models.Index(fields=["owner", "-id"], name="run_starred", condition=models.Q(starred=True)),
            models.Index(fields=["owner", "-id"], name="run_counts", condition=models.Q(endpoint="count_tokens")),
            models.Index(fields=["id"], name="run_unfinished", condition=models.Q(state__in=["queued", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.model or 'run'} {timezone.localtime(self.started_at):%Y-%m-%d %H:%M:%S}"

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def is_count(self) -> bool:
        """Whether it asked how many tokens a body has: its answer is no message."""
        return self.endpoint == self.Endpoint.COUNT_TOKENS

    @property
    def is_sandbox(self) -> bool:
        return is_sandbox_url(self.base_url)

    @property
    def total_input_tokens(self) -> int | None:
        """Fresh, written to and read from the cache; None when the upstream told nothing."""
        parts = (self.input_tokens, self.cache_write_tokens, self.cache_read_tokens)
        return None if all(part is None for part in parts) else sum(part or 0 for part in parts)

    @cached_property
    def stored_content(self) -> Any:
        """The run's `RunContent`; None when content was not kept or is gone."""
        return getattr(self, "content", None)

    @property
    def request_body(self) -> bytes | None:
        return bytes(self.stored_content.request_body) if self.stored_content else None

    def message(self) -> dict[str, Any] | None:
        """The accumulated message in the API's shape; None when there is none or it is not kept."""
        return self.stored_content.message if self.stored_content else None

    def raw(self) -> Iterator[bytes]:
        """The answer's body as received, piece by piece."""
        # By keyset, not by a cursor: a slow download must not hold the database's snapshot open.
        after = -1
        while batches := list(self.batches.filter(start__gt=after).order_by("start").values_list("start", "data")[:16]):
            for after, data in batches:  # noqa: B007 - the last one is where the next step begins
                yield bytes(data)

    def events(self, first: int = 1, last: int | None = None) -> list[Streamed]:
        """Events number `first` to `last`, cut out of the bytes that were received. Reads only the batches it needs."""
        return run_content.read_events(self, first, self.event_count if last is None else min(last, self.event_count))


def first_id_at(moment: datetime) -> UUID:
    """The smallest id a run can have that starts at `moment`: a UUID of version 7 begins with the time."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=(min(milliseconds, 2**48 - 1) << 80) | (7 << 76) | (2 << 62))


def started_at_of(run_id: UUID) -> datetime:
    """Return when the run with this id was started, to the millisecond."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)
