"""Tags of the answer's templates."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from playground.answer.response_shapes import RESPONSE_SHAPES, ResponseShape
from playground.answer.run_view import drawing_of, opens_at_once
from playground.dispatch.launch import RunReference
from playground.models.attachment import PREFIX
from playground.protocol.catalogue import block_types
from playground.rendering import markdown

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.template import Context

    from playground.answer.drawing import Drawing

register = template.Library()


@register.simple_tag(takes_context=True)
def answer_of(context: Context, run: Any) -> Drawing | None:
    """The drawing of a live or stored run for whoever is asking; None without a run."""
    return None if run is None else drawing_of(run, context.get("request"))


@register.simple_tag(takes_context=True)
def comes_later(context: Context, run: Any) -> bool:
    """Would a page wait long for this run's drawing? Then the browser fetches it when the page is there."""
    request = context.get("request")
    if isinstance(run, RunReference):
        return True
    return run is not None and request is not None and not is_htmx(request) and not opens_at_once(run, request)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@register.filter
def image_address(reference: str) -> str:
    """Return the address of a stored file's bytes, by its reference."""
    return reverse("attachment", args=[reference.removeprefix(PREFIX)])


@register.simple_tag
@cache
def wire_kinds() -> str:
    """The colours of events for static/js/answer/wire-data.js, as JSON in an attribute."""
    return json.dumps(block_types.wire_kinds(), separators=(",", ":"))


@register.simple_tag
def response_shapes() -> tuple[ResponseShape, ...]:
    return RESPONSE_SHAPES


@register.simple_tag
def coloured(text: str, language: str) -> SafeString:
    """Source text with Pygments' class names."""
    return markdown.highlight_code(text, language)


@register.simple_tag
def fallback_words(block: dict[str, Any]) -> str:
    """A `fallback` block in words."""
    names = [
        str(block[side].get("model"))[:100] if isinstance(block.get(side), dict) else "another model"
        for side in ("from", "to")
    ]
    why = f" ({str(block['trigger'])[:100]})" if block.get("trigger") else ""
    return f"{names[0]} gave way to {names[1]}{why}"
