"""The page measured in Chromium: a long answer at full speed, its longest frame and its memory.

    python -m tests.bench.browser [--deltas 5000] [--megabytes 5]

An upstream on loopback sends markdown, a delta a word, as fast as it is read. A frame is the time between two
animation frames; a task is one piece of uninterrupted work of the page's main thread.
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

from tests.bench.rig import ROOT, SET_UP, running
from tests.browser import FLAGS, find_chromium

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
  const { toFragment } = await import('/static/js/fragment.js')
  const answer = document.getElementById('answer')
  const panel = toFragment(html).querySelector('.answer-panel[data-run]')
  if (!panel) throw new Error(`no run was started: ${html.slice(0, 500)}`)
  answer.replaceChildren(panel)
  window.seen.frames.length = window.seen.tasks.length = 0
  answer.firstElementChild.dispatchEvent(new CustomEvent('htmx:load', { bubbles: true }))
}"""


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
        pieces = WORD.findall(markdown(int(asked["metadata"]["characters"])))
        for at in range(0, len(pieces), size):
            delta = {"type": "text_delta", "text": "".join(pieces[at : at + size])}
            self.say({"type": "content_block_delta", "index": 0, "delta": delta})
        self.say({"type": "content_block_stop", "index": 0})
        self.say({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}})
        self.say({"type": "message_stop"})

    def say(self, event: dict[str, Any]) -> None:
        self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


@contextmanager
def playground() -> Iterator[tuple[str, str]]:
    """A playground that knows the upstream: its address and the key of a signed-in session."""
    data = tempfile.mkdtemp(prefix="playground-bench-")
    environment = {"PLAYGROUND_NO_VENV": "1", "PLAYGROUND_DATA": data, "PLAYGROUND_DRAIN": "0"}
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Markdown)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        with running([sys.executable, "manage.py", "serve", "--port", "0"], 0, **environment) as server:
            assert server.stdout is not None
            port = re.search(r":(\d+)/", server.stdout.readline())
            assert port is not None
            command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SET_UP % upstream.server_port]
            ready = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
            yield f"http://127.0.0.1:{port[1]}", ready.stdout.split()[-1]
    finally:
        upstream.shutdown()
        shutil.rmtree(data, ignore_errors=True)


def heap_mb(page: Page) -> float:
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    client.send("Performance.enable")
    metrics = {entry["name"]: entry["value"] for entry in client.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"] / 1e6


def measure(page: Page, url: str, characters: int, piece: int) -> dict[str, Any]:
    """Send one request from the page and watch it until its end."""
    page.goto(url)
    page.locator("#answer").wait_for()
    page.evaluate(WATCH)
    before, began = heap_mb(page), time.monotonic()
    asked = {"model": "bench", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "Go"}]}
    page.evaluate(SEND, json.dumps(asked | {"metadata": {"characters": characters, "piece": piece}}))
    page.locator('.answer-panel[data-state="completed"]').wait_for(timeout=300_000)
    took_s = time.monotonic() - began
    page.wait_for_timeout(500)
    seen = page.evaluate("() => ({ frames: window.seen.frames, tasks: window.seen.tasks })")
    return {
        "events": page.locator("[data-event-count]").inner_text(),
        "took": f"{took_s:.1f} s",
        "longest frame": f"{max(seen['frames']):.0f} ms",
        "frames over 50 ms": sum(frame > 50 for frame in seen["frames"]),
        "longest task": f"{max(seen['tasks'], default=0):.0f} ms",
        "elements": page.evaluate("() => document.querySelectorAll('#answer *').length"),
        "heap": f"{before:.0f} -> {heap_mb(page):.0f} MB",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, default=5_000)
    parser.add_argument("--megabytes", type=float, default=5)
    options = parser.parse_args()
    with playground() as (url, session), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        words = len(WORD.findall(markdown(100_000)))
        runs = [
            (f"{options.deltas} deltas", int(options.deltas * 100_000 / words), 1),
            (f"{options.megabytes:g} MB", int(options.megabytes * 1e6), 20),
        ]
        measure(page, url, 3_000, 1)  # fonts and code are loaded once
        for name, characters, piece in runs:
            figures = measure(page, url, characters, piece)
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
        browser.close()


if __name__ == "__main__":
    main()
