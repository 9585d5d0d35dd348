"""Files of requests: stored once, taken out of a body that brings them along, swept when nothing refers to them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import Q, Sum
from django.utils import timezone

from playground.forms.attachments import REFERENCE
from playground.forms.file_types import UnknownFileError, recognise
from playground.models import Attachment, ConversationVersion, Draft
from playground.models.fields import clean
from playground.protocol.snippets.request import is_canonical_base64
from playground.visitors import COOKIE_AGE_S

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

LARGE_BASE64 = 32_768  # characters that are no longer kept in the text of a draft
KEPT_UNUSED = dt.timedelta(days=1)  # somebody may still undo, or paste the body back
MOST_OF_VISITOR = 40
STEP = 200


class TooManyFilesError(Exception):
    """The owner has as many files, or as many bytes of them, as they may have."""


def store(data: bytes, name: str, *, user: User | None, visitor: str) -> Attachment:
    """Keep these bytes for their owner, once. Raises `UnknownFileError` for what the API does not take."""
    kind = recognise(data)
    owner: dict[str, Any] = {"user": user, "visitor": "" if user else visitor}
    digest = hashlib.sha256(data).hexdigest()
    found = Attachment.objects.filter(**owner, sha256=digest).first()
    if found is not None:
        return found
    if _is_full(Attachment.objects.filter(**owner), len(data), is_visitor=user is None):
        raise TooManyFilesError
    stored = Attachment(
        **owner,
        name=clean(name or "file", 200),
        media_type=kind.media_type,
        size=len(data),
        width=kind.width,
        height=kind.height,
        sha256=digest,
    )
    stored.file.save(stored.pk.hex, ContentFile(data), save=False)
    stored.save()
    return stored


def _is_full(files: QuerySet[Attachment], size: int, *, is_visitor: bool) -> bool:
    if is_visitor:
        return files.count() >= MOST_OF_VISITOR
    most = settings.MAX_CONTENT_BYTES_PER_USER
    return bool(most) and (files.aggregate(all=Sum("size"))["all"] or 0) + size > most


def shelve(value: Any, *, user: User | None, visitor: str) -> Any:
    """The body with its large base64 data stored as files and referred to by id.

    Only data that comes back letter for letter is taken out: what is sent stays what was pasted.
    """
    if isinstance(value, list):
        return [shelve(each, user=user, visitor=visitor) for each in value]
    if not isinstance(value, dict):
        return value
    data = value.get("data")
    is_large = value.get("type") == "base64" and isinstance(data, str) and len(data) >= LARGE_BASE64
    if is_large and is_canonical_base64(data):
        try:
            return value | {"data": store(base64.b64decode(data), "pasted", user=user, visitor=visitor).reference}
        except (UnknownFileError, TooManyFilesError):
            return value
    return {name: shelve(each, user=user, visitor=visitor) for name, each in value.items()}


def sweep(now: dt.datetime | None = None) -> int:
    """Delete visitors' drafts past their cookie's age, then files that no draft and no conversation refers to."""
    now = now or timezone.now()
    Draft.objects.filter(user=None, saved_at__lt=now - dt.timedelta(seconds=COOKIE_AGE_S)).delete()
    removed = 0
    old = Attachment.objects.filter(created_at__lt=now - KEPT_UNUSED)
    for user_id, visitor in old.order_by().values_list("user_id", "visitor").distinct():
        used = _used_by(user_id, visitor)
        own = old.filter(user_id=user_id, visitor=visitor)
        unused = [attachment for attachment in own if attachment.reference not in used]
        for attachment in unused:
            attachment.delete()
        removed += len(unused)
    return removed


def _used_by(user_id: int | None, visitor: str) -> set[str]:
    """The references in everything that this owner keeps."""
    used: set[str] = set()
    drafts = Draft.objects.filter(Q(user_id=user_id) if user_id else Q(user=None, visitor=visitor))
    for draft in drafts:
        used.update(REFERENCE.findall(draft.body_text))
    unsaved = ConversationVersion.objects.filter(draft__in=drafts)
    saved = ConversationVersion.objects.filter(conversation__owner_id=user_id) if user_id else unsaved.none()
    for versions in (unsaved, saved):
        for version in versions.iterator(chunk_size=STEP):
            used.update(REFERENCE.findall(version.body_text))
    return used
