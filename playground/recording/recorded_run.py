"""The interface of the runs that a recorder stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, overload

if TYPE_CHECKING:
    from uuid import UUID

    from playground.engine.events import RunEvent
    from playground.engine.live_run import RunMetadata


class RecordedRun(Protocol):
    """A run that is stored: a live one, or the copy of one in another process."""

    is_stored: bool  # to its end; set here

    @property
    def id(self) -> UUID: ...
    @property
    def about(self) -> RunMetadata: ...
    @property
    def events(self) -> RecordedEvents: ...
    @property
    def is_over(self) -> bool: ...
    def body(self) -> bytes: ...


class RecordedEvents(Protocol):
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, place: int) -> RunEvent: ...
    @overload
    def __getitem__(self, place: slice) -> list[RunEvent]: ...
    def keep_from(self, place: int) -> None: ...
