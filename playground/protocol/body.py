"""A request body as form values, and form values back over a body.

Everything here is pure: a body goes in, a new body comes out, and what was not touched is shared between the two.
A control that comes back as it was drawn changes nothing, so unknown members, the spelling of numbers and the
difference between null, "" and absent all survive the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playground.exceptions import PlaygroundError
from playground.protocol.catalogue import kinds
from playground.protocol.catalogue.kinds import accepts, blank, blank_for, control
from playground.protocol.catalogue.parameters import BODY, find
from playground.protocol.json import json_text, paths
from playground.protocol.json.paths import (
    MISSING,
    JsonValue,
    Path,
    PathError,
    duplicate,
    get,
    insert,
    move,
    read,
    remove,
)
from playground.protocol.json.paths import put as set  # noqa: A004
from playground.protocol.rules.problems import Problem

__all__ = [
    "MISSING",
    "apply",
    "control_text",
    "convert",
    "duplicate",
    "form_values",
    "get",
    "insert",
    "move",
    "place",
    "read",
    "remove",
    "set",
    "switch_variant",
]


class _UnreadableError(PlaygroundError, ValueError):
    """A control's text that says nothing its kind could hold."""


def control_text(kind: kinds.Kind, value: JsonValue) -> str:
    """Return the text of this value's control; "" for `MISSING`. Given back to `apply` as it is, it changes nothing."""
    if value is MISSING:
        return ""
    match control(kind, value):
        case kinds.Text() | kinds.Choice() | kinds.Constant() | kinds.Base64Data():
            return str(value)
        case kinds.Null():
            return "null"
        case kinds.Boolean():
            return "true" if value else "false"
        case kinds.Integer() | kinds.Number():
            return json_text.spelling(value)
        case _:
            return json_text.dump(value)


def form_values(body: JsonValue) -> list[tuple[str, str]]:
    """Every control of the whole form with its text, in order; members that are not there have empty ones."""
    return [(paths.to_text(path), control_text(kind, value)) for path, kind, value in _controls((), BODY, body)]


def _controls(path: Path, kind: kinds.Kind, value: JsonValue) -> Iterator[tuple[Path, kinds.Kind, JsonValue]]:
    drawn = kind if value is MISSING else control(kind, value)
    match drawn:
        case kinds.Object() if value is not MISSING:
            for member in drawn.members:
                yield from _controls((*path, member.name), member.kind, value.get(member.name, MISSING))
            for name in drawn.unknown(value):
                yield (*path, name), kinds.FREE_JSON, value[name]
        case kinds.MapOf() if value is not MISSING:
            for name, each in value.items():
                yield from _controls((*path, name), drawn.value, each)
        case kinds.ListOf() if value is not MISSING:
            for index, each in enumerate(value):
                yield from _controls((*path, index), drawn.item, each)
        case _:
            yield path, kind, value


def apply(body: JsonValue, edits: Iterable[tuple[str, str | None]]) -> tuple[JsonValue, list[Problem]]:
    """The body after the texts of these controls, and what could not be read.

    An edit is a path and the text of its control; None sets null. An emptied control leaves its member out, but
    the text of a list item, or a required text inside an object, becomes "". A member whose object is not there yet
    brings it along. Text that cannot be read changes nothing and becomes a problem.
    """
    problems = []
    for place, text in edits:
        path: Path = ()
        try:
            path = paths.parse_path(place)
            body = _apply_one(body, path, text)
        except (PathError, _UnreadableError) as error:
            problems.append(Problem(path, str(error)))
        except json_text.JsonTextError as error:
            problems.append(Problem(path, f"This is not JSON: {error}"))
    return body, problems


def _apply_one(body: JsonValue, path: Path, text: str | None) -> JsonValue:
    current = get(body, path)
    parameter = find(path, body) or kinds.Parameter(str(path[-1]) if path else "body", kinds.FREE_JSON)
    if text is None:
        return body if current is None else place(body, path, None)
    if _line_ends(text) == _line_ends(control_text(parameter.kind, current)):
        return body
    if isinstance(parameter.kind, kinds.Constant) and (current is MISSING or accepts(parameter.kind, current)):
        return _change_tag(body, path, text)
    if not text.strip() and (text == "" or not _is_text(parameter.kind, current)):
        return _empty(body, path, parameter, current)
    return place(body, path, _value(parameter, current, text))


