"""Python code that sends requests, followed line by line as far as its values are written out; it is never run."""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from playground.protocol.importers.python_objects import (
    Bound,
    ClassOf,
    Function,
    Instance,
    dotted_name,
    json_value,
    method_of_text,
)
from playground.protocol.importers.python_parsing import as_call, parse_python
from playground.protocol.importers.python_requests import (
    CLIENTS,
    COUNTS,
    batch_requests,
    changed_copy,
    client_request,
    cloud_request,
    http_request,
    instance_of,
    is_batch_call,
    is_chat_completion,
    is_client_call,
)
from playground.protocol.importers.python_statements import Returned, Statements
from playground.protocol.importers.python_syntax import sending_nodes
from playground.protocol.importers.result import JsonOf, ReadingError, RequestParts, Unknown, shortened

DEEPEST_CALL = 12
MOST_REQUESTS = 50
# Arguments with which clients are made, and calls are sent, that no request holds.
PASSED_OVER = frozenset(["timeout", "cast_to", "stream_cls", "api_key", "auth_token", "http_client", "max_retries"])


def read_python(pasted: str) -> list[RequestParts]:
    """Every request that the code sends, in the order in which it would be sent."""
    tree, source = parse_python(pasted)
    requests = _Program(source).read(tree)
    if not requests and (call := as_call(source)):
        tree, source = parse_python(call)
        requests = _Program(source).read(tree)
    return requests


