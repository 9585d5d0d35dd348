"""A form that a worker reads as it comes is the form that Django reads."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as some

from playground.workers import form_bodies
from playground.workers.form_bodies import Pieces, WorkerHandler

TEXTS = some.text(alphabet=some.sampled_from('ab &=%+"{}é🙂\n\x00'), max_size=12)


async def request_of(body: bytes, *, size: int = 7, content_type: str = "application/x-www-form-urlencoded") -> Any:
    messages = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

    async def receive() -> dict[str, Any]:
        piece = messages.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(messages)}

    handler = WorkerHandler()
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    return handler.request_class(scope, await handler.read_body(receive))


def read(body: bytes, piece: int) -> QueryDict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(form_bodies, "_PIECE", piece)
        return asyncio.run(request_of(body)).POST


@given(pairs=some.lists(some.tuples(TEXTS, TEXTS), max_size=6), piece=some.sampled_from([1, 2, 3, 5, 1000]))
def test_what_a_browser_sends_is_read_as_django_reads_it(pairs: list[tuple[str, str]], piece: int) -> None:
    body = urlencode(pairs).encode()
    assert read(body, piece) == QueryDict(body, encoding="utf-8")


@pytest.mark.parametrize(
    "body", ["", "&", "a", "a=", "=b", "=", "a&b=&&=c", "a=b=c", "a=%", "a=%4", "a=%zz&b=%41", "%61=1"]
)
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_odd_forms_are_read_as_django_reads_them(body: str, piece: int) -> None:
    assert read(body.encode(), piece) == QueryDict(body.encode(), encoding="utf-8")


async def test_too_many_fields_are_refused(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    request = await request_of(b"a=1&b=2&c=3&d=4")
    with pytest.raises(TooManyFieldsSent):
        _ = request.POST


async def test_a_file_is_still_read_as_one() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
    request = await request_of(body, content_type="multipart/form-data; boundary=x")
    assert request.FILES["f"].read() == b"hello"


async def test_any_other_body_is_there_as_it_came() -> None:
    request = await request_of(b'{"a": 1}', content_type="application/json")
    assert isinstance(request, ASGIRequest)
    assert request.body == b'{"a": 1}'
    assert not request.POST


def test_what_was_read_of_a_body_is_let_go() -> None:
    pieces = Pieces()
    for piece in (b"abc", b"", b"defg"):
        pieces.append(piece)
    assert [pieces.read(2), pieces.read(3)] == [b"ab", b"c"]
    assert len(pieces._pieces) == 1
    assert [pieces.read(), pieces.read(1)] == [b"defg", b""]
