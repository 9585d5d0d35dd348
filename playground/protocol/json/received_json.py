"""JSON that an upstream has sent, read as far as it can be kept and written again.

`json_text` reads what people write and refuses it with a place; here nobody can mend the text, so the answer is a value
or a reason. What is read is fit for the database and for the pages: it is nested no deeper than they take, and a number
that no double holds keeps its spelling.
"""

from __future__ import annotations

import gc
import json
import math
from typing import TYPE_CHECKING, Any

from playground.protocol.json import json_text
from playground.protocol.json.json_text import SpelledFloat

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = json_text.DEFAULT_LIMITS.depth  # what is stored must be readable again, and fit into the next request
# Of a whole answer in bytes: reading takes three times its size, and no message is as large. Its bytes are kept.
LARGEST_READ = 16 * 2**20
_MOST_DIGITS = 4_000  # of an int: Python converts no more than 4,300


def read_json(text: str) -> tuple[Any, str | None]:
    """The value and no problem, or None and why there is no value. Never raises. NaN and Infinity are no JSON."""
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    try:
        value = _without_collection(_DECODER.decode, text) if may_be_deep else _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return None, f"{error.msg.removesuffix(' at').removesuffix(' starting').lower()}, at character {error.pos}"
    except ValueError as error:
        return None, str(error)
    except RecursionError:
        return None, TOO_DEEP
    if may_be_deep and is_nested_deeper(value, MAX_DEPTH):
        return None, TOO_DEEP
    return value, None


def try_loads(text: str | bytes) -> Any:
    """The value of JSON that is only looked at, as Python reads it; None for what is not JSON, or nests too deeply."""
    try:
        return loads(text)
    except ValueError:
        return None


def loads(text: str | bytes, **options: Any) -> Any:
    """Return the value of JSON as Python reads it. Raises ValueError, also for what nests too deeply."""
    try:
        return _without_collection(json.loads, text, **options)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_collection(read: Callable[..., Any], text: str | bytes, **options: Any) -> Any:
    """Call a reader while the garbage collector rests.

    A reader goes down as deep as the text nests, to the end of the stack. What the collector finds while it is there
    has no stack for its callbacks and finalizers: they fail, are not called again, and leave two lines on the server's
    error output.
    """
    if not gc.isenabled():  # where another thread reads, that one switches it on again
        return read(text, **options)
    gc.disable()
    try:
        return read(text, **options)
    finally:
        gc.enable()


def try_object(text: str | bytes) -> dict[str, Any] | None:
    """Parse the text; None unless it is an object."""
    value = try_loads(text)
    return value if isinstance(value, dict) else None


def read_json_body(body: bytes | bytearray) -> tuple[Any, str | None]:
    """Parse a whole answer: bytes that are not UTF-8 are replaced, a byte order mark is passed over."""
    return read_json(body.decode("utf-8", "replace").removeprefix("\ufeff"))


def read_stored_json(text: str) -> Any:
    """Read what `write_json` has written. Raises ValueError for text that is no JSON."""
    return _DECODER.decode(text)


def is_nested_deeper(value: Any, depth: int) -> bool:
    """Return whether more than `depth` lists and objects are inside each other. Goes level by level, so it cannot run
    out of stack."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def has_spelled_numbers(value: Any) -> bool:
    """Return whether any number in it needs its spelling, as only `json_text.dump` writes it."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, SpelledFloat):
            return True
    return False


def write_json(value: Any, indent: int | None = None) -> str:
    """JSON text of what was read, in ASCII, so that NUL and half surrogates pass everywhere."""
    if not has_spelled_numbers(value):
        return json.dumps(value, indent=indent, separators=None if indent else (",", ":"))
    text = json_text.dump(value, indent)
    return text if text.isascii() else "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character if character.isascii() else json.dumps(character)[1:-1]


TOO_DEEP = f"nested more than {MAX_DEPTH} deep"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    number = float(text)
    return SpelledFloat(text) if math.isinf(number) else number


def _whole_number(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else _number(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_number, parse_int=_whole_number)
