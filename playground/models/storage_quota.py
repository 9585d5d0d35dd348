"""Limits of what is kept beside the log: files, drafts, versions of conversations, shared copies. Each is a setting; 0
is no limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.conf import settings
from django.db.models import Q, Sum
from django.db.models.functions import Length
from django.template.defaultfilters import filesizeformat

from playground.exceptions import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from accounts.models import User
    from playground.models.draft import Draft
    from playground.models.share import ShareLink

MOST_FILES_OF_VISITOR: Final = 40
SMALLEST_DRAFT: Final = 16 * 1024  # what a visitor's draft counts at least: many empty ones are something too
# Notes of versions that nobody asked for.
AUTOMATIC: Final = ("", "sent", "put aside", "before an edit", "before running again")


class StorageQuotaError(PlaygroundError):
    """There is no room to store it; the message is for the reader. Nothing was stored."""


def bytes_of_files(user: User) -> int:
    return _sum(_model("Attachment").objects.filter(user=user), "size")


def bytes_of_versions(user_id: int) -> int:
    return _sum(_versions(user_id), Length("packed_body"))


def check_file(size: int, *, user: User | None, visitor: str, address: str) -> None:
    """Raises `StorageQuotaError` when a file of this size is one too many."""
    if user is not None:
        most = settings.MAX_ATTACHMENT_BYTES_PER_USER
        if most and bytes_of_files(user) + size > most:
            raise StorageQuotaError(
                f"Your files may use {filesizeformat(most)}, and this one does not fit. {_FILES_GO}"
            )
        return
    own = _model("Attachment").objects.filter(user=None, visitor=visitor)
    most = settings.MAX_ATTACHMENT_BYTES_PER_VISITOR
    if own.count() >= MOST_FILES_OF_VISITOR or (most and _sum(own, "size") + size > most):
        raise StorageQuotaError(
            f"Without an account you can store {MOST_FILES_OF_VISITOR} files, {filesizeformat(most)}. {_FILES_GO}"
        )
    check_address(address, size)


_FILES_GO = "Files that no request uses are removed after a day."


def check_draft(draft: Draft) -> None:
    """Raises `StorageQuotaError` when visitors of one address keep too much. A user has one draft."""
    if not draft.address:
        return
    texts = (draft.variables, draft.tool_examples)
    size = len(draft.body) + len(draft.columns) + sum(len(json.dumps(each)) for each in texts if each)
    if draft._state.adding or size > SMALLEST_DRAFT:
        check_address(draft.address, max(size, SMALLEST_DRAFT), but=draft)


def check_address(address: str, size: int, *, but: Draft | None = None) -> None:
    """Cookies cost nothing, so what visitors keep is counted by their address too."""
    most = settings.MAX_VISITOR_BYTES_PER_ADDRESS
    if not most or not address:
        return
    drafts = _model("Draft").objects.filter(user=None, address=address)
    if but is not None:
        drafts = drafts.exclude(pk=but.pk)
    kept = _sum(_model("Attachment").objects.filter(user=None, address=address), "size")
    lengths = Length("body") + Length("columns") + Length("variables") + Length("tool_examples")
    kept += _sum(drafts, lengths) + SMALLEST_DRAFT * drafts.count()
    versions = _model("ConversationVersion").objects.filter(draft__user=None, draft__address=address)
    if kept + _sum(versions, Length("packed_body")) + size > most:
        raise StorageQuotaError(
            "Visitors from your address have used up their storage. Log in, or try again another day."
        )


def make_for_version(owner_id: int, size: int, *, keep: Iterable[Any] = ()) -> None:
    """Make room for so many more bytes of versions: what was deleted goes for good, then the oldest of what nobody
    saved by hand, but never the newest of a conversation. Raises `StorageQuotaError` when that is not enough."""
    most = settings.MAX_VERSION_BYTES_PER_USER
    excess = bytes_of_versions(owner_id) + size - most if most else 0
    if excess <= 0:
        return
    conversations = _model("Conversation").objects.filter(owner_id=owner_id)
    gone: list[Any] = []
    for deleted in conversations.exclude(deleted_at=None).exclude(versions__in=keep).order_by("deleted_at"):
        if excess > 0:
            gone.append(deleted)
            excess -= _sum(deleted.versions, Length("packed_body"))
    heads = conversations.exclude(head=None).values("head")
    thin = _versions(owner_id).filter(Q(pinned=False) | Q(note__in=AUTOMATIC), conversation__deleted_at=None)
    thin = thin.exclude(pk__in=heads).exclude(pk__in=keep).order_by("pinned", "changed_at")
    thinned = []
    for pk, length in thin.annotate(length=Length("packed_body")).values_list("pk", "length"):
        if excess <= 0:
            break
        thinned.append(pk)
        excess -= length
    if excess > 0:
        raise StorageQuotaError(
            f"Your conversations may use {filesizeformat(most)}, and this one does not fit. "
            "Delete some, or export and delete them."
        )
    for conversation in gone:
        conversation.delete()
    _versions(owner_id).filter(pk__in=thinned).delete()


def bytes_of_copies(owner_id: int) -> int:
    return _sum(_model("ShareLink").objects.filter(owner_id=owner_id), Length("packed_snapshot"))


def check_copy(share: ShareLink) -> None:
    """Raises `StorageQuotaError` when a shared copy is one too many, or has become too large."""
    most = settings.MAX_SHARE_BYTES_PER_USER
    others = _model("ShareLink").objects.filter(owner_id=share.owner_id).exclude(pk=share.pk)
    if most and _sum(others, Length("packed_snapshot")) + len(share.packed_snapshot) > most:
        raise StorageQuotaError(
            f"Your shared copies may use {filesizeformat(most)}, and this one does not fit. "
            "Revoke links that nobody needs any more."
        )


def _versions(owner_id: int) -> QuerySet[Any]:
    rows: QuerySet[Any] = _model("ConversationVersion").objects.filter(conversation__owner_id=owner_id)
    return rows


def _sum(rows: Any, what: Any) -> int:
    return rows.order_by().aggregate(all=Sum(what))["all"] or 0


def _model(name: str) -> Any:
    """The models import this module."""
    return apps.get_model("playground", name)
