"""Ruby hashes and PHP arrays, whose literals are much like JavaScript's: `{ role: "user" }`, `['role' => 'user']`."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from playground.protocol.importers.javascript_program import Program
from playground.protocol.importers.javascript_values import UNDEFINED
from playground.protocol.importers.result import JsonOf
from playground.protocol.importers.shapes import is_body
from playground.protocol.json import json_text


def body_literal(pasted: str) -> JsonOf | None:
    """The first literal, or list of named arguments, that is a request's body."""
    return _Literals(pasted).body()


class _Literals(Program):
    """A cursor that reads names and values inside any kind of bracket."""

    def body(self) -> JsonOf | None:
        named = [index for index, token in enumerate(self.tokens) if token.text == "messages"]
        for index, token in enumerate(self.tokens):
            if token.kind != "sign" or token.text not in ("(", "[", "{"):
                continue
            following = bisect_left(named, index)
            if following == len(named) or named[following] > self.close_of(index):
                continue
            self.at = index
            value = self._bracket(self.close_of(index))
            if isinstance(value, dict) and is_body(value):
                return JsonOf(value)
        return None

    def _primary(self) -> tuple[list[str], Any]:
        token = self.ahead()
        if token.kind == "sign" and token.text in ("(", "[", "{"):
            close = self.close_of(self.at)
            value = self._bracket(close)
            self.at = min(close + 1, len(self.tokens) - 1)
            return [], value
        if token.text == ":" and self.ahead(1).kind in ("name", "string"):  # a Ruby symbol
            self.at += 2
            return [], self.token(self.at - 1).text
        if token.kind == "name" and token.text in ("nil", "NULL"):
            self.at += 1
            return [], None
        if token.text == "new" and (by := 1 + self.peek("\\", 1)) and self.ahead(by).text == "stdClass":
            self.at += by + 1
            if self.peek("("):
                self.at = min(self.close_of(self.at) + 1, len(self.tokens) - 1)
            return [], {}
        return super()._primary()

    def _bracket(self, close: int) -> Any:
        """A dictionary when names stand in the bracket, else a list."""
        start_of_bracket, opening = self.at, self.tokens[self.at].text
        self.at += 1
        items: list[Any] = []
        members: dict[str, Any] = {}
        while self.at < close:
            start = self.at
            token = self.ahead()
            is_named = token.kind in ("name", "string", "number") and (self.peek(":", 1) or self.peek("=>", 1))
            if is_named:
                self.at += 2
                value = self.value()
                if value is not UNDEFINED:
                    members[token.text] = value
            elif not self.accept(","):
                items.append(self.value())
            self.at = max(self.at, start + 1)
        if members or opening == "{":
            return members
        is_array = self.token(max(start_of_bracket - 1, 0)).text == "array"  # PHP's array(…), not a group
        return items[-1] if opening == "(" and items and not is_array else items

    def call(self, path: list[str], owner: Any, opening: int) -> Any:
        if path[-1:] == ["array"]:
            self.at = opening
            close = self.close_of(opening)
            value = self._bracket(close)
            self.at = min(close + 1, len(self.tokens) - 1)
            return value
        if path[-1:] == ["json_decode"] and self.token(opening + 1).kind == "string":
            self.at = min(self.close_of(opening) + 1, len(self.tokens) - 1)
            return json_text.try_parse(self.token(opening + 1).text)
        return super().call(path, owner, opening)
