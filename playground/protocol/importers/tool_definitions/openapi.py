"""OpenAPI (3 and Swagger 2) operations as tools: parameters and the JSON body become fields."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.tool_definitions.tool_collector import DEEPEST, Schema, ToolCollector, object_of

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
LEFT_OUT = {"header": "headers", "cookie": "cookies"}


class _Document:
    """The document in which `$ref`s are looked up. Circles and unknown ones may be anything."""

    def __init__(self, root: dict[str, Any], collector: ToolCollector) -> None:
        self.root, self.collector = root, collector

    def resolved(self, value: Any, depth: int = 0, inside: tuple[str, ...] = ()) -> Any:
        """The value with everything that it refers to in its place."""
        if depth > 3 * DEEPEST or not self.collector.takes_another_type():
            self.collector.note("What nests too deeply may be anything.")
            return {}
        if isinstance(value, list):
            return [self.resolved(each, depth + 1, inside) for each in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            target = self._target(reference)
            if reference in inside or target is None:
                words = "refers to itself" if reference in inside else "is not in the text"
                self.collector.note(f"{reference[:80]} {words}: it may be anything.")
                return {}
            return self.resolved(target, depth + 1, (*inside, reference))
        return {name: self.resolved(each, depth + 1, inside) for name, each in value.items()}

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        value: Any = self.root
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            value = value.get(name) if isinstance(value, dict) else None
        return value


def read_document(document: dict[str, Any], collector: ToolCollector) -> None:
    """Each operation of the document is a tool."""
    for path, item in document["paths"].items():
        if not isinstance(item, dict) or collector.is_full:
            continue
        shared = item.get("parameters")
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                own = operation.get("parameters")
                both = [*(shared if isinstance(shared, list) else []), *(own if isinstance(own, list) else [])]
                read_operation(method, path, {**operation, "parameters": both}, document, collector)


def read_operation(
    method: str, path: str, operation: dict[str, Any], root: dict[str, Any], collector: ToolCollector
) -> None:
    """One operation; `root` is the document that its references lead into."""
    document = _Document(root, collector)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    parameters = operation.get("parameters")
    for each in parameters if isinstance(parameters, list) else []:
        parameter = document.resolved(each)
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
            continue
        place = str(parameter.get("in"))
        if place in LEFT_OUT:
            collector.note(f"Parameters in {LEFT_OUT[place]} were left out.")
        elif place == "body":
            _add_body(parameter.get("schema"), bool(parameter.get("required")), properties, required)
        else:
            _add(parameter["name"], _schema_of(parameter), bool(parameter.get("required")), properties, required)
    body = document.resolved(operation.get("requestBody"))
    if isinstance(body, dict) and isinstance(body.get("content"), dict) and body["content"]:
        content = body["content"]
        media = content.get("application/json") or next(iter(content.values()))
        _add_body(
            media.get("schema") if isinstance(media, dict) else None, body.get("required") is True, properties, required
        )
    words = operation.get("description") or operation.get("summary") or ""
    name = operation.get("operationId") or f"{method} {path}"
    collector.add(str(name), words if isinstance(words, str) else "", object_of(properties, required))


def _schema_of(parameter: dict[str, Any]) -> Schema:
    schema = parameter.get("schema")
    if not isinstance(schema, dict):  # Swagger 2 has type, enum and items beside the name
        schema = {name: parameter[name] for name in ("type", "enum", "items", "format", "default") if name in parameter}
    if isinstance(parameter.get("description"), str):
        schema = {**schema, "description": parameter["description"]}
    return schema


def _add_body(schema: Any, is_required: bool, properties: dict[str, Schema], required: list[str]) -> None:
    """The fields of a JSON body beside the parameters. One that is no object, or has the same names, is one field."""
    if not isinstance(schema, dict):
        return
    inner = schema.get("properties")
    if isinstance(inner, dict) and not set(inner) & set(properties):
        needed = schema.get("required")
        for name, each in inner.items():
            must = is_required and isinstance(needed, list) and name in needed
            _add(name, each if isinstance(each, dict) else {}, must, properties, required)
    else:
        _add("body", schema, is_required, properties, required)


def _add(name: str, schema: Schema, is_required: bool, properties: dict[str, Schema], required: list[str]) -> None:
    properties[name] = schema
    if is_required and name not in required:
        required.append(name)
