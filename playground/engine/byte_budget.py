"""The bytes that all runs in progress may hold together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ALWAYS_TAKEN: Final = 2**20  # of one run: an ordinary answer is not cut for the size of others


@dataclass
class ByteBudget:
    """One per process. A run takes what it receives, and gives it back when it has ended."""

    total: int = 512 * 2**20
    used: int = 0

    def take(self, size: int, of_run: int) -> bool:
        """Take `size` bytes for a run that has `of_run` with them; False if there is no room for so large a run."""
        self.used += size
        return self.used <= self.total or of_run <= _ALWAYS_TAKEN

    def give_back(self, size: int) -> None:
        self.used -= size
