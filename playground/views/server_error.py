"""The page of a failed request: words for a database that is away, else the page about an internal error."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from playground.databases.availability import RETRY_AFTER_S, is_database_away
from playground.identity.theme import theme_of


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception."""
    theme = {"theme": theme_of(request.COOKIES)}
    if not is_database_away(sys.exc_info()[1]):
        return HttpResponse(get_template("500.html").render(theme), status=500)
    response = HttpResponse(get_template("503.html").render(theme), status=503)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response
