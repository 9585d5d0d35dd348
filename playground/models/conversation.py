"""A saved request body with a title, the versions it went through, and the runs made from them."""

from __future__ import annotations

import uuid
import zlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from playground.models.attachment import REFERENCE
from playground.models.fields import ForeignJson
from playground.search import terms
from playground.search.index import read_query

KEPT_AFTER_DELETION = timedelta(days=1)  # how long a deletion can be undone


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, user: Any) -> ConversationQuerySet:
        """The conversations that a signed-in user has saved and not deleted; none for a visitor."""
        return self.filter(owner=user, deleted_at=None) if user.is_authenticated else self.none()

    def deleted_by(self, user: Any) -> ConversationQuerySet:
        return self.filter(owner=user, deleted_at__isnull=False) if user.is_authenticated else self.none()

    def containing(self, text: str) -> ConversationQuerySet:
        """The conversations with all the words, "phrases" and none of the -excluded words of a search."""
        matches = self
        for term in read_query(text, beginnings=True):
            phrase = " " + " ".join(term.words) + ("" if term.is_beginning else " ")
            matches = (
                matches.exclude(words__contains=phrase) if term.excluded else matches.filter(words__contains=phrase)
            )
        return matches

    def beyond_recall(self) -> ConversationQuerySet:
        """Deleted so long ago that nobody can undo it: for the sweep."""
        return self.filter(deleted_at__lt=timezone.now() - KEPT_AFTER_DELETION)


class Conversation(models.Model):
    """`head` is the version that was worked on last. `words` is what the search reads: title, tags and texts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200)
    title_is_own = models.BooleanField(default=False)  # False: proposed from the first turn, and follows it
    tags = ForeignJson(default=list)
    starred = models.BooleanField(default=False)
    model = models.CharField(max_length=200, blank=True)
    turn_count = models.PositiveIntegerField(default=0)
    words = models.TextField(blank=True)
    head = models.ForeignKey("ConversationVersion", models.SET_NULL, null=True, related_name="+")
    forked_from = models.ForeignKey("ShareLink", models.SET_NULL, null=True, related_name="forks")
    forked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-changed_at"], name="conversation_owner_changed"),
            models.Index(fields=["deleted_at"], name="conversation_deleted"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def original_changed(self) -> bool:
        """Return whether the conversation this was forked from has been published again since."""
        original = self.forked_from
        if original is None or not original.is_open or self.forked_at is None or original.published_at is None:
            return False
        return original.published_at > self.forked_at

    def index_words(self, texts: list[str]) -> None:
        words = terms.words(" \n".join([self.title, *self.tags, *texts]))
        self.words = " " + " ".join(words) + " "


class ConversationVersion(models.Model):
    """One state of the body. Versions form a tree by `parent`; `chain` tells which turns they share.

    Entry n of `chain` is a digest of turns 0 to n. A pinned version was saved by hand or sent; the others are what
    was typed in between, and thin out with time. Those of a request that was not saved belong to its draft.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="versions")
    draft = models.ForeignKey("Draft", models.CASCADE, null=True, related_name="versions")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    packed_body = models.BinaryField()
    references = models.TextField(default="", blank=True)  # to stored files, with blanks between them
    settings = ForeignJson(default=dict)
    chain = models.JSONField(default=list)
    digest = models.CharField(max_length=64)  # of body and settings
    pinned = models.BooleanField(default=False)
    note = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="version_has_one_home",
                condition=models.Q(conversation__isnull=False, draft__isnull=True)
                | models.Q(conversation__isnull=True, draft__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["conversation", "-changed_at"], name="version_conversation")]
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return f"{self.note or 'version'} of {self.changed_at:%Y-%m-%d %H:%M}"

    @property
    def body_text(self) -> str:
        """The body as typed; it need not be JSON."""
        return zlib.decompress(bytes(self.packed_body)).decode()

    @body_text.setter
    def body_text(self, text: str) -> None:
        self.packed_body = zlib.compress(text.encode("utf-8", "backslashreplace"))
        self.references = " ".join(sorted(set(REFERENCE.findall(text))))


class ConversationRun(models.Model):
    """A run that was made from a version. Only its number is kept: the row is written later, and swept earlier.

    It has no conversation while its version is a draft's. There a longer version may have taken its version's place,
    so `turns` says how many were sent; None: all of the version's.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="run_links")
    version = models.ForeignKey(ConversationVersion, models.CASCADE, related_name="run_links")
    run_id = models.UUIDField(unique=True)
    turns = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-run_id"]

    def __str__(self) -> str:
        return f"run {self.run_id}"

    @property
    def asked(self) -> list[str]:
        """The chain of what was sent."""
        chain: list[str] = self.version.chain
        return chain[: self.turns]
