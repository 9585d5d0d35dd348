"""Deletes what has expired: deleted conversations after a day, prepared copies that nobody published, text of old
links."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from playground.models import Conversation, ShareLink

STEP = 50  # rows in one transaction: their versions and copies go with them
PREPARED_FOR = dt.timedelta(days=1)
EXPIRED_FOR = dt.timedelta(days=30)  # so long an expiry can be put off


def sweep(now: dt.datetime | None = None) -> int:
    """Remove what is past its time; returns how many conversations and copies went."""
    now = now or timezone.now()
    removed = 0
    while ids := list(Conversation.objects.beyond_recall().values_list("pk", flat=True)[:STEP]):
        Conversation.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    prepared = ShareLink.objects.filter(published_at=None, made_at__lt=now - PREPARED_FOR)
    while ids := list(prepared.values_list("pk", flat=True)[:STEP]):
        ShareLink.objects.filter(pk__in=ids).delete()
        removed += len(ids)
    for share in ShareLink.objects.filter(expires_at__lt=now - EXPIRED_FOR, revoked_at=None).iterator(STEP):
        share.revoke()
        removed += 1
    return removed
