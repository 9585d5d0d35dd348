"""JavaScript or TypeScript code that calls the official client or fetch with values written out; it is never run."""

from __future__ import annotations

from typing import Any

from playground.protocol import json_text
from playground.protocol.importers.found import Imported, JsonOf, ReadingError, Unknown, finish, position
from playground.protocol.importers.javascript_tokens import Token, tokens
from playground.protocol.importers.python_code import JSON_NUMBER

WORDS = {"true": True, "false": False, "null": None}
DEEPEST = 200
UNDEFINED = Unknown("undefined")


def read_javascript(pasted: str) -> Imported:
    return _Reader(pasted).read()


class _Reader:
    """Finds the first call that sends a request, and reads the values given to it."""

    def __init__(self, pasted: str) -> None:
        self.pasted = pasted
        self.tokens = tokens(pasted)
        self.at = 0
        self.depth = 0
        self.opened: set[str] = set()
        self.names: dict[str, int] = {}
        for index, token in enumerate(self.tokens[:-3]):
            if token.kind == "name" and token.text in ("const", "let", "var"):
                start = self._after_type(index + 2)
                if start:
                    self.names.setdefault(self.tokens[index + 1].text, start)

    def _after_type(self, index: int) -> int | None:
        """The token after `=`, past a type such as `: Anthropic.MessageCreateParams`."""
        for ahead in range(index, min(index + 12, len(self.tokens) - 1)):
            if self.tokens[ahead].text == "=" and self.tokens[ahead].kind == "sign":
                return ahead + 1
            if self.tokens[ahead].kind not in ("name",) and self.tokens[ahead].text not in (
                ":",
                ".",
                "<",
                ">",
                "[",
                "]",
            ):
                return None
        return None

    def read(self) -> Imported:
        texts = [token.text if token.kind in ("name", "sign") else "" for token in self.tokens]
        for index, text in enumerate(texts):
            if texts[index + 1 : index + 2] != ["("]:
                continue
            before = texts[max(index - 3, 0) : index]
            if text in ("create", "stream", "parse") and before[-2:] == ["messages", "."]:
                return self._client_call(index, text)
            if text == "post" and before[-1:] == ["."]:
                return self._post(index)
            if text == "fetch" and before[-1:] != ["."]:
                return self._fetch(index)
        raise ReadingError("There is no call of messages.create or fetch in this code.")

    # --- the kinds of call -------------------------------------------------------------------------------------------

    def _client_call(self, index: int, method: str) -> Imported:
        arguments = self._arguments(index + 1)
        body = arguments[0] if arguments else None
        if not isinstance(body, dict):
            raise ReadingError(f"messages.{method} is called without an object.", *self._position(self.tokens[index]))
        betas = body.pop("betas", ())
        if method == "stream":
            body["stream"] = True
        url, headers = self._client()
        if len(arguments) > 1 and isinstance(arguments[1], dict):
            headers += _pairs(arguments[1].get("headers"))
        return finish(
            body, pasted=self.pasted, url=url, headers=headers, betas=betas if isinstance(betas, list) else ()
        )

    def _post(self, index: int) -> Imported:
        arguments = self._arguments(index + 1)
        options = arguments[1] if len(arguments) > 1 else None
        if not isinstance(options, dict) or "body" not in options:
            raise ReadingError("The call of post has no body.", *self._position(self.tokens[index]))
        url, headers = self._client()
        return finish(options["body"], pasted=self.pasted, url=url, headers=headers + _pairs(options.get("headers")))

    def _fetch(self, index: int) -> Imported:
        arguments = self._arguments(index + 1)
        options = arguments[1] if len(arguments) > 1 else None
        if not isinstance(options, dict) or "body" not in options:
            raise ReadingError("The call of fetch has no body.", *self._position(self.tokens[index]))
        url = arguments[0] if isinstance(arguments[0], str) else None
        return finish(options["body"], pasted=self.pasted, url=url, headers=_pairs(options.get("headers")))

    def _client(self) -> tuple[str | None, list[tuple[str, Any]]]:
        for index, token in enumerate(self.tokens[:-1]):
            if token.text == "new" and token.kind == "name" and self.tokens[index + 1].text == "Anthropic":
                arguments = self._arguments(index + 2)
                options = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
                url = options.get("baseURL")
                return url if isinstance(url, str) else None, _pairs(options.get("defaultHeaders"))
        return None, []

    def _arguments(self, index: int) -> list[Any]:
        """The arguments of the call whose bracket is token `index`."""
        self.at = index
        return self._items("(", ")")

    # --- values ------------------------------------------------------------------------------------------------------

    def _position(self, token: Token) -> tuple[int, int]:
        return position(self.pasted, token.offset)

    def _fault(self, message: str) -> ReadingError:
        return ReadingError(message, *self._position(self._ahead(0)))

    def _ahead(self, steps: int) -> Token:
        return self.tokens[min(self.at + steps, len(self.tokens) - 1)]

    def _peek(self, text: str) -> bool:
        token = self._ahead(0)
        return token.text == text and token.kind in ("sign", "name", "dots")

    def _accept(self, text: str) -> bool:
        if self._peek(text):
            self.at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._fault(f"Expected {text} here; only values that are written out can be read.")

    def _items(self, opening: str, closing: str) -> list[Any]:
        self._expect(opening)
        found: list[Any] = []
        while not self._accept(closing):
            if self._accept("..."):
                inner = self._value()
                found += inner if isinstance(inner, list) else []
            else:
                found.append(self._value())
            if not self._peek(closing):
                self._expect(",")
        return found

    def _value(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault("This value nests too deeply.")
        try:
            value = self._term()
            while self._accept("+"):
                other = self._term()
                value = value + other if isinstance(value, str) and isinstance(other, str) else Unknown("a sum")
            return value
        finally:
            self.depth -= 1

    def _term(self) -> Any:
        token = self._ahead(0)
        if token.kind == "string":
            self.at += 1
            return self._after_methods(token.text)
        if token.kind == "computed":
            self.at += 1
            return self._after_methods(Unknown(f"`{token.text[:60]}`"))
        if token.kind == "number":
            self.at += 1
            return self._number(token, "")
        if self._peek("{"):
            return self._after_methods(self._object())
        if self._peek("["):
            return self._after_methods(self._items("[", "]"))
        if self._accept("-"):
            number = self._ahead(0)
            if number.kind != "number":
                raise self._fault("Only a number can have a minus sign here.")
            self.at += 1
            return self._number(number, "-")
        if self._accept("("):
            inner = self._value()
            self._expect(")")
            return self._after_methods(inner)
        if token.kind == "name":
            return self._name(token)
        raise self._fault("Only values that are written out can be read; this one must be computed.")

    def _number(self, token: Token, sign: str) -> Any:
        written = token.text.replace("_", "").removesuffix("n")
        if JSON_NUMBER.fullmatch(written):
            return json_text.parse(sign + written)
        try:
            value = int(written, 0) if written[1:2].isalpha() and written[0] == "0" else float(written)
        except ValueError:
            raise ReadingError("This number has no form in JSON.", *self._position(token)) from None
        return json_text.parse(sign + repr(value))

    def _object(self) -> dict[str, Any]:
        self._expect("{")
        found: dict[str, Any] = {}
        while not self._accept("}"):
            if self._accept("..."):
                inner = self._value()
                found.update(inner if isinstance(inner, dict) else {})
            else:
                self._member(found)
            if not self._peek("}"):
                self._expect(",")
        return found

    def _member(self, found: dict[str, Any]) -> None:
        token = self._ahead(0)
        if self._accept("["):
            name = self._value()
            self._expect("]")
        elif token.kind in ("name", "string", "number"):
            self.at += 1
            name = token.text
        else:
            raise self._fault("The name of a member belongs here.")
        if not isinstance(name, str):
            raise self._fault("The name of a member must be a string.")
        if self._accept(":"):
            value = self._value()
        elif token.kind == "name":
            value = self._named(token)
        else:
            raise self._fault("A colon belongs after the name of a member.")
        if value is not UNDEFINED:
            found[name] = value

    def _name(self, token: Token) -> Any:
        self.at += 1
        if token.text in WORDS:
            return WORDS[token.text]
        if token.text == "undefined":
            return UNDEFINED
        if token.text == "await":
            return self._term()
        if token.text == "new":
            token = self._ahead(0)
            self.at += 1
        following = self._ahead(0)
        if token.text == "JSON" and following.text == ".":
            self.at += 2
            arguments = self._items("(", ")")
            return self._after_methods(JsonOf(arguments[0] if arguments else None))
        if following.kind == "sign" and following.text in (".", "(", "?.", "["):
            return self._unknown(token)
        return self._named(token)

    def _named(self, token: Token) -> Any:
        name = token.text
        if name not in self.names or name in self.opened:
            raise ReadingError(f"{name} is not written out in this text.", *self._position(token))
        here, self.at = self.at, self.names[name]
        self.opened.add(name)
        try:
            return self._value()
        finally:
            self.at = here
            self.opened.discard(name)

    def _after_methods(self, value: Any) -> Any:
        """`value`, past calls such as `.replace(…)` and a type such as `as const`."""
        while True:
            if self._peek("as") or self._peek("satisfies"):
                self.at += 2
                while self._accept("."):
                    self.at += 1
            elif self._peek(".") and self._ahead(1).kind == "name" and self._ahead(2).text == "(":
                self.at += 2
                self._skip_brackets()
            else:
                return value

    def _unknown(self, first: Token) -> Unknown:
        """Step over `process.env.NAME`, `readFileSync(…)` and the like."""
        while self._ahead(0).kind == "sign" and self._ahead(0).text in (".", "?.", "(", "["):
            if self._ahead(0).text in ("(", "["):
                self._skip_brackets()
            else:
                self.at += 2
        end = self._ahead(0).offset
        source = self.pasted[first.offset : end].strip()
        return Unknown(source if len(source) < 80 else f"{source[:79]}…", is_file="read" in source)

    def _skip_brackets(self) -> None:
        depth = 0
        while self._ahead(0).kind != "end":
            token = self._ahead(0)
            self.at += 1
            if token.kind == "sign":
                depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
                if not depth:
                    return
        raise self._fault("A bracket is not closed.")


def _pairs(headers: Any) -> list[tuple[str, Any]]:
    return list(headers.items()) if isinstance(headers, dict) else []
