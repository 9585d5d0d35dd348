"""Tells on the page that is loaded next what was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from django.http import HttpResponse


def with_toast(response: HttpResponse, toast: dict[str, Any]) -> HttpResponse:
    """Let the next page show the toast: a cookie that its script reads once. `undo` and `redo` are its buttons."""
    response.set_cookie("toast", quote(json.dumps(toast)), max_age=30, samesite="Lax", httponly=False)
    return response
