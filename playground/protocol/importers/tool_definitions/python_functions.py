"""Python functions as tools, from their syntax tree: annotations, defaults, docstrings. Nothing is imported or run."""

from __future__ import annotations

import ast
from typing import Any

from playground.protocol.importers.python_parsing import MOST_SYNTAX, SYNTAX, without_prompts
from playground.protocol.importers.result import ReadingError
from playground.protocol.importers.tool_definitions.docstrings import Described, read_docstring
from playground.protocol.importers.tool_definitions.tool_collector import (
    DEEPEST,
    Schema,
    ToolCollector,
    enum_of,
    object_of,
    union_of,
)

PLAIN: dict[str, Schema] = {
    **{key: {"type": "string"} for key in ("str", "bytes", "Path", "Decimal", "LiteralString")},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    **{key: {"type": "object"} for key in ("dict", "Dict", "Mapping", "MutableMapping", "TypedDict")},
    **{key: {"type": "array"} for key in ("list", "List", "set", "Set", "tuple", "Tuple", "Sequence", "Iterable")},
    **{key: {} for key in ("Any", "object")},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "UUID": {"type": "string", "format": "uuid"},
}
LISTS = {"list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "Iterable", "Collection", "tuple", "Tuple"}
MAPS = {"dict", "Dict", "Mapping", "MutableMapping"}
WRAPPERS = {"Required", "NotRequired", "Final", "ClassVar", "ReadOnly"}
NOT_INPUT = {"self", "cls"}


def read_python_tools(text: str, collector: ToolCollector) -> None:
    """Collect the functions of a module; the methods of its classes when it has no functions."""
    module = _parse(text)
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not functions:
        inside = [node for each in classes.values() for node in each.body]
        functions = [node for node in inside if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    public = [function for function in functions if not function.name.startswith("_")]
    reader = _Types(classes, collector)
    for function in public or functions:
        docstring = read_docstring(ast.get_docstring(function) or "")
        collector.add(function.name, docstring.text, _input_of(function, docstring, reader))


def _parse(text: str) -> ast.Module:
    if sum(map(text.count, SYNTAX)) > MOST_SYNTAX:
        raise ReadingError(f"The code has more than {MOST_SYNTAX:,} signs of syntax: paste the function alone.")
    source = without_prompts(text)
    for attempt in (source, source.rstrip() + "\n    ...\n", source.rstrip() + ":\n    ...\n"):
        try:
            return ast.parse(attempt)
        except SyntaxError as error:
            if attempt is source:
                first = error
        except (ValueError, MemoryError, RecursionError):
            raise ReadingError("This is not valid Python.") from None
    raise ReadingError(f"This is not valid Python: {first.msg}", first.lineno or 0, first.offset or 0)


def _input_of(function: ast.FunctionDef | ast.AsyncFunctionDef, described: Described, reader: _Types) -> Schema:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(named) - len(arguments.defaults))
    pairs = [
        *zip(named, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    if arguments.vararg or arguments.kwarg:
        reader.collector.note(f"{function.name}: *args and **kwargs were left out.")
    properties: dict[str, Schema] = {}
    required = []
    for argument, default in pairs:
        if argument.arg in NOT_INPUT:
            continue
        schema = reader.schema(argument.annotation) if argument.annotation else {}
        if words := described.names.get(argument.arg, "").strip():
            schema = {**schema, "description": words}
        properties[argument.arg] = _with_default(schema, default)
        if default is None:
            required.append(argument.arg)
    return object_of(properties, required)


def _with_default(schema: Schema, default: ast.expr | None) -> Schema:
    """The schema with a default that is written out; None is what Optional says."""
    try:
        value = ast.literal_eval(default) if default is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return schema
    is_json = isinstance(value, str | int | float | bool) and value not in (float("inf"), float("-inf"))
    return {**schema, "default": value} if is_json else schema


class _Types:
    """Annotations to schemas; classes of the same text are looked up."""

    def __init__(self, classes: dict[str, ast.ClassDef], collector: ToolCollector) -> None:
        self.classes, self.collector = classes, collector
        self.inside: list[str] = []

    def schema(self, node: ast.expr | None, depth: int = 0) -> Schema:
        if node is None or depth > DEEPEST or not self.collector.takes_another_type():
            return {}
        match node:
            case ast.Constant(value=str(text)):  # a name in quotes
                return self._quoted(text, depth)
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Name() | ast.Attribute():
                return self._named(_last_name(node), depth)
            case ast.BinOp(op=ast.BitOr()):
                return self._union(_options(node), depth)
            case ast.Subscript():
                return self._subscript(_last_name(node.value), node.slice, depth)
        return {}

    def _quoted(self, text: str, depth: int) -> Schema:
        try:
            return self.schema(ast.parse(text[:1000], mode="eval").body, depth + 1)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return {}

    def _union(self, options: list[ast.expr], depth: int) -> Schema:
        schemas = [self.schema(each, depth + 1) for each in options]
        return union_of([each for each in schemas if each != {"type": "null"}])

    def _subscript(self, name: str, inside: ast.expr, depth: int) -> Schema:
        arguments = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if name == "Optional" or name in WRAPPERS:
            return self.schema(arguments[0], depth + 1)
        if name == "Union":
            return self._union(arguments, depth)
        if name == "Literal":
            literals = [each.value for each in arguments if isinstance(each, ast.Constant)]
            return enum_of([value for value in literals if isinstance(value, str | int | bool)])
        if name == "Annotated":
            return self._annotated(arguments, depth)
        if name in LISTS:
            items = self.schema(arguments[0], depth + 1) if arguments else {}
            return {"type": "array", "items": items} if items else {"type": "array"}
        if name in MAPS:
            values = self.schema(arguments[1], depth + 1) if len(arguments) > 1 else {}
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        return self._named(name, depth)

    def _annotated(self, arguments: list[ast.expr], depth: int) -> Schema:
        schema = self.schema(arguments[0], depth + 1)
        for each in arguments[1:]:
            words = each.value if isinstance(each, ast.Constant) else _keyword(each, "description")
            if isinstance(words, str):
                schema = {**schema, "description": words}
        return schema

    def _named(self, name: str, depth: int) -> Schema:
        if name in self.classes and name not in self.inside:
            self.inside.append(name)
            try:
                return self._class(self.classes[name], depth)
            finally:
                self.inside.pop()
        if name in PLAIN:
            return dict(PLAIN[name])
        self.collector.note(f"The type {name[:60]} is not known here: it may be anything.")
        return {}

    def _class(self, node: ast.ClassDef, depth: int) -> Schema:
        """An Enum's values; the fields of a dataclass, a TypedDict or a model."""
        assigned = [each for each in node.body if isinstance(each, ast.Assign)]
        if any("Enum" in _last_name(base) for base in node.bases):
            return enum_of([each.value.value for each in assigned if isinstance(each.value, ast.Constant)])
        docstring = read_docstring(ast.get_docstring(node) or "")
        properties: dict[str, Schema] = {}
        required = []
        for each in node.body:
            if not isinstance(each, ast.AnnAssign) or not isinstance(each.target, ast.Name):
                continue
            name, schema = each.target.id, self.schema(each.annotation, depth + 1)
            words = docstring.names.get(name) or _keyword(each.value, "description")
            properties[name] = {**schema, "description": words} if isinstance(words, str) and words else schema
            if each.value is None and not _is_not_required(each.annotation):
                required.append(name)
        return object_of(properties, required)


def _is_not_required(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "NotRequired"


def _keyword(node: ast.expr | None, name: str) -> Any:
    """A constant given by name in a call such as Field(description="…")."""
    for each in node.keywords if isinstance(node, ast.Call) else []:
        if each.arg == name and isinstance(each.value, ast.Constant):
            return each.value.value
    return None


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _options(node: ast.expr) -> list[ast.expr]:
    """`a | b | c` as a list; the tree leans to the left."""
    options: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        options.append(node.right)
        node = node.left
    return [node, *reversed(options)]
