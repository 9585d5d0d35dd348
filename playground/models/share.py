"""A frozen copy of a conversation, a run, an agent's session or a conformance report, and who may open it: whoever has
its secret address, and readers inside the site."""

from __future__ import annotations

import hashlib
import secrets
import uuid
import zlib
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from playground.models.agent_session import AgentSession
from playground.models.conformance_report import ConformanceReport
from playground.models.conversation import Conversation
from playground.models.fields import ForeignJson
from playground.models.run import Run
from playground.protocol.json import json_text

# What we wrote ourselves is read back whatever its size.
OWN_LIMITS = json_text.Limits(depth=400, tokens=100_000_000, number_length=400)


def new_token() -> str:
    """256 random bits, as they stand in the address."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def owned_by(self, user: Any) -> ShareLinkQuerySet:
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def open_now(self) -> ShareLinkQuerySet:
        """Published, not expired, not revoked, of an owner who may still log in, of something not deleted."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            Q(conversation=None) | Q(conversation__deleted_at=None),
            published_at__isnull=False,
            revoked_at=None,
            taken_down_at=None,
            owner__is_active=True,
        )

    def behind(self, token: str) -> ShareLink | None:
        """The open share at this secret address, found by the token's hash."""
        if not settings.PUBLIC_LINKS:
            return None
        return self.open_now().filter(token_digest=digest_of(token)).select_related("owner").first()

    def readable_by(self, user: Any) -> ShareLinkQuerySet:
        """The links that others opened to this signed-in user, inside the site."""
        if not user.is_authenticated:
            return self.none()
        named = Q(audience=ShareLink.Audience.NAMED, readers=user)
        return self.open_now().filter(named | Q(audience=ShareLink.Audience.EVERYONE)).exclude(owner=user).distinct()


class ShareLink(models.Model):
    """`packed_snapshot` holds what was chosen and nothing else. The token is not kept, only its hash."""

    class Audience(models.TextChoices):
        NONE = "none", "nobody"
        NAMED = "named", "named users"
        EVERYONE = "everyone", "every signed-in user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="share_links")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="share_links")
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="share_links")
    session = models.ForeignKey(AgentSession, models.CASCADE, null=True, related_name="share_links")
    report = models.ForeignKey(ConformanceReport, models.CASCADE, null=True, related_name="share_links")
    title = models.CharField(max_length=200)

    token_digest = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - null: no public address
    hint = models.CharField(max_length=12, blank=True)
    passphrase = models.CharField(max_length=128, blank=True)  # hashed
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.NONE)
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="shared_with_me", blank=True)
    readers_may_fork = models.BooleanField(default=True)

    parts = models.JSONField(default=list)  # names of the parts that are in it
    masked = ForeignJson(default=list)  # words that were masked
    packed_snapshot = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)  # when the copy was made or updated; null: prepared, not published
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    taken_down_at = models.DateTimeField(null=True)  # by the operator
    opened_count = models.PositiveIntegerField(default=0)
    last_opened_at = models.DateTimeField(null=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="share_of_one_thing",
                condition=Q(conversation__isnull=False, run=None, session=None, report=None)
                | Q(conversation=None, run__isnull=False, session=None, report=None)
                | Q(conversation=None, run=None, session__isnull=False, report=None)
                | Q(conversation=None, run=None, session=None, report__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["owner", "-made_at"], name="share_owner_made")]

    def __str__(self) -> str:
        return f"{self.title} ({self.hint or 'inside the site'})"

    # --- what it holds

    @property
    def snapshot(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json_text.parse(zlib.decompress(bytes(self.packed_snapshot)), OWN_LIMITS)
        return parsed

    @snapshot.setter
    def snapshot(self, value: dict[str, Any]) -> None:
        self.packed_snapshot = zlib.compress(json_text.dump(value, indent=None).encode())

    @property
    def original_url(self) -> str:
        """The page of what was copied."""
        if self.conversation_id:
            return reverse("conversation-read", args=[self.conversation_id])
        if self.session_id:
            return reverse("session", args=[self.session_id])
        if self.report_id:
            return reverse("conformance-report", args=[self.report_id])
        return reverse("run", args=[self.run_id])

    @property
    def thing(self) -> Conversation | Run | AgentSession | ConformanceReport | None:
        """The object that it is a copy of."""
        return self.conversation or self.run or self.session or self.report

    # --- who may open it

    def give_address(self) -> str:
        """Make a new secret address and return its token, which is shown this once."""
        token = new_token()
        self.token_digest = digest_of(token)
        self.hint = f"{token[:5]}…{token[-2:]}"
        return token

    def set_passphrase(self, passphrase: str) -> None:
        self.passphrase = make_password(passphrase) if passphrase else ""

    def opens_with(self, passphrase: str) -> bool:
        return check_password(passphrase, self.passphrase)

    @property
    def state(self) -> str:
        """Its state in one word: open, expired, revoked, taken down, prepared."""
        if self.taken_down_at:
            return "taken down"
        if self.revoked_at:
            return "revoked"
        if self.published_at is None:
            return "prepared"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "open"

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    def count_opening(self) -> None:
        ShareLink.objects.filter(pk=self.pk).update(opened_count=F("opened_count") + 1, last_opened_at=timezone.now())

    def revoke(self) -> None:
        """Delete the copy, which opens to nobody any more. The row stays in the owner's list."""
        self.revoked_at = timezone.now()
        self.snapshot = {}
        self.masked = []
        self.save(update_fields=["revoked_at", "packed_snapshot", "masked"])
