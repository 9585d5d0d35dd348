"""One user's heavy input against another user's stream: the longest gap between two of its events.

    python -m tests.bench.heavy_requests [--only NAME ...]

The neighbour reads a stream of 50 events a second through the relay. Meanwhile one heavy request is made by another
process, and the page is loaded after it. Beside the gap stand what the server answered, how long it took, how large the
page after it is, and how far the memory of the server, alone and with its workers, rose above rest meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from tests.bench.load import Reader, Seen, body
from tests.bench.processes import ROOT, Rig, all_memory_mb, memory_mb, pin, rig, settle, table

PER_S = 50
TOKEN = "b" * 32
MIB = 2**20
QUIET_S = 3.0  # of the stream before the heavy request, to know the gaps of a server at rest


@dataclass(frozen=True)
class Heavy:
    """One heavy input: where it is posted, and the fields; `relayed` goes to the relay as it is instead."""

    path: str
    fields: dict[str, str] = field(default_factory=dict)
    relayed: bytes = b""


def _request(content: object, **members: object) -> str:
    message = {"role": "user", "content": content}
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [message], **members})


def _image(megabytes: int) -> list[dict[str, object]]:
    png = b"\x89PNG\r\n\x1a\n" + os.urandom(megabytes * MIB * 3 // 4)
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(png).decode()}
    return [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]


def _tools(count: int, **schema: object) -> list[dict[str, object]]:
    text = {"type": "string", "description": "A word or two.", **schema}
    members = {f"member_{number}": text for number in range(5)}
    shape = {"type": "object", "properties": members, "required": list(members)}
    return [{"name": f"tool_{n}", "description": "Does a thing.", "input_schema": shape} for n in range(count)]


def _pasted(kind: str) -> Iterator[tuple[str, Heavy]]:
    """A megabyte of one character or two, alone and where a shell, JavaScript or Python would read on."""
    pieces = {"backslashes": "\\", "comments": "# c\n", "braces": "{", "$(": "$(", "quotes": "'\""}
    piece = pieces[kind]
    much = piece * (MIB // len(piece))
    ways = {
        "alone": much,
        "curl": f"curl http://h -d {much}",
        "js": f"const a = {much}",
        "python": f"a = Anthropic()\n{much}",
    }
    for way, text in ways.items():
        yield f"import, {kind}, {way}", Heavy("/draft/import", {":pasted": text})


def inputs() -> dict[str, Callable[[], Heavy]]:
    """Each heavy input by its name, made when it is needed."""

    def edit(text: Callable[[], str]) -> Callable[[], Heavy]:
        return lambda: Heavy("/draft/edit", {":json": text(), ":mode": "json"})

    def form(text: Callable[[], str]) -> Callable[[], Heavy]:
        return lambda: Heavy("/draft/form", {":json": text(), ":mode": "form"})

    def relayed(text: Callable[[], str]) -> Callable[[], Heavy]:
        return lambda: Heavy("/v1/messages", relayed=text().encode())

    deep, many = lambda: "[" * 100_000, lambda: "[" + "0," * 450_000 + "0]"
    nested, chained = "(" * 90 + "a" + "*)+" * 90 + "b", "(a*)*" * 40_000
    cases: dict[str, Callable[[], Heavy]] = {
        "25 MB image, edit": edit(lambda: _request(_image(25))),
        "25 MB image, form": form(lambda: _request(_image(25))),
        "25 MB image, send": lambda: Heavy("/send", {":json": _request(_image(25)), ":mode": "json"}),
        "25 MB text, edit": edit(lambda: _request("lorem ipsum " * (25 * MIB // 12))),
        "25 MB text, form": form(lambda: _request("lorem ipsum " * (25 * MIB // 12))),
        "25 MB text, send": lambda: Heavy(
            "/send", {":json": _request("lorem ipsum " * (25 * MIB // 12)), ":mode": "json"}
        ),
        "100,000 deep, edit": edit(deep),
        "100,000 deep, relay": relayed(deep),
        "900,000 tokens, edit": edit(many),
        "900,000 tokens, relay": relayed(many),
        "200,000 tokens, form": form(lambda: _request([{"type": "text", "text": "a"}] * 13_000)),
        "nested quantifiers, form": form(lambda: _request("Go", tools=_tools(50, pattern=nested))),
        "chained quantifiers, edit": edit(lambda: _request("Go", tools=_tools(1, pattern=chained))),
        "1,000 tools, edit": edit(lambda: _request("Go", tools=_tools(1000))),
        "1,000 tools, form": form(lambda: _request("Go", tools=_tools(1000))),
    }
    for kind in ("backslashes", "comments", "braces", "$(", "quotes"):
        for name, heavy in _pasted(kind):
            cases[name] = lambda heavy=heavy: heavy
    return cases


class Neighbour(Reader):
    """Reads a stream, and notes when its pieces came."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.came: list[float] = []

    def data_received(self, data: bytes) -> None:
        self.came.append(time.monotonic())
        super().data_received(data)

    def longest_gap_ms(self, since: float, until: float = math.inf) -> float:
        times = [at for at in self.came if since <= at <= until]
        return max((b - a) * 1000 for a, b in itertools.pairwise(times))


