"""What the sandbox quotes from the documents of a request, and the place it names."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.sandbox.request_reader import Request
from playground.sandbox.sourced_replies import citations as answer
from tests.support.examples import examples

DRAWN = rb"%PDF-1.4 4 0 obj<</Length 60>>stream BT (Open \(usually\) from ten. Closed on Monday.) Tj (Else) Tj ET"


def asking(source: dict[str, Any], is_on: bool = True) -> Request:
    document = {"type": "document", "source": source, "title": "Handbook", "citations": {"enabled": is_on}}
    return Request({"messages": [{"role": "user", "content": [document, {"type": "text", "text": "When?"}]}]})


def pdf(content: bytes) -> dict[str, Any]:
    return {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(content).decode()}


def cited(request: Request) -> list[dict[str, Any]]:
    return [citation for block in answer(request) for citation in block.get("citations", [])]


def test_a_plain_text_is_cited_by_its_characters() -> None:
    (citation,) = cited(asking({"type": "text", "media_type": "text/plain", "data": "  Open from ten. Closed."}))
    assert citation["type"] == "char_location"
    assert citation["cited_text"] == "Open from ten."
    assert (citation["start_char_index"], citation["end_char_index"]) == (2, 16)


def test_a_pdf_is_cited_by_its_page() -> None:
    (citation,) = cited(asking(pdf(DRAWN)))
    assert citation["type"] == "page_location"
    assert citation["cited_text"] == "Open (usually) from ten."
    assert (citation["start_page_number"], citation["end_page_number"]) == (1, 2)
    assert citation["document_title"] == "Handbook"


@pytest.mark.parametrize(
    "source",
    [
        pdf(b"%PDF-1.7 compressed"),
        pdf(b"%PDF-1.7 (never ends Tj"),
        {"type": "base64", "media_type": "application/pdf", "data": "no base64"},
        {"type": "base64", "media_type": "application/pdf", "data": ""},
        {"type": "base64", "media_type": "application/pdf"},
        {"type": "url", "url": "https://a.example/a.pdf"},
    ],
)
def test_what_cannot_be_read_is_not_cited(source: dict[str, Any]) -> None:
    assert cited(asking(source)) == []


def test_nothing_is_cited_unless_it_is_wanted() -> None:
    assert cited(asking(pdf(DRAWN), is_on=False)) == []


@examples()
@given(st.text() | st.binary().map(lambda content: base64.b64encode(content).decode()))
def test_no_document_is_odd_enough_to_raise(data: str) -> None:
    answer(asking({"type": "base64", "media_type": "application/pdf", "data": data}))
