"""The search index rebuilt from what is stored: after a move to another database, whose copy has no index."""

from __future__ import annotations

from django.db import transaction

from playground.models import Run, RunContent
from playground.recording.run_columns import search_entry
from playground.search import index

STEP = 100  # runs in one transaction


def reindex() -> int:
    """Make every run that has ended and kept its content searchable; return how many. A run that is being written
    meanwhile is indexed by its own end."""
    done = last = 0
    while True:
        contents = list(RunContent.objects.filter(pk__gt=last).select_related("run").order_by("pk")[:STEP])
        if not contents:
            return done
        last = contents[-1].pk
        entries = [
            search_entry(content.run, content.pk, body=bytes(content.request_body), message=content.message)
            for content in contents
            if content.run.state != Run.State.RUNNING
        ]
        with transaction.atomic():
            index.index(entries)
        done += len(entries)
