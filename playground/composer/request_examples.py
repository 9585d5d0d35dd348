"""Requests to start from. Each is whole: it can be sent as it stands, in the sandbox too."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

# A bar chart and one page of text, small enough to stand here.
CHART_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAGAAAABACAIAAABqVuVZAAAAlElEQVR42u3bsQ2AIBRFURZlEcaytHAnCq2dQCIFCR9OcgfgnYIK0nNX"
    "NUoIAAECBAjQPINz+QoQIECAAAECBAgQIECAAA2aDQgQIECAAAECBAhQVKDeIwICBAjQ7BcqIECAdgeKMhsQIECAAAECBOgf0HqzAQEC"
    "BAgQIECAAAECBAgQoBWBrvPYNi/t/XoGBAhQqF4G4lh6GZDfGQAAAABJRU5ErkJggg=="
)
PAGE_PDF = (
    "JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+IGVuZG9iagoyIDAgb2JqPDwvVHlwZS9QYWdlcy9LaWRz"
    "WzMgMCBSXS9Db3VudCAxPj4gZW5kb2JqCjMgMCBvYmo8PC9UeXBlL1BhZ2UvUGFyZW50IDIgMCBSL01lZGlhQm94WzAgMCA0NjAgMTYw"
    "XS9Db250ZW50cyA0IDAgUi9SZXNvdXJjZXM8PC9Gb250PDwvRjEgNSAwIFI+Pj4+Pj4gZW5kb2JqCjQgMCBvYmo8PC9MZW5ndGggMTQ5"
    "Pj5zdHJlYW0KQlQgL0YxIDE0IFRmIDQwIDEwMCBUZCAoVGhlIGxpZ2h0aG91c2UgbXVzZXVtIGlzIG9wZW4gVHVlc2RheSB0byBTdW5k"
    "YXksIDEwIHRvIDE3LikgVGogMCAtMjIgVGQgKEdyb3VwcyBvZiBtb3JlIHRoYW4gdHdlbHZlIGJvb2sgYSB3ZWVrIGFoZWFkLikgVGog"
    "RVQKZW5kc3RyZWFtIGVuZG9iago1IDAgb2JqPDwvVHlwZS9Gb250L1N1YnR5cGUvVHlwZTEvQmFzZUZvbnQvSGVsdmV0aWNhPj4gZW5k"
    "b2JqCnhyZWYKMCA2CjAwMDAwMDAwMDAgNjU1MzUgZiAKMDAwMDAwMDAwOSAwMDAwMCBuIAowMDAwMDAwMDUzIDAwMDAwIG4gCjAwMDAw"
    "MDAxMDMgMDAwMDAgbiAKMDAwMDAwMDIxNCAwMDAwMCBuIAowMDAwMDAwNDEwIDAwMDAwIG4gCnRyYWlsZXI8PC9TaXplIDYvUm9vdCAx"
    "IDAgUj4+CnN0YXJ0eHJlZgo0NzIKJSVFT0Y="
)


ICONS = {
    "hello": "hand",
    "vision": "image",
    "tools": "wrench",
    "thinking": "brain",
    "structured": "braces",
    "caching": "database",
    "search": "globe",
    "pdf": "file-text",
}


@dataclass(frozen=True)
class Example:
    """A request body with a name and one line about it. `sandbox_model` answers it without a key."""

    id: str
    name: str
    about: str
    sandbox_model: str
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def icon(self) -> str:
        """Its picture on the page, by Lucide's name."""
        return ICONS.get(self.id, "message-square-text")

    def make(self, model: str | None = None) -> dict[str, Any]:
        """A body of one's own to edit; with this model, or the sandbox's."""
        return {"model": model or self.sandbox_model, **copy.deepcopy(self.body)}


def _user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if len(content) == 1 else list(content)}


WEATHER_TOOL = {
    "name": "get_weather",
    "description": "The weather in one city, now.",
    "input_schema": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
}
PACKING_TOOL = {
    "name": "packing_list",
    "description": "What to pack for a number of days in this weather.",
    "input_schema": {
        "type": "object",
        "properties": {"days": {"type": "integer", "minimum": 1}, "weather": {"type": "string"}},
        "required": ["days", "weather"],
    },
}
HANDBOOK = (
    "You answer questions about the handbook of a small lighthouse museum. Opening hours: Tuesday to Sunday, 10 to 17. "
    "Groups of more than twelve book a week ahead. The lamp room is closed in strong wind. Dogs wait in the garden. "
)

EXAMPLES = (
    Example(
        "hello",
        "Hello",
        "One question, one streamed response",
        "sandbox-stories",
        {
            "max_tokens": 1024,
            "messages": [_user("Tell me a short story, then compare three planets in a table.")],
            "stream": True,
        },
    ),
    Example(
        "vision",
        "Vision",
        "Ask about a picture",
        "sandbox-stories",
        {
            "max_tokens": 1024,
            "messages": [
                _user(
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": CHART_PNG}},
                    {"type": "text", "text": "What does this picture show?"},
                )
            ],
            "stream": True,
        },
    ),
    Example(
        "tools",
        "Tool use",
        "The model calls your functions",
        "sandbox-tools",
        {
            "max_tokens": 1024,
            "messages": [_user("I go to Lisbon for three days. What is the weather, and what do I pack?")],
            "stream": True,
            "tools": [WEATHER_TOOL, PACKING_TOOL],
            "tool_choice": {"type": "auto"},
        },
    ),
    Example(
        "thinking",
        "Thinking",
        "Reason before answering, with a budget",
        "sandbox-thinker",
        {
            "max_tokens": 8192,
            "messages": [_user("Three switches, one lamp in another room, one walk to look. Which switch is it?")],
            "stream": True,
            "thinking": {"type": "enabled", "budget_tokens": 4096},
        },
    ),
    Example(
        "structured",
        "Structured output",
        "JSON that fits a schema",
        "sandbox-stories",
        {
            "max_tokens": 1024,
            "messages": [_user("Ada Lovelace was born in London in 1815. Give me the person as data.")],
            "stream": True,
            "output_config": {
                "format": {
                    "type": "json_schema",
                    "schema": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "born": {"type": "integer"},
                            "city": {"type": "string"},
                        },
                        "required": ["name", "born", "city"],
                        "additionalProperties": False,
                    },
                }
            },
        },
    ),
    Example(
        "caching",
        "Prompt caching",
        "Reuse the start of a long prompt",
        "sandbox-stories",
        {
            "max_tokens": 512,
            "system": [{"type": "text", "text": HANDBOOK * 24, "cache_control": {"type": "ephemeral"}}],
            "messages": [_user("May I bring my dog on a Monday?")],
            "stream": True,
        },
    ),
    Example(
        "search",
        "Web search",
        "A server tool, with sources",
        "sandbox-tools",
        {
            "max_tokens": 2048,
            "messages": [_user("Search the web for harbour lighthouses. Name your sources.")],
            "stream": True,
            "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
        },
    ),
    Example(
        "pdf",
        "PDF",
        "Read a document, cite its pages",
        "sandbox-stories",
        {
            "max_tokens": 1024,
            "messages": [
                _user(
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PAGE_PDF},
                        "title": "Handbook",
                        "citations": {"enabled": True},
                    },
                    {"type": "text", "text": "When is the museum open? Cite the sentence."},
                )
            ],
            "stream": True,
        },
    ),
)
BY_ID = {example.id: example for example in EXAMPLES}
HELLO = BY_ID["hello"]
