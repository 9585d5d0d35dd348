"""Answers with sources: a web search that finds made-up pages, and citations of the documents in the request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from playground.sandbox.prose import topic_of
from playground.sandbox.request_reader import PDF, Request, blocks_of

_LOOKED_AT = 64 * 1024  # characters of a document in base64

_PAGES = (
    ("A short history of {topic}", "People have thought about {topic} for longer than one would expect."),
    ("{Topic}: questions and answers", "Most questions about {topic} have a short answer and a long one."),
    (
        "What we still do not know about {topic}",
        "Researchers agree on the outline of {topic} and argue about the rest.",
    ),
)


def web_search(request: Request) -> list[dict[str, Any]]:
    """The blocks of a search and of the answer made from it; empty when no search is offered or asked for."""
    tool = next((tool for tool in request.body.get("tools") or [] if _is_web_search(tool)), None)
    choice = request.body.get("tool_choice") or {}
    forced = choice.get("type") == "any" or choice.get("name") == "web_search"
    is_asked_for = forced or request.says("search", "look up", "find out", "news", "web", "sources", "latest", "newest")
    if tool is None or choice.get("type") == "none" or not is_asked_for:
        return []
    topic = topic_of(re.sub(r"(?i)\b(search|look up|find out|news|the web|web)\b", " ", request.text))
    call_id = "srvtoolu_sandbox" + hashlib.sha256(str(request.seed).encode()).hexdigest()[:16]
    results = [_result(tool, topic, place) for place in range(len(_PAGES))]
    return [
        {"type": "text", "text": f"I will search for {topic}."},
        {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": topic}},
        {"type": "web_search_tool_result", "tool_use_id": call_id, "content": results},
        {"type": "text", "text": "Here is what I found (the pages are made up):\n\n"},
        *[_cited(topic, place, result) for place, result in enumerate(results)],
    ]


def citations(request: Request) -> list[dict[str, Any]]:
    """Text blocks that quote the request's documents and search results, where it wants them cited."""
    sources = [_from_document(place, document) for place, document in request.citable_documents]
    sources += [_from_search_result(place, block) for place, block in enumerate(_search_results(request))]
    cited = [block for block in sources if block is not None]
    return [{"type": "text", "text": "Here is what the sources say:\n\n"}, *cited] if cited else []


def _is_web_search(tool: Any) -> bool:
    return isinstance(tool, Mapping) and str(tool.get("type") or "").startswith("web_search_")


def _result(tool: Mapping[str, Any], topic: str, place: int) -> dict[str, Any]:
    domains = [domain for domain in tool.get("allowed_domains") or [] if isinstance(domain, str)]
    host = domains[place % len(domains)] if domains else ("example.com", "example.org", "example.net")[place]
    path = re.sub(r"\W+", "-", topic.lower()).strip("-")
    return {
        "type": "web_search_result",
        "url": f"https://{host}/{path}/{place + 1}",
        "title": _fill(_PAGES[place][0], topic),
        "encrypted_content": _opaque(f"content {topic} {place}"),
        "page_age": f"{3 + place * 11} days",
    }


def _cited(topic: str, place: int, result: Mapping[str, Any]) -> dict[str, Any]:
    sentence = _fill(_PAGES[place][1], topic)
    citation = {
        "type": "web_search_result_location",
        "cited_text": sentence,
        "url": result["url"],
        "title": result["title"],
        "encrypted_index": _opaque(f"index {topic} {place}"),
    }
    return {"type": "text", "text": f"- {sentence}\n", "citations": [citation]}


def _from_document(place: int, document: Mapping[str, Any]) -> dict[str, Any] | None:
    is_pdf = document["source"].get("media_type") == PDF
    data = document["source"]["data"]
    sentence = re.search(r"\S[^.!?\n]{0,300}[.!?]?", _text_of_pdf(data) if is_pdf else data)
    if sentence is None:
        return None
    where: dict[str, Any] = {"type": "page_location", "start_page_number": 1, "end_page_number": 2}
    if not is_pdf:
        span = {"start_char_index": sentence.start(), "end_char_index": sentence.end()}
        where = {"type": "char_location", **span}
    source = {"cited_text": sentence[0], "document_index": place, "document_title": document.get("title")}
    citation = {**where, **source, "file_id": None}
    return {"type": "text", "text": f"It begins with “{sentence[0]}”\n", "citations": [citation]}


def _text_of_pdf(data: str) -> str:
    """The first string that a PDF in base64 draws, as far as it can be read without a library: uncompressed, and near
    the beginning. Empty where there is none."""
    try:
        start = base64.b64decode(data[:_LOOKED_AT])
    except ValueError:
        return ""
    drawn = re.search(rb"\(((?:[^()\\]|\\.){1,1000})\)\s*Tj", start, re.DOTALL)
    return re.sub(r"\\(.)", r"\1", drawn[1].decode("latin-1")) if drawn else ""


def _search_results(request: Request) -> list[Mapping[str, Any]]:
    given = [block for message in request.messages for block in blocks_of(message)]
    inside = [item for block in given if block.get("type") == "tool_result" for item in blocks_of(block)]
    return [block for block in [*given, *inside] if block.get("type") == "search_result"]


def _from_search_result(place: int, block: Mapping[str, Any]) -> dict[str, Any] | None:
    citations = block.get("citations")
    texts = [item for item in block.get("content") or [] if isinstance(item, Mapping) and item.get("text")]
    if not (isinstance(citations, Mapping) and citations.get("enabled") is True and texts):
        return None
    quoted = str(texts[0]["text"])[:300]
    citation = {
        "type": "search_result_location",
        "cited_text": quoted,
        "source": block.get("source"),
        "title": block.get("title"),
        "search_result_index": place,
        "start_block_index": 0,
        "end_block_index": 1,
    }
    return {"type": "text", "text": f"“{quoted}”\n", "citations": [citation]}


def _fill(text: str, topic: str) -> str:
    return text.format(topic=topic, Topic=topic[:1].upper() + topic[1:])


def _opaque(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8", "replace")).digest()).decode()
