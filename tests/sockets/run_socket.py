"""A page's end of the socket that follows a run."""

from __future__ import annotations

import json
from typing import Any

from channels.testing import WebsocketCommunicator

from playground import dispatch
from playground.asgi import application
from playground.engine.live_run import LiveRun
from playground.identity import visitors


def put_live(run: LiveRun) -> LiveRun:
    """Let the process know the run, as if it had been started here."""
    dispatch.get_live()._runs[run.id] = run
    return run


class Socket:
    """A page's end of a socket, which acknowledges what it gets unless told otherwise."""

    def __init__(self, run: LiveRun, *, visitor: str | None = None, query: str = "", cookie: str = "") -> None:
        headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
        if visitor:
            cookie = f"{visitors.COOKIE}={visitors.sign(visitor)}"
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        self.communicator = WebsocketCommunicator(application, f"/ws/runs/{run.id}/{query}", headers=headers)
        self.acknowledges = True
        self.frames: list[dict[str, Any]] = []

    async def open(self) -> bool:
        connected, _ = await self.communicator.connect(timeout=30)
        return connected

    async def next(self) -> dict[str, Any] | int:
        """The next frame, or the code that the socket was closed with."""
        message = await self.communicator.receive_output(timeout=30)
        if message["type"] == "websocket.close":
            return message.get("code", 1000)
        frame = json.loads(message["text"])
        if frame["type"] == "piece":
            parts = [frame["text"]]
            while len(parts) < frame["of"]:
                parts.append(json.loads((await self.communicator.receive_output(timeout=30))["text"])["text"])
            frame = json.loads("".join(parts))
        self.frames.append(frame)
        if self.acknowledges and (frame["frame"] % 8 == 0 or frame["type"] == "ended"):
            await self.say({"type": "seen", "frame": frame["frame"]})
        return frame

    async def say(self, words: Any) -> None:
        await self.communicator.send_to(text_data=words if isinstance(words, str) else json.dumps(words))

    async def until_closed(self) -> int:
        while isinstance(said := await self.next(), dict):
            pass
        return said

    async def until_number(self, number: int) -> None:
        while not self.numbers or self.numbers[-1] < number:
            assert isinstance(await self.next(), dict)

    @property
    def numbers(self) -> list[int]:
        return [event[0] for frame in self.frames for event in frame.get("events", [])]

    @property
    def patches(self) -> list[dict[str, Any]]:
        return [patch for frame in self.frames for patch in frame.get("draw", [])]

    async def leave(self) -> None:
        await self.communicator.disconnect(timeout=30)
