"""JavaScript statements, followed one after the other as far as the values in them are written out."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from playground.protocol.importers.javascript_requests import may_send
from playground.protocol.importers.javascript_values import UNDEFINED, Values
from playground.protocol.importers.result import ReadingError, Unknown

DEEPEST_SCAN = 60


class Statements(Values):
    """Follows statements. Calls and functions are for a subclass."""

    def __init__(self, pasted: str) -> None:
        super().__init__(pasted)
        self.scans = 0
        self.returned: Any = UNDEFINED  # what the function that is followed returned
        self.in_progress: set[int] = set()  # bodies of functions that are followed
        self.is_passed_over = False  # inside a branch or loop that is not followed
        kinds = [token.text if token.kind in ("name", "sign") else "" for token in self.tokens]
        self.sending = [index for index in range(len(kinds)) if may_send(kinds, index)]
        for index, word in enumerate(kinds[:-3]):
            if word in ("const", "let", "var") and self.token(index + 1).kind == "name":
                start = self._after_type(index + 2)
                if start is not None:
                    self.declared.setdefault(kinds[index + 1], start)

    def _after_type(self, index: int) -> int | None:
        """The token after `=`, past a type such as `: Anthropic.MessageCreateParams`."""
        if self.token(index).text == ":":
            here, self.at = self.at, index + 1
            self.skip_type()
            index, self.at = self.at, here
        token = self.token(index)
        return index + 1 if token.text == "=" and token.kind == "sign" else None

    def scan(self, end: int) -> None:
        self.scans += 1
        if self.scans > DEEPEST_SCAN:
            raise ReadingError("This code nests too deeply.", self.line_of(self.at), 1)
        while self.at < end:
            start = self.at
            self._step()
            self._statement(end)
            self.at = max(self.at, start + 1)
        self.scans -= 1

    def _statement(self, end: int) -> None:
        token = self.ahead()
        if token.kind == "sign":
            if token.text == "{" or token.text in ";,)}]:":
                self.at += 1  # a block's own statements follow
            else:
                self.value()
            return
        if token.kind != "name":
            self.value()
        elif token.text in ("const", "let", "var"):
            self._declaration()
        elif token.text == "for" and self.peek("await", 1) and self.peek("(", 2):
            self.at += 1
            self._branch(end)
        elif token.text in ("if", "for", "while") and self.peek("(", 1):
            self._branch(end)
        elif token.text == "return" and self.in_progress:
            self.at += 1
            self.returned = self.value()
        elif token.text == "enum" and self.peek("{", 2):
            self._enumeration()
        elif token.text in ("export", "default", "return", "throw", "else", "do", "try", "finally", "case", "declare"):
            self.at += 1
        elif token.text in ("import", "type", "interface") and self.ahead(1).kind in ("name", "sign", "string"):
            self._skip_line(end)
        else:
            self._expression()

    def _skip_line(self, end: int) -> None:
        """Past an import or a type, which hold no value."""
        self.at += 1
        while self.at < end and not self.peek(";") and not (self.ahead().starts_line and not self.peek("}")):
            if self.ahead().kind == "sign" and self.ahead().text in "([{":
                self.at = self.close_of(self.at)
            self.at += 1

    def _declaration(self) -> None:
        self.at += 1
        while True:
            token, index = self.ahead(), self.at
            if token.kind == "sign" and token.text in "{[":
                self.at = min(self.close_of(self.at) + 1, len(self.tokens) - 1)
            else:
                self.at += 1
            start = self._after_type(self.at)
            if start is None:
                return
            self.at = start
            value = self.value()
            if token.kind == "name":
                self.names[token.text] = value
            elif isinstance(value, dict):
                self._destructured(index, value)
            if not self.accept(","):
                return

    def _destructured(self, opening: int, value: dict[str, Any]) -> None:
        """`const { model, messages } = options`."""
        for token in self.tokens[opening + 1 : self.close_of(opening)]:
            if token.kind == "name" and token.text in value:
                self.names[token.text] = value[token.text]

    def _enumeration(self) -> None:
        """`enum Model { Fast = "…" }`."""
        name, opening = self.ahead(1).text, self.at + 2
        close = self.close_of(opening)
        members: dict[str, Any] = {}
        self.at = opening + 1
        while self.at < close:
            token = self.ahead()
            self.at += 1
            if token.kind in ("name", "string") and self.accept("="):
                members[token.text] = self.value()
        self.names[name] = members
        self.at = min(close + 1, len(self.tokens) - 1)

    def _branch(self, end: int) -> None:
        """An if or a loop: followed when its test is known or a request is sent in it, else only looked through."""
        opening = self.at + 1
        start, word = self.at, "for" if self.peek("await") else self.ahead().text
        close = self.close_of(opening)
        test: Any = UNDEFINED
        if word == "if":
            values = self.arguments(opening)
            test = values[0] if len(values) == 1 else Unknown("a test")
        else:
            self._loop_names(opening, close)
        self.at = min(close + 1, len(self.tokens) - 1)
        if not self.peek("{"):
            return
        block = self.close_of(self.at)
        has_request = self._has_request(self.at, block)
        is_followed = has_request or (word == "if" and not isinstance(test, Unknown) and bool(test))
        if has_request and word != "if":
            self.note(start, "the loop was gone through once.")
        was, self.is_passed_over = self.is_passed_over, self.is_passed_over or not is_followed
        self.at += 1
        self.scan(min(block, end))
        self.is_passed_over = was
        self.at = min(block + 1, len(self.tokens) - 1)

    def _loop_names(self, opening: int, close: int) -> None:
        for index in range(opening, min(close, opening + 6)):
            if self.token(index).text in ("const", "let", "var") and self.token(index + 1).kind == "name":
                name = self.token(index + 1).text
                self.names[name] = Unknown(name)
                if self.token(index + 2).text == "of":
                    self.at = index + 3
                    items = self.value()
                    self.names[name] = items[0] if isinstance(items, list) and items else self.names[name]

    def _has_request(self, start: int, end: int) -> bool:
        index = bisect_left(self.sending, start)
        return index < len(self.sending) and self.sending[index] < end

    def _expression(self) -> None:
        """An assignment to a name or a member, or any other expression."""
        start = self.at
        names = [self.ahead().text]
        index = self.at + 1
        while self.token(index).text == "." and self.token(index + 1).kind == "name" and len(names) < 8:
            names.append(self.token(index + 1).text)
            index += 2
        if (
            self.token(index).text == "["
            and self.token(index + 1).kind == "string"
            and self.token(index + 2).text == "]"
        ):
            names.append(self.token(index + 1).text)
            index += 3
        sign = self.token(index)
        if sign.kind == "sign" and sign.text in ("=", "+=", "||=", "??="):
            self.at = index + 1
            self._assign(names, sign.text, self.value(), start)
        elif names[0] == "delete" and self.token(self.at + 1).kind == "name":
            self.at += 1
            self._delete()
        else:
            self.value()

    def _assign(self, names: list[str], sign: str, value: Any, start: int) -> None:
        owner: Any = self.names
        for name in names[:-1]:
            owner = owner.get(name) if isinstance(owner, dict) else None
        if not isinstance(owner, dict):
            return
        if self.is_passed_over and names[0] in self.names:
            self.note(start, f"{'.'.join(names)} is changed under a condition; that was not followed.")
            return
        if sign == "+=":
            value = self._combined("+", owner.get(names[-1], UNDEFINED), value, start)
        elif sign != "=":  # a default: what is there stays
            value = self._combined(sign.removesuffix("="), owner.get(names[-1], UNDEFINED), value, start)
        if isinstance(value, Unknown) and len(names) == 1 and value.source.startswith((f"{names[0]}.", f"{names[0]}[")):
            self.note(start, f"{value.source} was not run; {names[0]} stays as it was.")
        elif value is not UNDEFINED:
            owner[names[-1]] = value

    def _delete(self) -> None:
        names = [self.ahead().text]
        while self.peek(".", 1) and self.ahead(2).kind == "name":
            self.at += 2
            names.append(self.ahead().text)
        self.at += 1
        owner: Any = self.names
        for name in names[:-1]:
            owner = owner.get(name) if isinstance(owner, dict) else None
        if isinstance(owner, dict) and len(names) > 1:
            owner.pop(names[-1], None)

    # --- functions ---------------------------------------------------------------------------------------------------
