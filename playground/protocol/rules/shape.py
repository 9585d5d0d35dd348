"""Checks that a body has the shape the catalogue describes: types, required members, bounds, choices, beta headers.

Unknown members are passed over: the API may be newer than the catalogue, and other servers have members of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeGuard

from playground.protocol.catalogue import kinds
from playground.protocol.catalogue.kinds import accepts, blank_for
from playground.protocol.foreign_text import truncated
from playground.protocol.json.json_text import spelling
from playground.protocol.json.paths import JsonValue, Path
from playground.protocol.rules.problems import Problem, Repair, Severity

# The pairing of these with their member is known by name only, so the API may take the member without them.
UNSURE_BETAS = frozenset(
    {
        "compact-2026-09-04",
        "server-side-fallback-2026-06-01",
        "server-side-fallback-2026-07-01",
        "structured-outputs-2025-11-13",
        "thinking-binding-controls-2026-08-01",
        "user-profiles-billing-2026-10-01",
    }
)


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ShapeCheck:
    """One walk over a body; `problems` grows while it goes."""

    def __init__(self, version: str, betas: Collection[str]) -> None:
        self.version = version
        self.betas = frozenset(betas)
        self.problems: list[Problem] = []
        self._by_kind: dict[type, Callable[..., None]] = {
            kinds.Text: self._text,
            kinds.Base64Data: self._string,
            kinds.Integer: self._integer,
            kinds.Number: self._number,
            kinds.Boolean: self._boolean,
            kinds.Choice: self._choice,
            kinds.Constant: self._constant,
            kinds.JsonSchema: self._json_schema,
            kinds.AnyJson: self._any_json,
            kinds.ListOf: self._list,
            kinds.MapOf: self._map,
            kinds.Object: self._object,
            kinds.Variants: self._variants,
            kinds.OneOf: self._one_of,
            kinds.Null: self._any_json,
        }

    def value(self, kind: kinds.Kind, value: JsonValue, path: Path) -> None:
        """Check one value, and all that is in it."""
        self._by_kind[type(kind)](kind, value, path)

    def _say(self, path: Path, message: str, repair: Repair | None = None, severity: Severity = "error") -> None:
        self.problems.append(Problem(path, message, severity, repair))

    def _wrong_type(self, path: Path, expected: str, value: JsonValue) -> None:
        self._say(path, f"Must be {expected}, not {name_of_type(value)}")

    def _string(self, kind: kinds.Kind, value: JsonValue, path: Path) -> None:
        if not isinstance(value, str):
            self._wrong_type(path, "a string", value)

    def _text(self, kind: kinds.Text, value: JsonValue, path: Path) -> None:
        if not isinstance(value, str):
            self._wrong_type(path, "a string", value)
        elif len(value) < kind.min_length:
            self._say(path, "Must not be empty")
        elif kind.max_length is not None and len(value) > kind.max_length:
            self._say(path, f"Longer than {kind.max_length:,} characters")

    def _integer(self, kind: kinds.Integer, value: JsonValue, path: Path) -> None:
        if not is_number(value):
            self._wrong_type(path, "a whole number", value)
        elif isinstance(value, float) and not value.is_integer():
            self._say(path, f"Must be a whole number, not {spelling(value)}")
        else:
            self._bounds(kind, value, path)

    def _number(self, kind: kinds.Number, value: JsonValue, path: Path) -> None:
        if not is_number(value):
            self._wrong_type(path, "a number", value)
        else:
            self._bounds(kind, value, path)

    def _bounds(self, kind: kinds.Integer | kinds.Number, value: float, path: Path) -> None:
        for bound, is_wrong, words in (
            (kind.minimum, kind.minimum is not None and value < kind.minimum, "at least"),
            (kind.maximum, kind.maximum is not None and value > kind.maximum, "at most"),
        ):
            if is_wrong and bound is not None:
                repair = Repair(f"Set it to {bound}", (("set", path, bound),))
                self._say(path, f"Must be {words} {bound:,}", repair)

    def _boolean(self, kind: kinds.Boolean, value: JsonValue, path: Path) -> None:
        if not isinstance(value, bool):
            self._wrong_type(path, "true or false", value)

    def _choice(self, kind: kinds.Choice, value: JsonValue, path: Path) -> None:
        if not isinstance(value, str):
            self._wrong_type(path, "a string", value)
        elif not kind.is_open and value not in kind.values:
            self._say(path, f"{_shown(value)} is not one of {', '.join(kind.values)}")

    def _constant(self, kind: kinds.Constant, value: JsonValue, path: Path) -> None:
        if value != kind.value:
            repair = Repair(f"Set it to {kind.value}", (("set", path, kind.value),))
            self._say(path, f"Must be {kind.value}", repair)

    def _json_schema(self, kind: kinds.JsonSchema, value: JsonValue, path: Path) -> None:
        if not isinstance(value, dict):
            self._wrong_type(path, "a JSON Schema, an object", value)

    def _any_json(self, kind: kinds.Kind, value: JsonValue, path: Path) -> None:
        if isinstance(kind, kinds.AnyJson) and kind.must_be_object and not isinstance(value, dict):
            self._wrong_type(path, "an object", value)

    def _list(self, kind: kinds.ListOf, value: JsonValue, path: Path) -> None:
        if not isinstance(value, list):
            self._wrong_type(path, "a list", value)
            return
        if len(value) < kind.minimum:
            self._say(path, f"At least {kind.minimum} {kind.noun} must be here")
        if kind.maximum is not None and len(value) > kind.maximum:
            self._say(path, f"At most {kind.maximum:,} {kind.noun}s can be here")
        check = self._by_kind[type(kind.item)]
        for index, item in enumerate(value):
            check(kind.item, item, (*path, index))

    def _map(self, kind: kinds.MapOf, value: JsonValue, path: Path) -> None:
        if not isinstance(value, dict):
            self._wrong_type(path, "an object", value)
            return
        for name, each in value.items():
            self.value(kind.value, each, (*path, name))

    def _object(self, kind: kinds.Object, value: JsonValue, path: Path) -> None:
        if not isinstance(value, dict):
            self._wrong_type(path, "an object", value)
            return
        if kind.betas:
            self._beta(kind.name, kind.betas, path)
        for name in kind.required:
            if name not in value:
                self._missing(kind.by_name[name], (*path, name))
        for name, each in value.items():
            member = kind.by_name.get(name)
            if member is not None:
                self._member(member, each, (*path, name))

    def _member(self, member: kinds.Parameter, value: JsonValue, path: Path) -> None:
        if value is None:
            if not member.nullable:
                repair = None if member.required else Repair("Remove it", (("remove", path, None),))
                self._say(path, f"{member.name} cannot be null", repair)
            return
        if member.betas:
            self._beta(member.name, member.betas, path)
        if member.removed_in and is_since(self.version, member.removed_in):
            repair = Repair(f"Leave {member.name} out", (("remove", path, None),))
            self._say(path, f"{member.name} is refused since anthropic-version {member.removed_in}", repair)
        self._by_kind[type(member.kind)](member.kind, value, path)

    def _missing(self, member: kinds.Parameter, path: Path) -> None:
        repair = None
        if isinstance(member.kind, kinds.Constant) or (member.initial is not None and is_number(member.initial)):
            start = blank_for(member)
            repair = Repair(f"Set {member.name} to {start}", (("set", path, start),))
        self._say(path, f"{member.name} is required", repair)

    def _beta(self, name: str, betas: tuple[str, ...], path: Path) -> None:
        if self.betas.isdisjoint(betas):
            severity: Severity = "warning" if UNSURE_BETAS.issuperset(betas) else "error"
            repair = Repair(f"Add the beta {betas[0]}", betas=(betas[0],))
            self._say(path, f"{name} needs the anthropic-beta {' or '.join(betas)}", repair, severity)

    def _variants(self, kind: kinds.Variants, value: JsonValue, path: Path) -> None:
        variant = kind.pick(value)
        if variant is not None:
            self._object(variant, value, path)
        elif not isinstance(value, dict):
            self._wrong_type(path, "an object", value)
        else:
            self._unknown_tag(kind, value, path)

    def _unknown_tag(self, kind: kinds.Variants, value: dict[str, JsonValue], path: Path) -> None:
        tag, place = value.get(kind.tag), (*path, kind.tag)
        names = list(kind.by_name)
        known = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        if tag is None:
            repair = Repair(f"Set it to {names[0]}", (("set", place, names[0]),)) if len(names) == 1 else None
            self._say(place, f"{kind.tag} is required: {known}", repair)
        elif not isinstance(tag, str):
            self._wrong_type(place, "a string", tag)
        else:
            self._say(place, f"{_shown(tag)} is not one of {known}")

    def _one_of(self, kind: kinds.OneOf, value: JsonValue, path: Path) -> None:
        fitting = next((each for each in kind.kinds if accepts(each, value)), None) or next(
            (each for each in kind.kinds if isinstance(value, dict) and isinstance(each, kinds.Variants)), None
        )
        if fitting is not None:
            self.value(fitting, value, path)
        else:
            self._wrong_type(path, " or ".join(_wanted(each) for each in kind.kinds), value)


def is_since(version: str, day: str) -> bool:
    """Return whether an `anthropic-version` is this one or newer. One that is no date is older than all."""
    return version >= day and _DATE.fullmatch(version) is not None


def is_number(value: JsonValue) -> TypeGuard[int | float]:
    """A JSON number; true and false are none, though Python counts them."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def name_of_type(value: JsonValue) -> str:
    """The JSON type of a value, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def _wanted(kind: kinds.Kind) -> str:
    match kind:
        case kinds.Text() | kinds.Choice() | kinds.Base64Data():
            return "a string"
        case kinds.Constant():
            return f'"{kind.value}"'
        case kinds.Boolean():
            return "true or false"
        case kinds.Integer() | kinds.Number():
            return "a number"
        case kinds.ListOf():
            return "a list"
        case _:
            return "an object"


def _shown(text: str) -> str:
    """A foreign text inside a message: short, quoted, on one line."""
    return repr(truncated(text, 40))
