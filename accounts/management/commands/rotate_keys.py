from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import rotate


class Command(BaseCommand):
    help = (
        "Encrypt every stored credential's data key with the first of PLAYGROUND_VAULT_KEYS. "
        "Put the new key before the old one and restart; run this while the site runs; then drop the old key."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate()
        self.stdout.write(f"{done.rewrapped} rewrapped, {done.already} had the first key already.")
        if done.unreadable:
            lines = "\n".join(f"  {each}" for each in done.unreadable)
            raise CommandError(f"{len(done.unreadable)} could not be read and are unchanged:\n{lines}")
