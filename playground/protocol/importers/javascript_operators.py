"""The operators of JavaScript on numbers and texts."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.python_values import JSON_NUMBER, LARGEST
from playground.protocol.importers.result import Unknown
from playground.protocol.json import json_text


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(text: str, sign: str = "") -> Any:
    """The value of a number as it is written: decimal, hexadecimal, with underscores or an `n` at its end."""
    written = text.replace("_", "").removesuffix("n")
    if not JSON_NUMBER.fullmatch(written):
        try:
            written = repr(int(written, 0) if written[1:2].isalpha() and written[0] == "0" else float(written))
        except ValueError:
            return Unknown(text[:40])
    value = json_text.parse_number(sign + written)
    return Unknown(text[:40]) if value is None else value


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """The result for two numbers; None where it is not defined, or larger than anything a request holds."""
    if max(abs(left), abs(right)) >= LARGEST or (sign == "**" and not 0 <= right < 64):
        return None
    if sign in ("/", "%") and right == 0:
        return None
    operations = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "**": lambda: left**right,
        "%": lambda: left % right,
        "/": lambda: left / right,
    }
    result = operations[sign]()
    if abs(result) >= LARGEST:
        return None
    return int(result) if isinstance(result, float) and result == int(result) else result


def method_of_text(text: str, name: str, arguments: list[Any], otherwise: Unknown) -> Any:
    if name == "trim" and not arguments:
        return text.strip()
    if name in ("toString", "normalize", "replace", "replaceAll"):
        return text
    return otherwise
