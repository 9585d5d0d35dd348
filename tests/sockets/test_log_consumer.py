"""The log's socket: whose runs it tells, in which frames, and when it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.test import AsyncClient

from accounts.login_sessions import end_all
from playground import dispatch
from playground.sockets import owner_consumer
from playground.sockets.log_consumer import LogConsumer
from tests.support import runs

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def socket_of(user: Any, query: str = "") -> WebsocketCommunicator:
    client = AsyncClient()
    if user.is_authenticated:
        await client.aforce_login(user)
    socket = WebsocketCommunicator(LogConsumer.as_asgi(), f"/ws/requests/?{query}")
    socket.scope["user"], socket.scope["session"] = user, await client.asession()
    return socket


async def begin(user: User, **about: Any) -> Any:
    """A run in the live log that tells nothing by itself."""
    live = runs.live_run(user, **about)
    here = dispatch.get_live()
    here._runs[live.id] = live
    live.changed = here._tell
    here._tell(live)
    return live


async def test_a_run_appears_when_it_starts_and_changes_until_it_ends(owner: User) -> None:
    socket = await socket_of(owner)
    assert (await socket.connect(timeout=30))[0]
    live = await begin(owner)
    frame = json.loads(await socket.receive_from(30))
    assert (frame["type"], frame["id"], frame["frame"]) == ("row", str(live.id), 1)
    assert "waiting" in frame["html"]
    live.publish(runs.told(runs.stream())[:2])
    assert "streaming" in json.loads(await socket.receive_from(30))["html"]
    live.publish([*runs.told(runs.stream())[2:], runs.ended()])
    html = json.loads(await socket.receive_from(30))["html"]
    assert ">200<" in html
    assert 'type="checkbox"' in html
    await socket.disconnect(timeout=30)


async def test_a_run_that_goes_on_already_is_told_at_once(owner: User) -> None:
    live = await begin(owner)
    socket = await socket_of(owner, "rows=recent")
    await socket.connect(timeout=30)
    frame = json.loads(await socket.receive_from(30))
    assert frame["id"] == str(live.id)
    assert "checkbox" not in frame["html"]
    await socket.disconnect(timeout=30)


async def test_what_does_not_fit_the_filter_is_told_to_go(owner: User) -> None:
    socket = await socket_of(owner, "model=claude-haiku-5-5")
    await socket.connect(timeout=30)
    await begin(owner)
    assert json.loads(await socket.receive_from(30))["type"] == "gone"
    await begin(owner, model="claude-haiku-5-5")
    assert json.loads(await socket.receive_from(30))["type"] == "row"
    await socket.disconnect(timeout=30)


async def test_a_token_count_is_told_as_one_and_filtered_by_its_endpoint(owner: User) -> None:
    socket = await socket_of(owner, "endpoint=count_tokens")
    await socket.connect(timeout=30)
    await begin(owner)
    assert json.loads(await socket.receive_from(30))["type"] == "gone"
    live = await begin(owner, endpoint="count_tokens", stream=False)
    live.publish([*runs.told(b'{"input_tokens": 1234}'), runs.ended()])
    frames = [json.loads(await socket.receive_from(30))]
    while "counted" not in frames[-1]["html"]:
        frames.append(json.loads(await socket.receive_from(30)))
    assert {frame["type"] for frame in frames} == {"row"}
    assert "1,234 <small>counted</small>" in frames[-1]["html"]
    await socket.disconnect(timeout=30)


async def test_other_peoples_runs_are_not_told(owner: User, stranger: User) -> None:
    socket = await socket_of(stranger)
    await socket.connect(timeout=30)
    await begin(owner)
    assert await socket.receive_nothing()
    await socket.disconnect(timeout=30)


async def test_a_visitor_is_refused(db: None) -> None:
    socket = await socket_of(AnonymousUser())
    assert not (await socket.connect(timeout=30))[0]


@pytest.mark.parametrize(
    "said", [" ", "nonsense", "[]", "{}", '{"type":"seen"}', '{"type":"stop"}', '{"type":"seen","frame":"1"}']
)
async def test_a_frame_that_is_none_ends_the_socket(owner: User, said: str) -> None:
    socket = await socket_of(owner)
    await socket.connect(timeout=30)
    await socket.send_to(text_data=said)
    assert (await socket.receive_output(30))["code"] == 4400


async def test_too_many_frames_end_the_socket(owner: User) -> None:
    socket = await socket_of(owner)
    await socket.connect(timeout=30)
    for _ in range(50):
        await socket.send_to(text_data='{"type":"seen","frame":0}')
    assert (await socket.receive_output(30))["code"] == 4429


async def test_the_socket_ends_with_the_session(owner: User) -> None:
    socket = await socket_of(owner)
    await socket.connect(timeout=30)
    await sync_to_async(end_all)(owner)
    assert (await socket.receive_output(30))["code"] == 4001


async def test_a_page_that_acknowledges_nothing_is_not_fed_further(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogConsumer, "window", 2)
    monkeypatch.setattr(owner_consumer, "LONGEST_WAIT_S", 0.2)
    socket = await socket_of(owner)
    await socket.connect(timeout=30)
    for _ in range(5):
        await begin(owner)
    frames = [await socket.receive_output(30) for _ in range(3)]
    assert [frame["type"] for frame in frames] == ["websocket.send", "websocket.send", "websocket.close"]
    assert frames[-1]["code"] == 4008


async def test_there_are_only_so_many_sockets_for_one_user(owner: User, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 1
    first, second = await socket_of(owner), await socket_of(owner)
    await first.connect(timeout=30)
    await second.connect(timeout=30)
    assert (await second.receive_output(30))["code"] == 4429
    await second.disconnect(timeout=30)
    await first.disconnect(timeout=30)
    third = await socket_of(owner)
    await third.connect(timeout=30)
    assert await third.receive_nothing()
    await third.disconnect(timeout=30)
