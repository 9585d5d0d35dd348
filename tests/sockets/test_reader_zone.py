"""Whatever is drawn while it happens is in the reader's time zone, as it is on the page that is drawn afterwards."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from playground import dispatch
from playground.asgi import application
from playground.engine.events import Answered
from tests.support import runs

if TYPE_CHECKING:
    from accounts.models import User
    from playground.engine.events import RunEvent
    from playground.engine.live_run import LiveRun

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = (
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2026-11-29T20:30:00Z"),
)
ZONES = [
    ("Asia/Kathmandu", "02:15:00", "30 Nov 2026, 02:15:00 GMT+05:45 (Asia/Kathmandu)"),
    ("America/Los_Angeles", "12:30:00", "29 Nov 2026, 12:30:00 GMT-08:00 (America/Los_Angeles)"),
    ("Mars/Olympus", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
    ("", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
]
_TIME = re.compile(r'<time datetime="[^"]+" title="([^"]+)">([^<]+)</time>')


def with_limits(events: list[RunEvent], limits: tuple[tuple[str, str], ...] = LIMITS) -> list[RunEvent]:
    return [
        replace(event, headers=(*event.headers, *limits)) if isinstance(event, Answered) else event for event in events
    ]


def reset_told(html: str) -> tuple[str, str]:
    """The hover and the text of "full again at"."""
    found = _TIME.search(html, html.index("full again at"))
    assert found is not None
    return found[1], found[2]


def cookies_of(user: User, zone: str) -> str:
    client = Client()
    client.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}; time_zone={zone}"


async def open_socket(address: str, user: User, zone: str) -> WebsocketCommunicator:
    cookies = await sync_to_async(cookies_of)(user, zone)
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"cookie", cookies.encode())]
    socket = WebsocketCommunicator(application, address, headers=headers)
    assert (await socket.connect(timeout=30))[0]
    return socket


async def figures_until_closed(socket: WebsocketCommunicator) -> str:
    """The status line as a page shows it at the end."""
    figures = ""
    while (message := await socket.receive_output(30))["type"] != "websocket.close":
        frame = json.loads(message["text"])
        figures = next((patch["html"] for patch in frame.get("draw", []) if patch["op"] == "figures"), figures)
        await socket.send_to(json.dumps({"type": "seen", "frame": frame["frame"]}))
    return figures


def put_live(run: LiveRun) -> LiveRun:
    live = dispatch.get_live()
    live._runs[run.id] = run
    run.changed = live._tell
    return run


@pytest.mark.parametrize(("zone", "clock", "hover"), ZONES)
async def test_when_a_rate_limit_is_full_again_is_in_the_readers_zone_while_the_run_goes_on(
    owner: User, zone: str, clock: str, hover: str
) -> None:
    run = put_live(runs.live_run(owner))
    socket = await open_socket(f"/ws/runs/{run.id}/", owner, zone)
    run.publish([*with_limits(runs.told(runs.stream())), runs.ended()])
    assert reset_told(await figures_until_closed(socket)) == (hover, clock)
    assert timezone.get_current_timezone_name() == "UTC"  # the next reader's is another


@pytest.mark.parametrize(("zone", "clock", "hover"), ZONES)
def test_when_a_rate_limit_was_full_again_is_in_the_readers_zone_afterwards(
    client: Client, owner: User, zone: str, clock: str, hover: str
) -> None:
    run = runs.live_run(owner)
    run.publish([*with_limits(runs.told(runs.stream())), runs.ended()])
    runs.store(run)
    client.force_login(owner)
    client.cookies["time_zone"] = zone
    assert reset_told(client.get(f"/requests/{run.id}/").content.decode()) == (hover, clock)


async def test_two_readers_of_one_run_see_it_each_in_their_own_zone(owner: User) -> None:
    run = put_live(runs.live_run(owner))
    sockets = [await open_socket(f"/ws/runs/{run.id}/", owner, zone) for zone, _, _ in ZONES]
    run.publish([*with_limits(runs.told(runs.stream())), runs.ended()])
    told = [reset_told(await figures_until_closed(socket)) for socket in sockets]
    assert told == [(hover, clock) for _, clock, hover in ZONES]


async def test_who_comes_when_all_is_drawn_sees_it_in_the_own_zone_too(owner: User) -> None:
    run = put_live(runs.live_run(owner))
    stays = await open_socket(f"/ws/runs/{run.id}/", owner, "")
    run.publish([*with_limits(runs.told(runs.stream("word " * 2_000), chunk=9_000)), runs.ended()])
    for zone, clock, hover in ZONES:
        socket = await open_socket(f"/ws/runs/{run.id}/", owner, zone)
        assert reset_told(await figures_until_closed(socket)) == (hover, clock)
    await stays.disconnect(timeout=30)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:00"])
def test_a_moment_at_the_end_of_all_years_is_not_told(client: Client, owner: User, moment: str) -> None:
    run = runs.live_run(owner)
    limits = (*LIMITS[:2], ("anthropic-ratelimit-requests-reset", moment))
    run.publish([*with_limits(runs.told(runs.stream()), limits), runs.ended()])
    runs.store(run)
    client.force_login(owner)
    for zone, _, _ in ZONES:
        client.cookies["time_zone"] = zone
        page = client.get(f"/requests/{run.id}/").content.decode()
        assert "49 of 50 left" in page
        assert "full again" not in page


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/Los_Angeles", "UTC"])
async def test_a_line_of_the_log_says_the_same_when_it_appears_and_when_it_is_fetched(owner: User, zone: str) -> None:
    socket = await open_socket("/ws/requests/", owner, zone)
    run = put_live(runs.live_run(owner))
    run.publish([*runs.told(runs.stream()), runs.ended()])
    appeared = json.loads(await socket.receive_from(30))["html"]
    await socket.disconnect(timeout=30)
    await sync_to_async(runs.store)(run)

    def fetched() -> Any:
        client = Client()
        client.force_login(owner)
        client.cookies["time_zone"] = zone
        return _TIME.search(client.get("/requests/").content.decode())

    found, at_once = await sync_to_async(fetched)(), _TIME.search(appeared)
    assert found is not None
    assert at_once is not None
    assert at_once.groups() == found.groups()
    assert zone in at_once[1]
