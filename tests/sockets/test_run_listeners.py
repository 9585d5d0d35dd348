"""Who may listen to a run, and for how long: its owner, while the session lasts."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as django_settings

from accounts.login_sessions import end_all
from playground.dispatch import process
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.sockets import close_codes, owner_consumer
from tests.sockets.run_socket import Socket, put_live
from tests.support.runs import live_run, store, tell

pytestmark = pytest.mark.django_db(transaction=True)


async def session_cookie(client: Any, user: Any) -> str:
    await database_sync_to_async(client.force_login)(user)
    return f"{django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}"


async def test_the_owner_may_listen(owner: Any, client: Any) -> None:
    run = put_live(tell(live_run(owner)))
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    assert await socket.until_closed() == 1000


@pytest.mark.parametrize("fails", [True, False])
async def test_the_reader_is_told_when_what_arrives_is_not_being_saved(
    owner: Any, client: Any, monkeypatch: Any, fails: bool
) -> None:
    monkeypatch.setattr(process.current().recorder, "failing", fails)
    socket = Socket(put_live(tell(live_run(owner))), cookie=await session_cookie(client, owner))
    assert await socket.open()
    await socket.until_closed()
    assert [frame["is_failing"] for frame in socket.frames if frame["type"] == "saving"] == [True] * fails


async def test_another_user_is_refused_as_if_there_were_no_such_run(owner: Any, stranger: Any, client: Any) -> None:
    run = put_live(tell(live_run(owner)))
    assert not await Socket(run, cookie=await session_cookie(client, stranger)).open()


async def test_a_visitors_run_belongs_to_the_cookie_and_not_to_whoever_knows_its_number(visitors_run: LiveRun) -> None:
    put_live(tell(visitors_run))
    assert not await Socket(visitors_run, visitor="somebody-else").open()
    assert not await Socket(visitors_run).open()
    assert not await Socket(visitors_run, cookie=f"{visitors.COOKIE}=somebody").open()
    mine = Socket(visitors_run, visitor="somebody")
    assert await mine.open()
    await mine.leave()


async def test_a_foreign_page_is_refused(visitors_run: LiveRun) -> None:
    put_live(visitors_run)
    socket = Socket(visitors_run, visitor="somebody")
    socket.communicator.scope["headers"][0] = (b"origin", b"https://foreign.example")
    assert not await socket.open()


async def test_a_stored_run_says_that_it_is_over(owner: Any, client: Any) -> None:
    run = tell(live_run(owner))
    await database_sync_to_async(store)(run)
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    assert await socket.next() == {"type": "ended", "state": "completed", "stored": True, "frame": 1}
    assert await socket.until_closed() == 1000


async def test_more_sockets_than_a_user_may_have_are_let_go(open_socket: Any, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 2
    first, second, third = [await open_socket() for _ in range(3)]
    assert await third.until_closed() == close_codes.TOO_MANY
    await first.leave()
    fourth = await open_socket()
    await fourth.say({"type": "seen", "frame": 0})
    assert await second.communicator.receive_nothing()
    assert await fourth.communicator.receive_nothing()


async def test_ending_the_sessions_ends_the_socket_at_once(owner: Any, client: Any) -> None:
    run = put_live(live_run(owner))
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    await database_sync_to_async(end_all)(owner)
    assert await socket.until_closed() == close_codes.SESSION_ENDED


async def test_logging_out_ends_the_socket(owner: Any, client: Any) -> None:
    run = put_live(live_run(owner))
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    await database_sync_to_async(client.logout)()
    assert await socket.until_closed() == close_codes.SESSION_ENDED


async def test_a_session_that_ended_unheard_is_found_by_the_check(owner: Any, client: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(owner_consumer, "RECHECK_S", 0.05)
    run = put_live(live_run(owner))
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    await database_sync_to_async(lambda: client.session.delete())()
    assert await socket.until_closed() == close_codes.SESSION_ENDED


async def test_a_run_cannot_be_stopped_with_a_session_that_has_ended(owner: Any, client: Any) -> None:
    run = put_live(live_run(owner))
    socket = Socket(run, cookie=await session_cookie(client, owner))
    assert await socket.open()
    await database_sync_to_async(lambda: client.session.delete())()
    await socket.say({"type": "stop"})
    assert await socket.until_closed() == close_codes.SESSION_ENDED
    assert not run.is_over
