"""Tells which page asks: the one of a saved conversation, or the one of the request that is not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from django.http import HttpRequest

HEADER = "X-Conversation"  # set by the page's scripts on all that they ask for


def open_conversation(request: HttpRequest) -> UUID | None:
    """The id of the conversation that is open in the page that asks. Whose it is has not been looked at."""
    named = getattr(request, "open_conversation", None) or request.headers.get(HEADER, "")
    try:
        return named if isinstance(named, UUID) else UUID(named)
    except ValueError:
        return None


def ask_for(request: HttpRequest, conversation_id: UUID | None) -> None:
    """Answer this request as one that comes from the page of this conversation; None: of the unsaved request."""
    request.open_conversation = conversation_id or "unsaved"  # type: ignore[attr-defined]
