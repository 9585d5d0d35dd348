"""`sort_sessions`: put older relayed requests into sessions, now."""

from typing import Any

from django.core.management.base import BaseCommand

from playground.recording.session_upkeep import fill_in, runs_without_digest

AT_ONCE = 50


class Command(BaseCommand):
    help = (
        "Put relayed requests that were stored before there were sessions into sessions. "
        "The server does the same in the background."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        total, done, before = runs_without_digest().count(), 0, None
        while True:
            count, before = fill_in(AT_ONCE, before=before)
            done += count
            if count:
                self.stdout.write(f"{done:,} of {total:,} requests")
            if count < AT_ONCE:
                break
        self.stdout.write(f"Sorted {done:,} request{'' if done == 1 else 's'} into sessions.")
