"""The names of what is in Redis."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

PREFIX: Final = "playground:"
KEEP_S: Final = 300  # what is told of a run stays for so long after its last news, as in the memory of its process
RUN_S: Final = 900  # a run that goes on is registered again long before

ANNOUNCEMENTS: Final = f"{PREFIX}announcements"  # stream: to all processes

SECRET: Final = f"{PREFIX}secret"  # what the secret of the processes that live can be told by


def lease(process: str) -> str:
    """The key that exists while the process lives."""
    return f"{PREFIX}lease:{process}"


def departed(process: str) -> str:
    """The key that exists for a while after a process has ended in order: no more events of its runs will come."""
    return f"{PREFIX}departed:{process}"


def inbox(process: str) -> str:
    """Stream: what the others want of this process."""
    return f"{PREFIX}inbox:{process}"


def run(run_id: UUID) -> str:
    """Hash: whose run it is, what is known of its request, which process it belongs to, and how it ended."""
    return f"{PREFIX}run:{run_id}"


def events(run_id: UUID) -> str:
    """Stream: the events, while somebody elsewhere follows."""
    return f"{PREFIX}events:{run_id}"


def body(run_id: UUID) -> str:
    """The request body of a run, kept as long as its events."""
    return f"{PREFIX}body:{run_id}"


def runs_of(owner: str) -> str:
    """Sorted set: the owner's runs by the time they started."""
    return f"{PREFIX}runs-of:{owner}"


def log_of(owner: str) -> str:
    """Stream: which of the owner's runs has started, was answered or ended."""
    return f"{PREFIX}log-of:{owner}"


def slots(whose: str) -> str:
    """Sorted set: what counts against a limit of so many at once, by when that expires."""
    return f"{PREFIX}slots:{whose}"


def started_with(owner: str, idempotency_key: str) -> str:
    """The run that a key has started. The key is a client's text of any length."""
    return f"{PREFIX}started:{owner}:{hashlib.sha256(idempotency_key.encode('utf-8', 'replace')).hexdigest()}"
