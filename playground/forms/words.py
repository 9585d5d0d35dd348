"""Kinds of value in words for the reader: "integer ≥ 0", "list of string", "string or list of block"."""

from __future__ import annotations

from playground.protocol import pricing
from playground.protocol.kinds import (
    AnyJson,
    Base64Data,
    Boolean,
    Choice,
    Constant,
    Integer,
    JsonSchema,
    Kind,
    ListOf,
    MapOf,
    Null,
    Number,
    Object,
    OneOf,
    Text,
    Variants,
)
from playground.protocol.models import ModelFacts


def type_words(kind: Kind) -> str:
    """What stands under a parameter's name."""
    match kind:
        case Integer() | Number():
            return ("integer" if isinstance(kind, Integer) else "number") + _bounds(kind)
        case Text() | Choice() | Constant():
            return "string"
        case Base64Data():
            return "base64"
        case Boolean():
            return "boolean"
        case JsonSchema():
            return "JSON Schema"
        case ListOf():
            return f"list of {_noun(kind)}"
        case MapOf():
            return f"object, {kind.noun} to {type_words(kind.value)}"
        case Object() | Variants():
            return "object"
        case OneOf():
            words = (f"{each.noun}s" if isinstance(each, ListOf) else type_words(each) for each in kind.kinds)
            return " or ".join(dict.fromkeys(words))
        case AnyJson():
            return "object" if kind.must_be_object else "any JSON"
        case Null():
            return "null"


def _noun(kind: ListOf) -> str:
    return type_words(kind.item) if isinstance(kind.item, Text | Choice | Integer | Number) else kind.noun


def _bounds(kind: Integer | Number) -> str:
    if kind.minimum is None and kind.maximum is None:
        return ""
    if kind.maximum is None:
        return f" ≥ {kind.minimum:,}"
    if kind.minimum is None:
        return f" ≤ {kind.maximum:,}"
    return f" {kind.minimum:,}\N{EN DASH}{kind.maximum:,}"


def model_words(model: str, facts: ModelFacts | None) -> str:
    """One line about a model: how much it reads and writes, what it costs."""
    words = []
    if facts and facts.context_tokens:
        words.append(f"{facts.context_tokens:,} tokens of context")
    if facts and facts.most_output_tokens:
        words.append(f"{facts.most_output_tokens:,} of output")
    price = pricing.rates(model)
    if price and not price.output:
        words.append("free: the sandbox only simulates")
    elif price:
        words.append(f"${price.input.normalize():f} in, ${price.output.normalize():f} out per million")
    return " · ".join(words) or "Any id. Nothing is known of this one."
