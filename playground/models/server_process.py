"""The processes that serve this site together, each with the time it last said that it lives."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

# All times are the database's own: the clocks of machines differ.
GONE_AFTER: Final = dt.timedelta(seconds=8)


class ServerProcessQuerySet(models.QuerySet["ServerProcess"]):
    def gone(self) -> ServerProcessQuerySet:
        """Processes that have not said for a while that they live."""
        return self.filter(beat_at__lt=Now() - GONE_AFTER)


class ServerProcess(models.Model):
    """A process of several. A site of one process has no rows here."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(default=timezone.now)

    objects = ServerProcessQuerySet.as_manager()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"
