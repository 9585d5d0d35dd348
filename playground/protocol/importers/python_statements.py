"""Python statements, followed one after the other as far as the values in them are written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from playground.exceptions import PlaygroundError
from playground.protocol.importers.python_objects import (
    ClassOf,
    Function,
    Instance,
)
from playground.protocol.importers.python_syntax import changed_names, is_made_from, methods_of
from playground.protocol.importers.python_values import Evaluator
from playground.protocol.importers.result import RequestParts, Unknown, shortened


class Returned(PlaygroundError):
    """The function that is followed returns; it is caught where the function was called."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Statements(Evaluator):
    """Follows statements. Which calls send, and what a function does, is for a subclass."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.requests: list[RequestParts] = []
        self.sending: set[int] = set()  # nodes in which a request is sent

    def body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.step()
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign():
                value = self.value(node.value)
                for target in node.targets:
                    self.assign(target, value)
            case ast.AnnAssign(value=ast.expr() as written):
                self.assign(node.target, self.value(written))
            case ast.AugAssign():
                self._augment(node)
            case ast.Expr():
                self.value(node.value)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.names[node.name] = Function(node)
            case ast.ClassDef():
                self.names[node.name] = self._class(node)
            case ast.Match():
                self._match(node)
            case ast.Return():
                raise Returned(self.value(node.value) if node.value else None)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, value)
                self.body(node.body)
            case ast.Try():
                self.body([*node.body, *node.orelse, *node.finalbody])
            case ast.If():
                self._branch(node)
            case ast.For() | ast.AsyncFor():
                self._loop(node, node.target)
            case ast.While():
                self._loop(node, None)
            case ast.Delete():
                for target in node.targets:
                    self._delete(target)

    def _branch(self, node: ast.If) -> None:
        test = self.value(node.test)
        if not isinstance(test, Unknown):
            self.body(node.body if test else node.orelse)
        elif "__name__" in test.source or id(node) in self.sending:
            self.body(node.body)
            if not self.requests:
                self.body(node.orelse)
        elif changed_names(node):
            self.note(node, f"what happens if {shortened(test.source, 50)} was not followed.")

    def _match(self, node: ast.Match) -> None:
        self.value(node.subject)
        followed = next((case for case in node.cases if any(id(one) in self.sending for one in case.body)), None)
        if followed is not None:
            self.note(node, "only the case that sends a request was followed.")
            self.body(followed.body)
        elif changed_names(node):
            self.note(node, "what happens in its cases was not followed.")

    def _class(self, node: ast.ClassDef) -> ClassOf:
        kind = ClassOf(node.name, methods_of(node))
        for each in node.body:
            target = (
                each.targets[0]
                if isinstance(each, ast.Assign)
                else each.target
                if isinstance(each, ast.AnnAssign)
                else None
            )
            if not isinstance(target, ast.Name):
                continue
            if isinstance(each, ast.AnnAssign):
                kind.fields.append(target.id)
            if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
                kind.attributes[target.id] = self.value(each.value)
        return kind

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, target: ast.expr | None) -> None:
        """A loop is gone through once when a request is sent in it, else not at all."""
        if target is not None:
            source = self.value(node.iter) if isinstance(node, ast.For | ast.AsyncFor) else None
            first = source[0] if isinstance(source, list) and source else None
            self.assign(target, first if first is not None else Unknown(shortened(self.source_of(target))))
        if id(node) in self.sending:
            self.note(node, "the loop was gone through once.")
            self.body(node.body)
        elif names := changed_names(node):
            self.note(node, f"the loop was not followed; it changes {', '.join(names[:4])}.")

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            if isinstance(value, Unknown) and not value.is_file and is_made_from(value, target.id):
                self.note(target, f"{value.source} was not run; {target.id} stays as it was.")
            else:
                self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            values = value if isinstance(value, list) and len(value) == len(target.elts) else None
            for index, item in enumerate(target.elts):
                self.assign(item, values[index] if values else Unknown(shortened(self.source_of(item))))
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value

    def _assign_item(self, target: ast.Subscript, value: Any) -> None:
        owner, index = self.value(target.value), self.value(target.slice)
        is_item = isinstance(owner, list) and isinstance(index, int) and -len(owner) <= index < len(owner)
        if is_item or (isinstance(owner, dict) and isinstance(index, str)):
            owner[index] = value
        elif not isinstance(owner, Unknown):
            self.note(target, f"{shortened(self.source_of(target), 50)} is set to something; that was not followed.")

    def _augment(self, node: ast.AugAssign) -> None:
        held, value = self.value(node.target), self.value(node.value)
        if isinstance(held, list) and isinstance(value, list) and isinstance(node.op, ast.Add):
            self._take_room(len(value))
            held.extend(value)
        elif isinstance(held, dict) and isinstance(value, dict) and isinstance(node.op, ast.BitOr):
            held.update(value)
        elif isinstance(held, str) and isinstance(value, Unknown):
            self.note(node, f"{value.source} is not known; {value.placeholder} stands in its place.")
            self.assign(node.target, held + value.placeholder)
        else:
            self.assign(node.target, self.operation(node.op, held, value, node))

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            owner, index = self.value(target.value), self.value(target.slice)
            if isinstance(owner, dict) and isinstance(index, str):
                owner.pop(index, None)
            elif isinstance(owner, list) and isinstance(index, int) and -len(owner) <= index < len(owner):
                del owner[index]

    # --- calls -------------------------------------------------------------------------------------------------------
