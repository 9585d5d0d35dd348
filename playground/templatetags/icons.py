"""The icons of the templates, each drawn once: the package parses its XML each time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from lucide.templatetags.lucide import lucide as draw

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=512)
def lucide(name: str, *, size: int = 24, **attributes: str) -> SafeString:
    """An icon with these attributes: `lucide` of the package, remembered."""
    drawn: SafeString = draw(name, size=size, **attributes)  # type: ignore[assignment]
    return drawn


@register.simple_tag
def icon(name: str, size: int = 14) -> SafeString:
    """An icon that says nothing to a screen reader: words or a label stand beside it."""
    return lucide(name, size=size, aria_hidden="true", stroke_width="1.75")
