"""Thinking blocks: when the request wants them, what they say, and how they are signed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from playground.sandbox.prose import topic_of
from playground.sandbox.request_reader import Request
from playground.sandbox.token_counts import count

_TOKENS_BY_EFFORT = {"low": 40, "medium": 90, "high": 140, "xhigh": 180, "max": 220}
_SIGNED_BY = b"messages-playground sandbox\0"

_STEPS = (
    "The user asks about {topic}. Let me see what they want to get out of it.",
    "There are two readings: a general one, and one that wants something to look at. The words “{start}” decide it.",
    "I should say first what is certain, then what is a matter of taste, and keep both short.",
    "An example helps more than a definition here. I could use a table, but only if there are things to compare.",
    "Let me check that against what was said before: {before}.",
    "One more look for mistakes. The order is right, and nothing is promised that the answer does not hold.",
    "Is there anything the user would be annoyed to find missing? A hint what to ask next, perhaps. I will add that.",
    "That is enough. I will answer now.",
)


def thinking_blocks(request: Request, *, by_default: bool) -> list[dict[str, Any]]:
    """Return the blocks before the answer: none, or a thinking block, after a redacted one when the text asks
    for it."""
    config = request.body.get("thinking") or {}
    kind = config.get("type") or ("adaptive" if by_default else "disabled")
    if kind == "disabled" or (kind == "between_tools" and not request.tool_results):
        return []
    thinking = _train_of_thought(request, _length(request, config))
    shown = "" if config.get("display") == "omitted" else thinking
    block = {"type": "thinking", "thinking": shown, "signature": sign(thinking)}
    if request.says("redacted"):
        return [{"type": "redacted_thinking", "data": sign("redacted " + thinking)}, block]
    return [block]


def sign(thinking: str) -> str:
    """A signature that changes with the text. It proves nothing: its secret is in the source."""
    digest = hashlib.sha512(_SIGNED_BY + thinking.encode("utf-8", "replace")).digest()
    return base64.b64encode(_SIGNED_BY[:8] + digest).decode()


def is_signed(thinking: str, signature: str) -> bool:
    """Did the sandbox sign this text? A block whose text was omitted cannot be checked; its signature's form is."""
    if thinking == "":
        return signature.startswith(base64.b64encode(_SIGNED_BY[:6]).decode())
    return signature == sign(thinking)


def _length(request: Request, config: dict[str, Any]) -> int:
    effort = (request.body.get("output_config") or {}).get("effort")
    tokens = _TOKENS_BY_EFFORT.get(str(effort), _TOKENS_BY_EFFORT["high"])
    budget = config.get("budget_tokens")
    return min(tokens, budget) if isinstance(budget, int) else tokens


def _train_of_thought(request: Request, tokens: int) -> str:
    """Return whole steps, as many as fit; the last one is always the last."""
    before = "nothing yet" if request.answers_before == 0 else f"{request.answers_before} answers of mine"
    if request.tool_results:
        before = "the results of the tools, which have just come"
    start = " ".join(request.text.split()[:3]) or "nothing at all"
    steps = [step.format(topic=topic_of(request.text), start=start, before=before) for step in _STEPS]
    while len(steps) > 2 and count("\n\n".join(steps)) > tokens:
        del steps[-2]
    return "\n\n".join(steps)
