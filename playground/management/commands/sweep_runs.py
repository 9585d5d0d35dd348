"""`sweep_runs`: remove what is past its time, now."""

from typing import Any

from django.core.management.base import BaseCommand

from playground.conversations import cleanup
from playground.recording import retention


class Command(BaseCommand):
    help = (
        "Remove content and figures of runs that are past their time (PLAYGROUND_CONTENT_DAYS, "
        "PLAYGROUND_FIGURES_DAYS) and the oldest content of users above PLAYGROUND_CONTENT_PER_USER. "
        "Expired sessions and old notes of log-ins go too. The server does the same every hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        retention.clear_sessions()
        self.stdout.write(f"Removed {retention.sweep()}; {cleanup.sweep()} deleted conversations and old copies.")
