"""The base of the websockets: whose they are, how many there may be, what a page may say and how often, and that they
end with their session."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import login_sessions
from playground.identity.visitors import owner_of_user
from playground.protocol.json.received_json import try_object
from playground.sockets.close_codes import BAD_FRAMES, SESSION_ENDED, TOO_MANY, TOO_SLOW
from playground.sockets.session_checks import still_stands

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

RECHECK_S = 30.0
_SHARED_SHARE = 15  # of that time, a check for another socket of the session counts for this one
LONGEST_WAIT_S = 30.0  # how long a page may leave a full window unacknowledged
FRAMES_PER_S = 20  # that a page may send, over any two seconds
_open: Counter[str] = Counter()


class OwnerConsumer(AsyncWebsocketConsumer):
    """One socket of one owner (`visitors.owner_of`), who is known from the moment it was let in."""

    owner: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tasks: list[asyncio.Task[None]] = []
        self.acknowledged = asyncio.Event()  # the page has said how far it is
        self._heard: deque[float] = deque(maxlen=2 * FRAMES_PER_S)

    async def admit(self, owner: str) -> bool:
        """Accept the handshake. False: this owner has as many sockets as one may have, and this one was closed."""
        await self.accept()
        if _open[owner] >= settings.SOCKETS_PER_USER:
            await self.close(TOO_MANY)
            return False
        _open[owner] += 1
        self.owner = owner
        return True

    def work(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this until the socket or its session ends."""
        self.loop = asyncio.get_running_loop()
        login_sessions.sessions_ended.connect(self._on_sessions_ended)
        self.tasks = [asyncio.create_task(work), asyncio.create_task(self._recheck(), name="check a session")]

    async def disconnect(self, code: int) -> None:
        login_sessions.sessions_ended.disconnect(self._on_sessions_ended)
        if self.owner is not None:
            _open[self.owner] -= 1
            if _open[self.owner] <= 0:
                del _open[self.owner]
            self.owner = None
        tasks = [task for task in self.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def dispatch(self, message: Any) -> None:
        """Before every message Channels tidies up database connections, in another thread. What a page says, several
        times a second, is how far it has read: that asks the database nothing. A socket that opens asks it only where
        `database_sync_to_async` tidies up by itself; a crowd of them would wait for that thread one after the other."""
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        elif message["type"] == "websocket.connect":
            await self.websocket_connect(message)
        else:
            await super().dispatch(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._heard.append(time.monotonic())
        if len(self._heard) == self._heard.maxlen and self._heard[-1] - self._heard[0] < 2:
            return await self.close(TOO_MANY)
        frame = try_object(text_data or "")
        return await (self.close(BAD_FRAMES) if frame is None else self.hear(frame))

    async def hear(self, frame: dict[str, Any]) -> None:
        """Handle a frame of the page's. One that makes no sense closes the socket with BAD_FRAMES."""
        raise NotImplementedError

    async def wait_for_acknowledgement(self, is_behind: Callable[[], bool]) -> None:
        """A page that is behind is not fed further; one that stays behind is let go and returns later."""
        while is_behind():
            self.acknowledged.clear()
            try:
                async with asyncio.timeout(LONGEST_WAIT_S):
                    await self.acknowledged.wait()
            except TimeoutError:
                await self.close(TOO_SLOW)
                raise asyncio.CancelledError from None

    # -- the session

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            if not await still_stands(self.scope, RECHECK_S / _SHARED_SHARE):
                await self.close(SESSION_ENDED)
                return

    def _on_sessions_ended(self, *, user_pk: Any, session_key: str | None, **_: Any) -> None:
        """Called in the thread of whatever ended the sessions."""
        if self.owner == owner_of_user(user_pk) and session_key in (None, login_sessions.session_key(self.scope)):
            asyncio.run_coroutine_threadsafe(self.close(SESSION_ENDED), self.loop)
