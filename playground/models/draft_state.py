"""Earlier states of the request being written, for Undo and Redo."""

from __future__ import annotations

import json
import zlib
from typing import Any

from django.db import models
from django.utils import timezone


class DraftState(models.Model):
    """One state that an act replaced. `act` is what replaced it, in words for the reader: "Example “Tool use”"."""

    draft = models.ForeignKey("Draft", models.CASCADE, related_name="states")
    is_redo = models.BooleanField(default=False)  # it was undone, and can be had again
    act = models.CharField(max_length=120)
    packed = models.BinaryField()  # JSON of what `drafts.undo.state_of` returns, compressed
    size = models.PositiveIntegerField()  # bytes, packed
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["draft", "is_redo", "id"], name="draft_state_order")]

    def __str__(self) -> str:
        return f"before {self.act}"

    @property
    def state(self) -> dict[str, Any]:
        """The fields of the draft, by name."""
        state: dict[str, Any] = json.loads(zlib.decompress(bytes(self.packed)))
        return state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.packed = zlib.compress(json.dumps(state).encode("utf-8", "backslashreplace"), 1)
        self.size = len(self.packed)
