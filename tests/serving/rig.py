"""`manage.py serve` in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx

# A busy machine is no fault.
get = partial(httpx.get, timeout=90)
post = partial(httpx.post, timeout=90)
head = partial(httpx.head, timeout=90)
ROOT = Path(__file__).resolve().parent.parent.parent
NEW_KEY = (
    "from accounts.models import AccessKey, User; "
    "print(AccessKey.objects.issue(owner=User.objects.create_user('u'), name='k')[1])"
)


def environment(data: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    return kept | {"PLAYGROUND_NO_VENV": "1", "PLAYGROUND_DATA": str(data)} | settings


def manage(data: Path, *arguments: str, check: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
    """Another command, in the same data folder."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(data, **settings), capture_output=True, text=True, check=check
    )


class Serving:
    """A server and what it has printed."""

    def __init__(self, data: Path, *arguments: str, umask: int = -1, **settings: str) -> None:
        self.data = data
        self.key = ""
        self.settings = settings
        self.printed = ""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *(arguments or ("--port", "0"))],
            cwd=ROOT,
            env=environment(data, **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=umask,
        )

    def until(self, pattern: str) -> str:
        """Read what it prints until a line has this; the line."""
        for line in self.process.stdout or ():
            self.printed += line
            if re.search(pattern, line):
                return line
        raise AssertionError(f"the server ended and said only:\n{self.printed}")

    def url(self) -> str:
        match = re.search(r"http://[^\s,]+", self.until(r"http://\S+ "))
        assert match is not None
        return match[0]

    def manage(self, *arguments: str) -> str:
        return manage(self.data, *arguments, **self.settings).stdout

    def new_key(self) -> str:
        """The access key that its data folder came with, or one of a new user's."""
        return self.key or self.manage("shell", "--no-imports", "-c", NEW_KEY).split()[-1]

    def end(self, number: int = signal.SIGTERM) -> str:
        """Ask it to stop; all that it has printed."""
        self.process.send_signal(number)
        self.printed += self.process.communicate(timeout=90)[0]
        return self.printed

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
