"""A file in the database, where several machines serve the site and have no folder in common."""

from __future__ import annotations

from django.db import models


class StoredFile(models.Model):
    """`name` is the path that a folder would have it at."""

    name = models.CharField(max_length=200, primary_key=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.name
