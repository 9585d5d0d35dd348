"""Times are the reader's: written in the browser's time zone, which is named on hover, and read in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from playground.models import Run
from playground.models.run import first_id_at
from playground.request_log import statistics
from playground.request_log.filters import Filter
from playground.templatetags.page_tags import moment
from tests.support import runs
from tests.support.browser import expect
from tests.support.examples import one_of_each
from tests.support.sharing_rig import published, rich_conversation

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

KATHMANDU = ZoneInfo("Asia/Kathmandu")  # UTC+5:45
NEW_YORK = ZoneInfo("America/New_York")
LATE = datetime(2026, 11, 29, 20, 30, tzinfo=UTC)  # 30 November, 2:15, in Kathmandu


def run_at(owner: User, moment: datetime) -> Run:
    run = runs.stored_run(owner)
    Run.objects.filter(pk=run.pk).update(started_at=moment)
    return run


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "clock", "hover"),
    [
        ("Asia/Kathmandu", "02:15:00", "30 Nov 2026, 02:15:00 GMT+05:45 (Asia/Kathmandu)"),
        ("America/Los_Angeles", "12:30:00", "29 Nov 2026, 12:30:00 GMT-08:00 (America/Los_Angeles)"),
        ("", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
        ("Mars/Olympus", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
        ("../../etc/passwd", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
        ("Asia", "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
        ("x" * 5000, "20:30:00", "29 Nov 2026, 20:30:00 UTC"),
    ],
)
def test_every_page_writes_times_in_the_readers_zone_and_names_it(
    client: Client, owner: User, zone: str, clock: str, hover: str
) -> None:
    client.force_login(owner)
    run = run_at(owner, LATE)
    client.cookies["time_zone"] = zone
    for address in ("/requests/", f"/requests/{run.pk}/", f"/requests/compare/?a={run.pk}&b={run.pk}"):
        page = client.get(address).content.decode()
        times = re.findall(r'<time\s+datetime="[^"]+" title="([^"]+)">([^<]+)</time>', page)
        assert any(title == hover and text.endswith(clock) for title, text in times), address
    assert timezone.get_current_timezone_name() == "UTC"  # of this thread: the next reader's is another


def test_the_day_on_which_something_was_shared_is_the_readers() -> None:
    with timezone.override(KATHMANDU):
        told = moment("2026-11-29T20:30:00+00:00", "Y-m-d")
    assert ">2026-11-30</time>" in told
    assert 'title="30 Nov 2026, 02:15:00 GMT+05:45 (Asia/Kathmandu)"' in told


@pytest.mark.parametrize(
    ("zone", "begins"), [(KATHMANDU, "2026-11-29T18:15:00+00:00"), (ZoneInfo("UTC"), "2026-11-29T00:00:00+00:00")]
)
def test_today_begins_at_the_readers_midnight(monkeypatch: pytest.MonkeyPatch, zone: ZoneInfo, begins: str) -> None:
    monkeypatch.setattr(timezone, "now", lambda: LATE)
    with timezone.override(zone):
        first = Filter.read({"days": "1"}).first
    assert first is not None
    assert first.astimezone(UTC).isoformat() == begins


def test_from_and_until_are_days_of_the_reader_which_may_have_25_hours() -> None:
    with timezone.override(NEW_YORK):
        wanted = Filter.read({"since": "2026-11-01", "until": "2026-11-01"})
        assert wanted.first is not None
        assert wanted.end is not None
        assert wanted.first.astimezone(UTC) == datetime(2026, 11, 1, 4, tzinfo=UTC)
        assert wanted.end.astimezone(UTC) - wanted.first.astimezone(UTC) == timedelta(hours=25)


def test_the_bars_of_the_chart_are_days_of_the_reader() -> None:
    def row(moment: datetime) -> tuple[Any, ...]:
        return (str(first_id_at(moment)), 2, "completed", 1.0, 2.0, 1, 0, 0, 1, None, "messages")

    rows = [row(LATE), row(LATE - timedelta(hours=4))]
    with timezone.override(KATHMANDU):
        begin, end = statistics.span(Filter.read({"since": "2026-11-29", "until": "2026-11-30"}).first, None)
        found = statistics.count(rows, begin, Filter.read({"until": "2026-11-30"}).end or end)
    assert [(day.date.isoformat(), day.all) for day in found.days] == [("2026-11-29", 1), ("2026-11-30", 1)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.front_end
@pytest.mark.parametrize("zone", one_of_each(["Asia/Kathmandu", "America/Los_Angeles"]))
def test_a_browsers_first_page_is_in_its_own_zone(new_page: Any, log_in: Any, owner: User, zone: str) -> None:
    run = runs.stored_run(owner)
    page = new_page(once=True, timezone_id=zone)
    log_in(page, owner)
    page.goto("/requests/")
    local = timezone.localtime(run.started_at, ZoneInfo(zone))
    time = page.locator(f"#run-{run.pk} time")
    expect(time).to_have_text(f"{local:%H:%M:%S}")
    expect(time).to_have_attribute("title", re.compile(re.escape(f"GMT{local:%z}"[:6])))
    page.goto(f"/requests/{run.pk}/")
    expect(page.locator("h1 time")).to_have_text(f"{local:%H:%M:%S}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.front_end
def test_a_shared_copy_is_in_its_readers_zone_from_the_first_opening_on(new_page: Any, owner: User) -> None:
    zone = "Pacific/Kiritimati"
    share, token = published(rich_conversation(owner))
    page = new_page(once=True, timezone_id=zone)
    page.goto(f"/s/{token}/")
    local = timezone.localtime(share.published_at, ZoneInfo(zone))
    expect(page.locator("main time").first).to_have_attribute("title", re.compile(re.escape(f"({zone})")))
    expect(page.locator("main time").first).to_have_text(f"{local.day} {local:%B %Y}")
    page.keyboard.press("Control+k")
    expect(page.locator("dialog[open]")).to_have_count(0)
    share.refresh_from_db()
    assert share.opened_count == 1
