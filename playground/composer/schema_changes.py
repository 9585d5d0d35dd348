"""The changes that the buttons of a schema's rows make. Pure: a body goes in; the new body, and the place to focus,
come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.composer.new_items import ChangeError
from playground.composer.schema_rows import MOST_ROWS, MOST_VALUES, SCALARS, TYPES
from playground.protocol import body as edit
from playground.protocol.json import json_text
from playground.protocol.json.paths import MISSING, Path, get

JsonValue = Any
Made = tuple[JsonValue, Path]
LONGEST_NAME = 200


def add(body: JsonValue, path: Path, _: str) -> Made:
    """A field at the end of the object schema at `path`."""
    schema = _schema(body, path)
    fields = schema.get("properties")
    fields = fields if isinstance(fields, dict) else {}
    if len(fields) >= MOST_ROWS:
        raise ChangeError(f"Rows show at most {MOST_ROWS} fields: go on in the JSON")
    numbers = (f"field_{number}" for number in range(1, len(fields) + 2))
    name = next(name for name in numbers if name not in fields)
    changed = {**schema, "properties": {**fields, name: {"type": "string"}}}
    return edit.set(body, path, changed), (*path, "properties", name)


def rename(body: JsonValue, path: Path, name: str) -> Made:
    """The field under another name, at the same position, and required as it was."""
    owner, old = _owner(body, path)
    schema, name = _schema(body, owner), name.strip()
    fields = schema["properties"]
    if not name or len(name) > LONGEST_NAME:
        raise ChangeError(f"A field needs a name of at most {LONGEST_NAME} characters")
    if name == old:
        return body, path
    if name in fields:
        raise ChangeError(f"There is a field named {name} already")
    changed = {**schema, "properties": {name if each == old else each: inner for each, inner in fields.items()}}
    if isinstance(schema.get("required"), list):
        changed["required"] = [name if each == old else each for each in schema["required"]]
    return edit.set(body, owner, changed), (*owner, "properties", name)


def require(body: JsonValue, path: Path, kind: str) -> Made:
    """Required (any text) or not ("")."""
    owner, name = _owner(body, path)
    schema = _schema(body, owner)
    before = schema.get("required")
    required = [each for each in before if each != name] if isinstance(before, list) else []
    changed = {**schema, "required": [*required, name] if kind else required}
    if not changed["required"]:
        del changed["required"]
    return edit.set(body, owner, changed), path


def set_type(body: JsonValue, path: Path, kind: str) -> Made:
    """Another type. What the new one has too stays: the description, allowed values that fit, the fields of objects."""
    if kind not in dict(TYPES):
        raise ChangeError(f"There is no type {kind[:40]!r}")
    old = _schema(body, path)
    inner = old.get("items") if isinstance(old.get("items"), dict) else old
    new: dict[str, Any] = {"type": "array" if kind.startswith("array:") else kind} if kind else {}
    if "description" in old:
        new["description"] = old["description"]
    holder = new
    if kind.startswith("array:"):
        item = kind.removeprefix("array:")
        holder = new["items"] = {"type": item} if item else {}
    _carry(holder, inner)
    return edit.set(body, path, new), path


def _carry(holder: dict[str, Any], inner: Any) -> None:
    kind = holder.get("type")
    if not isinstance(inner, dict):
        return
    if kind == "object":
        holder["properties"] = inner["properties"] if isinstance(inner.get("properties"), dict) else {}
        if isinstance(inner.get("required"), list) and inner["required"]:
            holder["required"] = inner["required"]
    elif kind in ("string", "integer", "number") and isinstance(inner.get("enum"), list):
        values = [_fitting(value, kind) for value in inner["enum"]]
        kept = [value for value in values if value is not MISSING]
        if kept:
            holder["enum"] = kept


def _fitting(value: Any, kind: str) -> Any:
    """The value as one of this type; MISSING when it cannot be one."""
    if kind == "string":
        return value if isinstance(value, str) else json_text.dump(value, indent=None)
    number = json_text.parse_number(value) if isinstance(value, str) else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return number if is_number and (kind == "number" or isinstance(number, int)) else MISSING


def add_value(body: JsonValue, path: Path, text: str) -> Made:
    """One more allowed value: `path` is that of the list."""
    owner = path[:-1]
    schema = _schema(body, owner)
    before = schema.get("enum")
    values = before if isinstance(before, list) else []
    kind = schema.get("type", "")
    value = text if kind == "string" else _read(text)
    if kind in SCALARS and (value := _fitting(value, kind)) is MISSING:
        raise ChangeError(f"{text[:40]!r} is not a {kind}")
    if value in values:
        raise ChangeError("This value is there already")
    if len(values) >= MOST_VALUES:
        raise ChangeError(f"Rows take up to {MOST_VALUES} allowed values: go on in the JSON")
    return edit.set(body, owner, {**schema, "enum": [*values, value]}), path


def _read(text: str) -> Any:
    """A value as typed where any type is allowed: JSON, else a text."""
    try:
        return json_text.parse(text)
    except json_text.JsonTextError:
        return text


def remove_value(body: JsonValue, path: Path, _: str) -> Made:
    values, owner = path[:-1], path[:-2]
    changed = edit.remove(body, path)
    if get(changed, values) == []:
        changed = edit.remove(changed, values)
    return changed, owner


def remove(body: JsonValue, path: Path, _: str) -> Made:
    """The field goes, and its name among the required ones."""
    body, _place = require(body, path, "")
    owner = path[:-2]
    fields = list(get(body, path[:-1]))
    at = fields.index(path[-1])
    left = fields[:at] + fields[at + 1 :]
    focus = (*path[:-1], left[min(at, len(left) - 1)]) if left else owner
    return edit.remove(body, path), focus


def _schema(body: JsonValue, path: Path) -> dict[str, Any]:
    schema = get(body, path)
    if not isinstance(schema, dict):
        raise ChangeError("This schema cannot be edited in rows")
    return schema


def _owner(body: JsonValue, path: Path) -> tuple[Path, str]:
    """The object schema that has the field at this path, and the field's name."""
    if len(path) < 2 or path[-2] != "properties" or not isinstance(path[-1], str):
        raise ChangeError("This is not a field of a schema")
    if get(body, path) is MISSING:
        raise ChangeError("This field no longer exists")
    return path[:-2], path[-1]


SCHEMA_CHANGES: dict[str, Callable[[JsonValue, Path, str], Made]] = {
    "schema-add": add,
    "schema-name": rename,
    "schema-remove": remove,
    "schema-required": require,
    "schema-type": set_type,
    "schema-value": add_value,
    "schema-value-remove": remove_value,
}
