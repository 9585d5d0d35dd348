"""What a websocket sends is written in the time zone of who reads it, as a page is."""

from __future__ import annotations

from django.utils import timezone

from playground.identity.asgi_types import Application, Receive, Scope, Send
from playground.identity.time_zone import zone_of


def in_readers_zone(application: Application) -> Application:
    """The application in the zone that the scope's cookies name. Its tasks are in it too, and the threads of
    `sync_to_async`; those of `asyncio.to_thread` are not."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        with timezone.override(zone_of(scope["cookies"])):
            await application(scope, receive, send)

    return serve
