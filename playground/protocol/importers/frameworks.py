"""Code and formats that name no request: a library or a builder makes it, so that the text does not show it."""

from __future__ import annotations

import re

from playground.protocol.importers.result import ReadingError, RequestParts

# What the text is known by, and its name in a sentence.
KNOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\blangchain|\bChat(?:Anthropic|OpenAI|Bedrock)\b"), "LangChain"),
    (re.compile(r"@ai-sdk/|\b(?:generate|stream)(?:Text|Object)\("), "the Vercel AI SDK"),
    (re.compile(r"\bpydantic_ai\b"), "Pydantic AI"),
    (re.compile(r"\bclaude_agent_sdk\b|@anthropic-ai/claude-(?:agent-sdk|code)"), "the Claude Agent SDK"),
    (re.compile(r"\bllama_index\b|\bllamaindex\b"), "LlamaIndex"),
    (
        re.compile(r"\b(?:import|from) (?:dspy|crewai|autogen|haystack|semantic_kernel|smolagents)\b"),
        "an agent library",
    ),
    (re.compile(r"\bresponses\.(?:create|stream|parse)\("), "OpenAI's Responses API"),
    (re.compile(r"\bcom\.anthropic\.|\bMessageCreateParams\.builder\("), "the official Java client"),
    (re.compile(r"\banthropic-sdk-go\b|\bMessageNewParams\b"), "the official Go client"),
    (re.compile(r"^using Anthropic\b|\bMessageCreateParams\b", re.MULTILINE), "the official C# client"),
    (re.compile(r"^[ \t]*(?:[$%>][ \t]+)?claude[ \t]+(?:-p|--print)\b", re.MULTILINE), "the command claude"),
    (re.compile(r"^[ \t]*(?:[$%>][ \t]+)?llm[ \t]+-\w", re.MULTILINE), "the command llm"),
)
IS_YAML = re.compile(r"^[ \t]*messages:[ \t]*\r?\n[ \t]*-[ \t]+(?:role|content):", re.MULTILINE)
MOST_LOOKED_AT = 100_000


def read_framework(pasted: str) -> list[RequestParts]:
    """Return nothing, or raise a problem that says what the text is and what to paste in its place."""
    for pattern, name in KNOWN:
        if pattern.search(pasted, 0, MOST_LOOKED_AT):
            raise ReadingError(
                f"This text uses {name}, which makes the request itself: it is not written out here. Send it once "
                "through the relay and open it from the log, or paste the request that it sends, from its debug log."
            )
    if IS_YAML.search(pasted, 0, MOST_LOOKED_AT):
        raise ReadingError("This is YAML. Paste the body as JSON.")
    return []
