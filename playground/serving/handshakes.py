"""Websockets are admitted at the rate at which they can be served.

When hundreds of pages reconnect at once, each handshake needs a session from the database. Begun all together they all
end late, past every time-out, and the work on them is lost; a few at a time, each is quick when its turn has come.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final
from weakref import WeakKeyDictionary

from playground.databases.availability import is_database_away
from playground.identity.asgi_types import Application, Receive, Scope, Send

logger = logging.getLogger(__name__)

AT_ONCE: Final = 100
_ANSWERS: Final = frozenset({"websocket.accept", "websocket.close", "websocket.http.response.start"})


def a_few_at_a_time(application: Application, at_once: int = AT_ONCE) -> Application:
    """The application, with so many handshakes begun and not yet answered; the others wait in the order they came."""
    by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
        semaphore = by_loop.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(at_once))
        await semaphore.acquire()
        is_answered = False

        async def answer(message: dict[str, Any]) -> None:
            nonlocal is_answered
            if not is_answered and message["type"] in _ANSWERS:
                is_answered = True
                semaphore.release()
            await send(message)

        try:
            await application(scope, receive, answer)
        except Exception as fault:
            if is_answered or not is_database_away(fault):
                raise
            logger.error("a websocket was refused: the database is away")
            await answer({"type": "websocket.close"})
        finally:
            if not is_answered:
                semaphore.release()

    return admitted
