"""Django's handler, whose middleware and view share one change of threads, in a thread that is there already.

Under ASGI, Django takes each synchronous middleware into the request's thread and back, about twenty times for one
page, and starts two threads for each request. Here the thread is entered once, left only by views that are coroutines
themselves, and used again by a later request.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler

MOST_IDLE: Final = 8  # threads that are kept for later


class OneThreadHandler(ASGIHandler):
    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []

    def load_middleware(self, is_async: bool = True) -> None:
        super().load_middleware(is_async=False)
        chain: Any = self._middleware_chain  # type: ignore[has-type]
        self._middleware_chain = sync_to_async(chain, thread_sensitive=True) if is_async else chain

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        is_free = False
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
            is_free = len(self._idle) < MOST_IDLE
        finally:  # after a fault, or when the reader has left, something may still be at work in it
            if is_free:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)
