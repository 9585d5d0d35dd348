"""Conversations as files: our own JSON, Markdown to read, and what other tools write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playground.composer.header_problems import usable_accept, usable_betas, usable_version
from playground.conversations import body_summary
from playground.models import Conversation, ConversationVersion
from playground.protocol import importers
from playground.protocol.catalogue.block_types import block_type
from playground.protocol.json import json_text

FORMAT = "messages-playground.conversation"
MOST_VERSIONS = 200
LONGEST_TEXT, MOST_TEXTS = 100_000, 100  # of variables and of output examples


@dataclass(slots=True)
class ImportedConversation:
    """A conversation read from text; `versions` are (body, settings, note), oldest first."""

    title: str = ""
    tags: list[str] = field(default_factory=list)
    versions: list[tuple[dict[str, Any], dict[str, Any], str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def to_json(conversation: Conversation) -> str:
    """The conversation with its kept versions; no credentials are in it, as there are none in versions."""
    versions = conversation.versions.filter(pinned=True).order_by("made_at")
    head = conversation.head
    kept = [*versions, *([head] if head and not head.pinned else [])]
    return json_text.dump(
        {
            "format": FORMAT,
            "version": 1,
            "title": conversation.title,
            "tags": conversation.tags,
            "created_at": conversation.created_at.isoformat(),
            "versions": [_version_out(version) for version in kept[-MOST_VERSIONS:]],
        }
    )


def _version_out(version: ConversationVersion) -> dict[str, Any]:
    shown = ("anthropic_version", "betas", "accept", "variables", "tool_examples")
    return {
        "made_at": version.made_at.isoformat(),
        "note": version.note,
        "settings": {name: version.settings[name] for name in shown if name in version.settings},
        "body": body_summary.parse(version.body_text) or version.body_text,
    }


def from_text(text: str) -> ImportedConversation | importers.ImportProblem:
    """Our own export, a Workbench-style prompt, a list of messages, or anything that can be imported as a request."""
    value = _parsed(text)
    if isinstance(value, dict) and value.get("format") == FORMAT:
        return _from_export(value)
    if isinstance(value, dict) and (prompt := _from_workbench(value)):
        return prompt
    imported = importers.read(text)
    if isinstance(imported, importers.ImportProblem):
        return imported
    if isinstance(imported, importers.ImportChoice):
        return importers.ImportProblem(
            f"The file contains {len(imported.options)} conversations or requests: paste one of them."
        )
    settings: dict[str, Any] = {"betas": usable_betas(imported.betas)}
    if version := usable_version(imported.version, ""):
        settings["anthropic_version"] = version
    return ImportedConversation(versions=[(imported.body, settings, "imported")], notes=imported.notes)


def _parsed(text: str) -> Any:
    return json_text.try_parse(text.removeprefix("\ufeff"))


def _from_export(value: dict[str, Any]) -> ImportedConversation | importers.ImportProblem:
    versions = value.get("versions")
    conversation = ImportedConversation(title=_text(value.get("title")))
    tags = value.get("tags")
    conversation.tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    for version in versions if isinstance(versions, list) else []:
        body = version.get("body") if isinstance(version, dict) else None
        if isinstance(body, dict):
            conversation.versions.append(
                (body, _safe_settings(version.get("settings")), _text(version.get("note"))[:60])
            )
    conversation.versions = conversation.versions[-MOST_VERSIONS:]
    return (
        conversation
        if conversation.versions
        else importers.ImportProblem("The file contains no version of a conversation.")
    )


def _safe_settings(settings: Any) -> dict[str, Any]:
    """The settings of an export, each only in the shape that the draft expects."""
    given = settings if isinstance(settings, dict) else {}
    safe: dict[str, Any] = {}
    if isinstance(given.get("anthropic_version"), str) and (version := usable_version(given["anthropic_version"], "")):
        safe["anthropic_version"] = version
    if isinstance(given.get("accept"), str):
        safe["accept"] = usable_accept([("accept", given["accept"])])
    if isinstance(given.get("betas"), list):
        safe["betas"] = usable_betas(beta for beta in given["betas"] if isinstance(beta, str))
    for name in ("variables", "tool_examples"):
        if isinstance(given.get(name), dict):
            texts = [(key, text[:LONGEST_TEXT]) for key, text in given[name].items() if isinstance(text, str)]
            safe[name] = dict(texts[:MOST_TEXTS])
    return safe


def _from_workbench(value: dict[str, Any]) -> ImportedConversation | None:
    """A prompt as workbenches save it: `name`, `system_prompt`, `parameters` and `messages` beside each other."""
    messages = value.get("messages", value.get("prompt"))
    if not ({"system_prompt", "parameters", "prompt_variables", "model_name"} & value.keys()) or not messages:
        return None
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    body: dict[str, Any] = {}
    parameters = value.get("parameters")
    body |= parameters if isinstance(parameters, dict) else {}
    if model := value.get("model", value.get("model_name")):
        body["model"] = model
    if system := value.get("system_prompt", value.get("system")):
        body["system"] = system
    for name in ("max_tokens", "temperature", "tools", "tool_choice", "thinking", "stop_sequences"):
        if name in value:
            body[name] = value[name]
    if isinstance(maximum := body.pop("max_tokens_to_sample", None), int):
        body.setdefault("max_tokens", maximum)
    body["messages"] = messages
    variables = value.get("prompt_variables", value.get("variables"))
    return ImportedConversation(
        title=_text(value.get("name", value.get("title"))),
        versions=[(body, _safe_settings({"variables": variables}), "imported")],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- Markdown ---


def to_markdown(title: str, body: dict[str, Any]) -> str:
    """The turns as text to read. What is not text is named, and shown as JSON where it says something."""
    parts = [f"# {title}"]
    if isinstance(body.get("model"), str):
        parts.append(f"*{body['model']}*")
    if system := body.get("system"):
        parts.append("## system\n\n" + _content(system))
    for turn in body_summary.turns(body):
        if isinstance(turn, dict):
            parts.append(f"## {turn.get('role', '?')}\n\n{_content(turn.get('content'))}".rstrip())
    return "\n\n".join(parts) + "\n"


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n\n".join(_block(block) for block in blocks if isinstance(block, dict))


def _block(block: dict[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text":
        return _text(block.get("text"))
    if kind == "thinking":
        return "\n".join(f"> {line}" for line in _text(block.get("thinking")).split("\n"))
    if block_type(kind).is_file:
        return f"*[{kind}]*"
    if kind == "tool_use":
        return f"**tool_use {block.get('name', '')}**\n\n{_fenced(json_text.dump(block.get('input')), 'json')}"
    if kind == "tool_result":
        content = block.get("content")
        shown = _fenced(content, "") if isinstance(content, str) else _content(content)
        return f"**tool_result**\n\n{shown}".rstrip()
    return f"**{kind}**\n\n{_fenced(json_text.dump(block), 'json')}"


def _fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
