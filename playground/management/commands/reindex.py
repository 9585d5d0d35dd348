"""`reindex`: rebuild the search index."""

from typing import Any

from django.core.management.base import BaseCommand

from playground.recording.reindexing import reindex


class Command(BaseCommand):
    help = "Make the search index of the request log anew from what is stored, as after a move to another database."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reindex()} requests can be searched.")
