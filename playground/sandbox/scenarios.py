"""A checked request to a scripted reply or a refusal."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from playground.protocol.foreign_text import truncated
from playground.protocol.json.example_input import example_value
from playground.sandbox import prose, reply_limits, server_tools, sourced_replies, thinking_replies, tool_calls
from playground.sandbox.model_catalogue import SandboxModel
from playground.sandbox.prompt_cache import PromptUsage
from playground.sandbox.reply import Refusal, Reply
from playground.sandbox.request_reader import Request, blocks_of
from playground.sandbox.texts import BAD_GATEWAY, POINTS, SIMULATED
from playground.sandbox.token_counts import count, pieces

Blocks = list[dict[str, Any]]

_BREAKS_AFTER = 40  # deltas, of the two models whose streams fail
_LONGEST = 100_000  # tokens of the long answer
_USUAL_LONG = 4_000
_ECHO_LIMIT = 200_000  # characters

_FAILURES: dict[int, Refusal] = {
    400: Refusal(400, "invalid_request_error", "messages: this model refuses every request (simulated)"),
    401: Refusal(401, "authentication_error", "invalid x-api-key (simulated)"),
    429: Refusal(
        429,
        "rate_limit_error",
        "This request would exceed your rate limit of 50 requests per minute (simulated)",
        {"retry-after": "7", "x-should-retry": "true", "anthropic-ratelimit-requests-remaining": "0"},
    ),
    500: Refusal(500, "api_error", "Internal server error (simulated)", {"x-should-retry": "true"}),
    502: Refusal(
        502,
        "api_error",
        "Bad gateway",
        page=BAD_GATEWAY,
    ),
    529: Refusal(529, "overloaded_error", "Overloaded (simulated)", {"x-should-retry": "true"}),
}


def compose(request: Request, model: SandboxModel, prompt: PromptUsage) -> Reply | Refusal:
    """The answer of a model. `prompt` is what the request's prompt counted."""
    if model.behaviour in ("error", "proxy_page"):
        return _FAILURES[model.status]
    if model.behaviour == "refuse":
        return _reply(request, model, prompt, reply_limits.end([], request.body, "refusal"), _REFUSAL_DETAILS)
    if request.body.get("compaction"):
        return _reply(request, model, prompt, reply_limits.end([_compacted(request)], request.body, "compaction"))
    return _reply(request, model, prompt, reply_limits.end(_content(request, model), request.body))


_REFUSAL_DETAILS = {
    "type": "refusal",
    "category": None,
    "explanation": "This model declines every request (simulated).",
}


def _content(request: Request, model: SandboxModel) -> Blocks:
    match model.behaviour:
        case "echo":
            return _text(_echo(request))
        case "long":
            return _text(_long(request))
    blocks = thinking_replies.thinking_blocks(request, by_default=model.behaviour == "think")
    return blocks + _said(request, model)


def _said(request: Request, model: SandboxModel) -> Blocks:
    """The answer proper: JSON when a schema asks for it, else calls, findings, quotations, or just talk."""
    calls = tool_calls.calls(request, eager=model.behaviour == "tools")
    if calls and (request.body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        return list(calls)
    if (schema := _wanted_schema(request.body)) is not None and not calls:
        return _text(json.dumps(example_value(schema, tool_calls.hint_from(request)), ensure_ascii=False))
    if calls:
        names = list(dict.fromkeys(f"`{call['name']}`" for call in calls))
        return _text(f"I will ask {' and '.join(names)}.") + calls
    if request.tool_results:
        return _text(_on_results(request))
    answers = (
        sourced_replies.web_search,
        server_tools.code_execution,
        server_tools.web_fetch,
        sourced_replies.citations,
    )
    chosen = next((blocks for answer in answers if (blocks := answer(request))), None)
    return chosen or _text(prose.answer(request))


def _compacted(request: Request) -> dict[str, Any]:
    """The conversation so far in a few words, as the `compaction` parameter asks for."""
    turns = len(request.messages)
    text = " ".join(request.text.split())[:200]
    return {"type": "compaction", "content": f"A conversation of {turns} turns. The user last text: {text}"}


def _text(text: str) -> Blocks:
    return [{"type": "text", "text": text}] if text else []


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    output = (body.get("output_config") or {}).get("format") or body.get("output_format")
    schema = output.get("schema") if isinstance(output, Mapping) else None
    return schema if isinstance(schema, Mapping) else None


def _on_results(request: Request) -> str:
    lines = []
    for result in request.tool_results:
        name = request.called.get(str(result.get("tool_use_id")), {}).get("name") or "the tool"
        text = " ".join(str(block.get("text") or f"({block.get('type')})") for block in blocks_of(result))
        text = truncated(re.sub(r"\s+", " ", text).strip(), 300)
        verb = "failed" if result.get("is_error") else "answered"
        lines.append(f"- `{name}` {verb}: {text or 'nothing'}")
    closing = f"\n\n{prose.answer(request)}" if request.text else "\n\nIs there anything else you would like to know?"
    return "Thank you. With the results at hand:\n\n" + "\n".join(lines) + closing


def _echo(request: Request) -> str:
    """The request exactly as received, in a code block, and its digest."""
    raw = request.raw
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    shown = raw if len(raw) <= _ECHO_LIMIT else f"{raw[:_ECHO_LIMIT]}\n… ({len(raw):,} characters in all)"
    ticks = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}json\n{shown}\n{fence}\n\nSHA-256 of the body: `{digest}`\n\n{SIMULATED}"


