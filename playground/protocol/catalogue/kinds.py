"""The kinds of value a member of a request body can have, and what a control needs to know about each.

There is one form template per kind; `kind.word` names it ("text", "list_of", ...). How to draw a value:

* `control(kind, value)` says which kind to draw it with: `OneOf` and `Variants` are resolved by looking at the
  value, a null becomes `Null`, and a value the catalogue did not expect becomes `AnyJson`, so that it is shown as
  JSON text and survives. The result is never a `OneOf` or a `Variants`.
* The label is the member's own name (`Parameter.name`); for an item of a list `ListOf.noun`, for a variant its tag.
* `blank(kind)` is the value that "add" puts in; `blank_for(parameter)` is the same for a member, which may name a
  better start.
* `summary(kind, value)` is the one line shown when an item is folded.

Kinds are plain values compared by identity. They form a finite graph that shares its parts: no kind contains
itself, so it can be walked without care. JSON Schema, the only recursive part of the API, is a kind of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from playground.protocol.foreign_text import truncated
from playground.protocol.json.json_text import JsonValue as JsonValue

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMMARY_LENGTH = 90


@dataclass(frozen=True, eq=False)
class Null:
    """An explicit null. Never in the catalogue: `control` answers it for a null value."""

    word: ClassVar[str] = "null"


@dataclass(frozen=True, eq=False)
class Text:
    """A string. `suggestions` are offered, never enforced; lengths are in characters."""

    word: ClassVar[str] = "text"
    multiline: bool = False
    min_length: int = 0
    max_length: int | None = None
    suggestions: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, eq=False)
class Integer:
    """A whole number; bounds are inclusive. `unit` is a word for the reader ("tokens", "px")."""

    word: ClassVar[str] = "integer"
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Number:
    """A number that may have a fraction; bounds are inclusive."""

    word: ClassVar[str] = "number"
    minimum: float | None = None
    maximum: float | None = None
    step: float = 0.1


@dataclass(frozen=True, eq=False)
class Boolean:
    """true or false; as a control it has a third state, "not sent"."""

    word: ClassVar[str] = "boolean"


@dataclass(frozen=True, eq=False)
class Choice:
    """One string out of `values`. When `is_open`, the API may know more than we list and others are no mistake."""

    word: ClassVar[str] = "choice"
    values: tuple[str, ...]
    is_open: bool = False


@dataclass(frozen=True, eq=False)
class Constant:
    """A string that can only be this one: the tag of a variant, the fixed name of a server tool."""

    word: ClassVar[str] = "constant"
    value: str


@dataclass(frozen=True, eq=False)
class Base64Data:
    """Bytes in base64, usually large: the form shows its size or a thumbnail, not the letters."""

    word: ClassVar[str] = "base64_data"


@dataclass(frozen=True, eq=False)
class JsonSchema:
    """A JSON Schema, edited as JSON text. When `for_object` the API wants `"type": "object"` at its root."""

    word: ClassVar[str] = "json_schema"
    for_object: bool = True


@dataclass(frozen=True, eq=False)
class AnyJson:
    """Free JSON, edited as text. `must_be_object` when the API takes objects only."""

    word: ClassVar[str] = "any_json"
    must_be_object: bool = False


@dataclass(frozen=True, eq=False)
class ListOf:
    """A list whose items all have one kind. `noun` names one item: "add {noun}", "{noun} 3"."""

    word: ClassVar[str] = "list_of"
    item: Kind
    noun: str = "item"
    minimum: int = 0
    maximum: int | None = None


@dataclass(frozen=True, eq=False)
class MapOf:
    """An object with names of the user's choice and values of one kind."""

    word: ClassVar[str] = "map_of"
    value: Kind
    noun: str = "name"


@dataclass(frozen=True, eq=False)
class Parameter:
    """One member of the body, or of an object in it.

    `default` is what the API assumes when it is absent, in words for the reader; "" when it assumes nothing.
    `initial` is the value that adding it by hand starts with (None: `blank` of its kind).
    `betas`: it needs one of these `anthropic-beta` values, the first is the one to recommend.
    `rare` members are folded under "More". `removed_in` is the `anthropic-version` that refuses it.
    `source` says where the record comes from.
    """

    name: str
    kind: Kind
    help: str = ""
    required: bool = False
    nullable: bool = False
    default: str = ""
    initial: JsonValue = None
    betas: tuple[str, ...] = ()
    rare: bool = False
    removed_in: str = ""
    source: str = "official client 2.12.0"

    @property
    def beta(self) -> str | None:
        """The `anthropic-beta` value to send with it, if it needs one."""
        return self.betas[0] if self.betas else None


@dataclass(frozen=True, eq=False)
class Object:
    """An object with known members, and any others, which are kept and shown as JSON.

    `name` is the tag's value in a `Variants`, else a noun. `shown`: the members a summary is made from. What else is
    known of a content block stands in `block_types.py`.
    """

    word: ClassVar[str] = "object"
    name: str
    members: tuple[Parameter, ...]
    help: str = ""
    betas: tuple[str, ...] = ()
    rare: bool = False
    shown: tuple[str, ...] = ()
    by_name: dict[str, Parameter] = field(init=False, repr=False)
    required: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {member.name: member for member in self.members})
        object.__setattr__(self, "required", tuple(member.name for member in self.members if member.required))

    @property
    def beta(self) -> str | None:
        """The `anthropic-beta` value to send with it, if it needs one."""
        return self.betas[0] if self.betas else None

    def unknown(self, value: Mapping[str, JsonValue]) -> list[str]:
        """The names in `value` that the catalogue does not have, in order: each is shown as JSON."""
        return [name for name in value if name not in self.by_name]


