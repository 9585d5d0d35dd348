"""JavaScript expressions to values, as far as they are written out; nothing is run.

Objects and arrays are dictionaries and lists, so that what the code changes later is changed here too. What would
have to be computed is an `Unknown` with its source, and reading goes on behind it.
"""

from __future__ import annotations

import re
from typing import Any

from playground.protocol.importers.javascript_cursor import Cursor
from playground.protocol.importers.javascript_operators import arithmetic, is_number, number
from playground.protocol.importers.javascript_tokens import STARTS_STATEMENT, Token, end_of_braces, unescaped
from playground.protocol.importers.result import LONGEST_TEXT, ReadingError, Unknown, shortened
from playground.protocol.json import json_text

WORDS = {"true": True, "false": False, "null": None}
DEEPEST = 100
MOST_STEPS = 2_000_000
LONGEST_EXPRESSION = 200  # characters inside a template
UNDEFINED = Unknown("undefined")
ENDS = frozenset([",", ")", "]", "}", ";", ":"])
IN_TEMPLATE = re.compile(r"\$\{([^{}`]*)\}|\$\{", re.DOTALL)
PATH = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")


class Values(Cursor):
    """Reads one expression at a time. Calls and functions are for a subclass.

    Its many methods are one for each form of an expression, as a recursive descent has them.
    """

    def __init__(self, pasted: str) -> None:
        super().__init__(pasted)
        self.depth = self.steps = 0
        self.room = LONGEST_TEXT
        self.names: dict[str, Any] = {}
        self.declared: dict[str, int] = {}  # where the value of each name begins, for those declared further down

    def call(self, path: list[str], owner: Any, opening: int) -> Any:
        """The value of the call whose bracket is token `opening`; the cursor goes behind it."""
        raise NotImplementedError

    def function(self) -> Any:
        """Step over the function at the cursor; None when there is none."""
        raise NotImplementedError

    def scan(self, end: int) -> None:
        """Follow the statements up to token `end`."""
        raise NotImplementedError

    def skip_expression(self, start: int) -> Unknown:
        """To the end of this expression; requests inside its brackets are still found."""
        while self.ahead().kind != "end":
            token = self.ahead()
            if token.kind == "sign" and token.text in ENDS:
                break
            if token.starts_line and token.text in STARTS_STATEMENT and self.at > start:
                break
            if token.kind == "sign" and token.text in "([{":
                close = self.close_of(self.at)
                self.at += 1
                self.scan(close)
                self.at = min(close + 1, len(self.tokens) - 1)
            else:
                self.at += 1
        return self.unknown(start)

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise ReadingError("This code does too much to be followed: paste the call with its values alone.")

    # --- expressions -------------------------------------------------------------------------------------------------

    def value(self) -> Any:
        """The expression at the cursor, which is then behind it, whatever it is."""
        self._step()
        start = self.at
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise ReadingError("This code nests too deeply.", self.line_of(start), 1)
            function = self.function()
            if function is not None:
                return function
            value = self._operation(self._unary())
            token = self.ahead()
            is_over = token.kind == "end" or (token.kind == "sign" and token.text in ENDS) or token.starts_line
            return value if is_over else self._rest(start, value)
        finally:
            self.depth -= 1

    def _rest(self, start: int, value: Any) -> Any:
        """Read the rest of an expression behind a value: a condition, or something that is not followed."""
        if self.accept("?"):
            first = self.value()
            if self.accept(":"):
                second = self.value()
                return self.unknown(start) if isinstance(value, Unknown) else first if value else second
        return self.skip_expression(start)

    def _operation(self, value: Any) -> Any:
        """Sums, products and defaults, from left to right; products bind closer."""
        start = self.at - 1
        value = self._product(value)
        while self.ahead().kind == "sign" and self.ahead().text in ("+", "-", "||", "??", "&&"):
            sign = self.ahead().text
            self.at += 1
            other = self._product(self._unary())
            value = self._combined(sign, value, other, start)
        return value

    def _product(self, value: Any) -> Any:
        while self.ahead().kind == "sign" and self.ahead().text in ("*", "/", "%", "**"):
            sign, start = self.ahead().text, self.at - 1
            self.at += 1
            value = self._combined(sign, value, self._unary(), start)
        return value

    def _combined(self, sign: str, left: Any, right: Any, start: int) -> Any:
        if sign in ("||", "??"):
            is_missing = left is None or left is UNDEFINED or (sign == "||" and left in (False, "", 0))
            if isinstance(left, Unknown) and left is not UNDEFINED:
                return right if not isinstance(right, Unknown) else left
            return right if is_missing else left
        if sign == "&&":
            return left if isinstance(left, Unknown) or not left else right
        if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
            parts = [self._text_in(side, start) for side in (left, right)]
            self._take_room(sum(map(len, parts)))
            return "".join(parts)
        result = arithmetic(sign, left, right) if is_number(left) and is_number(right) else None
        return self.unknown(max(start, 0)) if result is None else result

    def _text_in(self, value: Any, at: int) -> str:
        """A value inside a text: what is not known stands there as `{{name}}`."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if is_number(value):
            return json_text.spelling(value)
        unknown = value if isinstance(value, Unknown) else Unknown("value")
        self.note(
            min(max(at, 0), len(self.tokens) - 1),
            f"{unknown.source} is not known; {unknown.placeholder} stands in its place.",
        )
        return unknown.placeholder

    def _take_room(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise ReadingError("The values that this code makes are too large.")

    def _unary(self) -> Any:
        start = self.at
        self._step()
        if self.ahead().kind == "sign" and self.ahead().text in ("-", "+", "!"):
            sign = self.ahead().text
            self.at += 1
            if self.ahead().kind == "number" and sign != "!":
                self.at += 1
                return number(self.token(self.at - 1).text, sign.replace("+", ""))
            value = self._guarded_unary()
            is_flag = sign == "!" and not isinstance(value, Unknown | Token)
            return not value if is_flag else self.unknown(start)
        if self.ahead().kind == "name" and self.ahead().text in ("await", "typeof", "void", "yield", "delete"):
            word = self.ahead().text
            self.at += 1
            value = self._guarded_unary()
            return value if word in ("await", "yield") else self.unknown(start)
        return self._postfix(start, self._primary())

    def _guarded_unary(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ReadingError("This code nests too deeply.", self.line_of(self.at), 1)
        try:
            return self._unary()
        finally:
            self.depth -= 1

    def _primary(self) -> tuple[list[str], Any]:
        """A value and the name it was reached by, if it has one."""
        token, start = self.ahead(), self.at
        if token.kind == "sign" and token.text in "{[(":
            close = self.close_of(start)
            value: Any = self._object(close) if token.text == "{" else self._items(close)
            self.at = min(close + 1, len(self.tokens) - 1)
            if token.text == "(":
                value = value[-1] if value else UNDEFINED
            return [], value
        if token.kind == "end" or (token.kind == "sign" and token.text in ENDS):
            return [], UNDEFINED
        self.at += 1
        if token.kind == "string":
            return [], token.text
        if token.kind == "template":
            return [], self.template(token.text, start)
        if token.kind == "number":
            return [], number(token.text)
        if token.kind == "name" and token.text == "new":
            name = self.ahead()
            self.at += 1
            while self.peek(".") and self.ahead(1).kind == "name":
                name = self.ahead(1)
                self.at += 2
            self.skip_type_arguments()
            arguments = self.arguments(self.at) if self.peek("(") else []
            return ["new", name.text], self.made(name.text, arguments, start)
        if token.kind == "name":
            return [token.text], self._named(token)
        return [], self.unknown(start)

    def made(self, name: str, arguments: list[Any], start: int) -> Any:
        """Return what `new name(…)` makes."""
        raise NotImplementedError

    def _named(self, token: Token) -> Any:
        name = token.text
        if name in WORDS:
            return WORDS[name]
        if name == "undefined":
            return UNDEFINED
        if name in self.names:
            return self.names[name]
        start = self.declared.pop(name, None)
        if start is None or start <= self.at:
            return Unknown(name)
        here, self.at = self.at, start  # declared further down: a function is often written before the constants
        self.names[name] = Unknown(name)
        try:
            self.names[name] = self.value()
        finally:
            self.at = here
        return self.names[name]

    def template(self, text: str, at: int) -> str:
        """A template literal: known values are filled in, others stand in it as `{{name}}`."""
        parts: list[str] = []
        end = 0
        for match in IN_TEMPLATE.finditer(text):
            if match.start() < end or text[match.start() - 1 : match.start()] == "\\":
                continue
            parts.append(unescaped(text[end : match.start()]))
            end = match.end() if match[1] is not None else end_of_braces(text, match.end())
            source = text[match.start() + 2 : end - 1].strip()
            parts.append(self._text_in(self.looked_up(source), at))
        parts.append(unescaped(text[end:]))
        joined = "".join(parts)
        self._take_room(len(joined))
        return joined

    def looked_up(self, source: str) -> Any:
        """The value of a name, or of a member such as `options.model`."""
        if not PATH.fullmatch(source):
            if len(source) > LONGEST_EXPRESSION:
                return Unknown(shortened(source))
            inner = type(self)(source)
            inner.names = self.names
            value = inner.value()
            return value if inner.ahead().kind == "end" else Unknown(shortened(source))
        name, *members = source.split(".")
        value = self._named(Token("name", name, 0))
        for member in members:
            value = value.get(member, Unknown(source)) if isinstance(value, dict) else Unknown(source)
        return value

    # --- objects and lists -------------------------------------------------------------------------------------------

    def arguments(self, opening: int) -> list[Any]:
        """The arguments of the call whose bracket is token `opening`; the cursor goes behind its closing one."""
        self.at = opening
        close = self.close_of(opening)
        items = self._items(close)
        self.at = min(close + 1, len(self.tokens) - 1)
        return items

    def _items(self, close: int) -> list[Any]:
        self.at += 1
        items: list[Any] = []
        while self.at < close:
            start = self.at
            if self.accept("..."):
                inner = self.value()
                if isinstance(inner, list):
                    self._take_room(len(inner))
                    items += inner
                else:
                    items.append(Unknown(f"*{self.source_between(start + 1, self.at)}"))
            else:
                items.append(self.value())
            self.at = max(self.at, start + 1) if not self.accept(",") else self.at
        return items

    def _object(self, close: int) -> dict[str, Any]:
        self.at += 1
        members: dict[str, Any] = {}
        while self.at < close:
            start = self.at
            if self.accept("..."):
                inner = self.value()
                if isinstance(inner, dict):
                    self._take_room(len(inner))
                    members.update(inner)
                elif inner is not UNDEFINED and not (inner is None or isinstance(inner, bool)):
                    self.note(
                        start, f"...{self.source_between(start + 1, self.at)} is not written out; it was left out."
                    )
            elif not self.accept(","):
                self._member(members, close)
            self.at = max(self.at, start + 1)
        return members

    def _member(self, members: dict[str, Any], close: int) -> None:
        token, start = self.ahead(), self.at
        self.at += 1
        if token.text == "[" and token.kind == "sign":
            self.at = start
            keys = self._items(self.close_of(start))
            self.at = self.close_of(start) + 1
            name = keys[0] if keys else None
        else:
            name = token.text if token.kind in ("name", "string", "number") else None
        if name in ("async", "get", "set") and self.ahead().kind == "name":
            name = None
        if self.peek("(") or not isinstance(name, str):  # a method, or what is no member
            self._skip_member(close)
            return
        value = UNDEFINED
        if self.accept(":"):
            value = self.value()
        elif token.kind == "name":
            value = self._named(token)
        if value is not UNDEFINED:
            members[name] = value

    def _skip_member(self, close: int) -> None:
        while self.at < close and not self.peek(","):
            if self.ahead().kind == "sign" and self.ahead().text in "([{":
                end = self.close_of(self.at)
                self.at += 1
                self.scan(end)
                self.at = end
            self.at += 1

    # --- what stands behind a value ----------------------------------------------------------------------------------

    def _postfix(self, start: int, reached: tuple[list[str], Any]) -> Any:
        path, value = reached
        while True:
            if self.peek("!") and (
                self.ahead(1).kind == "sign" and self.ahead(1).text in (".", ",", ")", ";", "]", "}")
            ):
                self.at += 1
            elif (self.peek(".") or self.peek("?.")) and self.ahead(1).kind == "name":
                name = self.ahead(1).text
                self.at += 2
                if not self.is_called():
                    value = self.member(value, name, start)
                path = [*path[-6:], name]
            elif self.peek("[") and not self.ahead().starts_line:
                index = self.arguments(self.at)
                value = self._indexed(value, index[0] if len(index) == 1 else None, start)
                path = [*path[-6:], "[]"]
            elif self.is_called():
                self.skip_type_arguments()
                value = self.call(path, value, self.at)
                path = [*path[-6:], "()"]
            elif (self.peek("as") or self.peek("satisfies")) and not self.ahead().starts_line:
                self.at += 1
                self.skip_type()
            else:
                return value

    def member(self, value: Any, name: str, start: int) -> Any:
        if isinstance(value, dict):
            return value.get(name, self.unknown(start))
        if isinstance(value, list | str) and name == "length":
            return len(value)
        return self.unknown(start)

    def _indexed(self, value: Any, index: Any, start: int) -> Any:
        if isinstance(value, dict) and isinstance(index, str) and index in value:
            return value[index]
        if isinstance(value, list) and isinstance(index, int) and 0 <= index < len(value):
            return value[index]
        return self.unknown(start)
