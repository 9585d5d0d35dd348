"""The faults of the fault matrix that an upstream can make: what it does, and what has to come of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.raw_upstream import DELTA, START, STOP, TEXT, Exchange, Script, sse

ERROR = b'{"type":"error","error":{"type":"%s","message":"%s"},"request_id":"req_7"}'
STARTED = START + TEXT + DELTA
LATE_ERROR = sse("error", '{"type":"error","error":{"type":"overloaded_error","message":"Too busy now"}}')
ODD = sse("content_block_delta", '{"type":"content_blo') + sse("surprise", '{"type":"surprise","x":1}')
LONG = sse(
    "content_block_delta",
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}' % ("x" * 10_000_000),
)
BOMB = gzip.compress(b"\0" * 50_000_000)


@dataclass(frozen=True)
class Fault:
    """`kept` are the bytes that must be in the log: exactly these, or what the function says of them.

    `relay`: the status of our own error; "unchanged"; or "error event", the upstream's bytes and an error at their end;
    "cut": the upstream's bytes as far as they came, and a connection that breaks.
    """

    name: str
    script: Script | None
    state: str
    kind: str
    words: tuple[str, ...]
    relay: int | str
    status: int | None = None
    kept: bytes | Callable[[bytes], bool] = b""
    settings: dict[str, Any] = field(default_factory=dict)
    address: Callable[[ExitStack], str] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


# --- What upstreams do --------------------------------------------------------------------------------------------


def saying(data: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.say(data)

    return script


def answering(status: str, body: bytes, *lines: str) -> Script:
    return saying("\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines, "", ""]).encode() + body)


def streaming(*events: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.stream(*events)
        await exchange.close_stream()

    return script


def breaking_off(status: str, body: bytes, *lines: str) -> Script:
    """Less than was announced, once the first of it had time to be handed on."""

    async def script(exchange: Exchange) -> None:
        head = [f"HTTP/1.1 {status}", f"content-length: {len(body) + 100}", *lines, "", ""]
        await exchange.say("\r\n".join(head).encode() + body)
        await asyncio.sleep(0.2)

    return script


async def reset_in_mid_stream(exchange: Exchange) -> None:
    await exchange.stream(STARTED)
    await asyncio.sleep(0.2)
    exchange.reset()


async def fall_silent(exchange: Exchange) -> None:
    await exchange.stream(STARTED)
    await exchange.until_gone()


async def never_end(exchange: Exchange) -> None:
    await exchange.stream(START, TEXT)
    while True:
        await exchange.chunk(DELTA * 50)
        await asyncio.sleep(0)


async def trickle(exchange: Exchange) -> None:
    await exchange.stream(START, TEXT)
    while True:
        await exchange.chunk(DELTA)
        await asyncio.sleep(0.05)


HINT = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n"


async def hint_for_ever(exchange: Exchange) -> None:
    while True:
        await exchange.say(HINT * 1_000)


async def read_and_reset(exchange: Exchange) -> None:
    exchange.reset()


# --- Where nobody answers -----------------------------------------------------------------------------------------


def nobody_listens(_: ExitStack) -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def nobody_accepts(stack: ExitStack) -> str:
    """A queue of connections that is full: a further one waits until its patience ends."""
    listening = stack.enter_context(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listening.getsockname())
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def no_such_name(_: ExitStack) -> str:
    return "http://no-such-host.invalid"


def plain_text_behind_https(stack: ExitStack) -> str:
    import threading

    listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def answer() -> None:
        try:
            opened, _ = listening.accept()
        except OSError:
            return
        with opened:
            opened.recv(4096)
            opened.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    stack.callback(thread.join, 5)
    return f"https://127.0.0.1:{listening.getsockname()[1]}"


def private_address(_: ExitStack) -> str:
    return "http://169.254.169.254"


@contextmanager
def address_of(fault: Fault) -> Iterator[str | None]:
    with ExitStack() as stack:
        yield fault.address(stack) if fault.address else None


# --- The matrix ---------------------------------------------------------------------------------------------------

JSON = "content-type: application/json"
EVENTS = "content-type: text/event-stream"
PAGE = b"<html><body><h1>Bad gateway</h1><script>window.hit = 1</script></body></html>"
HALF = b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"Hi'
LIMIT = 200_000


def api_error(status: str, type_: bytes, *lines: str, words: tuple[str, ...] = ()) -> Fault:
    body = ERROR % (type_, b"So it is")
    code = int(status.split()[0])
    shown = (type_.decode(), "So it is", "req_7", *words)
    script = answering(status, body, JSON, "request-id: req_7", *lines)
    return Fault(f"HTTP {code}", script, "failed", "http_status", shown, "unchanged", code, body)


NOT_OURS = "instead of a message of the Messages API"
COMPLETION = (
    b'{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Said elsewhere"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
)
CHUNKS = b"".join(
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % word
    for word in (b"Said ", b"else", b"where")
)
GEMINI = b'{"candidates":[{"content":{"role":"model","parts":[{"text":"Said elsewhere"}]}}]}'
OLLAMA = b"".join(
    b'{"model":"m","message":{"role":"assistant","content":"%s"},"done":%s}\n' % (word, done)
    for word, done in ((b"Said ", b"false"), (b"elsewhere", b"false"), (b"", b"true"))
)
PINGS = sse("ping", '{"type":"ping"}') * 3
DONE = sse("message_delta", '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}')
EVENT_STREAM = "content-type: text/event-stream; charset=utf-8"
QUOTA = b'{"type": "error", "error": {"message": "quota used up", "type": "rate_limit_error"}}'


def no_message(name: str, body: bytes, *words: str, header: str = EVENTS, kind: str = "not_a_message") -> Fault:
    """What came with status 200, is kept, named and shown, and handed on as it is."""
    shown = ("The response is not a message", *words)
    return Fault(name, answering("200 OK", body, header), "failed", kind, shown, "unchanged", 200, body)


def unseen_error(name: str, body: bytes, *words: str, header: str = EVENT_STREAM) -> Fault:
    """An error that came as JSON where events were expected: its words, and for the client an event with them."""
    return Fault(name, answering("200 OK", body, header), "failed", "error_event", words, "error event", 200, body)


NO_MESSAGES = [
    no_message("a chat completion", COMPLETION, "Chat Completions", NOT_OURS, "Said elsewhere", header=JSON),
    no_message("a chat completion as a stream", COMPLETION, "Chat Completions", NOT_OURS, "Said elsewhere"),
    no_message("chat completion chunks", CHUNKS + b"data: [DONE]\n\n", "Chat Completions", "Said elsewhere", "delta"),
    no_message("chunks under JSON", CHUNKS, "a stream of OpenAI's Chat Completions", "Said elsewhere", header=JSON),
    no_message("Gemini", GEMINI, "Gemini", "Said elsewhere", header=JSON),
    no_message("Gemini in a list", b"[" + GEMINI + b"]", "Gemini", "Said elsewhere", header=JSON),
    no_message("Gemini as a stream", b"data: " + GEMINI + b"\n\n", "Gemini", "Said elsewhere"),
    no_message("Ollama", OLLAMA, "Ollama", "Said elsewhere", header="content-type: application/x-ndjson"),
    no_message("pings only", PINGS, "nothing but pings"),
    no_message("comments only", b": keep-alive\n\n" * 3, "event stream"),
    no_message("no event at all", b"", "without a single event"),
    no_message("unknown events only", sse("odd", '{"odd":1}') * 2, "does not have", "odd"),
    no_message("a list", b"[1, 2]", "a JSON list", header=JSON),
    no_message("null", b"null", "JSON null", header=JSON),
    no_message("another object", b'{"hello": "there"}', "not a message", "hello", header=JSON),
    no_message("plain text", b"It works!", "not JSON", "It works!", header="content-type: text/plain", kind="not_json"),
    no_message("HTML as a stream", PAGE, "Bad gateway", kind="not_json"),
    unseen_error("an error as a stream", QUOTA, "rate_limit_error", "quota used up"),
    unseen_error("an OpenAI error as a stream", b'{"error": {"message": "No credits", "code": 429}}', "No credits"),
    unseen_error("a listed error as a stream", b'[{"error": {"message": "No credits", "code": 429}}]\n', "No credits"),
    Fault(
        "no message_stop",
        streaming(STARTED, DONE),
        "completed",
        "",
        ("Hi", "without message_stop"),
        "unchanged",
        200,
        STARTED + DONE,
    ),
    Fault(
        "a stream as plain text",
        answering("200 OK", STARTED + STOP, "content-type: text/plain"),
        "completed",
        "",
        ("Hi",),
        "unchanged",
        200,
        STARTED + STOP,
    ),
    Fault(
        "a stream as JSON",
        answering("200 OK", STARTED + STOP, JSON),
        "completed",
        "",
        ("Hi",),
        "unchanged",
        200,
        STARTED + STOP,
    ),
    Fault(
        "a stream as JSON ends early",
        answering("200 OK", STARTED, JSON),
        "interrupted",
        "truncated",
        ("Hi",),
        "error event",
        200,
        STARTED,
    ),
    Fault(
        "switching protocols",
        saying(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
        "failed",
        "protocol",
        ("Not valid HTTP",),
        502,
    ),
    Fault("endless early hints", hint_for_ever, "failed", "protocol", ("Not valid HTTP",), 502),
    Fault(
        "a few early hints",
        saying(HINT * 4 + b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + STARTED + STOP),
        "completed",
        "",
        ("Hi",),
        "unchanged",
        200,
        STARTED + STOP,
    ),
]

FAULTS = [
    Fault("connection refused", None, "failed", "connect", ("No connection", "127.0.0.1"), 502, address=nobody_listens),
    Fault("unknown name", None, "failed", "dns", ("Unknown host", "no-such-host.invalid"), 502, address=no_such_name),
    Fault(
        "not TLS", None, "failed", "tls", ("No secure connection", "127.0.0.1"), 502, address=plain_text_behind_https
    ),
    Fault(
        "connecting hangs", None, "failed", "timeout", ("Timed out", "0.3 seconds"), 504,
        settings={"CONNECT_TIMEOUT_S": 0.3}, address=nobody_accepts,
    ),
    Fault(
        "no first byte", Exchange.until_gone, "failed", "timeout", ("Timed out", "0.3 seconds"), 504,
        settings={"FIRST_BYTE_TIMEOUT_S": 0.3},
    ),
    Fault(
        "address not allowed", None, "failed", "blocked", ("not allowed by this server", "169.254.169.254"), 403,
        address=private_address,
    ),
    api_error("400 Bad Request", b"invalid_request_error"),
    api_error("401 Unauthorized", b"authentication_error"),
    api_error("404 Not Found", b"not_found_error"),
    api_error("413 Too Large", b"request_too_large"),
    api_error("429 Too Many", b"rate_limit_error", "retry-after: 3", words=('data-countdown="3"',)),
    api_error("500 Oops", b"api_error"),
    api_error("529 Overloaded", b"overloaded_error"),
    Fault(
        "HTML with an error", answering("502 Bad Gateway", PAGE, "content-type: text/html"), "failed", "not_json",
        ("502", "Bad gateway"), "unchanged", 502, PAGE,
    ),
    Fault(
        "HTML as an answer", answering("200 OK", PAGE, "content-type: text/html"), "failed", "not_json",
        ("The response is not a message", "Bad gateway"), "unchanged", 200, PAGE,
    ),
    *NO_MESSAGES,
    Fault("nothing as an answer", answering("200 OK", b"", JSON), "failed", "not_json",
          ("The response is not a message",), "unchanged", 200),
    Fault("stream ends early", streaming(STARTED), "interrupted", "truncated", ("Truncated", "Hi"), "error event", 200,
          STARTED),
    Fault("stream is reset", reset_in_mid_stream, "interrupted", "truncated", ("Truncated", "Hi"), "error event", 200,
          STARTED),
    Fault(
        "error event", streaming(STARTED, LATE_ERROR), "failed", "error_event",
        ("overloaded_error", "Too busy now", "Hi"), "unchanged", 200, STARTED + LATE_ERROR,
    ),
    Fault(
        "odd events", streaming(STARTED, ODD, STOP), "completed", "", ("Hi",), "unchanged", 200, STARTED + ODD + STOP
    ),
    Fault(
        "silence", fall_silent, "interrupted", "idle", ("stopped sending", "0.4 seconds", "Hi"), "error event", 200,
        STARTED,
        settings={"SILENCE_TIMEOUT_S": 0.4},
    ),
    Fault(
        "a run without end", trickle, "interrupted", "duration", ("Took too long", "Hi"), "error event", 200,
        lambda kept: kept.startswith(STARTED) and kept.count(DELTA) > 2, settings={"RUN_TIMEOUT_S": 0.6},
    ),
    Fault("10 MB in one line", streaming(START, TEXT, LONG, STOP), "completed", "", ("xxxxx", "how all"),
          "unchanged", 200, START + TEXT + LONG + STOP),
    Fault(
        "endless", never_end, "interrupted", "too_large", ("Too large", "MiB"), "error event", 200,
        lambda kept: kept.startswith(START + TEXT + DELTA) and len(kept) == LIMIT,
        settings={"MAX_RESPONSE_BYTES": LIMIT},
    ),
    Fault(
        "one event too large", streaming(START, TEXT, LONG, STOP), "interrupted", "too_large", ("One event", "MiB"),
        "error event", 200, lambda kept: kept.startswith(START + TEXT) and len(kept) < len(LONG),
        settings={"MAX_EVENT_BYTES": LIMIT},
    ),
    Fault(
        "compressed", answering("200 OK", BOMB, JSON, "content-encoding: gzip"), "failed", "encoding",
        ("Compressed response refused",), "unchanged", 200, BOMB,
    ),
    Fault("JSON breaks off", breaking_off("200 OK", HALF, JSON), "interrupted", "truncated", ("Truncated",), "cut",
          200, HALF),
    Fault("an error breaks off", breaking_off("500 Oops", HALF, JSON), "failed", "not_json", ("500", "Hi"), "cut",
          500, HALF),
    Fault(
        "compressed and broken off", breaking_off("200 OK", BOMB[:900], EVENTS, "content-encoding: gzip"), "failed",
        "encoding", ("Compressed response refused",), "cut", 200, BOMB[:900],
    ),
    Fault(
        "redirect", answering("307 Elsewhere", b"", "location: https://elsewhere.example/?key=1"), "failed", "redirect",
        ("Redirect not followed", "elsewhere.example"), 502, 307,
    ),
    Fault("not HTTP", saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "failed", "protocol", ("Not valid HTTP",), 502),
    Fault(
        "huge headers", saying(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n"), "failed", "protocol",
        ("Not valid HTTP",), 502,
    ),
    Fault(
        "reset without an answer", read_and_reset, "failed", "reset", ("Connection lost", "may have processed"), 502
    ),
]  # fmt: skip