@dataclass(frozen=True, eq=False)
class Variants:
    """An object that is one of several, told apart by the member `tag`.

    `untagged` is the name of the variant meant when the tag is absent or null (a custom tool); None when the tag
    must be there.
    """

    word: ClassVar[str] = "variants"
    variants: tuple[Object, ...]
    tag: str = "type"
    untagged: str | None = None
    by_name: dict[str, Object] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {variant.name: variant for variant in self.variants})

    def pick(self, value: JsonValue) -> Object | None:
        """The variant that `value` is, or None for a tag the catalogue does not have."""
        if not isinstance(value, dict):
            return None
        tag = value.get(self.tag)
        if tag is None and self.untagged is not None:
            return self.by_name[self.untagged]
        return self.by_name.get(tag) if isinstance(tag, str) else None


@dataclass(frozen=True, eq=False)
class OneOf:
    """A value of one of several kinds that differ in their JSON type: a string or a list of blocks."""

    word: ClassVar[str] = "one_of"
    kinds: tuple[Kind, ...]


Kind = (
    Text
    | Integer
    | Number
    | Boolean
    | Choice
    | Constant
    | Base64Data
    | JsonSchema
    | AnyJson
    | ListOf
    | MapOf
    | Object
    | Variants
    | OneOf
    | Null
)

NULL = Null()
FREE_JSON = AnyJson()


def accepts(kind: Kind, value: JsonValue) -> bool:
    """Return whether a control of this kind can show the value. It looks at the outermost JSON type only."""
    match kind:
        case Null():
            return value is None
        case Text() | Base64Data() | Choice():
            return isinstance(value, str)
        case Constant():
            return isinstance(value, str) and value == kind.value
        case Integer() | Number():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Boolean():
            return isinstance(value, bool)
        case ListOf():
            return isinstance(value, list)
        case Object() | MapOf():
            return isinstance(value, dict)
        case Variants():
            return kind.pick(value) is not None
        case OneOf():
            return any(accepts(each, value) for each in kind.kinds)
        case JsonSchema() | AnyJson():
            return True


def control(kind: Kind, value: JsonValue) -> Kind:
    """The kind to draw `value` with: `kind` itself, the part of it that fits, `Null`, or `AnyJson`.

    HTML cannot carry NUL or half of a surrogate pair, and a one-line input drops line breaks; text with
    these is drawn as JSON, or with more than one line.
    """
    if value is None:
        return NULL
    if isinstance(kind, OneOf):
        kind = next((each for each in kind.kinds if accepts(each, value)), FREE_JSON)
    if isinstance(kind, Variants):
        return kind.pick(value) or FREE_JSON
    if not accepts(kind, value):
        return FREE_JSON
    if isinstance(value, str) and not survives_html(value):
        return FREE_JSON
    if isinstance(kind, Text) and not kind.multiline and ("\n" in value or "\r" in value):
        return replace(kind, multiline=True)
    return kind


def survives_html(text: str) -> bool:
    """Return whether a text control can hold the text: no NUL, no half surrogates."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def blank(kind: Kind) -> JsonValue:
    """The value that "add" starts with: required members only, the first variant, the smallest number allowed."""
    match kind:
        case Null() | AnyJson(must_be_object=False):
            return None
        case Text() | Base64Data():
            return ""
        case Integer() | Number():
            return kind.minimum or 0
        case Boolean():
            return False
        case Choice():
            return kind.values[0]
        case Constant():
            return kind.value
        case JsonSchema():
            return {"type": "object", "properties": {}} if kind.for_object else {}
        case ListOf():
            return [blank(kind.item) for _ in range(kind.minimum)]
        case Object():
            return {member.name: blank_for(member) for member in kind.members if member.required}
        case Variants():
            return blank(kind.variants[0])
        case OneOf():
            return blank(kind.kinds[0])
        case _:
            return {}


def blank_for(parameter: Parameter) -> JsonValue:
    """The value that adding this member by hand starts with. A new one on every call."""
    initial = parameter.initial
    if initial is None:
        return blank(parameter.kind)
    return _copy(initial)


def _copy(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value


def summary(kind: Kind, value: JsonValue) -> str:
    """One line of at most `SUMMARY_LENGTH` characters that tells a folded value from its neighbours."""
    match control(kind, value):
        case Null():
            line = "null"
        case Object() as known:
            parts = (summary(known.by_name[name].kind, value[name]) for name in known.shown if name in value)
            line = " · ".join(part for part in parts if part)
        case ListOf() as known:
            line = _list_summary(known, value)
        case Base64Data():
            line = f"{len(value) * 3 // 4:,} bytes"
        case _:
            line = _plain(value)
    line = truncated(" ".join(line.split()), SUMMARY_LENGTH)
    return line if survives_html(line) else line.replace("\0", "?").encode("utf-8", "replace").decode()


def _list_summary(kind: ListOf, value: list[JsonValue]) -> str:
    if not value:
        return f"no {kind.noun}s"
    first = summary(kind.item, value[0])
    return first if len(value) == 1 else f"{len(value)} {kind.noun}s: {first}"


def _plain(value: JsonValue) -> str:
    """A scalar as it is; of an object or list only its names or its length."""
    if isinstance(value, str):
        # Only the start is looked at: a text can have megabytes.
        return value[: SUMMARY_LENGTH * 4]
    if isinstance(value, dict):
        tag = value.get("type")
        return tag if isinstance(tag, str) else "{" + ", ".join(list(value)[:6]) + "}"
    if isinstance(value, list):
        return f"{len(value)} items"
    return str(value).lower() if isinstance(value, bool) else str(value)
