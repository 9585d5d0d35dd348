"""What one user's large or odd answer costs: another user's stream of 50 events a second, and memory.

python -m tests.bench.neighbours [--case events] [--at-once 1] [--rest 60]
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import socketserver
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.processes import ROOT, Rig, all_memory_mb, pin, rig, table

MIB = 2**20
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","content":[]}}\n\n'
OPEN = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%s"}}\n\n'
)
STOP = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
TINY = DELTA % b"a"


def _words(count: int) -> bytes:
    return b" ".join(b"%x" % (number * 2654435761 % 2**40) for number in range(count))


def _stream(middle: Iterator[bytes]) -> Iterator[bytes]:
    yield START + OPEN
    yield from middle
    yield STOP


def _json() -> Iterator[bytes]:
    yield b'{"id":"m","type":"message","role":"assistant","stop_reason":"end_turn","content":[{"type":"text","text":"'
    piece = _words(6_000)
    yield from (piece for _ in range(63 * MIB // len(piece)))
    yield b'"}]}'


CASES = {
    "events": lambda: ("text/event-stream", _stream(b"data: {}\n\n" * 1_000 for _ in range(1_000))),
    "deltas": lambda: ("text/event-stream", _stream(TINY * 500 for _ in range(880))),
    "comments": lambda: ("text/event-stream", _stream(b":\n" * 30_000 for _ in range(1_000))),
    "text": lambda: ("text/event-stream", _stream((DELTA % _words(10)) * 400 for _ in range(63 * MIB // 87_000))),
    "line": lambda: ("text/event-stream", _stream(iter([DELTA % _words(900_000)]))),
    "json": lambda: ("application/json", _json()),
}


class Answering(socketserver.BaseRequestHandler):
    """Answers `case` of the body's model; `steady` is 50 events a second for as long as somebody listens.

    Each in a process of its own, and with what it sends made before: else the neighbour's stream would wait here.
    """

    def handle(self) -> None:
        pin(1)
        file = self.request.makefile("rb")
        size = 0
        while (line := file.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
        case = json.loads(file.read(size))["model"]
        content_type, pieces = ("text/event-stream", _paced()) if case == "steady" else CASES[case]()
        pieces = pieces if case == "steady" else list(pieces)
        try:
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n"
            self.request.sendall(head.encode())
            for piece in pieces:
                self.request.sendall(piece)
        except ConnectionError:
            pass


def upstream() -> None:
    with socketserver.ForkingTCPServer(("127.0.0.1", 0), Answering) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def _paced() -> Iterator[bytes]:
    yield START + OPEN
    begin = time.monotonic()
    for number in range(100_000):
        time.sleep(max(0.0, begin + number * 0.02 - time.monotonic()))
        yield TINY


async def ask(bench: Rig, case: str, *, gaps: list[float] | None = None) -> int:
    """Ask for a case through the relay and read it all; the bytes of it, and the gaps between what came."""
    body = json.dumps({"model": case, "max_tokens": 9, "stream": case != "json", "messages": []}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    head = f"POST /v1/messages HTTP/1.1\r\nhost: h\r\nx-api-key: {bench.key}\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    size, last = 0, time.monotonic()
    try:
        while data := await reader.read(2**18):
            size += len(data)
            if gaps is not None:
                gaps.append(time.monotonic() - last)
                last = time.monotonic()
            if data.endswith(b"0\r\n\r\n"):
                break
    finally:
        writer.close()
    return size


async def _ask_apart(bench: Rig, case: str) -> int:
    """The same in a process of its own, since reading much would delay the neighbour too."""
    command = ["-m", "tests.bench.neighbours", "--case", case, "--ask", json.dumps(dataclasses.asdict(bench))]
    asking = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=subprocess.PIPE)
    said, _ = await asking.communicate()
    return int(said)


async def measure(bench: Rig, case: str, at_once: int, rest_s: float) -> list[str]:
    gaps: list[float] = []
    neighbour = asyncio.ensure_future(ask(bench, "steady", gaps=gaps))
    await asyncio.sleep(2)
    before, peak, began = all_memory_mb(bench.pid), 0.0, time.monotonic()
    gaps.clear()
    asked = asyncio.gather(*(_ask_apart(bench, case) for _ in range(at_once)))
    while not asked.done():
        await asyncio.sleep(0.1)
        peak = max(peak, all_memory_mb(bench.pid))
    took = time.monotonic() - began
    for _ in range(30):
        await asyncio.sleep(0.1)
        peak = max(peak, all_memory_mb(bench.pid))
    longest = max(gaps, default=0.0)
    neighbour.cancel()
    await asyncio.sleep(rest_s)
    after = all_memory_mb(bench.pid)
    size = sum(asked.result()) / MIB
    return [case, f"{size:.0f} MiB", f"{took:.1f} s", f"{longest * 1000:.0f} ms", f"+{peak - before:.0f}",
            f"+{after - before:.0f}"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--rest", type=float, default=10.0, help="seconds until memory is looked at again")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    options = parser.parse_args()
    pin(1)
    if options.upstream:
        upstream()
        return
    if options.ask:
        print(asyncio.run(ask(Rig(**json.loads(options.ask)), options.case)))
        return
    rows = []
    for case in CASES if options.case == "all" else [options.case]:
        command = [sys.executable, "-m", "tests.bench.neighbours", "--upstream"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as serving:
            try:
                port = int(serving.stdout.readline())  # type: ignore[union-attr]
                with rig(upstream_port=port) as bench:
                    rows.append(asyncio.run(measure(bench, case, options.at_once, options.rest)))
                    print(rows[-1], flush=True)
            finally:
                serving.terminate()
    table("One user's answer", ["case", "size", "took", "neighbour's longest gap", "MB", "MB after"], rows)


if __name__ == "__main__":
    main()
