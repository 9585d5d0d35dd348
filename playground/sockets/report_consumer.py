"""A conformance report in the making, over a websocket.

To the page: `{"type": "progress", "frame": N, "parts": {id: html, …}}` with the parts that have changed, and at the end
`{"type": "ended", "frame": N}`. From the page: `{"type": "seen", "frame": N}`. A page that returns is told everything
once; the report itself may meanwhile be run by another process, so the database is asked how far it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from playground.identity.visitors import owner_of_user
from playground.models import ConformanceReport
from playground.reports import running
from playground.reports.progress import progress_of
from playground.sockets.acknowledged_frames import AcknowledgedFramesConsumer

if TYPE_CHECKING:
    from uuid import UUID

LOOK_EVERY_S = 1.0  # where another process runs the report


class ReportConsumer(AcknowledgedFramesConsumer):
    """One socket of one report's owner."""

    window = 4

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return await self.close()  # before accept: the handshake is refused
        report_id = self.scope["url_route"]["kwargs"]["report_id"]
        own = ConformanceReport.objects.owned_by(user).filter(pk=report_id)
        if not await database_sync_to_async(own.exists)():
            return await self.close()
        if not await self.admit(owner_of_user(user.pk)):
            return None
        return self.work(self._follow(report_id))

    async def _follow(self, report_id: UUID) -> None:
        shown: dict[str, str] = {}
        look = database_sync_to_async(progress_of, thread_sensitive=False)
        while True:
            with running.written(report_id) as written:
                progress = await look(report_id)
                if progress is None or progress.is_over:
                    break
                changed = {name: html for name, html in progress.parts.items() if shown.get(name) != html}
                if changed:
                    await self._send({"type": "progress", "parts": changed})
                    shown |= changed
                await written.wait(LOOK_EVERY_S)
        await self._send({"type": "ended"})
        await self.close(1000)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.wait_for_window()
        await self.send_numbered(frame)
