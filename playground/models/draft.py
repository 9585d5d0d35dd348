"""The request being written: kept on the server as it changes, so that a reload or another device finds it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from playground.models import room
from playground.models.attachment import PREFIX, REFERENCE, Attachment
from playground.models.fields import ForeignJson

if TYPE_CHECKING:
    from django.http import HttpRequest

API_VERSION = "2023-06-01"
EVENT_STREAM = "text/event-stream"


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, request: HttpRequest) -> DraftQuerySet:
        """The drafts of whoever is asking: of the signed-in user, else of this browser."""
        if request.user.is_authenticated:
            return self.filter(user=request.user)
        return self.filter(user=None, visitor=getattr(request, "visitor", None) or "-")


class Draft(models.Model):
    """One request body as typed, with its headers. `version` grows with every change: two tabs notice each other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="drafts")
    visitor = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)  # of a visitor, as limits count it
    # Bytes, not text: what was typed need not be JSON, and PostgreSQL refuses NUL in text.
    body = models.BinaryField(default=b"")
    anthropic_version = models.CharField(max_length=64, default=API_VERSION)
    betas = ForeignJson(default=list)
    accept = models.CharField(max_length=128, default=EVENT_STREAM)
    extra_headers = ForeignJson(default=list)
    variables = ForeignJson(default=dict)
    # The columns of a comparison, as `playground.forms.columns` writes them; empty when nothing is compared.
    columns = models.BinaryField(default=b"")
    tool_examples = ForeignJson(default=dict)  # by the tool's name, as typed: see forms.tool_examples
    connection = models.ForeignKey("accounts.Connection", models.SET_NULL, null=True, blank=True, related_name="+")
    # The saved conversation that this is being written for, and which follows along.
    conversation = models.ForeignKey("Conversation", models.SET_NULL, null=True, blank=True, related_name="+")
    is_behind = models.BooleanField(default=False)  # it could not follow: there was no room
    branches_gone = models.PositiveIntegerField(default=0)  # how many made room: see conversations.keeping
    version = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="draft_has_one_owner",
                condition=Q(user__isnull=False, visitor="") | (Q(user__isnull=True) & ~Q(visitor="")),
            ),
            models.UniqueConstraint(name="one_draft_per_user", fields=["user"], condition=Q(user__isnull=False)),
            models.UniqueConstraint(name="one_draft_per_visitor", fields=["visitor"], condition=~Q(visitor="")),
        ]
        indexes = [
            models.Index(fields=["saved_at"], name="draft_saved_at"),
            models.Index(fields=["address"], name="draft_address"),
        ]

    def __str__(self) -> str:
        return f"draft {self.id}, version {self.version}"

    @property
    def body_text(self) -> str:
        return bytes(self.body).decode()

    @body_text.setter
    def body_text(self, text: str) -> None:
        # Half a surrogate pair cannot be encoded; a browser does not send one, an import might.
        self.body = text.encode("utf-8", "backslashreplace")

    def references(self) -> set[str]:
        """To stored files, in the body and in the columns."""
        texts = (bytes(each) for each in (self.body, self.columns))
        return {found for text in texts if PREFIX.encode() in text for found in REFERENCE.findall(text.decode())}

    def keep(self) -> bool:
        """Store the draft if nobody else changed it meanwhile. False: somebody did, and nothing was stored.

        `version` must still be the one that the change was made upon; it is one higher afterwards.
        Raises `NoRoomError`.
        """
        room.check_draft(self)
        if references := self.references():
            whose = {"user": self.user} if self.user_id else {"user": None, "visitor": self.visitor}
            Attachment.objects.filter(**whose).touch(references)
        self.saved_at = timezone.now()
        if self._state.adding:
            self.version = 1
            _, created = Draft.objects.get_or_create(
                user=self.user, visitor=self.visitor, defaults={"id": self.id, **self.content(), "version": 1}
            )
            self._state.adding = not created
            return created
        kept = Draft.objects.filter(pk=self.pk, version=self.version).update(**self.content(), version=F("version") + 1)
        if kept:
            self.version += 1
        return bool(kept)

    def content(self) -> dict[str, object]:
        settings = ("anthropic_version", "betas", "accept", "extra_headers", "variables", "tool_examples", "connection")
        names = ("body", *settings, "columns", "conversation", "is_behind", "address", "saved_at")
        return {name: getattr(self, name) for name in names}
