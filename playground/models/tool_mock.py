"""Saved results of tools: each stands in for its tool while a conversation is tried out."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from playground.models.attachment import PREFIX
from playground.models.fields import ForeignJson
from playground.protocol.foreign_text import storable

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST = 200  # of one person; the oldest make room


def digest_of(tool_input: Any) -> str:
    """Names an input, whatever the order of its members."""
    return hashlib.sha256(json.dumps(tool_input, sort_keys=True).encode()).hexdigest()


def image_in(result: Any) -> str:
    """The reference in a result that is one image, kept as a file."""
    block = result[0] if isinstance(result, list) and len(result) == 1 else None
    source = block.get("source") if isinstance(block, dict) else None
    data = source.get("data") if isinstance(source, dict) else None
    return data if isinstance(data, str) and data.startswith(PREFIX) else ""


class ToolMockQuerySet(models.QuerySet["ToolMock"]):
    def of(self, request: HttpRequest) -> ToolMockQuerySet:
        """The saved results of whoever is asking: of the signed-in user, else of this browser."""
        if request.user.is_authenticated:
            return self.filter(user=request.user)
        return self.filter(user=None, visitor=getattr(request, "visitor", None) or "-")

    def forget(self, tool_name: str) -> None:
        self.filter(tool_name=storable(tool_name, 200)).delete()

    def by_call(self) -> dict[tuple[str, str], ToolMock]:
        """All of them under the tool's name and the input's digest, which is empty for those that fit every input."""
        return {(mock.tool_name, mock.input_digest): mock for mock in self}

    def keep(self, request: HttpRequest, tool_name: str, tool_input: Any, result: Any, is_error: bool) -> None:
        """Save a result: for one input, or, with None, for all that have none of their own."""
        who: dict[str, Any] = (
            {"user": request.user, "visitor": ""}
            if request.user.is_authenticated
            else {"user": None, "visitor": getattr(request, "visitor", None) or "-"}
        )
        names: dict[str, Any] = {
            "tool_name": storable(tool_name, 200),
            "input_digest": "" if tool_input is None else digest_of(tool_input),
        }
        values = {"result": result, "is_error": is_error, "saved_at": timezone.now()}
        ToolMock.objects.update_or_create(**who, **names, defaults=values)
        kept = self.of(request).order_by("-saved_at").values_list("pk", flat=True)[:MOST]
        self.of(request).exclude(pk__in=list(kept)).delete()


class ToolMock(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="tool_mocks")
    visitor = models.CharField(max_length=64, blank=True)
    tool_name = models.CharField(max_length=200)
    input_digest = models.CharField(max_length=64, blank=True)  # empty: for every input
    result = ForeignJson(null=True)  # what goes into the `content` of a tool_result
    is_error = models.BooleanField(default=False)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = ToolMockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tool_mock_has_one_owner",
                condition=Q(user__isnull=False, visitor="") | (Q(user__isnull=True) & ~Q(visitor="")),
            ),
            models.UniqueConstraint(fields=["user", "visitor", "tool_name", "input_digest"], name="one_mock_per_input"),
        ]

    def __str__(self) -> str:
        return f"{self.tool_name}: {'every input' if not self.input_digest else 'one input'}"

    @property
    def text(self) -> str:
        """The result as text; empty when it is an image."""
        return self.result if isinstance(self.result, str) else ""

    @property
    def image(self) -> str:
        """The reference of the stored file that the result is; empty when it is not a file."""
        return image_in(self.result)


def find(mocks: dict[tuple[str, str], ToolMock], tool_name: str, tool_input: Any) -> ToolMock | None:
    """The saved result for this call: the one for its very input, else the one for every input."""
    name = storable(tool_name, 200)
    return mocks.get((name, digest_of(tool_input))) or mocks.get((name, ""))
