"""Every websocket: for the wrong person, or from a page of another site, it does not open."""

from __future__ import annotations

import json

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from playground import dispatch
from playground.asgi import application
from playground.conformance.plan import Plan, chosen
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.reports import storing
from playground.urls import websocket_urlpatterns
from tests.support.runs import live_run, stored_run, tell

pytestmark = pytest.mark.django_db(transaction=True)
# name -> its path; what takes no id is about whoever opens it
SOCKETS = {"follow-run": "/ws/runs/{run}/", "follow-log": "/ws/requests/", "follow-report": "/ws/conformance/{report}/"}


def test_every_socket_has_a_line_in_the_table() -> None:
    assert {pattern.name for pattern in websocket_urlpatterns} == SOCKETS.keys()


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def socket(path: str, cookie: str = "", origin: str = "http://localhost") -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), (b"origin", origin.encode()), (b"cookie", cookie.encode())]
    return WebsocketCommunicator(application, path, headers=headers)


async def opens(path: str, cookie: str = "", origin: str = "http://localhost") -> bool:
    opened = socket(path, cookie, origin)
    connected, _ = await opened.connect(timeout=30)
    await opened.disconnect(timeout=30)
    return connected


def put_live(run: LiveRun) -> LiveRun:
    dispatch.get_live()._runs[run.id] = run
    return run


def someone() -> str:
    return f"{visitors.COOKIE}={visitors.sign(visitors.new_visitor_id())}"


async def test_a_run_is_followed_by_its_owner_alone(owner: User, stranger: User) -> None:
    stored = await database_sync_to_async(stored_run)(owner)
    live = put_live(live_run(owner))
    mine, theirs = [await database_sync_to_async(cookie_of)(user) for user in (owner, stranger)]
    for run_id in (stored.pk, live.id):
        path = SOCKETS["follow-run"].format(run=run_id)
        assert await opens(path, mine)
        for cookie in (theirs, someone(), "", "sessionid=forged", f"{visitors.COOKIE}=user:{owner.pk}"):
            assert not await opens(path, cookie)


async def test_a_visitors_run_is_followed_by_that_browser_alone(owner: User) -> None:
    live = live_run(None)
    live.owner = "visitor:somebody"
    put_live(live)
    path = SOCKETS["follow-run"].format(run=live.id)
    assert await opens(path, f"{visitors.COOKIE}={visitors.sign('somebody')}")
    assert not await opens(path, f"{visitors.COOKIE}={visitors.sign('somebody-else')}")
    assert not await opens(path, f"{visitors.COOKIE}=somebody")
    assert not await opens(path, await database_sync_to_async(cookie_of)(owner))


async def test_a_report_is_followed_by_its_owner_alone(owner: User, stranger: User) -> None:
    plan = Plan("sandbox-stories", chosen(["answer"]))
    report = await database_sync_to_async(storing.create)(owner, None, plan)
    mine, theirs = [await database_sync_to_async(cookie_of)(user) for user in (owner, stranger)]
    path = SOCKETS["follow-report"].format(report=report.pk)
    assert await opens(path, mine)
    for cookie in (theirs, someone(), "", "sessionid=forged"):
        assert not await opens(path, cookie)


async def test_the_log_tells_each_user_their_own_runs_only(owner: User, stranger: User) -> None:
    assert not await opens(SOCKETS["follow-log"])
    assert not await opens(SOCKETS["follow-log"], someone())
    put_live(tell(live_run(owner, model="kanarienvogel")))
    own = put_live(tell(live_run(stranger, model="mine")))
    opened = socket(SOCKETS["follow-log"], await database_sync_to_async(cookie_of)(stranger))
    await opened.connect(timeout=30)
    first = json.loads((await opened.receive_output(timeout=30))["text"])
    assert first["id"] == str(own.id)
    assert await opened.receive_nothing(timeout=0.2)
    await opened.disconnect(timeout=30)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost.evil.example", "", "http://localhost:3000", "ws://localhost",
     "http://127.0.0.1", "http://["],
)  # fmt: skip
async def test_a_page_of_another_site_opens_no_socket(owner: User, origin: str) -> None:
    live = put_live(live_run(owner))
    report = await database_sync_to_async(storing.create)(owner, None, Plan("sandbox-stories", chosen(["answer"])))
    cookie = await database_sync_to_async(cookie_of)(owner)
    for path in SOCKETS.values():
        assert not await opens(path.format(run=live.id, report=report.pk), cookie, origin)


async def test_an_unknown_socket_is_refused(owner: User) -> None:
    cookie = await database_sync_to_async(cookie_of)(owner)
    for path in ("/ws/elsewhere/", "/ws/runs/1/", "/ws/runs/x/../../requests/", "/"):
        assert not await opens(path, cookie)
