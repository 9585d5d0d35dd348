"""The request being written: kept on the server as it changes, so that a reload or another device finds it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from playground.identity.asking_page import open_conversation
from playground.models import storage_quota
from playground.models.attachment import PREFIX, REFERENCE, Attachment
from playground.models.fields import ForeignJson

if TYPE_CHECKING:
    from django.http import HttpRequest

API_VERSION = "2023-06-01"
MOST_OPEN = 30  # conversations of a user that keep what can be undone and what is compared


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, request: HttpRequest) -> DraftQuerySet:
        """The draft of the page that asks: the open conversation's, else the one that nobody has saved.

        Always of whoever is asking: of the signed-in user, else of this browser.
        """
        conversation = open_conversation(request)
        if not request.user.is_authenticated:
            visitor = getattr(request, "visitor", None) or "-"
            return self.none() if conversation else self.filter(user=None, visitor=visitor)
        if conversation is None:
            return self.filter(user=request.user, conversation=None)
        return self.filter(user=request.user, conversation=conversation, conversation__deleted_at=None)


class Draft(models.Model):
    """One request body as typed, with its headers. `version` grows with every change: two tabs notice each other.

    A user has one for each saved conversation that is worked on, and one that is not saved; a browser has one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="drafts")
    visitor = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)  # of a visitor, as limits count it
    # Bytes, not text: what was typed need not be JSON, and PostgreSQL refuses NUL in text.
    body = models.BinaryField(default=b"")
    anthropic_version = models.CharField(max_length=64, default=API_VERSION)
    betas = ForeignJson(default=list)
    accept = models.CharField(max_length=128, default="", blank=True)  # "": it follows the body's `stream`
    extra_headers = ForeignJson(default=list)
    variables = ForeignJson(default=dict)
    # The columns of a comparison, as `composer.comparison_columns` writes them; empty when nothing is compared.
    columns = models.BinaryField(default=b"")
    tool_examples = ForeignJson(default=dict)  # by the tool's name, as typed: see composer.tool_examples
    connection = models.ForeignKey("accounts.Connection", models.SET_NULL, null=True, blank=True, related_name="+")
    # The saved conversation that this is being written for, and which follows along.
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, blank=True, related_name="drafts")
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
            models.UniqueConstraint(
                name="one_draft_per_user",
                fields=["user"],
                condition=Q(user__isnull=False, conversation__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_draft_per_conversation",
                fields=["conversation"],
                condition=Q(conversation__isnull=False),
            ),
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
        named = (text.decode() for text in texts if PREFIX.encode() in text)
        return {reference for text in named for reference in REFERENCE.findall(text)}

    def keep(self) -> bool:
        """Store the draft if nobody else changed it meanwhile. False: somebody did, and nothing was stored.

        `version` must still be the one that the change was made upon; it is one higher afterwards.
        Raises `StorageQuotaError`.
        """
        storage_quota.check_draft(self)
        if references := self.references():
            whose = {"user": self.user} if self.user_id else {"user": None, "visitor": self.visitor}
            Attachment.objects.filter(**whose).touch(references)
        self.saved_at = timezone.now()
        if self._state.adding:
            self.version = 1
            own = {"user": self.user, "visitor": self.visitor, "conversation": self.conversation}
            _, created = Draft.objects.get_or_create(
                **own, defaults={**self.content(), "id": self.id, "version": 1, **own}
            )
            self._state.adding = not created
            if created:
                self._drop_oldest()
            return created
        kept = Draft.objects.filter(pk=self.pk, version=self.version).update(**self.content(), version=F("version") + 1)
        if kept:
            self.version += 1
        return bool(kept)

    def _drop_oldest(self) -> None:
        """Drop drafts of conversations that were not worked on for long: each is its newest version again when it is
        opened."""
        if self.conversation_id is None:
            return
        others = Draft.objects.filter(user=self.user, conversation__isnull=False, is_behind=False)
        keys = list(others.exclude(pk=self.pk).order_by("-saved_at").values_list("pk", flat=True))
        Draft.objects.filter(pk__in=keys[MOST_OPEN - 1 :]).delete()

    def content(self) -> dict[str, object]:
        settings = ("anthropic_version", "betas", "accept", "extra_headers", "variables", "tool_examples", "connection")
        names = ("body", *settings, "columns", "conversation", "is_behind", "address", "saved_at")
        return {name: getattr(self, name) for name in names}
