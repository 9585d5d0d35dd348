"""Gives a visitor's data to the user who logs in with that browser, before any page of theirs is drawn or sent.

What the account has no place for stays with the browser: another draft, a result for a call that has one.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError, IntegrityError, transaction
from django.dispatch import receiver

from accounts.models import User
from playground.attachments import attachment_store
from playground.attachments.file_types import UnknownFileError
from playground.models import Attachment, Draft, ToolMock, tool_mock
from playground.models.attachment import PREFIX
from playground.models.storage_quota import StorageQuotaError

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def claim_visitor_data(request: Any, user: User, **_: Any) -> None:
    """Move the visitor's data to the user. A failure keeps nobody out: the next log-in tries again."""
    visitor = getattr(request, "visitor", None)
    if visitor is None or request.visitor_is_new:
        return
    try:
        _claim_draft(user, visitor)
        _claim_results(user, visitor)
    except DatabaseError as problem:
        logger.error("what a visitor had could not be moved: %s", type(problem).__name__)


def _claim_draft(user: User, visitor: str) -> None:
    """The request being written with its branches, and its files. A user has one that is not saved: their own stays."""
    whose = {"user": None, "visitor": visitor}
    with suppress(IntegrityError), transaction.atomic():
        if Draft.objects.filter(user=user, conversation=None).exists():
            return
        if Draft.objects.filter(**whose).update(user=user, visitor="", address=""):
            Attachment.objects.filter(**whose).update(user=user, visitor="", address="")


def _claim_results(user: User, visitor: str) -> None:
    """Saved results of tools, the newest first, as far as there is room. The account's own stay as they are."""
    own = set(user.tool_mocks.values_list("tool_name", "input_digest"))
    taken = []
    for mock in ToolMock.objects.filter(user=None, visitor=visitor).order_by("-saved_at"):
        call = (mock.tool_name, mock.input_digest)
        if len(own) == tool_mock.MOST:
            break
        if call not in own and (not mock.image or _claim_image(mock, user, visitor)):
            mock.user, mock.visitor = user, ""
            taken.append(mock)
            own.add(call)
    if not taken:
        return
    with suppress(IntegrityError), transaction.atomic():
        ToolMock.objects.bulk_update(taken, ["user", "visitor", "result"])


def _claim_image(mock: ToolMock, user: User, visitor: str) -> bool:
    """Let the result name a file of the user's. The browser's draft may still name its own, so that one is copied."""
    key = mock.image.removeprefix(PREFIX)
    if Attachment.objects.filter(pk=key, user=user).exists():
        return True
    file = Attachment.objects.filter(pk=key, user=None, visitor=visitor).first()
    if file is None:
        return False
    try:
        copied = attachment_store.store(file.read(), file.name, user=user, visitor="")
    except (OSError, UnknownFileError, StorageQuotaError):
        return False
    mock.result[0]["source"]["data"] = copied.reference
    return True
