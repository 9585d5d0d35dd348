"""Django's templates, whose output can always be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates, Template, reraise
from django.utils.safestring import SafeString, mark_safe

from playground.protocol.foreign_text import encodable

if TYPE_CHECKING:
    from django.http import HttpRequest


class EncodableTemplate(Template):
    """Shows a replacement character where a text holds half of a surrogate pair.

    JSON can spell such a half, so any text of a request or a response may hold one; no page can, as UTF-8 has none.
    """

    def render(self, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> SafeString:
        return mark_safe(encodable(super().render(context, request)))  # noqa: S308 - as safe as it was


class EncodableTemplates(DjangoTemplates):
    """The template back end of the settings."""

    def from_string(self, template_code: str) -> EncodableTemplate:
        return EncodableTemplate(self.engine.from_string(template_code), self)

    def get_template(self, template_name: str) -> EncodableTemplate:
        try:
            return EncodableTemplate(self.engine.get_template(template_name), self)
        except TemplateDoesNotExist as missing:
            reraise(missing, self)
            raise
