"""Images, documents and citations."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, ProtocolFaultError
from playground.conformance.checks.common_requests import DOCS, LONG_TEXT, PLAIN, create
from playground.conformance.judging import (
    counts_more,
    events_of,
    is_answered,
    path,
    refused,
    taken_or_refused,
)

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "media"


def _png(side: int = 64) -> str:
    """A grey square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x90" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def _pdf() -> str:
    """One page with a line of text."""
    text = b"BT /F1 24 Tf 72 720 Td (The lighthouse was built in 1870.) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return base64.b64encode(data + trailer % (size, table, size, len(data))).decode()


def _image(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "source": source}


PNG: Final = _image({"type": "base64", "media_type": "image/png", "data": _png()})
_ASK: Final = {"type": "text", "text": "Repeat after me: ready"}
IMAGE: Final = create([PNG, _ASK])
TWO_IMAGES: Final = create([PNG, PNG, _ASK])
IMAGE_URL: Final = create([_image({"type": "url", "url": "https://example.com/lighthouse.png"}), _ASK])
BROKEN_IMAGE: Final = create(
    [_image({"type": "base64", "media_type": "image/png", "data": "not base64 at all!"}), _ASK]
)
ODD_IMAGE: Final = create([_image({"type": "base64", "media_type": "image/bmp", "data": _png()}), _ASK])
_STORY: Final = f"The lighthouse was built in 1870. {LONG_TEXT}"
_DOCUMENT: Final[dict[str, Any]] = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": _STORY},
    "title": "Lighthouse",
}
DOCUMENT: Final = create([_DOCUMENT, _ASK])
DOCUMENT_BLOCKS: Final = create(
    [{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": _STORY}]}}, _ASK]
)
PDF: Final = create(
    [{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": _pdf()}}, _ASK]
)
_CITED: Final = [
    _DOCUMENT | {"citations": {"enabled": True}},
    {"type": "text", "text": "When was the lighthouse built? Answer from the document and cite it."},
]
CITED: Final = create(_CITED, max_tokens=300)
CITED_STREAM: Final = create(_CITED, max_tokens=300, stream=True)


def _cites(exchange: Exchange) -> None:
    is_answered(exchange)
    cited = [block for block in exchange.content if block.get("citations")]
    if not cited:
        raise InconclusiveError("The model cited nothing.")
    for citation in cited[0]["citations"]:
        kind, text = path(citation, "type"), path(citation, "cited_text")
        start, end = path(citation, "start_char_index"), path(citation, "end_char_index")
        if kind != "char_location" or not isinstance(text, str) or path(citation, "document_index") != 0:
            raise ProtocolFaultError(f"A citation of a text is {citation!r:.120}.", member="content[].citations")
        if not isinstance(start, int) or not isinstance(end, int) or _STORY[start:end].strip() != text.strip():
            raise ProtocolFaultError(
                f"Characters {start} to {end} of the document are not {text!r:.60}.", member="content[].citations"
            )


def _cites_in_deltas(exchange: Exchange) -> None:
    is_answered(exchange)
    deltas = [
        event
        for event in events_of(exchange.events, "content_block_delta")
        if path(event.value, "delta", "type") == "citations_delta"
    ]
    if not any(block.get("citations") for block in exchange.content):
        raise InconclusiveError("The model cited nothing.")
    if not deltas:
        raise ProtocolFaultError("Citations came without a citations_delta.")
    for event in deltas:
        if not isinstance(path(event.value, "delta", "citation"), dict):
            raise ProtocolFaultError(
                "A citations_delta without a citation.", event=event.number, member="delta.citation"
            )


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"source": DOCS["vision"], "needs": ("vision",), "depends": ("answer.message",), "optional": True, **more}
    return Check(f"media.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, **more)


CHECKS: Final = (
    _check("image", "should", "An image in base64 is taken", "A message.",
           "base64 is one of the reference's sources.", (IMAGE,), is_answered),
    _check("image_counted", "should", "An image is counted as input", "More input tokens than without it.",
           "An image that is dropped in silence is answered as if it had been seen.", (PLAIN, IMAGE), counts_more(3),
           depends=("media.image", "answer.input_tokens")),
    _check("images", "should", "Two images are taken", "A message that counts more than one image does.",
           "Each block is part of the prompt.", (IMAGE, TWO_IMAGES), counts_more(3), depends=("media.image_counted",)),
    _check("image_url", "may", "An image by its address is taken or refused clearly", "A message, or HTTP 4xx.",
           "An address is one of the reference's sources. Ollama takes base64 only.", (IMAGE_URL,), taken_or_refused),
    _check("image_broken", "should", "Data that is not an image is refused", "HTTP 400.",
           "What cannot be read must not become an answer about nothing.", (BROKEN_IMAGE,), refused(400, 422),
           depends=("media.image",), bad_request=True, optional=False),
    _check("image_type", "should", "An unknown type of image is refused", "HTTP 400.",
           "The API takes JPEG, PNG, GIF and WebP.", (ODD_IMAGE,), refused(400, 422), depends=("media.image",),
           bad_request=True, optional=False),
    _check("document", "should", "A document of plain text is taken", "A message that counts it.",
           "It is a block of the reference; dropped in silence, the answer is made without it.",
           (PLAIN, DOCUMENT), counts_more(60), needs=("documents",), source=DOCS["citations"],
           depends=("answer.input_tokens",)),
    _check("document_blocks", "may", "A document of blocks is taken or refused clearly", "A message, or HTTP 4xx.",
           "content is one of the reference's sources.", (DOCUMENT_BLOCKS,), taken_or_refused, needs=("documents",),
           source=DOCS["citations"]),
    _check("pdf", "should", "A PDF is taken", "A message.",
           "It is one of the reference's sources; DeepSeek, Ollama and vLLM have none.",
           (PDF,), is_answered, needs=("pdf",), source=DOCS["pdf"]),
    _check("citations", "may", "Citations point into the document", "char_location with the text at its place.",
           "The passage is found by these numbers. The Vercel AI SDK refuses a citation without them.",
           (CITED,), _cites, needs=("documents",),
           source=DOCS["citations"], depends=("media.document",)),
    _check("citations_stream", "may", "A stream brings citations as deltas", "citations_delta with one citation.",
           "The Python client adds them one by one.", (CITED_STREAM,), _cites_in_deltas, needs=("documents",),
           source=DOCS["citations"], depends=("media.citations", "stream.answers")),
)  # fmt: skip
