"""What an account takes with it, and its deletion. The tables that belong to a user are known by their foreign keys
alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db.models import CASCADE, QuerySet

from accounts import deletion
from accounts.models import User

# Rows deleted in one transaction. SQLite has one writer: others wait for each of these, not for all together.
ROWS_AT_ONCE = 200
# Where the pages call rows otherwise than their table is called.
WORDS_ON_PAGES = {"run": "request", "runs": "requests", "share link": "shared link", "share links": "shared links"}


def rows_of(user: User) -> Iterator[QuerySet[Any]]:
    """The rows of each table that are deleted along with the user."""
    for relation in user._meta.related_objects:
        if getattr(relation, "on_delete", None) is CASCADE:
            yield relation.related_model._base_manager.filter(**{relation.field.name: user.pk})


def deletion_summary(user: User) -> list[tuple[int, str]]:
    """Count what will be deleted, with a word for each kind; the operators' own notes of the admin are left out."""
    counts = []
    for rows in rows_of(user):
        names, count = rows.model._meta, rows.count()
        if count and names.app_label != "admin":
            word = str(names.verbose_name if count == 1 else names.verbose_name_plural)
            counts.append((count, WORDS_ON_PAGES.get(word, word)))
    return sorted(counts, key=lambda each: each[1])


def delete_with_everything(user: User) -> None:
    """Delete the user and all that is theirs, in short transactions. If it is cut off, the account is still there and
    can be deleted again."""
    for rows in rows_of(user):
        while keys := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
            deletion.retried(rows.filter(pk__in=keys).delete)
    for model in (AccessAttempt, AccessFailureLog, AccessLog):  # they know the name, not the user
        model.objects.filter(username=user.get_username()).delete()
    user.delete()
