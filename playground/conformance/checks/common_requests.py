"""Requests that several checks share, the tools they name, and the pages that say what must come back."""

from __future__ import annotations

from typing import Any, Final

from playground.conformance.check import Request

_DOCS: Final = "https://platform.claude.com/docs/en"
DOCS: Final = {
    "messages": f"{_DOCS}/api/messages",
    "streaming": f"{_DOCS}/build-with-claude/streaming",
    "errors": f"{_DOCS}/api/errors",
    "stop_reasons": f"{_DOCS}/build-with-claude/handling-stop-reasons",
    "working": f"{_DOCS}/build-with-claude/working-with-messages",
    "tools": f"{_DOCS}/agents-and-tools/tool-use/implement-tool-use",
    "fine_grained": f"{_DOCS}/agents-and-tools/tool-use/fine-grained-tool-streaming",
    "thinking": f"{_DOCS}/build-with-claude/extended-thinking",
    "adaptive": f"{_DOCS}/build-with-claude/adaptive-thinking",
    "vision": f"{_DOCS}/build-with-claude/vision",
    "pdf": f"{_DOCS}/build-with-claude/pdf-support",
    "citations": f"{_DOCS}/build-with-claude/citations",
    "caching": f"{_DOCS}/build-with-claude/prompt-caching",
    "structured": f"{_DOCS}/build-with-claude/structured-outputs",
    "counting": f"{_DOCS}/build-with-claude/token-counting",
    "models": f"{_DOCS}/api/models-list",
    "model": f"{_DOCS}/api/models",
    "versions": f"{_DOCS}/api/versioning",
    "betas": f"{_DOCS}/api/beta-headers",
    "overview": f"{_DOCS}/api/overview",
    "limits": f"{_DOCS}/api/rate-limits",
    "effort": f"{_DOCS}/build-with-claude/effort",
    "tiers": f"{_DOCS}/api/service-tiers",
    "context": f"{_DOCS}/build-with-claude/context-editing",
    "compaction": f"{_DOCS}/build-with-claude/compaction",
    "mcp": f"{_DOCS}/agents-and-tools/mcp-connector",
    "search_results": f"{_DOCS}/build-with-claude/search-results",
    "skills": f"{_DOCS}/build-with-claude/skills-guide",
    "http": "https://www.rfc-editor.org/rfc/rfc9110",
    "http1": "https://www.rfc-editor.org/rfc/rfc9112",
    "cors": "https://fetch.spec.whatwg.org/#http-cors-protocol",
    "sse": "https://html.spec.whatwg.org/multipage/server-sent-events.html",
    "json": "https://www.rfc-editor.org/rfc/rfc8259",
}

WEATHER: Final[dict[str, Any]] = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The name of the city"}},
        "required": ["city"],
    },
}
CLOCK: Final[dict[str, Any]] = {
    "name": "get_time",
    "description": "Get the current time. Takes no arguments.",
    "input_schema": {"type": "object", "properties": {}},
}
_SENTENCE: Final = "The quick brown fox jumps over the lazy dog while seven wise owls watch from the old oak."
WEATHER_QUESTION: Final = "Use the get_weather tool to look up the weather in Berlin."


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def create(content: Any = "Repeat after me: ready", /, **members: Any) -> Request:
    """A request for a message. `content` is one user turn, or a list of whole messages."""
    is_whole = isinstance(content, list) and content and "role" in content[0]
    messages = content if is_whole else [user(content)]
    return Request({"max_tokens": 64, "messages": messages, **members})


PLAIN: Final = create()
STREAM: Final = create(f"Repeat after me: {_SENTENCE}", max_tokens=200, stream=True)
TOOL: Final = create(WEATHER_QUESTION, max_tokens=512, tools=[WEATHER], tool_choice={"type": "auto"})
TOOL_STREAM: Final = create(
    WEATHER_QUESTION, max_tokens=512, tools=[WEATHER], tool_choice={"type": "auto"}, stream=True
)
LONG_TEXT: Final = " ".join(f"Note {number}: the lighthouse keeper counts the ships." for number in range(1, 41))
