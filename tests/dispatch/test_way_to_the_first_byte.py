"""Between a press of Try It! and the upstream stand few queries, and nothing that is written."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import AsyncClient
from django.urls import reverse

from accounts.models import Connection
from playground.conversations import autosave
from playground.dispatch import launch, process
from playground.drafts import editing, outgoing
from playground.engine.upstream import SANDBOX
from playground.identity import asking_page
from playground.models import ConversationRun, Draft
from playground.sandbox.transport import SandboxTransport
from tests.support.drafting import HELLO, stored

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.django_db(transaction=True)
TOOL = {"name": "get_time", "input_schema": {"type": "object"}}


class Watch:
    """What the database was asked by any thread, and how much of it before the upstream saw its request."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self.before: list[str] | None = None
        self.is_away = False  # the database, from when the upstream has its request
        self.bodies: list[dict[str, Any]] = []
        self.hold: asyncio.Event | None = None  # what the upstream waits for before it answers


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    seen = Watch()
    monkeypatch.setattr(outgoing, "HEAD_START_S", 30.0)  # however busy the machine
    execute, answer = CursorWrapper.execute, SandboxTransport.handle_async_request

    def watched(self: Any, sql: str, params: Any = None) -> Any:
        seen.queries.append(sql)
        if seen.is_away and seen.before is not None:
            raise OperationalError("the database is away")
        return execute(self, sql, params)

    async def answered(self: Any, request: httpx.Request) -> httpx.Response:
        seen.before = list(seen.queries)
        seen.bodies.append(json.loads(request.content))
        if seen.hold is not None:
            await seen.hold.wait()
        return await answer(self, request)

    monkeypatch.setattr(CursorWrapper, "execute", watched)
    monkeypatch.setattr(SandboxTransport, "handle_async_request", answered)
    return seen


async def press(client: AsyncClient, watch: Watch, version: int, **fields: str) -> Any:
    watch.queries.clear()
    return await client.post(reverse("send"), {":version": version, ":mode": "form", **fields})


