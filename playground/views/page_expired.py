"""The page of a form whose token is not, or no longer, this browser's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from playground.identity.theme import theme_of


def page_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's middleware calls this; its own view knows no theme. What it gives as the reason stands in the log."""
    return HttpResponse(get_template("403_csrf.html").render({"theme": theme_of(request.COOKIES)}), status=403)
