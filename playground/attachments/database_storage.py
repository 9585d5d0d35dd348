"""Stores attachments on PostgreSQL: in the database if several machines may serve the site, else in the folder.

Files are read from wherever they are, so a site can become one of several processes, and one of one again.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from playground.models.stored_file import StoredFile


class DatabaseStorage(FileSystemStorage):
    """Stores files that are written once and read whole."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        stored = StoredFile.objects.filter(name=name).first()
        if stored is not None:
            return ContentFile(bytes(stored.data), name=name)
        return super()._open(name, mode)  # type: ignore[misc]  # Django's types leave it out

    def _save(self, name: str, content: Any) -> str:
        if not settings.REDIS_URL:
            saved: str = super()._save(name, content)  # type: ignore[misc]
            return saved
        StoredFile.objects.create(name=name, data=content.read())
        return name

    def exists(self, name: str) -> bool:
        return StoredFile.objects.filter(name=name).exists() or super().exists(name)

    def size(self, name: str) -> int:
        stored = StoredFile.objects.filter(name=name).first()
        return super().size(name) if stored is None else len(stored.data)

    def delete(self, name: str) -> None:
        if not StoredFile.objects.filter(name=name).delete()[0]:
            super().delete(name)
