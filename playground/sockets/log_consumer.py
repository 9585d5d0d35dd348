"""A user's log as it grows, over a websocket: one frame each time one of their runs starts, is answered or ends.

To the page: `{"type": "row", "frame": N, "id": …, "html": …}`, the line as the server draws it, or
`{"type": "gone", "frame": N, "id": …}` when the run does not match the filter (any more). From the page:
`{"type": "seen", "frame": N}`. While too much is not acknowledged nothing is sent; changes meanwhile become one.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from asgiref.sync import sync_to_async

from playground import dispatch
from playground.identity.visitors import owner_of_user
from playground.protocol.foreign_text import encodable
from playground.request_log.filters import Filter
from playground.request_log.rows import live_columns, row_of, run_of
from playground.sockets.acknowledged_frames import AcknowledgedFramesConsumer

if TYPE_CHECKING:
    from playground.engine.live_run import LiveRun

AT_ONCE = 50  # runs told of when a page connects: as many as it shows


class LogConsumer(AcknowledgedFramesConsumer):
    """One socket of one signed-in user. A visitor has no log."""

    window = 32  # a page that does not keep up is let go; when it returns it fetches the log again

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return await self.close()  # before accept: the handshake is refused
        if not await self.admit(owner_of_user(user.pk)):
            return None
        query = dict(parse_qsl(self.scope.get("query_string", b"").decode("latin-1")))
        self.filter, self.is_recent = Filter.read(query), query.get("rows") == "recent"
        return self.work(self._follow(owner_of_user(user.pk)))

    async def _follow(self, owner: str) -> None:
        live = dispatch.get_live()
        async with aclosing(live.follow_owner(owner)) as changes:
            coming = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)  # from here on no change is missed
            try:
                # What changed between the drawing of the page and this moment.
                for run in reversed(live.of_owner(owner)[:AT_ONCE]):
                    await self._tell(run)
                while True:
                    run = await coming
                    coming = asyncio.ensure_future(anext(changes))
                    await self._tell(run)
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def _tell(self, run: LiveRun) -> None:
        await self.wait_for_window()
        # A run's figures are made of all its events: not on the loop, where every other stream waits. The reader's
        # time zone comes along, as it does not with `asyncio.to_thread`.
        frame = await sync_to_async(self._frame, thread_sensitive=False)(run)
        await self.send_numbered(frame)

    def _frame(self, run: LiveRun) -> dict[str, Any]:
        if self.filter and not self.filter.matches(live_columns(run)):
            return {"type": "gone", "id": str(run.id)}
        row = row_of(run_of(run), is_live=True)
        line = encodable(row.line(pick=not self.is_recent, query=self.filter.query))
        return {"type": "row", "id": str(run.id), "html": line}