def _long(request: Request) -> str:
    """Markdown of about as many tokens as the last number in the text says, else a few thousand."""
    numbers = re.findall(r"\d[\d,]{0,8}", request.text)
    length = int(numbers[-1].replace(",", "")) if numbers else _USUAL_LONG
    length = min(max(length, 1), _LONGEST)
    chapters = [SIMULATED + "\n"]
    tokens = 0
    while tokens < length * 1.05:  # the pieces of the whole are fewer than those of its parts
        chapters.append(_chapter(len(chapters)))
        tokens += count(chapters[-1])
    return "".join(pieces("".join(chapters))[:length])


def _chapter(number: int) -> str:
    what, why = POINTS[number % len(POINTS)]
    lines = [f"\n## {number}. {what}\n\nIn the end it comes down to this: {why}.\n"]
    lines += [f"\n{place}. **{point}**: {reason}." for place, (point, reason) in enumerate(POINTS[:3], 1)]
    if number % 3 == 0:
        lines.append(f"\n\n```python\nchapter = {number}\nprint(chapter ** 2)  # {number**2}\n```")
    return "".join(lines) + "\n"


def _reply(
    request: Request,
    model: SandboxModel,
    prompt: PromptUsage,
    ended: reply_limits.Ended,
    stop_details: dict[str, Any] | None = None,
) -> Reply:
    message: dict[str, Any] = {
        "id": f"msg_sandbox{hashlib.sha256(f'{model.id} {request.seed}'.encode()).hexdigest()[:16]}",
        "type": "message",
        "role": "assistant",
        "model": model.id,
        "content": ended.blocks,
        "stop_reason": ended.stop_reason,
        "stop_sequence": ended.stop_sequence,
        "stop_details": stop_details,
        "usage": _usage(request, prompt, ended),
    }
    if request.body.get("context_management"):
        message["context_management"] = {"applied_edits": []}
    breaks: Any = {"error_in_stream": "error", "truncated": "truncated"}.get(model.behaviour)
    return Reply(
        message,
        streamed=request.body.get("stream") is True,
        pace=model.pace,
        unfinished_json=ended.unfinished_json,
        breaks=breaks,
        breaks_after=_BREAKS_AFTER if breaks else 0,
    )


def _usage(request: Request, prompt: PromptUsage, ended: reply_limits.Ended) -> dict[str, Any]:
    usage = prompt.to_usage() | {"output_tokens": ended.tokens, "service_tier": "standard"}
    if ended.thinking_tokens:
        usage["output_tokens_details"] = {"thinking_tokens": ended.thinking_tokens}
    ran = [block["name"] for block in ended.blocks if block["type"] == "server_tool_use"]
    if ran:
        searches, fetches = ran.count("web_search"), ran.count("web_fetch")
        usage["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": fetches}
    for name in ("speed", "inference_geo"):
        if request.body.get(name):
            usage[name] = request.body[name]
    return usage
