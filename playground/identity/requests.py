"""Requests as the playground's views get them; see `accounts.requests` for the two that say more about the user."""

from __future__ import annotations

from accounts.requests import AuthenticatedHttpRequest, HtmxHttpRequest

__all__ = ["AuthenticatedHttpRequest", "HtmxHttpRequest", "VisitorHttpRequest"]


class VisitorHttpRequest(HtmxHttpRequest):
    """A request behind `visitor_cookie`: every browser has an id, which counts as long as nobody is logged in."""

    visitor: str
    visitor_is_new: bool
