"""Heads of requests that are too long or no HTTP, and the words in the status line of every answer."""

from __future__ import annotations

import itertools
import json
import re
from http import HTTPStatus
from typing import Any

import pytest

from playground.serving.request_heads import reason_phrase
from tests.support import socket_clients as sockets
from tests.support.examples import one_of_each


def ask(url: str, head: bytes) -> tuple[str, bytes, bytes]:
    """Status line, headers and body of the answer to these bytes."""
    with sockets.connect(url) as opened:
        opened.sendall(head)
        data = b""
        while not is_whole(data, head) and (chunk := opened.recv(65536)):
            data += chunk
    top, _, body = data.partition(b"\r\n\r\n")
    line, _, headers = top.partition(b"\r\n")
    return line.decode(), headers, body


def is_whole(answers: bytes, head: bytes) -> bool:
    """Whether nothing more can come, so that the end of the connection, for which the server takes its time, need not
    be awaited. An answer to HEAD has no body, and several answers no length: there only the end tells."""
    top, _, body = answers.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", top, re.IGNORECASE)
    is_alone = not head.startswith(b"HEAD") and head.count(b"HTTP/1.1\r\n") < 2
    return is_alone and length is not None and len(body) >= int(length[1])


LONG = b"a" * 17_000
TOO_LONG = {
    "one header": (b"GET %s HTTP/1.1\r\nhost: localhost\r\nx-a: " + LONG + b"\r\n\r\n", 431),
    "one header, not ended": (b"GET %s HTTP/1.1\r\nhost: localhost\r\nx-a: " + LONG, 431),
    "many headers": (
        b"GET %s HTTP/1.1\r\nhost: localhost\r\n" + b"x-a: " * 1 + b"x-b: bbbbbbbbbbbbbbbb\r\n" * 800,
        431,
    ),
    "many short headers": (b"GET %s HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * 600 + b"\r\n", 431),
    "the query": (b"GET %s?" + LONG + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 414),
    "the query, not ended": (b"GET %s?" + LONG, 414),
    "much more than that": (b"GET %s HTTP/1.1\r\nhost: localhost\r\nx-a: " + LONG * 60 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_what_is_too_long_is_answered_in_the_shape_of_its_path(live_url: str, case: str) -> None:
    head, status = TOO_LONG[case]
    line, headers, body = ask(live_url, head.replace(b"%s", b"/v1/models", 1))
    assert line == f"HTTP/1.1 {status} {reason_phrase(status)}"
    assert json.loads(body)["type"] == "error"
    assert f"content-length: {len(body)}".encode() in headers.lower()
    line, headers, body = ask(live_url, head.replace(b"%s", b"/requests/", 1))
    assert line.split()[1] == str(status)
    assert b"text/html" in headers
    assert b"<h1>" in body


OF_THE_API = ["/v1/models", "/v1/messages?beta=true", "/messages"]
OF_PAGES = ["/requests/?q=1", "/s/token/", "/healthz"]


@pytest.fixture
def quick_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender of this test has sent all when it is refused."""
    monkeypatch.setattr("playground.serving.request_heads.LINGER_S", 0.3)


HEADERS = {
    "one long value": b"x-claude-big: " + b"a" * 16_400,
    "one longer value": b"x-claude-big: " + b"a" * 70_000,
    "a long name": b"x" * 17_000 + b": 1",
    "a long cookie": b"cookie: " + b"a=b; " * 4_000,
    "two that are long together": b"x-a: " + b"a" * 9_000 + b"\r\nx-b: " + b"b" * 9_000,
    "folded lines": b"x-a: 1" + b"\r\n " + b"a" * 9_000 + b"\r\n " + b"b" * 9_000,
    "501 of them": b"\r\n".join(b"x-%d: 1" % at for at in range(501)),
    "a long credential": b"authorization: Bearer " + b"mpk_" + b"a" * 17_000,
}


@pytest.mark.usefixtures("quick_farewell")
@pytest.mark.parametrize("case", one_of_each(HEADERS, kind=lambda case: "of them" in case))
def test_long_headers_are_answered_at_every_address_and_method(live_url: str, case: str) -> None:
    for at, path in enumerate([*OF_THE_API, *OF_PAGES]):
        method = [b"GET", b"POST", b"HEAD", b"OPTIONS"][(at + len(case)) % 4]
        head = b"%s %s HTTP/1.1\r\nhost: localhost\r\n%s\r\ncontent-length: 0\r\n\r\n"
        line, headers, body = ask(live_url, head % (method, path.encode(), HEADERS[case]))
        kind = b"application/json" if path in OF_THE_API else b"text/html"
        assert line == "HTTP/1.1 431 Request Header Fields Too Large", path
        assert b"content-type: " + kind in headers.lower(), path
        if method == b"HEAD":
            assert body == b""
        elif path in OF_THE_API:
            assert json.loads(body)["error"]["type"] == "invalid_request_error"
        else:
            assert b"<h1>431 Request Header Fields Too Large</h1>" in body


BELOW = ["/v1/messages", "/models", "/requests/", "/playground/v1/messages", "/playground/"]


@pytest.mark.usefixtures("quick_farewell")
@pytest.mark.parametrize("public_path", one_of_each(["/playground", ""]))
def test_long_addresses_are_answered_below_a_path_too(live_url: str, settings: Any, public_path: str) -> None:
    settings.PUBLIC_PATH = public_path
    for path, head in itertools.product(
        BELOW, (b"POST %s?q=" + LONG + b" HTTP/1.1\r\n\r\n", b"HEAD %s?" + LONG, b"GET %s/" + LONG + b"?x HTTP/1.0")
    ):
        line, headers, body = ask(live_url, head.replace(b"%s", path.encode()))
        assert line == "HTTP/1.1 414 URI Too Long"
        if b"/" + LONG in head:
            continue  # another address: a page's, or below the relay's
        is_api = path.endswith(("/v1/messages", "/models"))
        assert (b"application/json" in headers) == is_api
        assert (body == b"") == head.startswith(b"HEAD")


@pytest.mark.usefixtures("quick_farewell")
@pytest.mark.parametrize("head", [b"nonsense\r\n\r\n", b"GET /v1/models\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n"])
def test_what_is_no_request_is_told_so(live_url: str, head: bytes) -> None:
    line, _, body = ask(live_url, head)
    assert line == "HTTP/1.1 400 Bad Request"
    assert body


def test_a_head_just_below_the_limit_is_served(live_url: str) -> None:
    head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-a: " + b"a" * 16_000 + b"\r\n\r\n"
    assert ask(live_url, head)[0] == "HTTP/1.1 200 OK"


@pytest.mark.usefixtures("quick_farewell")
def test_the_second_request_of_a_connection_has_the_same_limits(live_url: str) -> None:
    first = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    _, _, rest = ask(live_url, first + b"GET /v1/models?" + LONG + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert b"HTTP/1.1 414 URI Too Long" in rest


@pytest.mark.parametrize("status", [*(each.value for each in HTTPStatus if each.value > 199), 529, 499, 299, 599, 999])
def test_every_status_has_words(status: int) -> None:
    assert reason_phrase(status)
    assert "Unknown Status" not in reason_phrase(status)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(422, "Unprocessable Content"), (429, "Too Many Requests"), (529, "Overloaded"), (413, "Content Too Large")],
)
def test_the_phrase_is_the_statuss_own(served: Any, live_url: str, monkeypatch: Any, status: int, phrase: str) -> None:
    answer = [
        {"type": "http.response.start", "status": status, "headers": []},
        {"type": "http.response.body", "body": b""},
    ]
    monkeypatch.setattr("playground.serving.protocols.early_answer", lambda _scope: answer)
    line, _, _ = ask(live_url, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    assert line == f"HTTP/1.1 {status} {phrase}"