def _line_ends(text: str) -> str:
    """A form sends every line end as CRLF, whatever the text had."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _text_kind(kind: kinds.Kind, current: JsonValue) -> kinds.Kind:
    """The kind that typed text is read by: what is drawn now, else the first that is written as text."""
    if current is not MISSING and current is not None:
        return control(kind, current)
    if isinstance(kind, kinds.OneOf):
        return next(
            (each for each in kind.kinds if not isinstance(each, kinds.ListOf | kinds.Object | kinds.Variants)),
            kinds.FREE_JSON,
        )
    return kind


def _is_text(kind: kinds.Kind, current: JsonValue) -> bool:
    return isinstance(_text_kind(kind, current), kinds.Text)


def _value(parameter: kinds.Parameter, current: JsonValue, text: str) -> JsonValue:
    """The value that the text of a control means."""
    kind = _text_kind(parameter.kind, current)
    text = text.replace("\r\n", "\n")
    if isinstance(kind, kinds.Text):
        return text
    text = text.strip()
    if text == "null" and parameter.nullable:
        return None
    match kind:
        case kinds.Choice() | kinds.Constant():
            return text
        case kinds.Base64Data():
            return "".join(text.split())
        case kinds.Boolean():
            if text not in ("true", "false", "on"):
                raise _UnreadableError(f"Enter true or false, not {text[:40]!r}")
            return text != "false"
        case kinds.Integer() | kinds.Number():
            number = json_text.parse_number(text)
            if number is None:
                raise _UnreadableError(f"Enter a number, not {text[:40]!r}")
            return number
        case _:
            return json_text.parse(text)


def _empty(body: JsonValue, path: Path, parameter: kinds.Parameter, current: JsonValue) -> JsonValue:
    """The body after a control was emptied."""
    is_item = bool(path) and isinstance(path[-1], int)
    if _is_text(parameter.kind, current) and (is_item or (parameter.required and len(path) > 1)):
        return place(body, path, "")
    if is_item or not path:
        raise _UnreadableError("Enter a value, or remove it")
    return body if current is MISSING else remove(body, path)


def place(body: JsonValue, path: Path, value: JsonValue) -> JsonValue:
    """Set, after making the objects on the way that are not there."""
    for depth in range(1, len(path)):
        if get(body, path[:depth]) is MISSING and isinstance(path[depth], str):
            body = set(body, path[:depth], _container(find(path[:depth], body), path[:depth]))
    return set(body, path, value)


def _container(parameter: kinds.Parameter | None, path: Path) -> JsonValue:
    options = (
        parameter.kind.kinds
        if parameter and isinstance(parameter.kind, kinds.OneOf)
        else (parameter and parameter.kind,)
    )
    for kind in options:
        if isinstance(kind, kinds.Object | kinds.MapOf | kinds.AnyJson) or (
            isinstance(kind, kinds.Variants) and len(kind.variants) == 1
        ):
            start = blank(kind)
            return start if isinstance(start, dict) else {}
    raise PathError(f"there is no {paths.to_text(path)}")


def _change_tag(body: JsonValue, path: Path, tag: str) -> JsonValue:
    """The body with the object around a tag made into another variant, or with the tag as typed if there is none."""
    owner = find(path[:-1], body) if len(path) > 1 else None
    options = owner.kind.kinds if owner and isinstance(owner.kind, kinds.OneOf) else (owner and owner.kind,)
    for kind in options:
        if isinstance(kind, kinds.Variants) and kind.tag == path[-1] and tag in kind.by_name:
            return set(body, path[:-1], switch_variant(kind, read(body, path[:-1]), tag))
    if not tag:
        return body if get(body, path) is MISSING else remove(body, path)
    return place(body, path, tag)


def switch_variant(kind: kinds.Variants, value: JsonValue, name: str) -> JsonValue:
    """The object as another variant: what both have stays, unknown members too, what the new one requires is added."""
    new = kind.by_name[name]
    if not isinstance(value, dict):
        return blank(new)
    old = kind.pick(value)
    kept = {}
    for member, each in value.items():
        before, after = old.by_name.get(member) if old else None, new.by_name.get(member)
        if member == kind.tag:
            kept[member] = name
        elif after is not None and accepts(after.kind, each):
            if before is None or type(before.kind) is type(after.kind):
                kept[member] = each
        elif before is None and after is None:
            kept[member] = each
    for member in new.members:
        if member.required and member.name not in kept:
            kept[member.name] = blank_for(member)
    return kept


def convert(kind: kinds.Kind, value: JsonValue) -> JsonValue:
    """The value as another kind of a `OneOf`: text as a list of one text block, and back.

    Raises ValueError when something would be lost: blocks that are more than one plain text.
    """
    if accepts(kind, value):
        return value
    if value is MISSING or value is None or value in ("", [], {}):
        return blank(kind)
    if isinstance(kind, kinds.ListOf) and isinstance(value, str):
        text_block = {"type": "text", "text": value}
        return [text_block] if accepts(kind.item, text_block) else [value]
    if isinstance(kind, kinds.Object) and isinstance(value, str):
        name = next((member.name for member in kind.members if isinstance(member.kind, kinds.Text)), None)
        return {**blank(kind), name: value} if name else blank(kind)
    if isinstance(kind, kinds.Text):
        return _as_text(value)
    raise ValueError("This cannot be converted without losing part of it")


def _as_text(value: JsonValue) -> str:
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
        if isinstance(value, dict) and value.get("type") == "text":
            value = {name: each for name, each in value.items() if name != "type"}
    if isinstance(value, dict) and len(value) == 1 and "type" not in value:
        (value,) = value.values()
    if isinstance(value, str):
        return value
    raise ValueError("This is more than one plain text")
