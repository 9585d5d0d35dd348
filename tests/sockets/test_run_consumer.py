"""Following a run over a websocket: who may, in which order, from where on, and what a page may say."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser

from accounts.login_sessions import end_all
from playground import dispatch
from playground.asgi import application
from playground.dispatch import process
from playground.engine.events import Ended, Failure, Received, RunEvent, Streamed
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.sockets import close_codes, owner_consumer, run_consumer
from playground.sockets.frame_rate import LoopLag
from tests.support.runs import ended, live_run, store, stream, tell, told

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "one two three four five six seven eight nine ten"


def put_live(run: LiveRun) -> LiveRun:
    """Let the process know the run, as if it had been started here."""
    dispatch.get_live()._runs[run.id] = run
    return run


class Socket:
    """A page's end of a socket, which acknowledges what it gets unless told otherwise."""

    def __init__(self, run: LiveRun, *, visitor: str | None = None, query: str = "", cookie: str = "") -> None:
        headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
        if visitor:
            cookie = f"{visitors.COOKIE}={visitors.sign(visitor)}"
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        self.communicator = WebsocketCommunicator(application, f"/ws/runs/{run.id}/{query}", headers=headers)
        self.acknowledges = True
        self.frames: list[dict[str, Any]] = []

    async def open(self) -> bool:
        connected, _ = await self.communicator.connect(timeout=30)
        return connected

    async def next(self) -> dict[str, Any] | int:
        """The next frame, or the code that the socket was closed with."""
        message = await self.communicator.receive_output(timeout=30)
        if message["type"] == "websocket.close":
            return message.get("code", 1000)
        frame = json.loads(message["text"])
        if frame["type"] == "piece":
            parts = [frame["text"]]
            while len(parts) < frame["of"]:
                parts.append(json.loads((await self.communicator.receive_output(timeout=30))["text"])["text"])
            frame = json.loads("".join(parts))
        self.frames.append(frame)
        if self.acknowledges and (frame["frame"] % 8 == 0 or frame["type"] == "ended"):
            await self.say({"type": "seen", "frame": frame["frame"]})
        return frame

    async def say(self, words: Any) -> None:
        await self.communicator.send_to(text_data=words if isinstance(words, str) else json.dumps(words))

    async def until_closed(self) -> int:
        while isinstance(said := await self.next(), dict):
            pass
        return said

    async def until_number(self, number: int) -> None:
        while not self.numbers or self.numbers[-1] < number:
            assert isinstance(await self.next(), dict)

    @property
    def numbers(self) -> list[int]:
        return [event[0] for frame in self.frames for event in frame.get("events", [])]

    @property
    def patches(self) -> list[dict[str, Any]]:
        return [patch for frame in self.frames for patch in frame.get("draw", [])]

    async def leave(self) -> None:
        await self.communicator.disconnect()


@pytest.fixture
def visitors_run() -> LiveRun:
    return live_run(None)


@pytest.fixture
async def open_socket(visitors_run: LiveRun) -> Any:
    """Open sockets of the visitor who owns the run; all are left at the end."""
    opened: list[Socket] = []

    async def open_one(query: str = "", run: LiveRun | None = None) -> Socket:
        put_live(run or visitors_run)
        socket = Socket(run or visitors_run, visitor="somebody", query=query)
        opened.append(socket)
        assert await socket.open()
        return socket

    yield open_one
    for socket in opened:
        await socket.leave()


def in_pieces(events: list[RunEvent], *cuts: int) -> list[list[RunEvent]]:
    edges = [0, *cuts, len(events)]
    return [events[start:stop] for start, stop in pairwise(edges)]


# --- Who may listen ------------------------------------------------------------------------------------------------


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


# --- Order, gathering, resuming ------------------------------------------------------------------------------------


