"""What the tests of importing share: the body that every text in them means, and how to look at a result."""

import json
from collections.abc import Callable
from typing import Any

from playground.protocol.importers import ImportChoice, Imported, ImportProblem, read
from playground.protocol.json import json_text

BODY = {
    "model": "m-1",
    "max_tokens": 8,
    "messages": [{"role": "user", "content": 'it\'s a "test" & more'}],
}
JSON = json.dumps(BODY)
URL = "https://api.example.test/v1/messages"


def imported(text: str) -> Imported:
    result = read(text)
    assert isinstance(result, Imported), result
    return result


def reading(start: str, call: str) -> tuple[Callable[[str], Any], Callable[[str], str]]:
    """Two readers of code between `start` and a `call` that sends `it` as its metadata: they return its value, and
    the notes about it."""

    def read_with(code: str) -> Imported:
        return imported(start + code + call)

    return lambda code: read_with(code).body["metadata"], lambda code: " ".join(read_with(code).notes)


def problem(text: str) -> ImportProblem:
    result = read(text)
    assert isinstance(result, ImportProblem), result
    return result


def choice(text: str) -> ImportChoice:
    result = read(text)
    assert isinstance(result, ImportChoice), result
    return result


def spelled(value: Any) -> Any:
    """The JSON value with its numbers as text, so that 1 and 1.0 differ."""
    return json.loads(json_text.dump(value), parse_int=str, parse_float=str)
