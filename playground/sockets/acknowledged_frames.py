"""The base of the websockets whose frames are few: numbered, and acknowledged by the page with
`{"type": "seen", "frame": N}`."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from playground.sockets.close_codes import BAD_FRAMES
from playground.sockets.owner_consumer import OwnerConsumer


class AcknowledgedFramesConsumer(OwnerConsumer):
    window: ClassVar[int]  # frames that may be sent and not acknowledged

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sent = self.seen = 0

    async def hear(self, frame: dict[str, Any]) -> None:
        number = frame.get("frame") if frame.get("type") == "seen" else None
        if not isinstance(number, int):
            return await self.close(BAD_FRAMES)
        self.seen = min(max(self.seen, number), self.sent)
        self.acknowledged.set()
        return None

    async def wait_for_window(self) -> None:
        await self.wait_for_acknowledgement(lambda: self.sent - self.seen >= self.window)

    async def send_numbered(self, frame: dict[str, Any]) -> None:
        self.sent += 1
        await self.send(json.dumps(frame | {"frame": self.sent}))
