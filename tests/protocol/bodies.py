"""Bodies for property tests: any JSON, and JSON that follows the catalogue except where it does not."""

from typing import Any

from hypothesis import strategies as st

from playground.protocol.catalogue.kinds import (
    Base64Data,
    Boolean,
    Choice,
    Constant,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Number,
    Object,
    OneOf,
    Text,
    Variants,
)
from playground.protocol.catalogue.parameters import BODY
from playground.protocol.json import json_text

ODD_NUMBERS = ["1.0", "1e5", "-0", "-0.0", "0.10", "1E400", "1000000000000000000000000000000", "5e-324", "12.50"]


def as_json_reads_it(text: str) -> str:
    """Two halves of a surrogate pair side by side are one character in JSON."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


numbers = st.one_of(
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(ODD_NUMBERS).map(json_text.parse),
)
# Half surrogates, NUL and line ends of all kinds are legal in JSON, and hard on a form.
texts = st.one_of(
    st.text(max_size=8),
    st.text(alphabet='a \r\n\0\ud800\udc00\u2028"\\é{}', max_size=8).map(as_json_reads_it),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

SCHEMA_WORDS = [
    *("type", "properties", "required", "enum", "const", "default", "examples", "format", "pattern", "multipleOf"),
    *("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "minProperties", "additionalProperties", "dependentRequired"),
    *("anyOf", "oneOf", "allOf", "not", "if", "then", "else"),
    *("$ref", "$defs", "$schema", "$id", "$dynamicRef", "$anchor"),
]
schema_parts = st.recursive(
    json_values
    | st.sampled_from(["object", "array", "string", "integer", "null", "#", "#/$defs/a", "https://a.example/"]),
    lambda inner: (
        st.dictionaries(st.sampled_from([*SCHEMA_WORDS, "a"]), inner, max_size=4) | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)
# The words of JSON Schema with anything behind them.
schemas = st.dictionaries(st.sampled_from(SCHEMA_WORDS), schema_parts, max_size=5)


def fitting(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of this kind; now and then a null or anything at all instead."""
    return st.integers(0, 19).flatmap(
        lambda die: st.none() if die == 0 else json_values if die == 1 else _exactly(kind)
    )


def _exactly(kind: Kind) -> st.SearchStrategy[Any]:
    match kind:
        case Text() | Base64Data():
            return texts
        case Integer() | Number():
            return numbers
        case Boolean():
            return st.booleans()
        case Choice():
            return st.sampled_from(kind.values) | texts
        case Constant():
            return st.just(kind.value)
        case ListOf():
            return st.lists(st.deferred(lambda: fitting(kind.item)), max_size=3)
        case MapOf():
            return st.dictionaries(texts, st.deferred(lambda: fitting(kind.value)), max_size=2)
        case OneOf():
            return st.sampled_from(kind.kinds).flatmap(fitting)
        case Variants():
            return st.sampled_from(kind.variants).flatmap(_exactly)
        case Object():
            return _object(kind)
        case _:
            return json_values


@st.composite
def _object(draw: st.DrawFn, kind: Object) -> dict[str, Any]:
    optional = [member.name for member in kind.members if not member.required]
    wanted = {*kind.required, *(draw(st.lists(st.sampled_from(optional), max_size=4)) if optional else ())}
    value = {member.name: draw(fitting(member.kind)) for member in kind.members if member.name in wanted}
    if draw(st.integers(0, 9)) == 0:
        value.update(draw(st.dictionaries(texts, json_values, max_size=2)))
    return value


bodies = st.one_of(_exactly(BODY), json_values)
