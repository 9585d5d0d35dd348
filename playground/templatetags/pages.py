"""Small words of the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings

from playground import retention
from playground.models import room

if TYPE_CHECKING:
    from accounts.models import User

register = template.Library()

TONES = {"success": "good", "warning": "warn", "error": "bad"}


@register.filter
def tone(level: str) -> str:
    """The tone of a banner for Django's message level."""
    return TONES.get(level, "plain")


@register.simple_tag
def kept_bytes(user: User) -> list[dict[str, Any]]:
    """What of a user's is kept, in bytes, and how much may be (0: any)."""
    return [
        {"what": "requests", "size": retention.size_of_content(user.pk), "most": settings.MAX_CONTENT_BYTES_PER_USER},
        {"what": "files", "size": room.bytes_of_files(user), "most": settings.MAX_ATTACHMENT_BYTES_PER_USER},
        {
            "what": "conversations",
            "size": room.bytes_of_versions(user.pk),
            "most": settings.MAX_VERSION_BYTES_PER_USER,
        },
        {"what": "shared copies", "size": room.bytes_of_copies(user.pk), "most": settings.MAX_SHARE_BYTES_PER_USER},
    ]
