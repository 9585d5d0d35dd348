"""Counting a prompt's tokens: what is new, what is written to the prompt cache, what is read from it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground.sandbox.token_counts import count_block, count_json

MINIMUM_TOKENS = 512  # a shorter prefix silently is not cached
_ENTRIES_LIMIT = 2_000
_SECONDS = {"5m": 300.0, "1h": 3_600.0}


@dataclass(frozen=True)
class Segment:
    """One piece of the prompt. `ttl` is set where a cache breakpoint stands behind it."""

    text: str
    tokens: int
    ttl: str | None = None


@dataclass(frozen=True)
class PromptUsage:
    input_tokens: int
    written: Mapping[str, int]  # by ttl
    read: int = 0

    @property
    def total(self) -> int:
        return self.input_tokens + sum(self.written.values()) + self.read

    def to_usage(self) -> dict[str, Any]:
        return {
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": sum(self.written.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.written.get("5m", 0),
                "ephemeral_1h_input_tokens": self.written.get("1h", 0),
            },
        }


class PromptCache:
    """Prefixes seen before, by their hash, each for five minutes or an hour. `now` gives seconds, monotonic."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._expires: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()  # large bodies are counted in other threads

    def use(self, body: Mapping[str, Any]) -> PromptUsage:
        """Count a prompt, reading and writing the cache at its breakpoints."""
        segments = list(prompt_of(body))
        if body.get("cache_control") and segments:
            segments[-1] = Segment(segments[-1].text, segments[-1].tokens, _ttl(body) or segments[-1].ttl)
        total = sum(segment.tokens for segment in segments)
        prefixes = list(_prefixes(str(body.get("model")), segments))
        marks = [
            place for place, (_, tokens) in enumerate(prefixes) if segments[place].ttl and tokens >= MINIMUM_TOKENS
        ]
        if not marks:
            return PromptUsage(total, {})
        with self._lock:
            return self._read_and_write(segments, prefixes, marks)

    def _read_and_write(
        self, segments: list[Segment], prefixes: list[tuple[bytes, int]], marks: list[int]
    ) -> PromptUsage:
        hit = next((place for place in range(marks[-1], -1, -1) if self._knows(prefixes[place][0])), None)
        read = prefixes[hit][1] if hit is not None else 0
        written: dict[str, int] = {}
        counted = read
        for place in marks:
            key, tokens = prefixes[place]
            ttl = segments[place].ttl or "5m"
            if tokens > counted:
                written[ttl] = written.get(ttl, 0) + tokens - counted
                counted = tokens
            self._keep(key, ttl)
        return PromptUsage(prefixes[-1][1] - counted, written, read)

    def _knows(self, key: bytes) -> bool:
        return self._expires.get(key, 0.0) > self._now()

    def _keep(self, key: bytes, ttl: str) -> None:
        self._expires[key] = max(self._expires.pop(key, 0.0), self._now() + _SECONDS[ttl])
        while len(self._expires) > _ENTRIES_LIMIT:
            self._expires.popitem(last=False)


def count_prompt(body: Mapping[str, Any]) -> int:
    """All input tokens of a request."""
    return sum(segment.tokens for segment in prompt_of(body))


def prompt_of(body: Mapping[str, Any]) -> Iterator[Segment]:
    """The prompt in the order in which it is cached: tools, system, messages."""
    for tool in body.get("tools") or []:
        yield _segment(tool, 12 + count_json(_unmarked(tool)))
    system = body.get("system")
    for block in [system] if isinstance(system, str) else system or []:
        yield _segment(block, 3 + count_block(block))
    if isinstance(config := body.get("output_config"), Mapping) and config.get("format"):
        yield _segment(config["format"], 20 + count_json(config["format"]))
    for message in body.get("messages") or []:
        content = message.get("content")
        overhead = 4  # the role and the borders of a message
        for block in [content] if isinstance(content, str) else content or []:
            yield _segment(block, overhead + count_block(block), str(message.get("role")))
            overhead = 0


def _segment(value: Any, tokens: int, role: str = "") -> Segment:
    ttl = _ttl(value) if isinstance(value, Mapping) else None
    return Segment(role + json.dumps(_unmarked(value), sort_keys=True), tokens, ttl)


def _unmarked(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != "cache_control"} if isinstance(value, Mapping) else value


def _ttl(marked: Mapping[str, Any]) -> str | None:
    mark = marked.get("cache_control")
    if not isinstance(mark, Mapping):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"


def _prefixes(model: str, segments: list[Segment]) -> Iterator[tuple[bytes, int]]:
    """Yield for every segment the hash of the prompt up to its end, and its tokens up to there."""
    digest = hashlib.sha256(model.encode("utf-8", "replace"))
    tokens = 0
    for segment in segments:
        digest.update(b"\0" + segment.text.encode("utf-8", "replace"))
        tokens += segment.tokens
        yield digest.digest(), tokens
