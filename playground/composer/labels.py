"""Kinds of value in words for the reader: "integer, 0 or more", "list of string", "string or list of block"."""

from __future__ import annotations

from playground.protocol import pricing
from playground.protocol.catalogue import kinds
from playground.protocol.catalogue.known_models import ModelFacts
from playground.rendering import formatting


def type_words(kind: kinds.Kind) -> str:
    """Return the line under a parameter's name: its type and range."""
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
            return f"list of {_plural(_noun(kind))}"
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


def with_article(words: str) -> str:
    """The words of a type as the object of a sentence: a string, an integer, any JSON."""
    if words == "null" or words.startswith("any "):
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _plural(noun: str) -> str:
    head, comma, bounds = noun.partition(",")
    return noun if noun in {"any JSON", "JSON Schema"} else f"{head}s{comma}{bounds}"


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
        return f", {kind.minimum:,} or more"
    if kind.minimum is None:
        return f", {kind.maximum:,} or less"
    return f", {kind.minimum:,} to {kind.maximum:,}"


def model_words(model: str, facts: ModelFacts | None) -> str:
    """One line about a model: how much it reads and writes, what it costs."""
    words = []
    if facts and facts.context_tokens:
        words.append(f"{facts.context_tokens:,} tokens of context")
    if facts and facts.most_output_tokens:
        words.append(f"{facts.most_output_tokens:,} of output")
    price = pricing.rates(model)
    if price and not price.output:
        words.append("Free. Simulated: no model is called.")
    elif price:
        words.append(f"{formatting.price(price.input)} in, {formatting.price(price.output)} out per million tokens")
    return " · ".join(words) or "Unknown model. Any ID can be sent."


ACTS = {
    "add": "Add {place}",
    "add-block": "Add a block",
    "add-turn": "Add a message",
    "attach": "Add a file",
    "beta-add": "Add a beta",
    "beta-remove": "Remove a beta",
    "column-add": "Add a column",
    "column-duplicate": "Duplicate a column",
    "column-link": "Inherit a field in a column",
    "column-link-connection": "Inherit the connection in a column",
    "column-remove": "Remove a column",
    "column-start": "Compare",
    "column-stop": "Stop comparing",
    "column-unlink": "Override a field in a column",
    "connection": "Change the connection",
    "down": "Move {place}",
    "duplicate": "Duplicate {place}",
    "empty": "Send {place} as an empty string",
    "entry": "Add {place}",
    "example-remove": "Remove an output example",
    "false": "Send {place} as false",
    "header-add": "Add a header",
    "header-remove": "Remove a header",
    "insert": "Add to {place}",
    "insert-before": "Insert a message",
    "kind": "Change the kind of {place}",
    "move": "Move {place}",
    "null": "Send {place} as null",
    "remove": "Remove {place}",
    "repair": "Repair {place}",
    "run-from": "Remove the messages after {place}",
    "schema-add": "Add a field",
    "schema-name": "Rename a field",
    "schema-remove": "Remove a field",
    "schema-required": "Change whether a field is required",
    "schema-type": "Change the type of a field",
    "schema-value": "Add an allowed value",
    "schema-value-remove": "Remove an allowed value",
    "ttl": "Change a cache mark",
    "unset": "Remove {place}",
    "up": "Move {place}",
    "variant": "Change {place}",
}


def act_words(op: str, place: str) -> str:
    """Name the action of a form button for Undo, such as "Remove messages[2]"."""
    return ACTS.get(op, "Change").format(place=place[:80] or "the request")
