"""The facts about a run that a drawing needs beside its events: plain values, the same for live, stored and shared
runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from playground.sandbox.address import is_sandbox_url


@dataclass(frozen=True)
class RunInfo:
    """`can_act`: the reader owns the run and may run again, answer tools and go on. `body` is the request's, parsed;
    empty when it is not at hand or no JSON object."""

    id: UUID | None = None
    model: str = ""
    connection_name: str = ""
    connection_id: UUID | None = None
    base_url: str = ""
    started_at: datetime | None = None
    asked_for_stream: bool = False
    endpoint: str = "messages"
    counted_tokens: int | None = None  # where no content is kept that would tell it
    can_act: bool = False
    is_kept: bool = True
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def is_count(self) -> bool:
        """Whether the answer is a number of tokens, and no message."""
        return self.endpoint == "count_tokens"

    @property
    def is_sandbox(self) -> bool:
        return is_sandbox_url(self.base_url)

    @property
    def can_answer(self) -> bool:
        """Whether the calls of tools can be answered from here."""
        return self.can_act

    @property
    def tools(self) -> list[dict[str, Any]]:
        tools = self.body.get("tools")
        return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
