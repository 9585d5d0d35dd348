"""Files of requests: stored once, taken out of a body that brings them along, swept when nothing refers to them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.attachments.file_types import UnknownFileError, recognise
from playground.identity.visitors import COOKIE_AGE_S
from playground.models import Attachment, ConversationVersion, Draft, ToolMock, storage_quota
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.foreign_text import storable
from playground.protocol.snippets.http_request import is_canonical_base64

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import User
    from playground.models.attachment import AttachmentQuerySet

LARGE_BASE64 = 32_768  # characters that are no longer kept in the text of a draft
KEPT_UNUSED = dt.timedelta(days=1)  # somebody may still undo, or paste the body back
STEP = 200


def store(data: bytes, name: str, *, user: User | None, visitor: str, address: str = "") -> Attachment:
    """Keep these bytes for their owner, once. Raises `UnknownFileError` for what the API does not take, and
    `StorageQuotaError`."""
    kind = recognise(data)
    owner: dict[str, Any] = {"user": user, "visitor": "" if user else visitor}
    digest = hashlib.sha256(data).hexdigest()
    known = Attachment.objects.filter(**owner, sha256=digest).first()
    # The sweep may take it at this very moment; then it is stored again.
    if known is not None and Attachment.objects.filter(pk=known.pk).update(used_at=timezone.now()):
        return known
    storage_quota.check_file(len(data), user=user, visitor=visitor, address=address)
    stored = Attachment(
        **owner,
        address="" if user else address,
        name=storable(name or "file", 200),
        media_type=kind.media_type,
        size=len(data),
        width=kind.width,
        height=kind.height,
        sha256=digest,
    )
    stored.file.save(stored.pk.hex, ContentFile(data), save=False)
    stored.save()
    return stored


def extract_files(value: Any, **owner: Any) -> Any:
    """The body with its large base64 data stored as files and referred to by id.

    Only data that comes back letter for letter is taken out: what is sent stays what was pasted.
    """
    if isinstance(value, list):
        return [extract_files(each, **owner) for each in value]
    if not isinstance(value, dict):
        return value
    data = value.get("data")
    is_base64 = value.get("type") == "base64"
    if is_base64 and isinstance(data, str) and len(data) >= LARGE_BASE64 and is_canonical_base64(data):
        try:
            return value | {"data": store(base64.b64decode(data), "pasted", **owner).reference}
        except (UnknownFileError, StorageQuotaError):
            return value
    return {name: extract_files(each, **owner) for name, each in value.items()}


def sweep(now: dt.datetime | None = None) -> int:
    """Delete visitors' drafts and saved results past their cookie's age, then files that nothing refers to."""
    now = now or timezone.now()
    for model in (Draft, ToolMock):
        model.objects.filter(user=None, saved_at__lt=now - dt.timedelta(seconds=COOKIE_AGE_S)).delete()
    removed = 0
    idle = Attachment.objects.filter(used_at__lt=now - KEPT_UNUSED)
    for user_id, visitor in idle.order_by().values_list("user_id", "visitor").distinct():
        used = _used_by(user_id, visitor)
        own = idle.filter(user_id=user_id, visitor=visitor)
        removed += sum(_delete_idle(idle, file.pk) for file in own if file.reference not in used)
    return removed


def _delete_idle(idle: AttachmentQuerySet, key: UUID) -> bool:
    """Delete it, unless a draft has begun to use it since it was looked for: that notes the time of use first."""
    with transaction.atomic():
        attachment = idle.select_for_update().filter(pk=key).first()
        if attachment is not None:
            attachment.delete()
    return attachment is not None


def _used_by(user_id: int | None, visitor: str) -> set[str]:
    """The references in everything that this owner keeps."""
    used: set[str] = set()
    drafts = Draft.objects.filter(Q(user_id=user_id) if user_id else Q(user=None, visitor=visitor))
    for draft in drafts:
        used.update(draft.references())
    for mock in ToolMock.objects.filter(Q(user_id=user_id) if user_id else Q(user=None, visitor=visitor)):
        used.add(mock.image)
    unsaved = ConversationVersion.objects.filter(draft__in=drafts)
    saved = ConversationVersion.objects.filter(conversation__owner_id=user_id) if user_id else unsaved.none()
    for versions in (unsaved, saved):
        for references in versions.exclude(references="").values_list("references", flat=True).iterator(STEP):
            used.update(references.split())
    return used
