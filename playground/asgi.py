"""The ASGI application: the relay and Django beside each other, and the websockets."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from playground import relay
from playground.origins import own_pages_only
from playground.urls import websocket_urlpatterns


async def http_application(scope, receive, send):
    """The relay answers below `/v1/`, Django everything else."""
    application = relay.relay if scope["path"].startswith(relay.PREFIX) else django_application
    await application(scope, receive, send)


async def no_such_socket(_scope, receive, send):
    """Refuse the handshake. The router's own answer is an exception, with which a stranger could fill the log."""
    await receive()
    await send({"type": "websocket.close"})


sockets = URLRouter([*websocket_urlpatterns, re_path("", no_such_socket)])
application = ProtocolTypeRouter({"http": http_application, "websocket": own_pages_only(AuthMiddlewareStack(sockets))})
