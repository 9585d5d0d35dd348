"""Fixtures that several folders use: people, the running server, the browser."""

from __future__ import annotations

import functools
import math
import os
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis
import pytest
from django.test import TransactionTestCase

from tests.support.emptying import empty_tables
from tests.support.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

PASSWORD = "correct-horse-9"
# The tests themselves keep every core busy: what stores runs and answers large requests must not wait for them.
os.environ["PLAYGROUND_WORKERS_NICENESS"] = "0"

hypothesis.settings.register_profile("playground", parent=examples())
hypothesis.settings.load_profile("playground")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start the server or a browser come first: they wait most, and whichever is taken up last makes one
    worker go on alone."""
    slow = {item.path for item in items if {"served", "browser_thread"} & set(getattr(item, "fixturenames", ()))}
    slow |= {item.path for item in items if item.path.name in {"test_faults_of_this_server.py", "test_stops.py"}}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"db", "transactional_db", "django_db_setup", "postgres"} or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.database)


@pytest.fixture(autouse=True)
def quick_and_quiet(settings: Any) -> None:
    """A hasher made for tests, a sandbox that does not pause, and as many accounts as tests make."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SANDBOX_SPEED = math.inf
    settings.SIGN_UPS_PER_HOUR = 0


@pytest.fixture(scope="session", autouse=True)
def static_files_are_looked_for_once() -> Iterator[None]:
    """Each test client makes the middleware anew, which would look at every static file again, for 45 ms of CPU."""
    from playground.serving.static_files import StaticFilesMiddleware

    search = StaticFilesMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def search_once(middleware: StaticFilesMiddleware) -> None:
        if not found:
            search(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesMiddleware, "add_files_from_finders", search_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Each client of httpx, the playground's and the tests' own, would read all of them again, for 30 ms of CPU."""
    read_once = functools.cache(httpx.create_ssl_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx.create_ssl_context", read_once)
        patch.setattr("httpx._transports.default.create_ssl_context", read_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_are_emptied_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """With SQLite, a worker begins with a copy of a database that has its tables: see `tests.support.tables`."""
    from django.db import connection

    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_keepdb: bool) -> None:
    from tests.support import tables

    if django_db_keepdb:
        tables.begin_with_kept()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_keepdb: bool, django_db_blocker: Any) -> Iterator[None]:
    """The test database, with all threads off it at the end: PostgreSQL drops no database that is in use."""
    from tests.support import tables

    if django_db_keepdb:
        with django_db_blocker.unblock():
            tables.keep()
    yield
    from asgiref.sync import SyncToAsync
    from django.db import connection, connections

    SyncToAsync.single_thread_executor.submit(connections.close_all).result(10)
    if connection.vendor == "postgresql":  # the server's threads have connections of their own
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(others, [connection.settings_dict["NAME"]])
    if django_db_keepdb:
        with django_db_blocker.unblock():
            tables.delete()


@pytest.fixture
def owner(db: None, django_user_model: type[User]) -> User:
    return django_user_model.objects.create_user("owner", "owner@example.org", PASSWORD)


@pytest.fixture
def stranger(db: None, django_user_model: type[User]) -> User:
    return django_user_model.objects.create_user("stranger", "stranger@example.org", PASSWORD)


# --- A running server and a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def served(django_db_setup: None) -> Iterator[Any]:
    """The playground's own server, in a thread of this process. One a session: a Twisted reactor starts only once."""
    from tests.support.server_thread import ServerThread

    server = ServerThread()
    yield server
    server.stop()


@pytest.fixture
def live_url(served: Any, transactional_db: None) -> Iterator[str]:
    """The address of the running server. The database is a real one, emptied after the test."""
    yield served.url
    served.end_all_runs()


@pytest.fixture(scope="session")
def browser_thread() -> Iterator[Any]:
    from tests.support.browser import BrowserThread, find_chromium

    executable = find_chromium()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium was found: browser tests cannot be left out in CI. Set PLAYGROUND_CHROMIUM.")
        pytest.skip("No Chromium was found (PLAYGROUND_CHROMIUM, or chromium on PATH): browser tests are left out.")
    thread = BrowserThread(executable)
    yield thread
    thread.stop()


@pytest.fixture(scope="session")
def contexts(browser_thread: Any, served: Any) -> Any:
    from tests.support.browser import Contexts

    return Contexts(browser_thread.browser, served.url)


@pytest.fixture
def new_page(contexts: Any, live_url: str) -> Iterator[Any]:
    """Open a page in a browser of its own: `new_page(width=390, color_scheme="dark")`.

    `once=True` is for a test that changes what cannot be undone, as Playwright's clock.
    After the test, nothing may stand in any console: CSP violations, script errors, failed loads.
    """
    noise: list[str] = []

    def open_page(width: int = 1440, height: int = 1000, once: bool = False, **options: Any) -> Any:
        context = contexts.open_once(**options) if once else contexts.borrow(**options)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page._thread.call(lambda: listen(page._target, noise))
        page.set_default_timeout(20_000)
        return page

    open_page.noise = noise  # type: ignore[attr-defined] # a test that expects a failed load clears it
    yield open_page
    contexts.take_back()
    assert noise == [], "the browser's console is not empty"


def listen(page: Any, noise: list[str]) -> None:
    page.on("console", lambda message: noise.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noise.append(str(error)))


@pytest.fixture
def page(new_page: Any) -> Any:
    return new_page()


@pytest.fixture
def log_in(live_url: str, client: Any) -> Any:
    """Give a browser page the session of this user, without the log-in form."""

    def use(page: Any, user: User) -> None:
        from django.conf import settings

        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_url}])

    return use


@pytest.fixture
def axe() -> Any:
    """Fail with axe's own words if the page, as it stands, has an accessibility violation."""
    from axe_playwright_python.base import AXE_SCRIPT

    ask = "([context, options]) => axe.run(context ?? document, options).then((found) => found.violations)"

    def run(page: Any, context: str | None, **options: Any) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        violations = page.evaluate(ask, [context, options | {"resultTypes": ["violations"]}])
        return [
            f"{violation['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
            for violation in violations
            for node in violation["nodes"]
        ]

    def check(page: Any, context: str | None = None, in_both_themes: bool = False) -> None:
        wrong = run(page, context)
        if in_both_themes:  # the dark one has other colours and nothing else
            page.emulate_media(color_scheme="dark")
            wrong += run(page, context, runOnly=["color-contrast"])
            page.emulate_media(color_scheme="light")
        assert wrong == []

    return check


@pytest.fixture
def no_guesses_yet() -> None:
    """No passphrase was tried from anywhere: the counts outlive a test."""
    from playground.sharing import guess_limits

    guess_limits.forget_all()


@pytest.fixture
def relay(live_url: str, owner: User, served: Any, settings: Any) -> Any:
    """The relay of the running server with an access key of the owner's: see `tests.support.relay_rig`."""
    from tests.support.relay_rig import Relay

    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    return Relay(live_url, owner, served)
