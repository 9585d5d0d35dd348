"""JavaScript or TypeScript code that sends requests, followed in order as far as its values are written out."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from playground.protocol.importers.javascript_operators import method_of_text
from playground.protocol.importers.javascript_requests import requests_of, sends
from playground.protocol.importers.javascript_statements import Statements
from playground.protocol.importers.javascript_values import UNDEFINED
from playground.protocol.importers.python_values import OF_A_CLIENT
from playground.protocol.importers.result import JsonOf, ReadingError, RequestParts, Unknown
from playground.protocol.json import json_text

MOST_REQUESTS = 50
MOST_CALLS = 1000  # of the pasted functions
MOST_ITEMS = 1000  # of a list whose items are mapped
MADE_AS_OBJECTS = frozenset({"Headers", "Map", "FormData"})


def read_javascript(pasted: str) -> list[RequestParts]:
    """Every request that the code sends, in the order in which it stands there."""
    program = Program(pasted)
    program.scan(len(program.tokens) - 1)
    for parts in program.requests:
        parts.notes += program.notes
    return program.requests


def read_object(pasted: str) -> Any:
    """The value of an object literal that is not JSON: unquoted names, single quotes, comments, commas at the end."""
    program = Program(pasted)
    if program.is_cut_off:
        return None
    value = program.value()
    return value if program.ahead().kind == "end" or program.peek(";") else None


@dataclass(frozen=True, eq=False)
class Function(Unknown):
    """A function of the pasted code: where its parameters and its body begin, and what it sent when it was looked at.

    It is followed where it stands, with its parameters unknown, and again where it is called with values.
    """

    parameters: int = 0
    body: int = 0
    sent: list[RequestParts] = field(default_factory=list)
    tokens: Any = None  # in which the two places are


class Program(Statements):
    """One pass over the tokens. Scopes are not told apart, except that a function's parameters end with it."""

    def __init__(self, pasted: str) -> None:
        super().__init__(pasted)
        self.requests: list[RequestParts] = []
        self.client: Any = None
        self.clients: list[dict[str, Any]] = []
        self.calls = 0

    def function(self) -> Any:
        start = self.at
        at = start + 1 if self.peek("async") else start
        if self.token(at).text == "<" and (end := self._type_arguments_from(at)) is not None:
            at = end  # a generic arrow function
        if self.token(at).text == "function" and self.token(at).kind == "name":
            at += 1
            while self.token(at).text != "(" and self.token(at).kind in ("name", "sign") and at < start + 4:
                at += 1
            if self.token(at).text != "(":
                return None
            body = self._body_after(self.close_of(at) + 1)
            if body is None:
                return None
            made = self._followed(at, body)
            if self.token(at - 1).kind == "name" and self.token(at - 1).text != "function":
                self.names[self.token(at - 1).text] = made
            return made
        token = self.token(at)
        if token.kind == "name" and self.token(at + 1).text == "=>":
            return self._followed(at, at + 2)
        if token.text == "(" and token.kind == "sign":
            arrow = self._arrow_after(self.close_of(at) + 1)
            return self._followed(at, arrow + 1) if arrow is not None else None
        return None

    def _type_arguments_from(self, index: int) -> int | None:
        here, self.at = self.at, index
        end = self._end_of_type_arguments()
        self.at = here
        return end if end is not None and self.token(end).text == "(" else None

    def _body_after(self, index: int) -> int | None:
        """The brace of a function's body, past the type that it returns."""
        for ahead in range(index, min(index + 24, len(self.tokens))):
            if self.token(ahead).text == "{" and self.token(ahead).kind == "sign":
                return ahead
            if self.token(ahead).text in (";", "="):
                return None
        return None

    def _arrow_after(self, index: int) -> int | None:
        if index >= len(self.tokens):
            return None
        if self.token(index).text == "=>":
            return index
        if self.token(index).text != ":":
            return None
        for ahead in range(index, min(index + 24, len(self.tokens))):
            if self.token(ahead).text == "=>":
                return ahead
            if self.token(ahead).text in (";", "=", ",", ")", "("):
                return None
        return None

    def _followed(self, parameters: int, body: int) -> Function:
        """Follow a function's body where it stands: its parameters are not known but by their defaults."""
        first = len(self.requests)
        self.run(parameters, body, [])
        return Function("a function", parameters=parameters, body=body, sent=self.requests[first:], tokens=self.tokens)

    def _called(self, function: Function, arguments: list[Any]) -> Any:
        """Return the function's result for these arguments; what it sends with them counts, not what it sent before."""
        self.calls += 1
        is_known = function.tokens is self.tokens and function.body not in self.in_progress
        if not is_known or not arguments or self.calls > MOST_CALLS:
            return UNDEFINED
        here = self.at
        before = len(self.requests)
        value = self.run(function.parameters, function.body, arguments)
        self.at = here
        if len(self.requests) > before:
            self.requests = [one for one in self.requests if not any(one is other for other in function.sent)]
        return value

    def run(self, parameters: int, body: int, arguments: list[Any]) -> Any:
        """Follow a body and go behind it; returns what it returns."""
        names = self._parameters(parameters)
        names |= {name: value for name, value in zip(names, arguments, strict=False) if not isinstance(value, Unknown)}
        returned, self.returned = self.returned, UNDEFINED
        self.in_progress.add(body)
        outer = {name: self.names[name] for name in names if name in self.names}
        self.names.update(names)
        self.at = body
        if self.peek("{"):
            close = self.close_of(body)
            self.at = body + 1
            self.scan(close)
            self.at = min(close + 1, len(self.tokens) - 1)
        else:
            self.returned = self.value()
        value, self.returned = self.returned, returned
        self.in_progress.discard(body)
        for name in names:
            if name in outer:
                self.names[name] = outer[name]
            else:
                self.names.pop(name, None)
        return value

    def _parameters(self, opening: int) -> dict[str, Any]:
        if self.token(opening).kind == "name":
            return {self.token(opening).text: Unknown(self.token(opening).text)}
        close = self.close_of(opening)
        names: dict[str, Any] = {}
        self.at = opening + 1
        while self.at < close:
            token = self.ahead()
            self.at += 1
            if token.kind == "name":
                names[token.text] = Unknown(token.text)
                if self.peek("?") and self.peek(":", 1):
                    self.at += 1
                if self.accept(":"):
                    self.skip_type()
                if self.accept("="):
                    names[token.text] = self.value()
            elif token.text not in ("{", "}", ",", "...", "["):
                continue
        return names

    # --- calls -------------------------------------------------------------------------------------------------------

    def made(self, name: str, arguments: list[Any], start: int) -> Any:
        first = arguments[0] if arguments else None
        if name.endswith(("Anthropic", "AnthropicBedrock", "AnthropicVertex", "OpenAI")):
            client = dict(first) if isinstance(first, dict) else {}
            self.clients.append(client)
            self.client = self.client if self.client is not None else client
            return client
        if name in MADE_AS_OBJECTS:
            return dict(first) if isinstance(first, dict) else {}
        if name == "Request":
            return {"url": first, **(arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {})}
        if name == "XMLHttpRequest":
            return {"is_request": True, "headers": {}}
        if name in ("URL", "String", "Blob"):
            return first[0] if isinstance(first, list) and first else first
        return self.unknown(start)

    def member(self, value: Any, name: str, start: int) -> Any:
        if name in OF_A_CLIENT and any(value is each for each in self.clients):
            return value  # so that the call behind it knows whose it is
        return super().member(value, name, start)

    def call(self, path: list[str], owner: Any, opening: int) -> Any:
        start = max(opening - 2 * len(path) + 1, 0)
        arguments = self.arguments(opening)
        first = arguments[0] if arguments else UNDEFINED
        if self.close_of(opening) == len(self.tokens) - 1 and sends(path):
            raise ReadingError("The call is not closed: the text seems to be cut off.", self.line_of(opening), 1)
        if sends(path) and path[-1] != "()" and self._send(path, owner, arguments, start):
            return Unknown("the response")
        name = path[-1] if path else ""
        if len(path) == 1 and isinstance(self.names.get(name), Function):
            value = self._called(self.names[name], arguments)
            return self.unknown(start) if value is UNDEFINED else value
        known = self._known_call(path, name, first, arguments, start)
        if known is not None:
            return known
        if isinstance(owner, dict):
            return self._method_of_object(owner, name, arguments, start)
        if isinstance(owner, list):
            return self._method_of_list(owner, name, arguments, start)
        if isinstance(owner, str):
            return method_of_text(owner, name, arguments, self.unknown(start))
        return self.unknown(start)

    def _known_call(self, path: list[str], name: str, first: Any, arguments: list[Any], start: int) -> Any:
        """The value of a call of JavaScript's own, or of a library that makes clients; None for any other call."""
        if name in ("Number", "parseInt", "parseFloat") and len(path) == 1:
            number = json_text.try_parse(first) if isinstance(first, str) and len(first) < 20 else first
            return number if isinstance(number, int | float) else self.unknown(start)
        if path == ["superagent", "post"] or path == ["request", "post"]:
            return {"is_request": True, "url": first, "headers": {}}
        if path == ["JSON", "stringify"]:
            return JsonOf(first)
        if path == ["JSON", "parse"]:
            known = (
                first.value
                if isinstance(first, JsonOf)
                else json_text.try_parse(first)
                if isinstance(first, str)
                else None
            )
            return self.unknown(start) if known is None else known
        if name in ("structuredClone", "String", "defineConfig") and len(path) == 1:
            return copy.deepcopy(first)
        if path == ["Object", "assign"] and isinstance(first, dict):
            for other in arguments[1:]:
                first.update(other if isinstance(other, dict) else {})
            return first
        if (path[:1] == ["axios"] and name in ("create", "extend")) or path == ["got", "extend"]:
            return dict(first) if isinstance(first, dict) else {}
        if name == "request" and path[:1] in (["https"], ["http"]):
            options = next((one for one in arguments if isinstance(one, dict)), {})
            url = first if isinstance(first, str) else None
            return {**options, "is_request": True, **({"url": url} if url else {})}
        return None

    def _send(self, path: list[str], owner: Any, arguments: list[Any], start: int) -> bool:
        requests = requests_of(path, owner, arguments, owner if isinstance(owner, dict) else self.client)
        for parts in requests[: MOST_REQUESTS - len(self.requests)]:
            parts.label = f"Line {self.line_of(start)}"
            parts.body = copy.deepcopy(parts.body)  # the code may go on changing it
            self.requests.append(parts)
        return bool(requests)

    def _method_of_object(self, owner: dict[str, Any], name: str, arguments: list[Any], start: int) -> Any:
        if name in ("set", "append", "setRequestHeader", "setHeader") and len(arguments) == 2:
            is_request = name.startswith("setRequest") or name == "setHeader" or "is_request" in owner
            target = owner.setdefault("headers", {}) if is_request else owner
            if isinstance(arguments[0], str) and isinstance(target, dict):
                target[arguments[0]] = arguments[1]
            return owner
        if name == "set" and "is_request" in owner and arguments and isinstance(arguments[0], dict):
            owner["headers"] = {**owner.get("headers", {}), **arguments[0]}
            return owner
        if name == "open" and len(arguments) > 1:
            owner["url"] = arguments[1]
        if name in ("withOptions", "extend") and arguments and isinstance(arguments[0], dict):
            changed = {**owner, **arguments[0]}
            self.clients.append(changed)
            return changed
        return self.unknown(start)

    def _method_of_list(self, owner: list[Any], name: str, arguments: list[Any], start: int) -> Any:
        if name in ("push", "unshift", "pop", "shift", "splice", "reverse", "sort") and self.is_passed_over:
            self.note(start, f"{self.source_between(start, self.at)} happens under a condition; it was not followed.")
        elif name in ("push", "unshift"):
            self._take_room(len(arguments))
            owner[len(owner) if name == "push" else 0 : 0] = arguments
        elif name in ("pop", "shift") and owner:
            return owner.pop(-1 if name == "pop" else 0)
        elif name == "concat":
            self._take_room(len(owner) + sum(len(one) for one in arguments if isinstance(one, list)))
            return owner + [item for one in arguments for item in (one if isinstance(one, list) else [one])]
        elif name == "map" and arguments and isinstance(arguments[0], Function) and len(owner) <= MOST_ITEMS:
            return [self._called(arguments[0], [item]) for item in owner]
        elif name == "slice" and not arguments:
            return list(owner)
        elif name == "join" and all(isinstance(item, str) for item in owner):
            separator = arguments[0] if arguments and isinstance(arguments[0], str) else ","
            return separator.join(owner)
        elif name in ("splice", "reverse", "sort"):
            self.note(start, f"{self.source_between(start, self.at)} was not followed.")
        return self.unknown(start)
