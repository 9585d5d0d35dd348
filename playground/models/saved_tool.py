"""A tool's definition that a user keeps for any conversation."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from playground.models.fields import ForeignJson
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.foreign_text import storable

MOST = 200  # of one user
LARGEST = 256 * 1024  # bytes of one, as JSON
LONGEST_NAME = 128
KEPT_AFTER_DELETION = timedelta(days=1)


class SavedToolQuerySet(models.QuerySet["SavedTool"]):
    def owned_by(self, user: Any) -> SavedToolQuerySet:
        """The tools that a signed-in user has saved and not deleted, by name; none for a visitor."""
        return self.filter(owner=user, deleted_at=None).order_by("name") if user.is_authenticated else self.none()

    def keep(self, user: Any, definition: dict[str, Any]) -> tuple[SavedTool, bool]:
        """Save a tool under its name, or under the first free one like it: no saved tool takes another's place.

        Returns it, and whether it is new: the same definition is kept once. Raises `StorageQuotaError`.
        """
        own = list(self.owned_by(user))
        if (same := next((each for each in own if each.definition == definition), None)) is not None:
            return same, False
        if len(own) >= MOST:
            raise StorageQuotaError(f"At most {MOST} tools are kept. Delete one first.")
        if len(json.dumps(definition)) > LARGEST:
            raise StorageQuotaError(f"A saved tool has at most {LARGEST // 1024} KB.")
        taken = {each.name for each in own}
        plain = storable(str(definition.get("name") or definition.get("type") or "tool"), LONGEST_NAME - 4) or "tool"
        name = next(
            each for each in (plain, *(f"{plain} {number}" for number in range(2, MOST + 2))) if each not in taken
        )
        return self.create(owner=user, name=name, definition=definition), True


class SavedTool(models.Model):
    """`name` is what it is called in the list, at first the tool's own; `definition` is as the API takes it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_tools")
    name = models.CharField(max_length=LONGEST_NAME)
    definition = ForeignJson(default=dict)
    saved_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)  # for a day it can be brought back

    objects = SavedToolQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="saved_tool_name", fields=["owner", "name"], condition=Q(deleted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def about(self) -> str:
        """Its line in the list: its description, else its type."""
        definition = self.definition if isinstance(self.definition, dict) else {}
        return str(definition.get("description") or definition.get("type") or "")
