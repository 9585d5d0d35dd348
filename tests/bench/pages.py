"""The page measured in Chromium: long answers at full speed, a stored run of very many events, many runs at once.

    python -m tests.bench.pages [--deltas 5000] [--megabytes 5] [--events 100000] [--runs 5] [--tabs 4]

An upstream on loopback sends markdown, a delta a word, as fast as it is read. A frame is the time between two
animation frames; a task is one piece of uninterrupted work of the page's main thread. What only an empty machine
shows is in the frames; times of the server are in what a reader waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.processes import ROOT, SET_UP, running, table
from tests.support.browser import FLAGS, find_chromium

WORD = re.compile(r"\s*\S+\s*")

BLOCK = """## Part {number}

Some *words* about **part {number}**, with `code` and a [link](https://example.org/{number}) among them.

- one thing
- another thing, a little longer than the first
- a third

```python
def part_{number}(items):
    return [item for item in items if item != {number}]
```

| name | value |
|---|---|
| a | {number} |
| b | {number} |

"""
WATCH = """() => {
  const seen = { frames: [], tasks: [], last: 0 }
  window.seen = seen
  const take = (list) => { for (const entry of list.getEntries()) seen.tasks.push(entry.duration) }
  new PerformanceObserver(take).observe({ entryTypes: ['longtask'] })
  const tick = (now) => {
    if (seen.last) seen.frames.push(now - seen.last)
    seen.last = now
    requestAnimationFrame(tick)
  }
  requestAnimationFrame(tick)
}"""
SEND = """async (body) => {
  const token = JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']
  const headers = { 'X-CSRFToken': token, 'HX-Request': 'true', 'Content-Type': 'application/x-www-form-urlencoded' }
  const posted = new URLSearchParams({ ':json': body, ':overwrite': '1', ':mode': 'json', ':anyway': '1' })
  const html = await (await fetch('/send', { method: 'POST', headers, body: posted })).text()
  const { toFragment } = await import('/static/js/lib/fragment.js')
  const answer = document.getElementById('answer')
  const panel = toFragment(html).querySelector('.answer-panel[data-run]')
  if (!panel) throw new Error(`no run was started: ${html.slice(0, 500)}`)
  answer.replaceChildren(panel)
  window.seen.frames.length = window.seen.tasks.length = 0
  answer.firstElementChild.dispatchEvent(new CustomEvent('htmx:load', { bubbles: true }))
}"""


SEND_BESIDE = (
    SEND.replace("answer.replaceChildren(panel)", "answer.append(panel)")
    .replace("answer.firstElementChild.dispatch", "answer.lastElementChild.dispatch")
    .replace("window.seen.frames.length = window.seen.tasks.length = 0", "")
)
SCROLL = """async (selector) => {
  const inner = document.querySelector(selector)
  const box = inner.scrollHeight > inner.clientHeight + 1 ? inner : document.scrollingElement
  const frame = () => new Promise((then) => requestAnimationFrame(then))
  for (let step = 0; step <= 60; step++) {
    box.scrollTop = (box.scrollHeight * step) / 60
    await frame()
  }
}"""
STORE = """
import json
from accounts.models import User
from playground.models import Run
from playground.recording.run_writer import Recording
from tests.bench.pages import WORD, markdown
from tests.support.runs import ended, live_run, stream, told
user, count = User.objects.get(username='bench'), %d
events = stream('word').split(b'\\n\\n')
delta = '{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{}}}}}'
deltas = ['event: content_block_delta\\ndata: ' + delta.format(json.dumps(word)) for word in
          WORD.findall(markdown(count * 12))[: count - 5]]
data = b'\\n\\n'.join([*events[:2], *(delta.encode() for delta in deltas), *events[3:]])
told = told(data, chunk=6_000, step_ms=15.0)
live = live_run(user)
live.publish([*told, ended(at_ms=told[-1].at_ms + 1)])
recording = Recording(live, 2**40)
recording.collect(); recording.write(); recording.written()
print('STORED', live.id)
"""


def markdown(characters: int) -> str:
    blocks, size, number = [], 0, 0
    while size < characters:
        blocks.append(BLOCK.format(number=number))
        size += len(blocks[-1])
        number += 1
    return "".join(blocks)


class Markdown(BaseHTTPRequestHandler):
    """Answers with as many characters of markdown as the request's metadata asks for."""

    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Nothing: the figures are all that is printed."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        message = {"type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 1}}
        self.say({"type": "message_start", "message": message})
        self.say({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        size = int(asked["metadata"]["piece"])
        pause_s = float(asked["metadata"].get("pause_ms", 0)) / 1000
        pieces = WORD.findall(markdown(int(asked["metadata"]["characters"])))
        for at in range(0, len(pieces), size):
            delta = {"type": "text_delta", "text": "".join(pieces[at : at + size])}
            self.say({"type": "content_block_delta", "index": 0, "delta": delta})
            if pause_s:
                time.sleep(pause_s)
        self.say({"type": "content_block_stop", "index": 0})
        self.say({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}})
        self.say({"type": "message_stop"})

    def say(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


@contextmanager
def playground(events: int) -> Iterator[tuple[str, str, str]]:
    """A playground that knows the upstream: its address, the key of a signed-in session, and a stored run."""
    data = tempfile.mkdtemp(prefix="playground-bench-")
    environment = {"PLAYGROUND_NO_VENV": "1", "PLAYGROUND_DATA": data, "PLAYGROUND_DRAIN": "0"}
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Markdown)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        with running([sys.executable, "manage.py", "serve", "--port", "0"], 0, **environment) as server:
            assert server.stdout is not None
            port = re.search(r":(\d+)/", server.stdout.readline())
            assert port is not None
            said = []
            for script in (SET_UP % upstream.server_port, STORE % events):
                command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
                ready = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
                if ready.returncode:
                    raise SystemExit(ready.stderr)
                said.append(ready.stdout.split()[-1])
            yield f"http://127.0.0.1:{port[1]}", *said
    finally:
        upstream.shutdown()
        shutil.rmtree(data, ignore_errors=True)


def heap_mb(page: Page) -> float:
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    client.send("Performance.enable")
    metrics = {entry["name"]: entry["value"] for entry in client.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"] / 1e6


def watch(page: Page) -> None:
    page.evaluate(
        "() => { if (!window.seen) throw new Error('nobody watches') ; "
        "window.seen.frames.length = window.seen.tasks.length = 0; window.seen.last = 0 }"
    )


def watched(page: Page) -> dict[str, str]:
    """What was seen since the page was first watched, or last asked for."""
    seen = page.evaluate("() => ({ frames: window.seen.frames, tasks: window.seen.tasks })")
    return {
        "longest frame": f"{max(seen['frames'], default=0):.0f} ms",
        "frames over 50 ms": str(sum(frame > 50 for frame in seen["frames"])),
        "longest task": f"{max(seen['tasks'], default=0):.0f} ms",
    }


class Steps:
    """The rows of a table: what was done, how long it took to be seen, what it did to the frames."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows: list[list[str]] = []

    @contextmanager
    def step(self, name: str, *, is_new_page: bool = False) -> Iterator[None]:
        if not is_new_page:
            watch(self.page)
        began = time.monotonic()
        yield
        took = f"{time.monotonic() - began:.2f} s"
        if is_new_page:
            self.rows.append([name, took, "", "", ""])
            self.page.evaluate(WATCH)
        else:
            self.page.wait_for_timeout(200)
            self.rows.append([name, took, *watched(self.page).values()])

    def print(self, title: str) -> None:
        table(title, ["", "took", "longest frame", "frames over 50 ms", "longest task"], self.rows)


def asked(characters: int, piece: int, pause_ms: float = 0) -> str:
    """A request for so much markdown, in deltas of so many words, so far apart."""
    body = {"model": "bench", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "Go"}]}
    return json.dumps(body | {"metadata": {"characters": characters, "piece": piece, "pause_ms": pause_ms}})


def open_bench(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#answer").wait_for()
    page.evaluate(WATCH)


def measure(page: Page, url: str, characters: int, piece: int) -> list[str]:
    """Send one request from the page and watch it until its end."""
    open_bench(page, url)
    before, began = heap_mb(page), time.monotonic()
    page.evaluate(SEND, asked(characters, piece))
    page.locator('.answer-panel[data-state="completed"]').wait_for(timeout=300_000)
    took_s = time.monotonic() - began
    page.wait_for_timeout(500)
    frames = watched(page).values()
    elements = page.evaluate("() => document.querySelectorAll('#answer *').length")
    events = page.locator("[data-event-count]").inner_text()
    return [events, f"{took_s:.1f} s", *frames, str(elements), f"{before:.0f} -> {heap_mb(page):.0f} MB"]


def streaming(page: Page, url: str, deltas: int, megabytes: float) -> None:
    words = len(WORD.findall(markdown(100_000)))
    runs = [
        (f"{deltas} deltas", int(deltas * 100_000 / words), 1),
        (f"{megabytes:g} MB", int(megabytes * 1e6), 20),
    ]
    measure(page, url, 3_000, 1)  # fonts and code are loaded once
    rows = [[name, *measure(page, url, characters, piece)] for name, characters, piece in runs]
    columns = ["", "events", "took", "longest frame", "frames over 50 ms", "longest task", "elements", "heap"]
    table("An answer at full speed", columns, rows)


def very_long(page: Page, megabytes: float) -> None:
    """What can be done with the answer of several megabytes that the page shows."""
    steps = Steps(page)
    with steps.step("scrolled through, 256 kB"):
        page.evaluate(SCROLL, "[data-message]")
    with steps.step("show all"):
        page.locator("[data-rest]").click()
        page.locator("[data-rest-shown]").wait_for(timeout=60_000)
    with steps.step("scrolled through, all of it"):
        page.evaluate(SCROLL, "[data-message]")
    steps.print(f"An answer of {megabytes:g} MB")
    print(f"  heap {heap_mb(page):.0f} MB")


def long_run(page: Page, url: str, run: str, count: int) -> None:
    """A stored run of very many events, looked at in the log."""
    steps = Steps(page)
    where = page.locator("[data-where]")
    with steps.step("page", is_new_page=True):
        page.goto(f"{url}/requests/{run}/", wait_until="commit")
        page.locator("#answer .answer-panel").wait_for()
    with steps.step("answer"):
        page.locator("#answer [data-blocks] .part").first.wait_for(timeout=60_000)
    with steps.step("page again", is_new_page=True):
        page.reload(wait_until="commit")
        page.locator("#answer [data-blocks] .part").first.wait_for(timeout=60_000)
    with steps.step("events tab"):
        page.locator('[data-view="events"]').click()
        page.locator("[data-rows] tr[data-number]").first.wait_for(timeout=60_000)
    with steps.step("scrolled through"):
        page.evaluate(SCROLL, "[data-window]")
    with steps.step("rows at the end"):
        page.locator("[data-window]").evaluate("box => { box.scrollTop = box.scrollHeight }")
        page.locator(f'[data-rows] tr[data-number="{count}"] .data', has_text="end of stream").wait_for()
    for _ in range(2):
        with steps.step("filtered by type"):
            page.locator(".filter-pills label", has_text="text_delta").click()
            page.wait_for_timeout(50)
    at_event = page.locator("[data-at-event-answer] h3")
    with steps.step(f"as it stood at {count - 9:,}"):
        page.locator(f'[data-rows] tr[data-number="{count - 9}"]').click()
        at_event.filter(has_text=f"after event {count - 9}").wait_for(timeout=60_000)
    for name, way, number in (("on", 1, count - 8), ("back", -1, count - 9), ("back", -1, count - 10)):
        with steps.step(f"one event {name}"):
            page.locator(f'[data-step="{way}"]').click()
            at_event.filter(has_text=f"after event {number}").wait_for(timeout=60_000)
    with steps.step("playing for 3 s at 16 times the speed"):
        page.locator("[data-position]").fill("1000")
        page.locator("[data-speed]").select_option("16")
        page.locator("[data-play]").click()
        page.wait_for_timeout(3_000)
        page.locator("[data-play]").click()
    assert where.inner_text()
    steps.print(f"A stored run of {count:,} events")
    print(f"  heap {heap_mb(page):.0f} MB")


def many_runs(pages: list[Page], url: str, each: int) -> None:
    """So many runs at once in each of several tabs, 50 deltas a second. Only the last tab is in front: the others have
    an animation frame a second."""
    for page in pages:
        open_bench(page, url)
        page.locator("#answer").evaluate("answer => answer.replaceChildren()")  # what was asked for before
    began = time.monotonic()
    for page in pages:
        for _ in range(each):
            page.evaluate(SEND_BESIDE, asked(2_500, 1, 20))
    for page in pages:
        done = page.locator('.answer-panel[data-state="completed"]')
        done.nth(each - 1).wait_for(timeout=120_000)
    took_s = time.monotonic() - began
    rows = []
    for number, page in enumerate(pages, start=1):
        texts = page.locator(".answer-panel [data-blocks]").all_text_contents()
        whole = sum(len(text) == max(map(len, texts)) > 1_000 for text in texts)
        rows.append([f"tab {number}", str(whole), *watched(page).values()])
    columns = ["", "whole answers", "longest frame", "frames over 50 ms", "longest task"]
    table(f"{each * len(pages)} live runs in {len(pages)} tabs, {took_s:.1f} s", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=5_000)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5, help="at once in each tab")
    parser.add_argument("--tabs", type=int, default=4)
    options = parser.parse_args()
    with playground(options.events) as (url, session, run), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        streaming(page, url, options.deltas, options.megabytes)
        very_long(page, options.megabytes)
        long_run(page, url, run, options.events)
        page.close()
        many_runs([context.new_page() for _ in range(options.tabs)], url, options.runs)
        browser.close()


if __name__ == "__main__":
    main()
