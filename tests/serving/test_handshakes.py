"""Websockets are admitted a few at a time: whose handshake has been answered makes room for the next in the queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from playground.serving.handshakes import a_few_at_a_time

AT_ONCE = 2
ACCEPT = {"type": "websocket.accept"}


class Site:
    """An application whose handshakes go on when the test says so, and all that came of them."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.sent: list[tuple[int, str]] = []
        self.ended: list[int] = []
        self.orders: dict[int, asyncio.Queue[Any]] = {}
        self.application = a_few_at_a_time(self.handle, AT_ONCE)
        self.tasks: list[asyncio.Task[None]] = []

    async def handle(self, scope: Any, _receive: Any, send: Any) -> None:
        number = scope["number"]
        self.begun.append(number)
        while (order := await self.orders[number].get()) is not None:
            if isinstance(order, Exception):
                raise order
            await send(order)
        self.ended.append(number)

    async def connect(self, count: int) -> None:
        for number in range(len(self.tasks), len(self.tasks) + count):
            self.orders[number] = asyncio.Queue()

            async def send(message: Any, number: int = number) -> None:
                self.sent.append((number, message["type"]))

            self.tasks.append(asyncio.ensure_future(self.application({"number": number}, None, send)))
        await everybody_waits()

    async def tell(self, number: int, *orders: Any) -> None:
        for order in orders:
            self.orders[number].put_nowait(order)
        await everybody_waits()


async def everybody_waits() -> None:
    """All tasks have gone as far as they can: there is nothing here but the loop to wait for."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def site() -> Any:
    site = Site()
    yield site
    for task in site.tasks:
        task.cancel()
    await asyncio.gather(*site.tasks, return_exceptions=True)


async def test_no_more_handshakes_are_begun_than_there_is_room_for(site: Site) -> None:
    await site.connect(5)
    assert site.begun == [0, 1]


@pytest.mark.parametrize(
    "answer",
    ["websocket.accept", "websocket.close", "websocket.http.response.start"],
    ids=["accepted", "closed", "refused"],
)
async def test_an_answered_handshake_makes_room_for_the_next_that_came(site: Site, answer: str) -> None:
    await site.connect(5)
    await site.tell(1, {"type": answer})
    assert site.begun == [0, 1, 2]
    assert site.sent == [(1, answer)]
    assert site.ended == []  # its socket stays open: only handshakes are counted
    await site.tell(0, {"type": answer})
    await site.tell(2, {"type": answer})
    assert site.begun == [0, 1, 2, 3, 4]


async def test_one_handshake_makes_room_once_whatever_its_socket_says_later(site: Site) -> None:
    await site.connect(6)
    await site.tell(0, ACCEPT, {"type": "websocket.send"}, {"type": "websocket.close"}, None)
    assert site.ended == [0]
    assert site.begun == [0, 1, 2]


async def test_what_is_no_answer_makes_no_room(site: Site) -> None:
    await site.connect(3)
    await site.tell(0, {"type": "websocket.send"}, {"type": "websocket.http.response.body"})
    assert site.begun == [0, 1]


async def test_a_handshake_that_ends_without_an_answer_makes_room(site: Site) -> None:
    await site.connect(3)
    await site.tell(0, None)
    assert site.begun == [0, 1, 2]


async def test_a_handshake_that_fails_makes_room_and_tells_its_error(site: Site) -> None:
    await site.connect(3)
    await site.tell(0, ValueError("odd"))
    assert site.begun == [0, 1, 2]
    assert isinstance(site.tasks[0].exception(), ValueError)


async def test_who_leaves_while_its_handshake_goes_on_makes_room(site: Site) -> None:
    await site.connect(4)
    site.tasks[0].cancel()
    await everybody_waits()
    assert site.begun == [0, 1, 2]


async def test_who_leaves_the_queue_takes_nobodys_place(site: Site) -> None:
    await site.connect(4)
    site.tasks[2].cancel()
    await site.tell(0, ACCEPT)
    assert site.begun == [0, 1, 3]
    await site.connect(1)
    assert site.begun == [0, 1, 3]


async def test_a_socket_is_closed_in_words_of_the_log_while_the_database_is_away(site: Site, caplog: Any) -> None:
    await site.connect(3)
    await site.tell(0, OperationalError("connection refused"))
    assert site.sent == [(0, "websocket.close")]
    assert site.tasks[0].exception() is None
    assert "the database is away" in caplog.text
    assert site.begun == [0, 1, 2]


async def test_an_error_after_the_handshake_is_the_servers_to_see(site: Site) -> None:
    await site.connect(2)
    await site.tell(0, ACCEPT, OperationalError("connection refused"))
    assert isinstance(site.tasks[0].exception(), OperationalError)
    await site.connect(3)
    assert site.begun == [0, 1, 2]
