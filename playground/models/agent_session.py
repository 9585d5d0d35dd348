"""An agent's session: requests that belong together, the digest of each, and the blocks that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from playground.models.fields import ForeignJson
from playground.models.run import Run

if TYPE_CHECKING:
    from uuid import UUID


class AgentSessionQuerySet(models.QuerySet["AgentSession"]):
    def owned_by(self, user: Any) -> AgentSessionQuerySet:
        """The sessions of one person; none for a visitor."""
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def last_active_first(self) -> AgentSessionQuerySet:
        return self.order_by("-last_run_id")


class AgentSession(models.Model):
    """Figures are sums over its runs, kept up as runs end. The newest run's id is the time of the last activity."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="agent_sessions", db_index=False
    )
    client_id = models.CharField(max_length=200, blank=True)  # what the client calls it; empty: found by continuation
    opening = models.BinaryField(max_length=8, default=b"")  # hash of the first message, to find what goes on from it
    client = models.CharField(max_length=80, blank=True)  # the user agent in short
    title = models.CharField(max_length=200, blank=True)  # the first words that a person said
    title_run_id = models.UUIDField(null=True)  # the agent's request that the title is from; null: from a side call
    is_imported = models.BooleanField(default=False)
    starred = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    first_run_id = models.UUIDField()
    last_run_id = models.UUIDField()
    request_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    written_tokens = models.BigIntegerField(default=0)
    read_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)

    # Of its misses, as they were when it had `looked_through` requests: see `session_log.misses_seen`.
    looked_through = models.PositiveIntegerField(default=0)
    causes = models.CharField(max_length=400, blank=True)
    avoidable_count = models.PositiveIntegerField(default=0)
    agent_count = models.PositiveIntegerField(default=0)

    objects = AgentSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-last_run_id"], name="session_owner"),
            models.Index(fields=["owner", "opening", "-last_run_id"], name="session_opening"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "client_id"], condition=~models.Q(client_id=""), name="session_client_id"
            )
        ]

    def __str__(self) -> str:
        return self.title or f"session {self.pk}"

    @property
    def total_input_tokens(self) -> int:
        return self.input_tokens + self.written_tokens + self.read_tokens

    @property
    def hit_ratio(self) -> float | None:
        """The part of all input tokens that was read from the cache; None when there were no tokens."""
        return self.read_tokens / self.total_input_tokens if self.total_input_tokens else None


class SessionBlock(models.Model):
    """One tool, system block or content block of a session's requests, once however many requests hold it."""

    session = models.ForeignKey(AgentSession, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    hash = models.BinaryField(max_length=8)
    section = models.CharField(max_length=8)
    role = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=60, blank=True)
    size = models.PositiveBigIntegerField()
    tokens = models.PositiveBigIntegerField()
    image_tokens = models.PositiveBigIntegerField(default=0)
    starts_message = models.BooleanField(default=False)
    label = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "hash"], name="session_block")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.section}"


class RunDigest(models.Model):
    """The blocks of one request, by their hashes in the order of the prompt, and what its answer was in short.

    Without a session: the body has no blocks, such as one that is no JSON, so the run belongs to none.
    `details` holds what `sessions.steps.Step` needs beside the run's own columns; see `recording.session_writer`.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="digest")
    session = models.ForeignKey(
        AgentSession, on_delete=models.CASCADE, related_name="digests", db_index=False, null=True
    )
    hashes = models.BinaryField()
    tools = models.PositiveIntegerField(default=0)
    system = models.PositiveIntegerField(default=0)
    details = ForeignJson(default=dict)

    class Meta:
        indexes = [models.Index(fields=["session", "run"], name="digest_session")]

    def __str__(self) -> str:
        return f"digest of run {self.run_id}"


def session_of_run(run_id: UUID) -> UUID | None:
    """The session that a run belongs to."""
    return RunDigest.objects.filter(pk=run_id).values_list("session_id", flat=True).first()
