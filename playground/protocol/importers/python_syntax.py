"""Reads a syntax tree of Python before it is followed: where requests may be sent, and what a block changes."""

from __future__ import annotations

import ast
from typing import Any

from playground.protocol.importers.python_objects import dotted_name
from playground.protocol.importers.python_requests import is_batch_call, is_chat_completion, is_client_call
from playground.protocol.importers.result import Unknown


def methods_of(node: ast.ClassDef) -> dict[str, Any]:
    return {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def sending_nodes(tree: ast.AST) -> set[int]:
    """The nodes in which a request may be sent, by their ids: the calls and all that is around them."""
    parents: dict[int, ast.AST] = {}
    calls = []
    for node in ast.walk(tree):
        parents |= {id(child): node for child in ast.iter_child_nodes(node)}
        if _may_send(node):
            calls.append(node)
    marked: set[int] = set()
    for call in calls:
        at: ast.AST | None = call
        while at is not None and id(at) not in marked:
            marked.add(id(at))
            at = parents.get(id(at))
    return marked


def _may_send(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    names = dotted_name(node.func)
    if names[-1:] in (["partial"], ["invoke_model"], ["invoke_model_with_response_stream"]):
        return True
    if is_client_call(names) or is_chat_completion(names) or is_batch_call(names):
        return True
    return bool(names) and names[-1] in ("post", "request", "urlopen", "Request", "stream")


def changed_names(node: ast.AST) -> list[str]:
    """The names that a block of code assigns to or calls a method of."""
    names: dict[str, None] = {}
    for inner in ast.walk(node):
        targets: list[ast.expr] = []
        if isinstance(inner, ast.Assign):
            targets = inner.targets
        elif isinstance(inner, ast.AugAssign):
            targets = [inner.target]
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            called = dotted_name(inner.value.func)
            if len(called) == 2 and called[1] in ("append", "extend", "insert", "update", "pop"):
                names[called[0]] = None
        for target in targets:
            if root := dotted_name(target)[:1]:
                names[root[0]] = None
    return list(names)


def is_made_from(value: Unknown, name: str) -> bool:
    return value.source.startswith((f"{name}.", f"{name}["))
