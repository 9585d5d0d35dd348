"""The ASGI application: the relay and Django beside each other, and the websockets."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from playground.identity.asgi_types import Receive, Scope, Send
from playground.relay.app import relay
from playground.relay.endpoint_paths import is_relays
from playground.serving.early_answers import early_answer
from playground.serving.handshakes import a_few_at_a_time
from playground.serving.metrics_endpoint import answer_metrics
from playground.serving.one_thread import OneThreadHandler
from playground.serving.public_path import for_django, inside
from playground.sockets.origins import own_pages_only
from playground.sockets.reader_zone import in_readers_zone
from playground.sockets.session_checks import with_user
from playground.urls import websocket_path, websocket_urlpatterns
from playground.workers import answer_large_apart

plain_django_application: Any = OneThreadHandler()
django_application = answer_large_apart(plain_django_application)


async def http_application(scope: Scope, receive: Receive, send: Send) -> None:
    """The relay answers below `/v1/`, and clients that meant to; static files and `/healthz` are answered at once;
    Django everything else."""
    local = inside(scope)
    if is_relays(local["path"]):
        await relay(local, receive, send)
    elif local["path"] == "/metrics":
        await answer_metrics(local, send)
    elif (answer := early_answer(local)) is not None:
        for message in answer:
            await send(message)
    else:
        await django_application(for_django(scope), receive, send)


async def no_such_socket(_scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the handshake. The router's own answer is an exception, with which a stranger could fill the log."""
    await receive()
    await send({"type": "websocket.close"})


_router: Any = URLRouter([*websocket_urlpatterns, websocket_path(re_path, "", no_such_socket)])
sockets = own_pages_only(a_few_at_a_time(with_user(in_readers_zone(_router))))


async def websocket_application(scope: Scope, receive: Receive, send: Send) -> None:
    await sockets(inside(scope), receive, send)


application = ProtocolTypeRouter({"http": http_application, "websocket": websocket_application})
