"""A cursor over the tokens of JavaScript or TypeScript, and the steps past what has no value."""

from __future__ import annotations

from playground.protocol.importers.javascript_tokens import Token, matching, tokens
from playground.protocol.importers.python_values import MOST_NOTES
from playground.protocol.importers.result import Unknown, position, shortened


class Cursor:
    """Stands at one token of a pasted text, and notes what the reader should be told."""

    def __init__(self, pasted: str) -> None:
        self.pasted = pasted
        self.tokens = tokens(pasted)
        self.closing = matching(self.tokens)
        self.at = 0
        self.notes: list[str] = []

    def token(self, index: int) -> Token:
        """The token at an index; behind the last one there are only more of kind "end"."""
        return self.tokens[min(index, len(self.tokens) - 1)]

    def ahead(self, steps: int = 0) -> Token:
        return self.token(self.at + steps)

    def peek(self, text: str, steps: int = 0) -> bool:
        token = self.ahead(steps)
        return token.text == text and token.kind in ("sign", "name", "dots")

    def accept(self, text: str) -> bool:
        if self.peek(text):
            self.at += 1
            return True
        return False

    def close_of(self, index: int) -> int:
        return self.closing.get(index, len(self.tokens) - 1)

    @property
    def is_cut_off(self) -> bool:
        """Whether a bracket is open at the end of the text."""
        end = len(self.tokens) - 1
        return any(close == end for close in self.closing.values())

    def line_of(self, index: int) -> int:
        return position(self.pasted, self.token(index).offset)[0]

    def note(self, index: int, message: str) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"Line {self.line_of(index)}: {message}")

    def source_between(self, start: int, end: int) -> str:
        first = self.token(start).offset
        return shortened(self.pasted[first : min(self.token(end).offset, first + 300)].strip())

    def unknown(self, start: int) -> Unknown:
        source = self.source_between(start, self.at)
        return Unknown(source, is_file="read" in source)

    # --- types of TypeScript -----------------------------------------------------------------------------------------

    def is_called(self) -> bool:
        """Return whether a call's bracket comes here, behind type arguments perhaps: `call<Type>(…)`."""
        if self.peek("("):
            return not self.ahead().starts_line
        if not self.peek("<") or self.ahead(1).kind != "name":
            return False
        end = self._end_of_type_arguments()
        return end is not None and self.token(end).text == "("

    def skip_type_arguments(self) -> None:
        if self.peek("<") and (end := self._end_of_type_arguments()) is not None:
            self.at = end

    def _end_of_type_arguments(self) -> int | None:
        depth = 0
        for index in range(self.at, min(self.at + 40, len(self.tokens))):
            token = self.token(index)
            if token.kind == "sign":
                depth += {"<": 1, ">": -1}.get(token.text, 0)
                if not depth:
                    return index + 1
                if token.text in ";()":
                    return None
        return None

    def skip_type(self) -> None:
        """Past a TypeScript type such as `Anthropic.MessageParam[]` or `Array<{ a: string }>`."""
        depth = 0
        while self.ahead().kind != "end":
            token = self.ahead()
            if token.kind == "sign" and token.text in "([{":
                self.at = min(self.close_of(self.at) + 1, len(self.tokens) - 1)
                continue
            if token.kind == "sign" and token.text in "<>":
                depth += 1 if token.text == "<" else -1
            elif (depth <= 0 and token.kind == "sign" and token.text not in (".", "|", "&")) or (
                depth <= 0 and token.starts_line and token.kind == "name" and not self._type_goes_on()
            ):
                return
            self.at += 1

    def _type_goes_on(self) -> bool:
        before = self.token(self.at - 1)
        return before.kind == "sign" and before.text in (":", "|", "&", ".", "<")
