"""A request body as the sandbox reads it: what was asked last, with what attached, and what came before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from playground.sandbox.token_counts import count, source_size

Block = Mapping[str, Any]
PDF = "application/pdf"


@dataclass(frozen=True)
class Request:
    """`body` has passed the checks. `raw` is its text as received."""

    body: Mapping[str, Any]
    raw: str = ""

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        return list(self.body["messages"])

    @cached_property
    def last_user_blocks(self) -> list[Block]:
        """The blocks of the last user turn; neighbouring user messages are one turn."""
        turn: list[Block] = []
        for message in reversed(self.messages):
            if message["role"] == "user":
                turn = [*blocks_of(message), *turn]
            elif message["role"] == "assistant" and turn:
                break
        return turn

    @cached_property
    def text(self) -> str:
        """The last text of the user's."""
        return "\n".join(str(block["text"]) for block in self.last_user_blocks if block.get("type") == "text").strip()

    @cached_property
    def tool_results(self) -> list[Block]:
        """The results in the last turn: the answer goes on from them. Empty after a prefill."""
        if self.prefill is not None:
            return []
        return [block for block in self.last_user_blocks if block.get("type") == "tool_result"]

    @cached_property
    def called(self) -> dict[str, Block]:
        """All tool calls in the conversation by their id."""
        return {
            str(block.get("id")): block
            for message in self.messages
            for block in blocks_of(message)
            if block.get("type") == "tool_use"
        }

    @cached_property
    def answers_before(self) -> int:
        return sum(1 for message in self.messages if message["role"] == "assistant")

    @cached_property
    def prefill(self) -> str | None:
        """The beginning of the answer, when the last message is the assistant's."""
        last = self.messages[-1]
        if last["role"] != "assistant":
            return None
        return "".join(str(block.get("text", "")) for block in blocks_of(last) if block.get("type") == "text")

    @cached_property
    def attachments(self) -> list[str]:
        """The attachments of the last turn, in words."""
        return [words for block in self.last_user_blocks if (words := _describe(block)) is not None]

    @cached_property
    def citable_documents(self) -> list[tuple[int, Block]]:
        """Plain texts and PDFs with citations on, with their place among all documents of the request."""
        documents = [
            block
            for message in self.messages
            for block in blocks_of(message)
            if message["role"] == "user" and block.get("type") == "document"
        ]
        return [(place, block) for place, block in enumerate(documents) if _can_be_cited(block)]

    @cached_property
    def seed(self) -> int:
        """A number that is the same for the same conversation; this is what makes answers differ."""
        conversation = f"{self.answers_before}\0{self.text}".encode("utf-8", "replace")
        return int.from_bytes(hashlib.sha256(conversation).digest()[:8])

    def says(self, *words: str) -> bool:
        """Return whether one of these words occurs in the user's last text. Endings count, as in "tables"."""
        return re.search(rf"\b(?:{'|'.join(words)})", self.text, re.IGNORECASE) is not None


def to_be_repeated(body: Mapping[str, Any], raw: str) -> Request:
    """A request whose answer is the request: nothing in it has to make sense."""
    max_tokens = body.get("max_tokens")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 0:
        max_tokens = 128_000
    turns = [{"role": "user", "content": raw}]
    meant = {"model": body["model"], "max_tokens": max_tokens, "messages": turns, "stream": body.get("stream")}
    return Request(meant, raw)


def blocks_of(message: Mapping[str, Any]) -> list[Block]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content or [] if isinstance(block, Mapping)]


def _describe(block: Block) -> str | None:
    match block.get("type"):
        case "image":
            return _describe_source(block, "an image")
        case "document":
            return _describe_source(block, "a document") + _titled(block)
        case "search_result":
            return "a search result" + _titled(block)
        case "container_upload":
            return f"the file {block.get('file_id')} for the container"
        case _:
            return None


def _describe_source(block: Block, what: str) -> str:
    source = block.get("source")
    source = source if isinstance(source, Mapping) else {}
    match source.get("type"):
        case "base64":
            kind = str(source.get("media_type", "")).removeprefix("image/").removeprefix("application/").upper()
            return f"{what} of {readable_size(source_size(block))} ({kind})"
        case "text":
            return f"a text document of {count(str(source.get('data', '')))} tokens"
        case "url":
            return f"{what} at {source.get('url')} (the sandbox fetches nothing)"
        case "file":
            return f"{what} with the id {source.get('file_id')}"
        case _:
            return what


def _titled(block: Block) -> str:
    return f", “{block['title']}”" if block.get("title") else ""


def readable_size(size: int) -> str:
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _can_be_cited(block: Block) -> bool:
    citations, source = block.get("citations"), block.get("source")
    turns = isinstance(citations, Mapping) and citations.get("enabled") is True
    if not (turns and isinstance(source, Mapping) and isinstance(source.get("data"), str) and source["data"]):
        return False
    return source.get("type") == "text" or source.get("media_type") == PDF
