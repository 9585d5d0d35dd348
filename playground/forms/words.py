"""Kinds of value in words for the reader: "integer ≥ 0", "list of string", "string or list of block"."""

from __future__ import annotations

from playground.protocol import kinds, pricing
from playground.protocol.models import ModelFacts


def type_words(kind: kinds.Kind) -> str:
    """What stands under a parameter's name."""
    match kind:
        case kinds.Integer() | kinds.Number():
            return ("integer" if isinstance(kind, kinds.Integer) else "number") + _bounds(kind)
        case kinds.Text() | kinds.Choice() | kinds.Constant():
            return "string"
        case kinds.Base64Data():
            return "base64"
        case kinds.Boolean():
            return "boolean"
        case kinds.JsonSchema():
            return "JSON Schema"
        case kinds.ListOf():
            return f"list of {_noun(kind)}"
        case kinds.MapOf():
            return f"object, {kind.noun} to {type_words(kind.value)}"
        case kinds.Object() | kinds.Variants():
            return "object"
        case kinds.OneOf():
            words = (f"{each.noun}s" if isinstance(each, kinds.ListOf) else type_words(each) for each in kind.kinds)
            return " or ".join(dict.fromkeys(words))
        case kinds.AnyJson():
            return "object" if kind.must_be_object else "any JSON"
        case kinds.Null():
            return "null"


def _noun(kind: kinds.ListOf) -> str:
    return (
        type_words(kind.item)
        if isinstance(kind.item, kinds.Text | kinds.Choice | kinds.Integer | kinds.Number)
        else kind.noun
    )


def _bounds(kind: kinds.Integer | kinds.Number) -> str:
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
