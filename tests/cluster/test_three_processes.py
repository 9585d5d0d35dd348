"""Three real processes over PostgreSQL and Redis: whatever happens to one of them, nobody loses or doubles an event."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest

from tests.cluster.site import Browser, Followed, Site, body, events_of, relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.redis_server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
A, B, C = 0, 1, 2
SESSION_ENDED = 4001


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database: str, redis_server: RedisServer) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), database, redis_server.url)
    try:
        made.start(A, B)  # at once, on an empty database
        made.start(C)
        made.make_user()
        yield made
    finally:
        made.stop()


def restarted(site: Site, number: int) -> None:
    if number not in site.urls:
        site.start(number)


async def until(is_so: Any, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.1)


async def followers_of(browser: Browser, run: str, seen: list[Followed]) -> list[asyncio.Future[Followed]]:
    """One follower at each process, which all have the first of the events of an answer that is held."""
    places = zip(browser.site.urls.values(), seen, strict=True)
    followers = [asyncio.ensure_future(browser.follow(url, run, each)) for url, each in places]
    await until(lambda: all(each.last for each in seen))
    return followers


def whole(deltas: int) -> list[int]:
    return list(range(1, events_of(deltas) + 1))


async def test_a_run_sent_at_one_process_is_followed_at_the_others(site: Site) -> None:
    async with Browser(site) as browser:
        run = await browser.send(site.urls[A], 60, 50, is_held=True)
        followers = await followers_of(browser, run, [Followed(), Followed(), Followed()])
        site.let_go()
        followed = await asyncio.gather(*followers)
    for seen in followed:
        assert (seen.numbers, seen.state) == (whole(60), "completed")


async def test_a_thousand_pages_that_reconnect_elsewhere_miss_nothing_and_see_nothing_twice(site: Site) -> None:
    deltas, cuts = 150, 25
    places = asyncio.Semaphore(10)

    async def story(browser: Browser) -> None:
        async with places:
            run, seen = await browser.send(site.any(), deltas, 50), Followed()
            for cut in sorted(random.choices(range(1, events_of(deltas)), k=cuts)):
                if seen.last < cut:
                    await browser.follow(site.any(), run, seen, until=cut)
            await browser.follow_to_the_end(run, seen)
            assert (seen.numbers, seen.state) == (whole(deltas), "completed")

    async with Browser(site) as browser:
        await asyncio.gather(*(story(browser) for _ in range(40)))


async def test_requests_sockets_and_stops_at_random_processes(site: Site) -> None:
    async def story(browser: Browser) -> None:
        run = await browser.send(site.any(), 3000, 50)
        follower = asyncio.ensure_future(browser.follow(site.any(), run, Followed()))
        await browser.follow(site.any(), run, Followed(), until=random.randint(1, 40))
        status, _ = await browser.get(f"{site.any()}/requests/{run}/answer/")
        assert status == 200
        stopped = await browser.follow(site.any(), run, Followed(), stop=True)
        seen = await follower
        assert (stopped.state, seen.state) == ("cancelled", "cancelled")
        assert seen.numbers == list(range(1, seen.last + 1))
        await until(lambda: site.state_of(run) == "cancelled")

    async with Browser(site) as browser:
        await asyncio.gather(*(story(browser) for _ in range(8)))


async def test_a_double_click_that_two_processes_get_is_one_run(site: Site) -> None:
    async with Browser(site) as browser:
        key = f"press-{random.random()}"
        runs = await asyncio.gather(*(browser.send(url, 20, 50, key=key) for url in site.urls.values()))
    assert len(set(runs)) == 1


async def test_a_log_out_closes_sockets_at_every_process(site: Site) -> None:
    async with Browser(site) as browser:
        site.make_session()
        theirs = Browser(site)
        async with theirs:
            run = await theirs.send(site.urls[A], 3000, 50)
            sockets = [asyncio.ensure_future(theirs.follow(url, run, Followed())) for url in site.urls.values()]
            await theirs.follow(site.urls[C], run, Followed(), until=10)
            headers = theirs.headers | {"x-csrftoken": "b" * 32, "referer": site.urls[B]}
            async with theirs.http.post(f"{site.urls[B]}/accounts/logout/", headers=headers, allow_redirects=False):
                pass
            async with asyncio.timeout(60):
                assert [(await socket).code for socket in sockets] == [SESSION_ENDED] * 3
        site.make_session()
        assert (await browser.get(f"{site.urls[C]}/requests/"))[0] == 200  # another session of the same user


async def test_a_revoked_key_ends_its_streams_at_every_process(site: Site) -> None:
    key = site.new_key()
    streams = [asyncio.ensure_future(relay(url, key, 3000, 50)) for url in site.urls.values()]
    await until(lambda: site.rows("SELECT count(*) FROM playground_run WHERE state = 'running'")[0][0] >= 3)
    site.manage("shell", "--no-imports", "-c", "from accounts.models import AccessKey as K; K.objects.first().revoke()")
    async with asyncio.timeout(60):
        ended = await asyncio.gather(*streams, return_exceptions=True)
    assert [type(each) for each in ended] == [httpx.ReadError] * 3
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await relay(site.urls[B], key, 1, 50)
    assert refused.value.response.status_code == 401


async def test_wrong_addresses_of_shares_count_over_all_processes(site: Site) -> None:
    async with Browser(site) as browser:
        urls = list(site.urls.values()) * 2
        tried = [(await browser.get(f"{url}/s/{'w' * 43}{number}/"))[0] for number, url in enumerate(urls)]
    assert tried == [404] * 4 + [429] * 2


async def test_a_visitors_run_is_found_at_every_process(site: Site) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(f"{site.urls[A]}/") as first:
            token = http.cookie_jar.filter_cookies(first.url)["csrftoken"].value
        posted = {":json": '{"model": "sandbox", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}'}
        headers = {"x-csrftoken": token, "hx-request": "true"}
        async with http.post(f"{site.urls[A]}/send", data=posted | {":overwrite": "1"}, headers=headers) as sent:
            run = (await sent.text()).partition('data-socket="/ws/runs/')[2][:36]
        assert len(run) == 36
        for url in site.urls.values():
            async with http.get(f"{url}/requests/{run}/answer/", headers={"hx-request": "true"}) as answer:
                assert answer.status == 200
            async with http.get(f"{url}/") as page:
                assert run in await page.text()


async def test_a_file_that_one_machine_took_is_sent_by_another(site: Site) -> None:
    async with Browser(site) as browser:
        headers = browser.headers | {"x-csrftoken": "b" * 32}
        form = aiohttp.FormData()
        form.add_field("file", b"what stands in the file", filename="note.txt", content_type="text/plain")
        async with browser.http.post(f"{site.urls[A]}/attachments/", data=form, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
        (name,) = site.rows("SELECT name FROM playground_storedfile")[0]
        (reference,) = site.rows("SELECT id FROM playground_attachment WHERE file = %s", name)[0]
        assert (await browser.get(f"{site.urls[C]}/attachments/{reference}/"))[0] == 200


async def test_a_process_that_starts_touches_no_run_of_the_others(site: Site) -> None:
    async with Browser(site) as browser:
        run = await browser.send(site.urls[A], 60, 50, is_held=True)
        site.kill(C)
        await asyncio.to_thread(site.start, C)
        assert site.state_of(run) == "running"
        followers = await followers_of(browser, run, [Followed(), Followed(), Followed()])
        site.let_go()
        for seen in await asyncio.gather(*followers):
            assert (seen.numbers, seen.state) == (whole(60), "completed")


async def test_one_process_sweeps_for_all(site: Site) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted"
    await until(lambda: site.rows(query, 0x6D70_6B31 + 1) == [(1,)])
    assert site.rows(query, 0x6D70_6B31) == [(3,)]


async def test_the_runs_of_a_killed_process_are_closed_by_another_with_all_that_was_stored(site: Site) -> None:
    async with Browser(site) as browser:
        run = await browser.send(site.urls[B], 3000, 50)
        kept = await browser.send(site.urls[A], 60, 50, is_held=True)
        followers = await followers_of(browser, kept, kept_seen := [Followed(), Followed(), Followed()])
        seen = await browser.follow(site.urls[A], run, Followed(), until=100)
        follower = asyncio.ensure_future(browser.follow_to_the_end(run, first=site.urls[A]))
        await until(lambda: stored_events(site, run) >= 100)
        site.kill(B)
        await until(lambda: site.state_of(run) == "interrupted")
        assert (await follower).state == "interrupted"
        assert stored_events(site, run) >= seen.last
        status, page = await browser.get(f"{site.urls[C]}/requests/{run}/")
        assert status == 200
        assert "interrupted" in page.lower()
        await asyncio.to_thread(restarted, site, B)
        site.let_go()
        await asyncio.gather(*followers, return_exceptions=True)  # the process of one of them was killed
        for each in kept_seen:
            assert (await browser.follow_to_the_end(kept, each)).numbers == whole(60)


def stored_events(site: Site, run: str) -> int:
    query = "SELECT coalesce(sum(event_count), 0) FROM playground_runbatch WHERE run_id = %s"
    return int(site.rows(query, run)[0][0])


async def test_a_process_that_is_asked_to_stop_finishes_and_its_readers_miss_nothing(site: Site) -> None:
    async with Browser(site) as browser:
        run = await browser.send(site.urls[B], 200, 50, is_held=True)
        followers = await followers_of(browser, run, [Followed(), Followed(), Followed()])
        site.let_go()
        await browser.follow(site.urls[B], run, Followed(), until=20)
        site.processes[B].process.send_signal(signal.SIGTERM)
        site.urls.pop(B)
        for follower in followers:
            seen = await follower
            if not seen.state:
                await browser.follow_to_the_end(run, seen)
            assert (seen.numbers, seen.state) == (whole(200), "completed")
        await asyncio.to_thread(site.processes.pop(B).process.communicate)
        restarted(site, B)


async def test_a_rolling_restart_under_load_costs_nobody_an_error_or_an_event(site: Site) -> None:
    is_over = False
    done = 0

    async def clients() -> None:
        """Programs that try once more."""
        nonlocal done
        while not is_over:
            try:
                deltas = await relay(site.any(), site.key, 40, 50)
            except httpx.HTTPError:
                deltas = await relay(site.any(), site.key, 40, 50)
            assert len(deltas) == 40
            done += 1

    async def pages(browser: Browser) -> None:
        nonlocal done
        while not is_over:
            try:
                run = await browser.send(site.any(), 60, 50)
            except (aiohttp.ClientError, AssertionError):
                run = await browser.send(site.any(), 60, 50)
            seen = await browser.follow_to_the_end(run)
            assert (seen.numbers, seen.state) == (whole(60), "completed")
            done += 1

    async with Browser(site) as browser:
        load = [
            asyncio.ensure_future(each) for each in [*(clients() for _ in range(4)), *(pages(browser) for _ in "123")]
        ]
        for number in (A, B, C):
            await asyncio.sleep(2)
            site.urls.pop(number)
            await asyncio.to_thread(site.processes.pop(number).end)
            await asyncio.to_thread(site.start, number)
        is_over = True
        async with asyncio.timeout(60):
            await asyncio.gather(*load)
    assert done > 20


async def test_without_redis_for_ten_seconds_runs_go_on_and_followers_catch_up(
    site: Site, redis_server: RedisServer
) -> None:
    async with Browser(site) as browser:
        run = await browser.send(site.urls[A], 900, 50)
        here = asyncio.ensure_future(browser.follow(site.urls[A], run, Followed()))
        there = asyncio.ensure_future(browser.follow(site.urls[B], run, seen := Followed()))
        await until(lambda: seen.last > 20)
        redis_server.stop()
        try:
            await until(lambda: seen.waiting == [True])
            for url in site.urls.values():
                assert (await browser.get(f"{url}/"))[0] == 200
                assert (await browser.get(f"{url}/requests/"))[0] == 200
                assert await browser.get(f"{url}/readyz") == (200, "ok, but Redis does not answer\n")
                assert len(await relay(url, site.key, 5, 50)) == 5
                own = await browser.send(url, 5, 50)
                assert (await browser.follow(url, own, Followed())).numbers == whole(5)
                assert await relay(url, site.key, 1, 50)
            await asyncio.sleep(8)
        finally:
            redis_server.start()
        await until(lambda: seen.waiting == [True, False])
        for following in (here, there):
            assert ((await following).numbers, (await following).state) == (whole(900), "completed")
        await until(lambda: site.state_of(run) == "completed")


async def test_a_process_with_another_secret_is_refused(site: Site) -> None:
    site.begin(9, PLAYGROUND_SECRET_KEY="other" * 10)
    told, _ = await asyncio.to_thread(site.processes.pop(9).process.communicate)
    assert "PLAYGROUND_SECRET_KEY" in told
    assert "Traceback" not in told


def test_the_body_of_the_tests_is_one_the_upstream_reads() -> None:
    assert '"deltas": 3' in body(3, 50)
