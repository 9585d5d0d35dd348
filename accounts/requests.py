"""Requests as the views get them: what middleware and decorators have added, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User


class HtmxHttpRequest(HttpRequest):
    """A request behind `HtmxMiddleware`."""

    htmx: HtmxDetails


def page_asking(request: HttpRequest) -> str:
    """The path and query of the page that asks by htmx; empty when it is not of this site, or cannot be read."""
    try:
        return request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    except ValueError:
        return ""


class AuthenticatedHttpRequest(HtmxHttpRequest):
    """A request behind `login_required`: there is a user."""

    user: User
