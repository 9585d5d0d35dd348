"""Python expressions to values, as far as they are written out; nothing is run.

Lists and dictionaries are Python's own, so that what the code changes later is changed here too. Anything that
would have to be computed is an `Unknown` with its source.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from string import Formatter
from typing import Any

from playground.protocol.importers.python_objects import ClassOf, Function, Instance, is_number, parsed_number
from playground.protocol.importers.result import (
    LONGEST_TEXT,
    ReadingError,
    Unknown,
    shortened,
)
from playground.protocol.json import json_text

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# What stands between a client and the method that sends.
OF_A_CLIENT = frozenset(
    ["messages", "beta", "batches", "chat", "completions", "with_raw_response", "with_streaming_response"]
)
MOST_NOTES = 100
LONGEST_FORM = 100_000  # characters of a text with places for values
MOST_ITEMS = 1000  # of a list from which another one is made
MOST_STEPS = 250_000  # values and statements that are followed
LARGEST = 2**63
OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip


class Evaluator:
    """Evaluates expressions in `names`. Calls are for a subclass.

    Its many methods are one for each kind of node of the syntax tree.
    """

    def __init__(self, source: str) -> None:
        self.lines = [line.encode("utf-8", "surrogatepass") for line in source.split("\n")]
        self.names: dict[str, Any] = {}
        self.notes: list[str] = []
        self.steps = 0
        self.room = LONGEST_TEXT

    def call(self, node: ast.Call) -> Any:
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Any) -> None:
        raise NotImplementedError

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise ReadingError("This code does too much to be followed: paste the call with its values alone.")

    def unknown(self, node: ast.AST) -> Unknown:
        source = shortened(self.source_of(node))
        return Unknown(source, is_file="open(" in source or "read" in source)

    def source_of(self, node: Any) -> str:
        """The source of a node, its first 400 characters at most."""
        first, last = node.lineno - 1, node.end_lineno - 1
        if first == last:
            piece: bytes = self.lines[first][node.col_offset : min(node.end_col_offset, node.col_offset + 400)]
            return piece.decode("utf-8", "replace")
        lines = [
            self.lines[first][node.col_offset :][:400],
            *(line[:100] for line in self.lines[first + 1 : first + 4]),
        ]
        return b" ".join(lines)[:400].decode("utf-8", "replace")

    def note(self, node: Any, message: str) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"Line {node.lineno}: {message}")

    def value(self, node: ast.expr) -> Any:
        self.step()
        method: Callable[[Any], Any] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else self.unknown(node)

    # --- values that are written out ---------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, int | float):
            return self._number(node, value)
        return Unknown("…" if value is Ellipsis else shortened(self.source_of(node)))

    def _number(self, node: ast.Constant, value: int | float) -> Any:
        """The number as written, when JSON takes it so: 1.0 stays 1.0."""
        if node.end_lineno == node.lineno:
            written = self.lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode("ascii", "replace")
            if JSON_NUMBER.fullmatch(written):
                return parsed_number(written, self.unknown(node))
        if value != value or value in (float("inf"), float("-inf")):
            return self.unknown(node)
        return parsed_number(repr(value), self.unknown(node))

    def _dict(self, node: ast.Dict) -> Any:
        result: dict[str, Any] = {}
        for name, value in zip(node.keys, node.values, strict=True):
            if name is None:
                inner = self.value(value)
                if isinstance(inner, dict):
                    result.update(inner)
                else:
                    self.note(value, f"**{shortened(self.source_of(value), 40)} is not written out; it was left out.")
                continue
            key = self.value(name)
            if isinstance(key, int | float) and not isinstance(key, bool):
                key = json_text.spelling(key)
            if isinstance(key, str):
                result[key] = self.value(value)
            else:
                self.note(name, f"the name {shortened(self.source_of(name), 40)} is not text; it was left out.")
        return result

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> list[Any]:
        items: list[Any] = []
        for item in node.elts:
            if not isinstance(item, ast.Starred):
                items.append(self.value(item))
                continue
            inner = self.value(item.value)
            if isinstance(inner, list):
                items += inner
            else:
                items.append(Unknown(f"*{shortened(self.source_of(item.value))}"))
        self._take_room(len(items))
        return items

    _tuple = _set = _list

    def _joinedstr(self, node: ast.JoinedStr) -> Any:
        """An f-string: values that are known are filled in, others stand in it as `{{name}}`."""
        parts: list[str] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
                continue
            if not isinstance(part, ast.FormattedValue):
                continue
            value = self.value(part.value)
            if part.format_spec is None and part.conversion == -1 and isinstance(value, str | int | float):
                parts.append(self.text_of(value))
            else:
                unknown = self.unknown(part.value)
                self.note(part.value, f"{unknown.source} is not known; {unknown.placeholder} stands in its place.")
                parts.append(unknown.placeholder)
        text = "".join(parts)
        self._take_room(len(text))
        return text

    def text_of(self, value: str | int | float) -> str:
        if isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else json_text.spelling(value)

    # --- names and members -------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Any:
        return self.names[node.id] if node.id in self.names else Unknown(node.id)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if isinstance(owner, Instance):
            if node.attr in owner.attributes:
                return owner.attributes[node.attr]
            if node.attr in owner.methods:
                return Function(owner.methods[node.attr], owner)
            if node.attr in OF_A_CLIENT:
                return owner
        if isinstance(owner, ClassOf) and node.attr in owner.attributes:
            return owner.attributes[node.attr]
        if node.attr == "value" and isinstance(owner, str | int | float):  # of a member of an enumeration
            return owner
        if isinstance(owner, dict) and node.attr in owner and node.attr not in ("items", "keys", "values", "get"):
            return owner[node.attr]
        return self.unknown(node)

    def _subscript(self, node: ast.Subscript) -> Any:
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._sliced(owner, node.slice, node)
        index = self.value(node.slice)
        if isinstance(owner, dict) and isinstance(index, str) and index in owner:
            return owner[index]
        if isinstance(owner, list) and isinstance(index, int) and -len(owner) <= index < len(owner):
            return owner[index]
        return self.unknown(node)

    def _sliced(self, owner: Any, bounds: ast.Slice, node: ast.Subscript) -> Any:
        ends = [None if one is None else self.value(one) for one in (bounds.lower, bounds.upper, bounds.step)]
        is_known = all(one is None or (isinstance(one, int) and one != 0) or one == 0 for one in ends) and ends[2] != 0
        if not isinstance(owner, list | str) or not is_known:
            return self.unknown(node)
        self._take_room(len(owner))
        return owner[ends[0] : ends[1] : ends[2]]

    # --- operations --------------------------------------------------------------------------------------------------

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = self.value(node.operand)
            if isinstance(number, int | float) and not isinstance(number, bool):
                return parsed_number("-" + json_text.spelling(number), self.unknown(node))
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not) and not isinstance(value, Unknown):
            return not value
        if isinstance(node.op, ast.USub) and isinstance(value, int | float) and not isinstance(value, bool):
            return -value
        return self.unknown(node)

    def _binop(self, node: ast.BinOp) -> Any:
        terms: list[ast.expr] = []
        at: ast.expr = node
        while isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add):  # "a" + "b" + … is as deep as it is long
            terms.append(at.right)
            at = at.left
        if not terms:
            return self.operation(node.op, self.value(node.left), self.value(node.right), node)
        values = [self.value(at), *(self.value(term) for term in reversed(terms))]
        if any(isinstance(value, str) for value in values) and not all(isinstance(value, str) for value in values):
            return self._text_with_unknowns(values, node)
        if len(values) > 2 and all(isinstance(value, str) for value in values):
            self._take_room(sum(map(len, values)))
            return "".join(values)
        result = values[0]
        for value in values[1:]:
            result = self.operation(ast.Add(), result, value, node)
        return result

    def _text_with_unknowns(self, values: list[Any], node: ast.expr) -> Any:
        parts = []
        for value in values:
            if isinstance(value, Unknown):
                self.note(node, f"{value.source} is not known; {value.placeholder} stands in its place.")
                parts.append(value.placeholder)
            elif isinstance(value, str):
                parts.append(value)
            else:
                return self.unknown(node)
        return "".join(parts)

    def operation(self, kind: ast.operator, left: Any, right: Any, node: ast.AST) -> Any:
        """The result of an operation on two known values; what would be large or fail is unknown."""
        if isinstance(kind, ast.Mod) and isinstance(left, str):
            values = right if isinstance(right, list) else [right]
            return self.filled_in(re.sub("%[sdr]", "{}", left.replace("{", "{{").replace("}", "}}")), values, {}, node)
        if isinstance(kind, ast.BitOr) and isinstance(left, dict) and isinstance(right, dict):
            return {**left, **right}
        if isinstance(kind, ast.Add) and type(left) is type(right) and isinstance(left, str | list):
            self._take_room(len(left) + len(right))
            return left + right
        if isinstance(kind, ast.Add) and isinstance(left, list | Unknown) and isinstance(right, list | Unknown):
            rows = [side if isinstance(side, list) else [Unknown(f"*{side.source}")] for side in (left, right)]
            return rows[0] + rows[1] if isinstance(left, list) or isinstance(right, list) else self.unknown(node)
        if isinstance(kind, ast.Mult) and isinstance(left, str | list) and is_number(right) and right == int(right):
            self._take_room(len(left) * max(int(right), 0))
            return left * int(right)
        function = OPERATORS.get(type(kind))
        is_small = is_number(left) and is_number(right) and abs(left) < LARGEST and abs(right) < LARGEST
        if function is None or not is_small or (isinstance(kind, ast.Pow) and not 0 <= right < 64):
            return self.unknown(node)
        try:
            result = function(left, right)
        except (ArithmeticError, ValueError):
            return self.unknown(node)
        is_finite = isinstance(result, int) or (isinstance(result, float) and abs(result) < float("inf"))
        return result if is_finite and abs(result) < LARGEST else self.unknown(node)

    def _boolop(self, node: ast.BoolOp) -> Any:
        for operand in node.values:
            value = self.value(operand)
            if isinstance(value, Unknown):
                # `given or "default"`: the default is written out, the other is not.
                last = self.value(node.values[-1])
                is_default = isinstance(node.op, ast.Or) and not isinstance(last, Unknown)
                return last if is_default else self.unknown(node)
            if bool(value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _ifexp(self, node: ast.IfExp) -> Any:
        test = self.value(node.test)
        if isinstance(test, Unknown):
            return self.unknown(node)
        return self.value(node.body if test else node.orelse)

    def _compare(self, node: ast.Compare) -> Any:
        left, right = self.value(node.left), self.value(node.comparators[0])
        if len(node.ops) > 1 or isinstance(left, Unknown) or isinstance(right, Unknown):
            return self.unknown(node)
        same = isinstance(node.ops[0], ast.Eq | ast.Is)
        if same or isinstance(node.ops[0], ast.NotEq | ast.IsNot):
            return (left == right) == same
        return self.unknown(node)

    def _namedexpr(self, node: ast.NamedExpr) -> Any:
        value = self.value(node.value)
        self.names[node.target.id] = value
        return value

    def _await(self, node: ast.Await) -> Any:
        return self.value(node.value)

    def _starred(self, node: ast.Starred) -> Any:
        return self.value(node.value)

    def _lambda(self, node: ast.Lambda) -> Any:
        return Function(node)

    def _call(self, node: ast.Call) -> Any:
        return self.call(node)

    def filled_in(self, text: str, positional: list[Any], given: dict[str, Any], node: Any) -> Any:
        """`text.format(…)` of plain names and numbers; what is not known stands in it as `{{name}}`."""
        parts: list[str] = []
        count = 0
        if len(text) > LONGEST_FORM:
            return self.unknown(node)
        try:
            fields = list(Formatter().parse(text))
        except ValueError:
            return self.unknown(node)
        for literal, name, form, conversion in fields:
            parts.append(literal)
            if name is None:
                continue
            index = count if name == "" else int(name) if name.isdecimal() and len(name) < 5 else None
            count += name == ""
            value = given.get(name) if index is None else positional[index] if index < len(positional) else None
            if isinstance(value, str | int | float) and not form and not conversion:
                parts.append(self.text_of(value))
            elif isinstance(value, Unknown):
                self.note(node, f"{value.source} is not known; {value.placeholder} stands in its place.")
                parts.append(value.placeholder)
            else:
                return self.unknown(node)
            self._take_room(len(parts[-1]))
        return "".join(parts)

    def _listcomp(self, node: ast.ListComp) -> Any:
        """A list made from a known one, item by item."""
        each = node.generators[0]
        source = self.value(each.iter)
        is_known = isinstance(source, list) and not any(isinstance(item, Unknown) for item in source)
        if len(node.generators) > 1 or not is_known or len(source) > MOST_ITEMS or each.is_async:
            return self._comprehension(node)
        outer, items = dict(self.names), []
        try:
            for item in source:
                self.assign(each.target, item)
                tests = [self.value(test) for test in each.ifs]
                if any(isinstance(test, Unknown) for test in tests):
                    return self._comprehension(node)
                if all(tests):
                    items.append(self.value(node.elt))
        finally:
            self.names = outer
        self._take_room(len(items))
        return items

    def _comprehension(self, node: Any) -> Unknown:
        self.note(node, f"{shortened(self.source_of(node), 50)} is computed in a loop, which is not followed.")
        return self.unknown(node)

    _dictcomp = _setcomp = _generatorexp = _comprehension

    def _take_room(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise ReadingError("The values that this code makes are too large.")