class Browser(AsyncClient):
    """A page on which a conversation is open."""

    conversation = ""

    async def post(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return await super().post(path, *args, headers={asking_page.HEADER: self.conversation}, **kwargs)


async def browser(user: Any, draft: Draft) -> Browser:
    client = Browser()
    client.conversation = str(draft.conversation_id)
    await client.aforce_login(user)
    return client


@pytest.fixture
def draft(owner: Any, monkeypatch: pytest.MonkeyPatch) -> Draft:
    """Of a saved conversation, with tools and a connection that leads to the sandbox: all that could cost a query."""
    monkeypatch.setattr(launch, "upstream_of", lambda *_: SANDBOX)
    connection = Connection.objects.create(owner=owner, name="Own", base_url="https://api.example.org")
    draft = stored(HELLO | {"tools": [TOOL]}, user=owner, connection=connection)
    autosave.save(draft, owner)
    return draft


async def test_the_session_the_user_and_the_draft_are_all_that_is_read(owner: Any, draft: Draft, watch: Watch) -> None:
    response = await press(await browser(owner, draft), watch, draft.version, max_tokens="77")
    assert response.status_code == 200
    assert watch.before is not None
    assert [sql.partition(" ")[0] for sql in watch.before] == ["SELECT"] * 3
    tables = ("django_session", "accounts_user", "playground_draft")
    assert [table for sql, table in zip(watch.before, tables, strict=True) if f'FROM "{table}"' not in sql] == []


async def test_a_visitor_waits_for_one_query(watch: Watch) -> None:
    client = AsyncClient()
    await client.get("/")
    await press(client, watch, 0)
    assert watch.before is not None
    assert len(watch.before) == 1


async def test_what_was_typed_is_kept_and_the_run_noted_while_the_upstream_works(
    owner: Any, draft: Draft, watch: Watch
) -> None:
    await press(await browser(owner, draft), watch, draft.version, max_tokens="77")
    kept = await Draft.objects.aget()
    link = await ConversationRun.objects.select_related("version").aget()
    assert [json.loads(text)["max_tokens"] for text in (kept.body_text, link.version.body_text)] == [77, 77]
    assert link.version.note == "sent"
    assert launch.get_live().find(link.run_id, f"user:{owner.pk}") is not None


async def test_a_draft_that_cannot_be_stored_costs_nobody_the_run(
    owner: Any, draft: Draft, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await browser(owner, draft)
    monkeypatch.setattr(outgoing, "HEAD_START_S", 0.02)
    watch.is_away, watch.hold = True, asyncio.Event()
    response = await press(client, watch, draft.version, max_tokens="77")
    watch.is_away = False
    watch.hold.set()
    page = response.content.decode()
    assert response.status_code == 202  # the page keeps what was typed
    assert response["HX-Trigger"] == "draft:unkept"
    assert "Not saved." in page
    assert 'data-run="' in page
    assert "data-version" not in page  # the next change is still made upon what is stored
    assert [body["max_tokens"] for body in watch.bodies] == [77]


async def test_a_tab_that_was_quicker_meanwhile_is_told_of_beside_the_answer(
    owner: Any, draft: Draft, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = editing.store

    def late(request: Any, form: Any) -> bool:
        other = Draft.objects.get()
        other.body_text = json.dumps(HELLO | {"max_tokens": 5})
        assert other.keep()
        return store(request, form)

    monkeypatch.setattr(editing, "store", late)
    response = await press(await browser(owner, draft), watch, draft.version, max_tokens="77")
    page = response.content.decode()
    assert response.status_code == 202
    assert "changed in another tab" in page
    assert 'data-run="' in page
    assert json.loads((await Draft.objects.aget()).body_text)["max_tokens"] == 5
    link = await ConversationRun.objects.select_related("version").aget()
    assert json.loads(link.version.body_text)["max_tokens"] == 77  # what was sent is kept as well


async def test_a_press_that_comes_twice_is_one_run_though_its_draft_is_a_version_on(
    owner: Any, draft: Draft, watch: Watch
) -> None:
    client, name = await browser(owner, draft), str(uuid4())
    first = await press(client, watch, draft.version, **{":idempotency-key": name}, max_tokens="77")
    again = await press(client, watch, draft.version, **{":idempotency-key": name}, max_tokens="77")
    runs = {UUID(page.content.decode().partition('data-run="')[2][:36]) for page in (first, again)}
    assert (first.status_code, again.status_code, len(runs), len(watch.bodies)) == (200, 200, 1, 1)
    assert json.loads((await Draft.objects.aget()).body_text)["max_tokens"] == 77


async def test_what_was_typed_between_two_presses_of_one_name_is_kept(owner: Any, draft: Draft, watch: Watch) -> None:
    client, name = await browser(owner, draft), str(uuid4())
    await press(client, watch, draft.version, **{":idempotency-key": name})
    version = (await Draft.objects.aget()).version
    await press(client, watch, version, **{":idempotency-key": name}, max_tokens="78")
    assert json.loads((await Draft.objects.aget()).body_text)["max_tokens"] == 78


async def test_while_the_recorder_fails_nothing_is_sent_and_what_was_typed_is_kept(
    owner: Any, draft: Draft, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await browser(owner, draft)
    monkeypatch.setattr(process.current().recorder, "failing", True)
    response = await press(client, watch, draft.version, max_tokens="77")
    assert "Not sent" in response.content.decode()
    assert watch.bodies == []
    assert json.loads((await Draft.objects.aget()).body_text)["max_tokens"] == 77


async def test_an_answer_s_request_is_run_again_before_anything_is_written(
    owner: Any, draft: Draft, watch: Watch
) -> None:
    client = await browser(owner, draft)
    await press(client, watch, draft.version)
    run = launch.get_live().of_owner(f"user:{owner.pk}")[0]
    await run.ended()
    await process.current().recorder.settle()
    watch.queries.clear()
    response = await client.post(reverse("run-again", args=[run.id]), {"double_max_tokens": "1"})
    assert response.status_code == 200
    assert [body["max_tokens"] for body in watch.bodies] == [100, 200]
    assert watch.before is not None
    assert [sql.partition(" ")[0] for sql in watch.before] == ["SELECT"] * 3  # session, user, connection
