"""A file that was put into a request: kept once, referred to by its id while the body is edited."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

PREFIX = "attachment:"
REFERENCE = re.compile(r"attachment:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOUCHED_EVERY = dt.timedelta(hours=1)  # a file's time of use is no more exact than this


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, request: HttpRequest) -> AttachmentQuerySet:
        """The files of whoever is asking: of this browser, and of the signed-in user."""
        browser = Q(user=None, visitor=getattr(request, "visitor", None) or "-")
        return self.filter(browser | Q(user=request.user) if request.user.is_authenticated else browser)

    def touch(self, references: Iterable[str]) -> None:
        """Note that they are used now, before what uses them is stored: the sweep leaves them alone for a while."""
        now = timezone.now()
        ids = {reference.removeprefix(PREFIX) for reference in references}
        if ids:
            self.filter(pk__in=ids, used_at__lt=now - TOUCHED_EVERY).update(used_at=now)

    def bytes_of(self, reference: str) -> bytes | None:
        """Return the bytes of a body's reference; None when these files hold no such one."""
        attachment = self.filter(pk=reference.removeprefix(PREFIX)).first()
        return None if attachment is None else attachment.read()


def file_path(attachment: Attachment, _name: str) -> str:
    """Return the file's path below MEDIA_ROOT: no part of it comes from the user."""
    return f"attachments/{attachment.pk.hex[:2]}/{attachment.pk.hex}"


class Attachment(models.Model):
    """The bytes of one image, PDF or text file. The body holds `attachment:<id>` where the API wants base64."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    visitor = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)  # of a visitor, as limits count it
    name = models.CharField(max_length=200)  # a label, never a path
    media_type = models.CharField(max_length=64)  # found in the bytes, not in the upload's header
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=file_path)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(default=timezone.now)  # when a draft that names it was last stored, about

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="attachment_has_one_owner",
                condition=Q(user__isnull=False, visitor="") | (Q(user__isnull=True) & ~Q(visitor="")),
            ),
        ]
        indexes = [
            models.Index(fields=["user", "sha256"], name="attachment_user_sha256"),
            models.Index(fields=["visitor", "sha256"], name="attachment_visitor_sha256"),
            models.Index(fields=["used_at"], name="attachment_used_at"),
            models.Index(fields=["address"], name="attachment_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.media_type}, {self.size} bytes)"

    @property
    def reference(self) -> str:
        """The text that stands in the body in place of the base64 data."""
        return f"{PREFIX}{self.pk}"

    def read(self) -> bytes:
        with self.file.open("rb") as file:
            return bytes(file.read())

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


@receiver(post_delete, sender=Attachment)
def delete_file(instance: Attachment, **_: Any) -> None:
    """The bytes go with the row, also when the row goes with its user's account."""
    transaction.on_commit(lambda: instance.file.delete(save=False))