async def test_steps_events_and_patches_come_in_order(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    tell(visitors_run, stream(WORDS))
    assert await socket.until_closed() == 1000
    assert [frame["type"] for frame in socket.frames if frame["type"] != "draw"][:2] == ["requested", "answered"]
    assert socket.frames[-1]["type"] == "ended"
    assert socket.numbers == list(range(1, visitors_run.event_count + 1))
    assert [frame["frame"] for frame in socket.frames] == list(range(1, len(socket.frames) + 1))
    assert {patch["op"] for patch in socket.patches} >= {"figures", "block", "ending"}


async def test_the_last_patches_come_before_the_end(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    tell(visitors_run, stream(WORDS))
    await socket.until_closed()
    kinds = [frame["type"] for frame in socket.frames]
    drawn = [number for number, frame in enumerate(socket.frames) if frame.get("draw")]
    assert drawn[-1] < kinds.index("ended")


async def test_the_first_event_after_a_pause_leaves_at_once_and_those_behind_it_together(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoopLag, "window_s", 0.5)  # however late this machine's loop is
    socket = await open_socket()
    events = told(stream(WORDS), chunk=150)
    deltas = [event for event in events if isinstance(event, Streamed) and event.event.name == "content_block_delta"]
    visitors_run.publish(events[: events.index(deltas[0])])
    await socket.until_number(deltas[0].number - 1)
    before = len(socket.frames)
    visitors_run.publish([deltas[0]])
    await socket.next()
    for delta in deltas[1:6]:
        visitors_run.publish([Received(delta.at_ms, b"as it came"), delta])
        await asyncio.sleep(0)
    await socket.until_number(deltas[5].number)
    gathered = [len(frame["events"]) for frame in socket.frames[before:] if frame.get("events")]
    assert gathered[0] == 1
    assert gathered[1] == 5


@pytest.mark.parametrize("after", [0, 1, 2, 5, 11, 12, 13, 99])
async def test_who_returns_gets_what_is_missing_and_nothing_twice(
    open_socket: Any, visitors_run: LiveRun, after: int
) -> None:
    tell(visitors_run, stream(WORDS))
    socket = await open_socket(f"?after={after}")
    await socket.until_closed()
    assert socket.numbers == list(range(min(after, visitors_run.event_count) + 1, visitors_run.event_count + 1))
    assert "one two three" in "".join(patch.get("html", "") for patch in socket.patches)


async def test_who_returns_to_a_run_that_goes_on_gets_only_newer_patches(
    open_socket: Any, visitors_run: LiveRun
) -> None:
    events = told(stream("alpha\n\nbeta\n\ngamma".replace("\n\n", " \n\n ")), chunk=150)
    stays = await open_socket()
    first, rest = events[: len(events) // 2], events[len(events) // 2 :]
    visitors_run.publish(first)
    await stays.until_number(max(event.number for event in first if isinstance(event, Streamed)))
    place = next(frame["drawn"] for frame in reversed(stays.frames) if "drawn" in frame)
    returns = await open_socket(f"?after={stays.numbers[-1]}&drawn={place}")
    visitors_run.publish([*rest, ended()])
    await asyncio.gather(stays.until_closed(), returns.until_closed())
    assert [patch["op"] for patch in returns.patches].count("block") == 0
    assert stays.numbers[len(stays.numbers) - len(returns.numbers) :] == returns.numbers


async def test_a_place_in_a_drawing_that_is_gone_means_everything_is_drawn_again(
    open_socket: Any, visitors_run: LiveRun
) -> None:
    tell(visitors_run, stream(WORDS))
    socket = await open_socket("?after=5&drawn=deadbeef.99")
    await socket.until_closed()
    assert "block" in [patch["op"] for patch in socket.patches]


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?after=" + "9" * 14, "?drawn=.", "?drawn=%00", "?after="])
async def test_a_senseless_place_to_go_on_from_is_the_beginning_or_the_end(
    open_socket: Any, visitors_run: LiveRun, query: str
) -> None:
    tell(visitors_run)
    assert await (await open_socket(query)).until_closed() == 1000


async def test_two_sockets_of_one_run_see_the_same(open_socket: Any, visitors_run: LiveRun) -> None:
    sockets = [await open_socket(), await open_socket()]
    for piece in in_pieces(told(stream(WORDS), chunk=100), 4, 9, 15):
        visitors_run.publish(piece)
        await asyncio.sleep(0)
    visitors_run.publish([ended()])
    await asyncio.gather(*(socket.until_closed() for socket in sockets))
    assert sockets[0].numbers == sockets[1].numbers
    assert sockets[0].patches[-1] == sockets[1].patches[-1]


async def test_no_frame_is_larger_than_daphne_sends(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    sizes: list[int] = []
    receive = socket.communicator.receive_output

    async def measured(timeout: float = 1) -> Any:
        message = await receive(timeout)
        sizes.append(len(message.get("text", "").encode()))
        return message

    socket.communicator.receive_output = measured
    tell(visitors_run, stream(f"```{'x' * 150_000} {'ü' * 150_000}"), chunk=20_000)
    assert await socket.until_closed() == 1000
    assert max(sizes) < 2**16 * 4
    assert socket.frames[-1]["type"] == "ended"


# --- What a page may say ------------------------------------------------------------------------------------------


async def test_stop_ends_the_run(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.stop = lambda: visitors_run.publish([Ended(9.0, "cancelled", Failure("stopped", "Stopped."))])  # type: ignore[method-assign]
    visitors_run.publish(told(stream(WORDS))[:8])
    await socket.say({"type": "stop"})
    await socket.until_closed()
    assert visitors_run.state == "cancelled"
    assert socket.frames[-1]["state"] == "cancelled"


async def test_leaving_stops_nothing(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.publish(told(stream(WORDS))[:8])
    await socket.next()
    await socket.leave()
    assert visitors_run.state == "running"


@pytest.mark.parametrize("words", ["{", "[]", '"stop"', "null", '{"type": "shout"}', "{}", '{"type": ["stop"]}'])
async def test_words_that_mean_nothing_close_the_socket(open_socket: Any, words: str) -> None:
    socket = await open_socket()
    await socket.say(words)
    assert await socket.until_closed() == close_codes.BAD_FRAMES


async def test_too_many_words_close_the_socket(open_socket: Any) -> None:
    socket = await open_socket()
    for number in range(60):
        await socket.say({"type": "seen", "frame": number})
    assert await socket.until_closed() == close_codes.TOO_MANY


async def test_a_page_that_acknowledges_nothing_is_fed_no_further_and_then_let_go(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: Any
) -> None:
    monkeypatch.setattr(owner_consumer, "LONGEST_WAIT_S", 0.3)
    socket = await open_socket()
    socket.acknowledges = False
    tell(visitors_run, stream("word " * 20_000), chunk=2_000)
    assert await socket.until_closed() == close_codes.TOO_SLOW
    assert sum(len(json.dumps(frame)) for frame in socket.frames) < run_consumer.WINDOW_BYTES + 200_000
    assert socket.numbers[-1] < visitors_run.event_count
    returns = await open_socket(f"?after={socket.numbers[-1]}")
    assert await returns.until_closed() == 1000
    assert socket.numbers + returns.numbers == list(range(1, visitors_run.event_count + 1))


@pytest.mark.parametrize("seen", [{"number": 10**9}, {"frame": 10**9}])
async def test_events_or_frames_can_be_acknowledged(
    open_socket: Any, visitors_run: LiveRun, monkeypatch: Any, seen: dict[str, int]
) -> None:
    monkeypatch.setattr(owner_consumer, "LONGEST_WAIT_S", 0.5)
    socket = await open_socket()
    socket.acknowledges = False
    tell(visitors_run, stream("word " * 5_000), chunk=2_000)
    while isinstance(frame := await socket.next(), dict) and frame["type"] != "ended":
        if frame["frame"] % 3 == 0:
            await socket.say({"type": "seen"} | seen)
            await asyncio.sleep(0.11)
    assert socket.numbers[-1] == visitors_run.event_count


# --- The session --------------------------------------------------------------------------------------------------


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


async def test_a_run_that_the_server_cuts_off_says_so(open_socket: Any, visitors_run: LiveRun) -> None:
    socket = await open_socket()
    visitors_run.publish([*told(stream(WORDS))[:8], ended("interrupted", Failure("server_stopping", "Stopped."))])
    assert await socket.until_closed() == close_codes.SERVER_RESTARTS


def test_nobody_in_particular_owns_nothing() -> None:
    assert visitors.owner_of({"user": AnonymousUser(), "headers": []}) is None
