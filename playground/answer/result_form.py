"""The form for a tool's result, made from an example of what the tool returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from playground.protocol.json.received_json import try_loads

MAX_FIELDS = 12
WAYS = (("text", "Text"), ("json", "JSON"), ("image", "Image"))


@dataclass(frozen=True)
class Field:
    """`kind` is the JSON type of the example's value: a text that looks like a number stays a text."""

    name: str
    text: str
    choices: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class ResultForm:
    """`way` is how the result is written at first: form, text, json or image; `json` what stands in the JSON field.

    `images` are the files to choose from, by their references, and `image` is the chosen one.
    """

    id: str
    way: str = "text"
    json: str = ""
    text: str = ""
    is_error: bool = False
    is_saved: bool = False  # filled in from what was saved for this tool
    fields: list[Field] = field(default_factory=list)
    image: str = ""
    images: tuple[tuple[str, str], ...] = ()

    @property
    def ways(self) -> list[tuple[str, str]]:
        return [("form", "Form"), *WAYS] if self.fields else list(WAYS)


def saved_form(form_id: str, text: str, *, is_error: bool) -> ResultForm:
    """The form filled in with a saved result."""
    value = try_loads(text)
    made = form_for(form_id, value) if isinstance(value, dict | list) else ResultForm(form_id, "text", text=text)
    return replace(made, is_error=is_error, is_saved=True)


def image_form(form_id: str, reference: str, *, is_error: bool) -> ResultForm:
    """The form with a saved image chosen."""
    return ResultForm(form_id, "image", image=reference, is_error=is_error, is_saved=True)


def form_for(form_id: str, example: Any) -> ResultForm:
    """An object of plain values becomes one field each; anything else that is JSON stands in the JSON field."""
    if example is None:
        return ResultForm(form_id)
    if isinstance(example, str):
        return ResultForm(form_id, text=example)
    text = json.dumps(example, indent=2, ensure_ascii=False)
    if not isinstance(example, dict) or not 0 < len(example) <= MAX_FIELDS or not all(map(_is_plain, example.values())):
        return ResultForm(form_id, "json", text)
    fields = [
        Field(
            name,
            value if isinstance(value, str) else json.dumps(value),
            ("true", "false") if isinstance(value, bool) else (),
            _kind(value),
        )
        for name, value in example.items()
    ]
    return ResultForm(form_id, "form", text, fields=fields)


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return ""


def declared_example(examples: dict[str, str], tool_name: str) -> Any:
    """Return the output that the request's author wrote for this tool; None without one, or when it is not JSON."""
    return try_loads(examples.get(tool_name, ""))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def example_result(body: dict[str, Any], tool_name: str) -> Any:
    """Return the tool's last result in this conversation, if that was JSON; None when it is not known."""
    names: dict[str, str] = {}
    result = None
    for turn in body.get("messages", []) if isinstance(body.get("messages"), list) else []:
        blocks = turn.get("content") if isinstance(turn, dict) else None
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, dict):
                continue
            if block.get("type") == "tool_use":
                names[str(block.get("id"))] = str(block.get("name"))
            elif block.get("type") == "tool_result" and names.get(str(block.get("tool_use_id"))) == tool_name:
                result = _read(block.get("content")) or result
    return result


def _read(content: Any) -> Any:
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0].get("text")
    if not isinstance(content, str) or len(content) > 20_000:
        return None
    value = try_loads(content)
    return value if isinstance(value, dict | list) else None
