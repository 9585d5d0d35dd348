"""A tool's JSON Schema as rows: name, type, whether it is required, and what it means; with rows inside of rows.

Rows say less than a schema can. What they cannot say is shown as JSON, with the reason, and is kept as it is: a whole
schema, or one field of it. Keywords that only narrow a value (`minimum`, `format`, …) are named beside the row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playground.composer.nodes import path_id
from playground.protocol.foreign_text import truncated
from playground.protocol.json import json_text
from playground.protocol.json.paths import Path, to_text

MOST_ROWS = 100
DEEPEST = 4
MOST_VALUES = 100
SCALARS = ("string", "integer", "number", "boolean")
TYPES = (
    *((name, name) for name in SCALARS),
    ("object", "object"),
    *((f"array:{name}", f"list of {name}s") for name in (*SCALARS, "object")),
    ("array:", "list"),
    ("", "any"),
)
SAID = {"type", "description", "enum", "items", "properties", "required"}
NARROWING = {
    *("default", "title", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "examples", "example", "const"),
    *("deprecated", "readOnly", "writeOnly", "$comment", "$schema", "$id", "minProperties", "maxProperties"),
}


@dataclass(frozen=True)
class Row:
    """One field. `why` is not empty when it is shown as JSON; then only its name and `is_required` are controls."""

    path: Path
    name: str
    is_required: bool
    type: str = ""
    description: str = ""
    values: tuple[tuple[int, str], ...] | None = None  # the allowed ones by position; None: of this type there are none
    values_path: Path = ()
    narrowed: str = ""
    inside: Path | None = None  # the object schema whose fields are the rows inside
    rows: list[Row] = field(default_factory=list)
    why: str = ""
    json: str = ""
    depth: int = 0

    @property
    def place(self) -> str:
        return to_text(self.path)

    @property
    def id(self) -> str:
        return path_id(self.path)

    @property
    def description_place(self) -> str:
        return to_text((*self.path, "description"))

    @property
    def values_place(self) -> str:
        return to_text((*self.values_path, "enum"))

    @property
    def inside_place(self) -> str:
        return to_text(self.inside or ())

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        return TYPES


@dataclass(frozen=True)
class SchemaRows:
    """The fields of a whole schema. `why`: it is shown as JSON only, for this reason."""

    path: Path
    rows: list[Row] = field(default_factory=list)
    why: str = ""

    @property
    def place(self) -> str:
        return to_text(self.path)


def rows_of(path: Path, schema: Any) -> SchemaRows:
    """The rows of the schema at this place of the body."""
    if why := _why_not_object(schema):
        return SchemaRows(path, why=why)
    count = [0]
    rows = _rows(path, schema, 0, count)
    if count[0] > MOST_ROWS:
        return SchemaRows(path, why=f"it has more than {MOST_ROWS} fields")
    return SchemaRows(path, rows)


def _why_not_object(schema: Any) -> str:
    """Return what keeps this schema from being shown as fields; "" when nothing does."""
    if not isinstance(schema, dict):
        return "it is not an object"
    if schema.get("type") != "object":
        return 'its "type" is not "object"'
    return _why_not_fields(schema)


def _why_not_fields(schema: dict[str, Any]) -> str:
    if not isinstance(schema.get("properties", {}), dict):
        return '"properties" is not an object'
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        return '"required" is not a list of names'
    if not isinstance(schema.get("additionalProperties", True), bool):
        return 'rows cannot say "additionalProperties"'
    return _unsaid(schema, NARROWING | SAID | {"additionalProperties"})


def _unsaid(schema: dict[str, Any], known: set[str]) -> str:
    unsaid = next((name for name in schema if name not in known), None)
    return "" if unsaid is None else f"rows cannot say “{unsaid[:40]}”"


def _rows(path: Path, schema: dict[str, Any], depth: int, count: list[int]) -> list[Row]:
    required = set(schema.get("required", []))
    rows = []
    for name, inner in schema.get("properties", {}).items():
        count[0] += 1
        if count[0] > MOST_ROWS:
            break
        rows.append(_row((*path, "properties", name), name, inner, name in required, depth, count))
    return rows


def _row(path: Path, name: str, schema: Any, is_required: bool, depth: int, count: list[int]) -> Row:
    why = _why_not_row(schema, depth)
    if why:
        return Row(path, name, is_required, why=why, json=json_text.dump(schema), depth=depth)
    kind = schema.get("type", "")
    items = schema.get("items", {}) if kind == "array" else None
    shown = f"array:{items.get('type', '')}" if items is not None else kind
    holder, holder_path = (items, (*path, "items")) if items else (schema, path)
    is_object = shown in ("object", "array:object")
    narrowing = {**(items or {}), **schema}
    return Row(
        path,
        name,
        is_required,
        shown,
        schema.get("description", ""),
        None if is_object or shown in ("boolean", "array:", "array:boolean") else _values(holder),
        holder_path,
        ", ".join(f"{key} {_short(narrowing[key])}" for key in narrowing if key not in SAID),
        holder_path if is_object else None,
        _rows(holder_path, holder, depth + 1, count) if is_object else [],
        depth=depth,
    )


def _why_not_row(schema: Any, depth: int) -> str:
    if not isinstance(schema, dict):
        return "it is not an object"
    if depth >= DEEPEST:
        return "it is too deep for rows"
    kind = schema.get("type", "")
    if not isinstance(schema.get("description", ""), str):
        return "its description is not text"
    if kind == "object":
        return _why_not_fields(schema)
    if kind == "array":
        return _unsaid(schema, NARROWING | SAID - {"enum"}) or _why_not_items(schema.get("items", {}))
    if isinstance(kind, list):
        return "it has several types"
    if kind and kind not in SCALARS:
        return f"rows have no type “{str(kind)[:40]}”"
    return _unsaid(schema, NARROWING | {"type", "description", "enum"}) or _why_not_values(schema)


def _why_not_items(items: Any) -> str:
    if not isinstance(items, dict):
        return "its items have several schemas"
    kind = items.get("type", "")
    if kind == "object":
        return _why_not_fields(items) or ("its items have a description" if "description" in items else "")
    if not isinstance(kind, str) or (kind and kind not in SCALARS):
        return "it is a list of lists, or of several types"
    return _unsaid(items, NARROWING | {"type", "enum"}) or _why_not_values(items)


def _why_not_values(schema: dict[str, Any]) -> str:
    values = schema.get("enum", [])
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        return f"rows take up to {MOST_VALUES} allowed values"
    if any(isinstance(value, dict | list) for value in values):
        return "an allowed value is an object or a list"
    return ""


def _values(schema: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    return tuple((at, _short(value)) for at, value in enumerate(schema.get("enum", [])))


def _short(value: Any) -> str:
    return truncated(value if isinstance(value, str) else json_text.dump(value, indent=None), 80)
