"""Reads the results of server tools and an answer's citations: foreign values become words and safe links."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playground.protocol.foreign_text import truncated

MAX_OUTPUT = 8_000  # characters of one output shown; the JSON tab has all of it
MAX_LISTED = 50


@dataclass(frozen=True)
class Source:
    """A place that an answer refers to. `url` is empty unless it is http or https: only such ones become links."""

    title: str
    url: str = ""
    note: str = ""
    quote: str = ""

    @property
    def host(self) -> str:
        return (urlsplit(self.url).hostname or "") if self.url else ""


@dataclass(frozen=True)
class Result:
    """A server tool's result: a word on how it went, sources, named outputs. `error` is the API's own code."""

    summary: str = ""
    error: str = ""
    sources: list[Source] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        return bool(self.summary or self.error or self.sources or self.outputs)


def web_address(value: Any) -> str:
    """The value if it is an http or https address, else nothing."""
    if not isinstance(value, str) or len(value) > 4_000:
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return value if parts.scheme.lower() in {"http", "https"} and parts.hostname else ""


def words_of(value: Any, limit: int = 500) -> str:
    if value is None:
        return ""
    return truncated(value if isinstance(value, str) else str(value), limit)


def sources_of(citations: Any) -> list[Source]:
    """Return the sources that a text block cites, each once, in order."""
    sources: dict[Source, None] = {}
    for citation in citations if isinstance(citations, list) else []:
        if isinstance(citation, dict):
            sources.setdefault(_source(citation))
    return list(sources)


def _source(citation: dict[str, Any]) -> Source:
    url = web_address(citation.get("url")) or web_address(citation.get("source"))
    title = words_of(citation.get("title") or citation.get("document_title"), 200)
    if not title:
        number = citation.get("document_index", citation.get("search_result_index"))
        title = (
            url or words_of(citation.get("url") or citation.get("source"), 200) or f"document {words_of(number, 20)}"
        )
    return Source(title, url, _place(citation), words_of(citation.get("cited_text")))


def _place(citation: dict[str, Any]) -> str:
    """Return the place in the document as readers count: ends are exclusive on the wire."""
    for what, first, last in (
        ("characters", "start_char_index", "end_char_index"),
        ("pages", "start_page_number", "end_page_number"),
        ("blocks", "start_block_index", "end_block_index"),
    ):
        start, end = citation.get(first), citation.get(last)
        if isinstance(start, int) and isinstance(end, int):
            final = end - 1
            return f"{what[:-1]} {start}" if final <= start else f"{what} {start}\N{EN DASH}{final}"
    return ""


def describe_result(block: dict[str, Any]) -> Result:
    """The known result blocks; an unknown one gives an empty Result and is shown raw."""
    content = block.get("content")
    if isinstance(content, dict) and content.get("error_code"):
        return Result(error=words_of(content.get("error_code"), 80), summary=words_of(content.get("error_message")))
    describe = DESCRIPTIONS.get(str(block.get("type")))
    return describe(content, block) if describe else Result()


def _web_search(content: Any, _block: dict[str, Any]) -> Result:
    if not isinstance(content, list):
        return Result()
    pages = [item for item in content if isinstance(item, dict)]
    sources = [
        Source(
            words_of(item.get("title"), 200) or words_of(item.get("url"), 200),
            web_address(item.get("url")),
            words_of(item.get("page_age"), 60),
        )
        for item in pages[:MAX_LISTED]
    ]
    return Result(f"{len(pages)} found", sources=sources)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _web_fetch(content: Any, _block: dict[str, Any]) -> Result:
    if not isinstance(content, dict):
        return Result()
    document = _object(content.get("content"))
    title = words_of(document.get("title"), 200) or words_of(content.get("url"), 200)
    source = _object(document.get("source"))
    is_text = source.get("type") == "text"
    outputs = [("text", words_of(source.get("data"), MAX_OUTPUT))] if is_text else []
    page = Source(title, web_address(content.get("url")), words_of(content.get("retrieved_at"), 60))
    return Result("fetched", sources=[page], outputs=outputs)


def _code_execution(content: Any, _block: dict[str, Any]) -> Result:
    if not isinstance(content, dict):
        return Result()
    code = content.get("return_code")
    outputs = [(name, words_of(content.get(name), MAX_OUTPUT)) for name in ("stdout", "stderr") if content.get(name)]
    if content.get("encrypted_stdout"):
        outputs.append(("stdout", "encrypted by the API"))
    files = content.get("content")
    for item in files[:MAX_LISTED] if isinstance(files, list) else []:
        if isinstance(item, dict) and item.get("file_id"):
            outputs.append(("file", words_of(item["file_id"], 200)))
    return Result(f"return_code {words_of(code, 20)}" if code is not None else "done", outputs=outputs)


def _text_editor(content: Any, _block: dict[str, Any]) -> Result:
    if not isinstance(content, dict):
        return Result()
    if "is_file_update" in content:
        return Result("file updated" if content["is_file_update"] else "file created")
    lines = content.get("lines")
    if isinstance(lines, list):
        return Result("replaced", outputs=[("lines", "\n".join(words_of(line) for line in lines[:200]))])
    if "content" in content:
        return Result(
            "viewed", outputs=[(words_of(content.get("file_type"), 20), words_of(content["content"], MAX_OUTPUT))]
        )
    return Result()


def _tool_search(content: Any, _block: dict[str, Any]) -> Result:
    references = content.get("tool_references") if isinstance(content, dict) else None
    if not isinstance(references, list):
        return Result()
    names = [words_of(item.get("tool_name"), 80) for item in references[:MAX_LISTED] if isinstance(item, dict)]
    return Result(f"{len(references)} found", outputs=[("tools", ", ".join(names))] if names else [])


def _mcp(content: Any, block: dict[str, Any]) -> Result:
    text = content if isinstance(content, str) else _joined_text(content)
    if text is None:
        return Result()
    return Result(
        "is_error" if block.get("is_error") is True else "done", outputs=[("text", words_of(text, MAX_OUTPUT))]
    )


def _advisor(content: Any, _block: dict[str, Any]) -> Result:
    if not isinstance(content, dict):
        return Result()
    if "encrypted_content" in content:
        return Result("advice, encrypted by the API")
    return Result("advice", outputs=[("text", words_of(content.get("text"), MAX_OUTPUT))])


def _joined_text(content: Any) -> str | None:
    if not isinstance(content, list):
        return None
    texts = [text for item in content if isinstance(item, dict) and isinstance(text := item.get("text"), str)]
    return "\n".join(texts) if len(texts) == len(content) else None


DESCRIPTIONS = {
    "web_search_tool_result": _web_search,
    "web_fetch_tool_result": _web_fetch,
    "code_execution_tool_result": _code_execution,
    "bash_code_execution_tool_result": _code_execution,
    "text_editor_code_execution_tool_result": _text_editor,
    "tool_search_tool_result": _tool_search,
    "mcp_tool_result": _mcp,
    "advisor_tool_result": _advisor,
}
