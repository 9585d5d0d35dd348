"""Chromium for tests, driven from a thread of its own.

Playwright's synchronous interface keeps an event loop running in its thread, and Django refuses its ORM where a loop
runs. So the browser lives in one thread, the test in another, and a `Remote` stands for each of the browser's objects.
"""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect as playwright_expect
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
QUIET_S = 0.12
PLAIN = (str, bytes, int, float, bool, type(None))


def find_chromium() -> str | None:
    """The browser to use: the named one, then whatever is on PATH, first the one that has no window to draw."""
    named = os.environ.get("PLAYGROUND_CHROMIUM")
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return named or next((path for path in map(shutil.which, names) if path), None)


class BrowserThread:
    """Run functions, one after the other, in the thread that owns the browser."""

    def __init__(self, executable: str | None) -> None:
        self.executable = executable
        self.waiting: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()
        self.started: Future[Any] = Future()
        self.thread = threading.Thread(target=self._serve, name="browser", daemon=True)
        self.thread.start()
        self.browser = Remote(self, self.started.result(60))

    def _serve(self) -> None:
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=self.executable, args=list(FLAGS))
                self.started.set_result(browser)
                while (job := self.waiting.get()) is not None:
                    work, done = job
                    try:
                        done.set_result(work())
                    except BaseException as problem:
                        done.set_exception(problem)
                browser.close()
        except BaseException as problem:
            if not self.started.done():
                self.started.set_exception(problem)

    def call(self, work: Callable[[], Any]) -> Any:
        done: Future[Any] = Future()
        self.waiting.put((work, done))
        return self.wrap(done.result(120))

    def wrap(self, value: Any) -> Any:
        if isinstance(value, PLAIN):
            return value
        if isinstance(value, list | tuple):
            return [self.wrap(item) for item in value]
        return value if isinstance(value, dict) else Remote(self, value)

    def stop(self) -> None:
        self.waiting.put(None)
        self.thread.join(20)


class Contexts:
    """Browser contexts that tests borrow one after the other.

    A page in a new context compiles every script again, which costs more than most tests do. So a context stays, with
    one empty page that keeps its renderer alive, and is given back as empty as a new one.
    """

    def __init__(self, browser: Any, base_url: str) -> None:
        self.browser = browser
        self.base_url = base_url
        self.idle: dict[str, list[Any]] = {}
        self.lent: list[tuple[str, Any]] = []
        self.once: list[Any] = []

    def borrow(self, **options: Any) -> Any:
        """A context with these options that nobody else has."""
        kind = repr(sorted(options.items()))
        waiting = self.idle.setdefault(kind, [])
        if waiting:
            context = waiting.pop()
        else:
            context = self._open(options)
            context.new_page().goto("/static/img/icon.svg")
        self.lent.append((kind, context))
        return context

    def open_once(self, **options: Any) -> Any:
        """A context that is closed after the test, for what cannot be undone."""
        self.once.append(self._open(options))
        return self.once[-1]

    def _open(self, options: dict[str, Any]) -> Any:
        return self.browser.new_context(base_url=self.base_url, reduced_motion="reduce", **options)

    def take_back(self) -> None:
        """Close what the test opened, and forget what it left: cookies, storage, permissions, being offline."""
        while self.once:
            self.once.pop().close()
        while self.lent:
            kind, context = self.lent.pop()
            first, *opened = context.pages
            for page in opened:
                page.close()
            context.set_offline(False)
            context.clear_permissions()
            context.clear_cookies()
            session = context.new_cdp_session(first)
            session.send(
                "Storage.clearDataForOrigin",
                {"origin": self.base_url, "storageTypes": "local_storage,indexeddb,cache_storage"},
            )
            session.detach()
            self.idle[kind].append(context)


class Remote:
    """A browser object whose attributes are read, and whose methods are called, in the browser's thread."""

    def __init__(self, thread: BrowserThread, target: Any) -> None:
        object.__setattr__(self, "_thread", thread)
        object.__setattr__(self, "_target", target)

    def __getattr__(self, name: str) -> Any:
        return self._thread.call(lambda: getattr(self._target, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = tuple(local(arg) for arg in args)
        kwargs = {name: local(arg) for name, arg in kwargs.items()}
        return self._thread.call(lambda: self._target(*args, **kwargs))

    def __enter__(self) -> Any:
        return self._thread.call(lambda: self._target.__enter__())

    def __exit__(self, *error: object) -> Any:
        return self._thread.call(lambda: self._target.__exit__(*error))

    def __repr__(self) -> str:
        return f"<remote {self._target!r}>"


def local(value: Any) -> Any:
    return value._target if isinstance(value, Remote) else value


playwright_expect.set_options(timeout=20_000)  # a busy machine is no fault of the page


def expect(remote: Remote) -> Any:
    """Playwright's `expect`, waiting in the browser's thread."""
    return remote._thread.call(lambda: playwright_expect(remote._target))


def open_whole(page: Any, address: str) -> None:
    """Open the address and wait until all that the page asks for has come. Playwright's `networkidle` is the same with
    half a second in which nothing more is asked for, which is longer than most pages take."""
    under_way: set[Any] = set()
    last = [time.monotonic()]

    def begin(request: Any) -> None:
        under_way.add(request)

    def end(request: Any) -> None:
        under_way.discard(request)
        last[0] = time.monotonic()

    def follow() -> None:
        target = page._target
        listeners = {"request": begin, "requestfinished": end, "requestfailed": end}
        for event, listener in listeners.items():
            target.on(event, listener)
        target.goto(address)
        last[0], began = time.monotonic(), time.monotonic()
        while under_way or time.monotonic() < last[0] + QUIET_S:
            assert time.monotonic() < began + 60, "it goes on asking"
            target.wait_for_timeout(20)
        for event, listener in listeners.items():
            target.remove_listener(event, listener)

    page._thread.call(follow)


def settle(page: Any) -> None:
    """Wait until the server has everything that was typed or pressed, and what it answered is in use on the page."""
    page.evaluate(
        """async () => {
          const pause = (ms) => new Promise((done) => setTimeout(done, ms))
          const isUnsent = () => document.documentElement.hasAttribute("data-unsent")
          const began = performance.now()
          const rounds = new Map() // htmx takes its class off after 20 ms of this page's timers, a copy keeps it
          const isNew = () => [...document.querySelectorAll(".htmx-added")].filter((element) => {
            rounds.set(element, (rounds.get(element) ?? 0) + 1)
            return rounds.get(element) < 12
          }).length > 0
          for (let quiet = 0; quiet < 3; await pause(15)) {
            quiet = isUnsent() || isNew() ? 0 : quiet + 1
            if (performance.now() > began + 60_000) throw new Error("what was typed is not sent")
          }
        }"""
    )
