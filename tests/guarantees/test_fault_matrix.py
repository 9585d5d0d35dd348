"""Every fault of the matrix: how the run ends, what is kept, what the page says, what a client of the relay gets."""

from __future__ import annotations

import asyncio
import html
import json
import re
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from channels.db import database_sync_to_async
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import AccessKey, Connection, User
from playground.dispatch import process
from playground.models import Run
from tests.guarantees.faults import FAULTS, Fault, address_of
from tests.guarantees.odd_answers import ODD_ANSWERS
from tests.support.examples import one_of_each
from tests.support.raw_upstream import SECRET, serving

BODY = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'


class House:
    """The running playground, a user's key for an upstream, and that user's browser."""

    def __init__(self, url: str, served: Any, owner: User) -> None:
        self.url, self.served, self.owner = url, served, owner
        self.secret = self.cookie = ""

    async def to(self, address: str) -> None:
        def make() -> None:
            connection = Connection(owner=self.owner, name="raw", base_url=address)
            connection.set_credential(SECRET)
            connection.save()
            self.secret = AccessKey.objects.issue(owner=self.owner, connection=connection, name="key")[1]
            client = Client()
            client.force_login(self.owner)
            self.cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value

        await database_sync_to_async(make)()

    async def post(self) -> tuple[int, httpx.Headers, bytes, bool]:
        """Ask the relay; its status, headers and bytes, not decoded, and whether they came to an end."""
        async with httpx.AsyncClient(timeout=30) as client:
            headers = {"x-api-key": self.secret}
            async with client.stream("POST", f"{self.url}v1/messages", content=BODY, headers=headers) as answer:
                told = b""
                try:
                    async for chunk in answer.aiter_raw():
                        told += chunk
                except (httpx.ReadError, httpx.RemoteProtocolError):
                    return answer.status_code, answer.headers, told, False
                return answer.status_code, answer.headers, told, True

    async def page(self, path: str) -> str:
        cookies = {django_settings.SESSION_COOKIE_NAME: self.cookie}
        async with httpx.AsyncClient(timeout=30, cookies=cookies) as client:
            answer = await client.get(self.url + path, headers={"hx-request": "true"})
        assert answer.status_code == 200
        return html.unescape(answer.text)

    async def there(self, work: Any) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self.served.server.loop))

    async def run(self) -> tuple[Run, bytes]:
        """The one run that was stored, and all that was kept of its answer."""

        async def settle() -> None:
            await process.current().recorder.settle()

        await self.there(settle)

        def read() -> tuple[Run, bytes]:
            run = Run.objects.get()
            return run, b"".join(run.raw())

        return await database_sync_to_async(read)()

    async def forget_live_runs(self) -> None:
        async def forget() -> None:
            await process.current().forget_runs()

        await self.there(forget)


@pytest.fixture
def house(live_url: str, served: Any, owner: User, settings: Any) -> House:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    return House(live_url, served, owner)


@pytest.mark.parametrize("fault", one_of_each([*FAULTS, *ODD_ANSWERS], lambda each: each.kind), ids=str)
async def test_a_fault_is_told_kept_and_shown_as_what_it_is(house: House, settings: Any, fault: Fault) -> None:
    for name, value in fault.settings.items():
        setattr(settings, name, value)
    async with AsyncExitStack() as stack:
        address = stack.enter_context(address_of(fault))
        upstream = None if fault.script is None else await stack.enter_async_context(serving(fault.script))
        await house.to(address or upstream.url)  # type: ignore[union-attr]
        status, headers, told, is_whole = await house.post()
        assert is_whole == (fault.relay != "cut")
        if fault.kind in {"idle", "too_large", "duration"} and upstream is not None:
            await asyncio.wait_for(closed_by_us(upstream.exchanges[0]), 30)
        await check_relay(fault, status, headers, told)
        run, kept = await house.run()
    assert (run.state, run.failure_kind, run.http_status) == (fault.state, fault.kind, fault.status)
    assert fault.kept(kept) if callable(fault.kept) else kept == fault.kept
    assert run.received_size == len(kept)
    assert run.log_complete
    await check_page(house, fault, run, kept)


async def closed_by_us(exchange: Any) -> None:
    while not (exchange.gone.is_set() or exchange.writer.transport.is_closing() or exchange.reader.at_eof()):
        await asyncio.sleep(0.02)


async def check_relay(fault: Fault, status: int, headers: httpx.Headers, told: bytes) -> None:
    assert "location" not in headers
    assert "?key=1" not in told.decode("utf-8", "replace")
    if isinstance(fault.relay, int):
        error = json.loads(told)
        assert (status, error["type"]) == (fault.relay, "error")
        assert set(error["error"]) >= {"type", "message"}
        return
    assert status == fault.status
    sent = fault.kept if isinstance(fault.kept, bytes) else None
    if fault.relay == "cut":
        assert sent is not None
        assert sent.startswith(told)
        return
    if fault.relay == "unchanged":
        assert told == sent
        return
    *_, last = told.decode().rstrip("\n").split("\n\n")
    assert re.search(r"^event: error$", last, re.MULTILINE)
    assert json.loads(last.split("data: ")[-1])["type"] == "error"
    if sent is not None:
        assert told.startswith(sent)


async def check_page(house: House, fault: Fault, run: Run, kept: bytes) -> None:
    """The server's own drawing says it, from the live log and from the stored run alike."""
    live = await house.page(f"requests/{run.pk}/answer/")
    await house.forget_live_runs()
    stored = await house.page(f"requests/{run.pk}/answer/")
    for page in (live, stored):
        for words in fault.words:
            assert words in page
        assert f'data-state="{fault.state}"' in page
        if fault.kind:
            assert "data-retry" in page
            assert ("Nothing arrived." in page) == (not kept) or fault.kind == "http_status"
    assert SECRET not in live + stored
    assert "window.hit" not in re.sub(r"<pre.*?</pre>", "", live + stored, flags=re.DOTALL)