def _memory(pid: int) -> tuple[float, ...]:
    """Of the server itself, and of all its processes together."""
    return memory_mb(pid), all_memory_mb(pid)


@dataclass
class Outcome:
    status: str = ""
    took_ms: float = 0.0
    page_kb: float = 0.0
    page_ms: float = 0.0


def attack(bench: Rig, heavy: Heavy) -> Outcome:
    """Make the heavy request once a line comes in, then load the page."""
    headers = {"cookie": f"sessionid={bench.session}; csrftoken={TOKEN}", "x-csrftoken": TOKEN, "hx-request": "true"}
    if heavy.relayed:
        content, headers = heavy.relayed, {"x-api-key": bench.key, "content-type": "application/json"}
    else:
        content = urlencode({**heavy.fields, ":overwrite": "anyway", ":anyway": "1"}).encode()
        headers["content-type"] = "application/x-www-form-urlencoded"
    outcome = Outcome()
    print("ready", flush=True)
    sys.stdin.readline()
    with httpx.Client(base_url=bench.url, headers=headers, timeout=120) as client:
        began = time.monotonic()
        answer = client.post(heavy.path, content=content)
        outcome.status, outcome.took_ms = str(answer.status_code), (time.monotonic() - began) * 1000
        if not heavy.relayed:
            began = time.monotonic()
            page = client.get("/", headers={"hx-request": "false"})
            outcome.page_kb, outcome.page_ms = len(page.content) / 1000, (time.monotonic() - began) * 1000
    return outcome


async def _attacker(bench: Rig, name: str) -> asyncio.subprocess.Process:
    """A process that has its input ready: in this one, making it would delay the neighbour."""
    command = ["-m", "tests.bench.heavy_requests", "--only", name, "--attack", json.dumps(dataclasses.asdict(bench))]
    attacker = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert attacker.stdout is not None
    await attacker.stdout.readline()
    return attacker


async def measured(bench: Rig, name: str) -> list[str]:
    attacker = await _attacker(bench, name)
    rest_mb, most_mb = _memory(bench.pid), (0.0, 0.0)
    asked = body(60 * PER_S, PER_S)
    lines = [
        "POST /v1/messages HTTP/1.1",
        "host: localhost",
        f"x-api-key: {bench.key}",
        f"content-length: {len(asked)}",
    ]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + asked
    loop = asyncio.get_running_loop()
    transport, neighbour = await loop.create_connection(
        lambda: Neighbour(request, Seen(), b"message_stop"), "127.0.0.1", bench.port
    )
    await asyncio.sleep(QUIET_S)  # its first second is the server's warming up
    since = time.monotonic()
    done = asyncio.ensure_future(attacker.communicate(b"go\n"))
    while not done.done():
        most_mb = tuple(map(max, most_mb, _memory(bench.pid)))
        await asyncio.sleep(0.1)
    outcome = Outcome(**json.loads(done.result()[0]))
    await asyncio.sleep(0.5)
    gap, quiet = neighbour.longest_gap_ms(since), neighbour.longest_gap_ms(since - QUIET_S + 1, since)
    transport.abort()
    page = f"{outcome.page_kb:,.0f} kB, {outcome.page_ms:,.0f} ms" if outcome.page_kb else ""
    return [
        f"{quiet:,.0f}",
        f"{gap:,.0f}",
        outcome.status,
        f"{outcome.took_ms:,.0f}",
        page,
        *(f"+{most - rest:,.0f}" for most, rest in zip(most_mb, rest_mb, strict=True)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], help="beginnings of names")
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    options = parser.parse_args()
    pin(1)
    if options.attack:
        outcome = attack(Rig(**json.loads(options.attack)), inputs()[options.only[0]]())
        print(json.dumps(dataclasses.asdict(outcome)))
        return
    rows = []
    for name in inputs():
        if not name.startswith(tuple(options.only)):
            continue
        with rig() as bench:
            httpx.get(bench.url)
            settle(1)
            rows.append([name, *asyncio.run(measured(bench, name))])
            print(rows[-1], flush=True)
    columns = [
        "input",
        "at rest, ms",
        "longest gap, ms",
        "status",
        "took, ms",
        "page after it",
        "server, MB",
        "with workers, MB",
    ]
    table(f"A stream of {PER_S} events a second beside one heavy request", columns, rows)


if __name__ == "__main__":
    main()