class _Program(Statements):
    """Runs over the statements once, keeping lists and dictionaries as they are at each point."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.problem: ReadingError | None = None
        self.depth = 0
        self.client: Instance | None = None
        self.entered: set[int] = set()  # functions whose body was followed

    def read(self, tree: ast.Module) -> list[RequestParts]:
        self.sending = sending_nodes(tree)
        with contextlib.suppress(Returned):  # the body of a function, copied without its first line
            self.body(tree.body)
        for function, owner in self._not_called(tree):
            if not self.requests:
                self.run(Function(function, owner), [], {})
        # A count is of interest only where nothing else is sent.
        self.requests = [parts for parts in self.requests if COUNTS not in parts.notes] or self.requests
        for parts in self.requests:
            parts.notes += self.notes
        if not self.requests and self.problem:
            raise self.problem
        return self.requests

    def _not_called(self, tree: ast.Module) -> Iterator[tuple[Any, Instance | None]]:
        """The functions that nothing in the text calls, those that send something first."""
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        owners: dict[int, Instance | None] = {}
        for owner in classes:
            instance = self._made(self._class(owner), [], {})
            owners |= {id(method): instance for method in owner.body}
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for node in functions:
            if id(node) not in self.entered and id(node) in self.sending:
                yield node, owners.get(id(node))

    # --- statements --------------------------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Any:
        names = dotted_name(node.func)
        owner = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else None
        positional = self._list(ast.List(elts=node.args)) if node.args else []
        arguments = self._keywords(node)
        result = self._known_call(node, names, owner, positional, arguments)
        return result if result is not None else self.unknown(node)

    def _keywords(self, node: ast.Call) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg in PASSED_OVER:
                continue
            value = self.value(keyword.value)
            if keyword.arg:
                arguments[keyword.arg] = value
            elif isinstance(value, dict):
                arguments.update(value)
            else:
                self.note(keyword.value, f"**{shortened(self.source_of(keyword.value), 40)} is not written out.")
        return arguments

    def _known_call(
        self, node: ast.Call, names: list[str], owner: Any, positional: list[Any], given: dict[str, Any]
    ) -> Any:
        if isinstance(node.func, ast.Name) and (bound := self._bound(node.func.id)) is not None:
            names, given = bound.names, {**bound.given, **given}
            if isinstance(bound.target, Function):
                return self.run(bound.target, positional, given)
        name = names[-1] if names else ""
        if self._send(names, owner, positional, given, node):
            return Unknown("the response")
        if name == "partial" and positional:
            first = positional[0]
            return Bound(first.source.split(".") if isinstance(first, Unknown) else [], first, given)
        target = (
            self._attribute(node.func) if isinstance(owner, Instance) and isinstance(node.func, ast.Attribute) else None
        )
        if isinstance(node.func, ast.Name | ast.Lambda):
            target = self.value(node.func)
        if isinstance(target, Function):
            return self.run(target, positional, given)
        if isinstance(target, ClassOf):
            return self._made(target, positional, given)
        if isinstance(owner, Instance) and name in ("with_options", "copy"):
            return changed_copy(owner, given)
        if (instance := instance_of(name, positional, given)) is not None:
            if name in CLIENTS and self.client is None:
                self.client = instance
            return instance
        if isinstance(owner, JsonOf) and name in ("encode", "decode", "strip"):
            return owner
        if isinstance(owner, dict | list | str):
            return self._method(owner, name, positional, given, node)
        return self._function(names, positional, given)

    def _bound(self, name: str) -> Bound | None:
        """Return what a name stands for when it is a method under another name: `create = client.messages.create`."""
        value = self.names.get(name)
        if isinstance(value, Unknown) and re.fullmatch(r"[\w.]+\.(create|stream|post|parse)", value.source):
            return Bound(value.source.split("."), value)
        return value if isinstance(value, Bound) else None

    def _send(self, names: list[str], owner: Any, positional: list[Any], given: dict[str, Any], node: ast.Call) -> bool:
        """Record the request that this call sends; False when it sends none."""
        client = owner if isinstance(owner, Instance) else self.client
        if is_client_call(names) or is_chat_completion(names):
            requests = [client_request(names, given, client)]
        elif is_batch_call(names):
            requests = batch_requests(given, client)
        elif (parts := cloud_request(names, given)) is not None:
            requests = [parts]
        else:
            sender = client if isinstance(owner, Instance) or "cast_to" in {one.arg for one in node.keywords} else None
            parts = http_request(names, positional, given, sender)
            if parts is not None and any(one.arg == "cast_to" for one in node.keywords):
                parts.is_certain = True
            requests = [parts] if parts is not None else []
        for parts in requests[: MOST_REQUESTS - len(self.requests)]:
            parts.label = f"Line {node.lineno}"
            parts.body = copy.deepcopy(parts.body)  # the code may go on changing it
            parts.notes += self.notes
            self.requests.append(parts)
        return bool(requests)

    def _function(self, names: list[str], positional: list[Any], given: dict[str, Any]) -> Any:
        name = names[-1] if names else ""
        first = positional[0] if positional else None
        if name == "dumps" and positional:
            return JsonOf(first)
        if name in ("getenv", "get") and names[:1] == ["os"] and len(positional) > 1:
            return positional[1]  # the default of an environment variable
        if name == "loads" and positional:
            return json_value(first)
        if name == "dict" and len(names) == 1:
            return {**(first if isinstance(first, dict) else {}), **given}
        if name in ("list", "tuple") and len(names) == 1:
            return list(first) if isinstance(first, list) else [] if not positional else None
        if name in ("deepcopy", "copy") and positional:
            return copy.deepcopy(first)
        if name == "bytes" and isinstance(first, str | JsonOf):
            return first
        if name in ("dedent", "cleandoc") and isinstance(first, str):
            return textwrap.dedent(first) if name == "dedent" else inspect.cleandoc(first)
        if name in ("str", "int", "float") and len(names) == 1 and isinstance(first, str | int | float):
            return self.text_of(first) if name == "str" else _number_of(name, first)
        if name in ("min", "max") and len(positional) > 1 and all(isinstance(one, int | float) for one in positional):
            return min(positional) if name == "min" else max(positional)
        if name == "len" and isinstance(first, list | dict | str):
            return len(first)
        if name == "run" and names[:1] == ["asyncio"]:
            return first
        # Typed parameters of the official client, data classes, models: their arguments are the members.
        is_type = name[:1].isupper() and bool(given) and not positional
        return given if is_type else None

    def _method(self, owner: Any, name: str, positional: list[Any], given: dict[str, Any], node: ast.Call) -> Any:
        if isinstance(owner, str) and name == "format":
            return self.filled_in(owner, positional, given, node)
        if isinstance(owner, str):
            return method_of_text(name, owner, positional)
        if isinstance(owner, list):
            return self._method_of_list(owner, name, positional, node)
        if name == "update":
            for other in positional:
                if isinstance(other, dict):
                    owner.update(other)
                else:
                    self.note(node, f"{shortened(self.source_of(node), 50)} was not followed.")
            owner.update(given)
        elif name in ("get", "pop", "setdefault") and positional and isinstance(positional[0], str):
            default = positional[1] if len(positional) > 1 else None
            if name == "setdefault":
                return owner.setdefault(positional[0], default)
            return owner.pop(positional[0], default) if name == "pop" else owner.get(positional[0], default)
        elif name == "copy":
            return dict(owner)
        elif name == "clear":
            owner.clear()
        elif name not in ("items", "keys", "values", "model_dump", "dict", "to_dict"):
            return None
        return owner if name in ("model_dump", "dict", "to_dict") else Unknown("None")

    def _method_of_list(self, owner: list[Any], name: str, positional: list[Any], node: ast.Call) -> Any:
        first = positional[0] if positional else None
        if name == "append" and positional:
            self._take_room(1)
            owner.append(first)
        elif name == "extend" and isinstance(first, list):
            self._take_room(len(first))
            owner.extend(first)
        elif name == "extend" and isinstance(first, Unknown):
            owner.append(Unknown(f"*{first.source}"))
        elif name == "insert" and len(positional) == 2 and isinstance(first, int):
            owner.insert(first, positional[1])
        elif (
            name == "pop"
            and owner
            and (first is None or (isinstance(first, int) and -len(owner) <= first < len(owner)))
        ):
            return owner.pop(-1 if first is None else first)
        elif name in ("clear", "reverse"):
            getattr(owner, name)()
        elif name == "copy":
            return list(owner)
        elif name not in ("index", "count"):
            self.note(node, f"{shortened(self.source_of(node), 50)} was not followed.")
        return Unknown("None")

    # --- functions and classes of the pasted code --------------------------------------------------------------------

    def run(self, function: Function, positional: list[Any], given: dict[str, Any]) -> Any:
        """Follow a function's body with these arguments; parameters without one are unknown, by their name."""
        if self.depth >= DEEPEST_CALL:
            return Unknown("a call within many calls")
        outer = self.names
        self.names = {**outer, **self._parameters(function, positional, given)}
        self.entered.add(id(function.node))
        self.depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body)
            self.body(function.node.body)
        except Returned as returned:
            return returned.value
        finally:
            self.names = outer
            self.depth -= 1
        return Unknown("None")

    def _parameters(self, function: Function, positional: list[Any], given: dict[str, Any]) -> dict[str, Any]:
        spec = function.node.args
        named = [*spec.posonlyargs, *spec.args]
        values: dict[str, Any] = {}
        for parameter, default in zip(reversed(named), reversed(spec.defaults), strict=False):
            values[parameter.arg] = self.value(default)
        for parameter, standard in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            values[parameter.arg] = self.value(standard) if standard is not None else Unknown(parameter.arg)
        arguments = [function.owner, *positional] if function.owner is not None else positional
        values |= {parameter.arg: value for parameter, value in zip(named, arguments, strict=False)}
        known = {parameter.arg for parameter in [*named, *spec.kwonlyargs]}
        values |= {name: value for name, value in given.items() if name in known}
        if spec.kwarg is not None:
            values[spec.kwarg.arg] = {name: value for name, value in given.items() if name not in known}
        for parameter in [*named, *spec.kwonlyargs]:
            values.setdefault(parameter.arg, Unknown(parameter.arg))
        return values

    def _made(self, kind: ClassOf, positional: list[Any], given: dict[str, Any]) -> Instance:
        instance = Instance(kind.name, dict(kind.attributes), kind.methods)
        if (start := kind.methods.get("__init__")) is not None:
            self.run(Function(start, instance), positional, given)
        else:
            instance.attributes.update(zip(kind.fields, positional, strict=False))
            instance.attributes.update(given)
        return instance


def _number_of(kind: str, value: str | int | float) -> int | float | None:
    """`int(…)` or `float(…)` of what is written out, when it is short."""
    try:
        known: Any = json_value(value) if isinstance(value, str) and len(value) < 20 else value
        return None if isinstance(known, str | bool) else int(known) if kind == "int" else float(known)
    except (ValueError, TypeError, OverflowError):
        return None
