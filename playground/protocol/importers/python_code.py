"""Python code that calls the official client, httpx or requests with values written out; the code is never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

from playground.protocol import json_text
from playground.protocol.importers.found import Imported, JsonOf, ReadingError, Unknown, finish

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# Arguments of messages.create that say how to send, not what.
NOT_BODY = frozenset(
    ["extra_headers", "extra_query", "extra_body", "timeout", "betas", "user_profile_id", "workspace_id"]
)
ASYNC_OR_NOT = ("Anthropic", "AsyncAnthropic")


def parse_python(pasted: str) -> ast.Module:
    """The syntax tree; raises ReadingError for text that is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as an unknown escape in a pasted string
            return ast.parse(pasted)
    except SyntaxError as error:
        raise ReadingError(f"This is not valid Python: {error.msg}", error.lineno or 0, error.offset or 0) from None
    except (ValueError, RecursionError, MemoryError):
        raise ReadingError("This Python code cannot be read: it nests too deeply or holds a NUL.") from None


def read_python(pasted: str, tree: ast.Module | None = None) -> Imported:
    tree = tree or parse_python(pasted)
    return _Reader(pasted, tree).read()


class _Reader:
    """Reads the values around the first call that sends a request."""

    def __init__(self, pasted: str, tree: ast.Module) -> None:
        self.pasted = pasted
        self.lines = [line.encode("utf-8", "surrogatepass") for line in re.split(r"\r\n|\r|\n", pasted)]
        self.calls = sorted(
            (node for node in ast.walk(tree) if isinstance(node, ast.Call)),
            key=lambda call: (call.lineno, call.col_offset),
        )
        self.names: dict[str, ast.expr] = {}
        self.opened: set[str] = set()
        self.notes: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._remember(node.targets[0].id, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self._remember(node.target.id, node.value)

    def _remember(self, name: str, value: ast.expr) -> None:
        text_method = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)
        if text_method and _called(value) == (name, "replace"):
            self.notes.append(f"{ast.unparse(value)} was not run; attach the file again.")
        else:
            self.names.setdefault(name, value)

    def read(self) -> Imported:
        for call in self.calls:
            owner, method = _called(call)
            if owner == "messages" and method in ("create", "stream", "parse"):
                return self._client_call(call, method)
            if method in ("post", "request", "stream") and any(
                keyword.arg in ("json", "content", "data", "body") for keyword in call.keywords
            ):
                return self._http_call(call)
        raise ReadingError("There is no call of messages.create in this code.")

    # --- the two kinds of call ---------------------------------------------------------------------------------------

    def _client_call(self, call: ast.Call, method: str) -> Imported:
        arguments = self._keywords(call)
        body = {name: value for name, value in arguments.items() if name not in NOT_BODY}
        if method == "stream":
            body["stream"] = True
        extra = arguments.get("extra_body")
        if isinstance(extra, dict):
            body.update(extra)
        betas = arguments.get("betas")
        url, headers = self._client()
        return finish(
            body,
            pasted=self.pasted,
            url=url,
            headers=[*headers, *_pairs(arguments.get("extra_headers"))],
            betas=betas if isinstance(betas, list) else (),
            notes=self.notes,
        )

    def _http_call(self, call: ast.Call) -> Imported:
        arguments = self._keywords(call)
        positional = [self._value(argument) for argument in call.args[:2]]
        addresses = [one for one in [arguments.get("url"), *positional] if isinstance(one, str) and "/" in one]
        body = next(arguments[name] for name in ("json", "content", "data", "body") if name in arguments)
        options = arguments.get("options")
        headers = _pairs(arguments.get("headers")) + _pairs(
            options.get("headers") if isinstance(options, dict) else None
        )
        url = addresses[0] if addresses else None
        if url and url.startswith("/"):
            url, own = self._client()
            headers = own + headers
        return finish(body, pasted=self.pasted, url=url, headers=headers, notes=self.notes)

    def _client(self) -> tuple[str | None, list[tuple[str, Any]]]:
        """The base URL and default headers of the client that the code makes."""
        for call in self.calls:
            if _called(call)[1] in ASYNC_OR_NOT:
                arguments = self._keywords(call)
                url = arguments.get("base_url")
                return url if isinstance(url, str) else None, _pairs(arguments.get("default_headers"))
        return None, []

    def _keywords(self, call: ast.Call) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg in (
                "timeout",
                "cast_to",
                "stream_cls",
                "api_key",
                "auth_token",
                "http_client",
                "max_retries",
            ):
                continue
            value = self._value(keyword.value)
            if keyword.arg:
                found[keyword.arg] = value
            elif isinstance(value, dict):
                found.update(value)
            else:
                raise self._unreadable(keyword.value, "Only a written-out dictionary can follow ** here.")
        return found

    # --- values ------------------------------------------------------------------------------------------------------

    def _unreadable(self, node: ast.expr, message: str) -> ReadingError:
        column = len(self.lines[node.lineno - 1][: node.col_offset].decode("utf-8", "replace")) + 1
        return ReadingError(message, node.lineno, column)

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Dict):
            return self._dictionary(node)
        if isinstance(node, ast.List | ast.Tuple):
            return [self._value(item) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._negative(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._sum(node)
        if isinstance(node, ast.Name):
            return self._named(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript | ast.Attribute):
            return Unknown(ast.unparse(node))
        raise self._unreadable(node, "Only values that are written out can be read; this one must be computed.")

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, int | float):
            return json_text.parse(self._spelling(node, value))
        raise self._unreadable(node, "This value has no form in JSON.")

    def _spelling(self, node: ast.Constant, value: int | float) -> str:
        """The number as written, when JSON takes it so: 1.0 stays 1.0."""
        if node.end_lineno == node.lineno:
            written = self.lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode("ascii", "replace")
            if JSON_NUMBER.fullmatch(written):
                return written
        if value != value or value in (float("inf"), float("-inf")):
            raise self._unreadable(node, "This number has no form in JSON.")
        return repr(value)

    def _negative(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int | float):
            return json_text.parse("-" + self._spelling(node.operand, node.operand.value))
        raise self._unreadable(node, "Only a number can have a minus sign here.")

    def _dictionary(self, node: ast.Dict) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in zip(node.keys, node.values, strict=True):
            if name is None:
                inner = self._value(value)
                if not isinstance(inner, dict):
                    raise self._unreadable(value, "Only a written-out dictionary can follow ** here.")
                found.update(inner)
                continue
            key = self._value(name)
            if not isinstance(key, str):
                raise self._unreadable(name, "The keys of a JSON object are strings.")
            found[key] = self._value(value)
        return found

    def _sum(self, node: ast.BinOp) -> Any:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            return left + right
        return Unknown(ast.unparse(node))

    def _named(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            raise self._unreadable(node, f"{node.id} is not written out in this text.")
        if node.id in self.opened:
            raise self._unreadable(node, f"{node.id} is made from itself.")
        self.opened.add(node.id)
        try:
            return self._value(self.names[node.id])
        finally:
            self.opened.discard(node.id)

    def _call(self, node: ast.Call) -> Any:
        owner, name = _called(node)
        if (owner, name) == ("json", "dumps") and node.args:
            return JsonOf(self._value(node.args[0]))
        if name in ("encode", "decode", "strip") and isinstance(node.func, ast.Attribute):
            return self._value(node.func.value)
        if name == "dict" and not owner and not node.args:
            return self._keywords(node)
        source = ast.unparse(node)
        return Unknown(source if len(source) < 80 else f"{source[:79]}…", is_file="open(" in source or "read" in source)


def _called(call: ast.expr) -> tuple[str, str]:
    """The last two names of what is called: `client.messages.create(…)` gives messages, create."""
    names = list(_names(call.func if isinstance(call, ast.Call) else call))
    return (names[1] if len(names) > 1 else "", names[0] if names else "")


def _names(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute):
        yield node.attr
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _pairs(headers: Any) -> list[tuple[str, Any]]:
    return (
        [(name, value) for name, value in headers.items() if isinstance(name, str)] if isinstance(headers, dict) else []
    )
