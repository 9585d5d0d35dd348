"""Small words of the templates."""

from __future__ import annotations

from django import template

register = template.Library()

TONES = {"success": "good", "warning": "warn", "error": "bad"}


@register.filter
def tone(level: str) -> str:
    """The tone of a banner for Django's message level."""
    return TONES.get(level, "plain")
