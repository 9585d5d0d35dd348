"""Tools written as JSON: of this API and others, a plain JSON Schema, OpenAPI."""

from __future__ import annotations

from typing import Any

from playground.protocol.importers.result import ReadingError
from playground.protocol.importers.tool_definitions.openapi import METHODS, read_document, read_operation
from playground.protocol.importers.tool_definitions.tool_collector import Schema, ToolCollector, object_of
from playground.protocol.json import json_text

SCHEMA_MEMBERS = ("properties", "$schema", "$ref", "anyOf", "oneOf", "allOf", "$defs", "definitions")


def read_json_tools(text: str, collector: ToolCollector) -> None:
    """Collect the tools of a JSON text. Raises ReadingError with the place where it is no JSON."""
    try:
        value = json_text.parse(text)
    except json_text.JsonTextError as error:
        raise ReadingError(f"This is not JSON: {error.message}", error.line, error.column) from None
    read_value(value, collector)


def read_value(value: Any, collector: ToolCollector) -> None:
    """Collect the tools of a value of JSON."""
    if isinstance(value, list):
        for each in value:
            read_value(each, collector)
    elif isinstance(value, dict):
        _read_object(value, collector)


def _read_object(value: dict[str, Any], collector: ToolCollector) -> None:
    lists = [
        value[name] for name in ("tools", "functionDeclarations", "functions") if isinstance(value.get(name), list)
    ]
    if isinstance(value.get("result"), dict) and "tools" in value["result"]:
        lists = [value["result"]["tools"]]  # the answer of an MCP server
    if isinstance(value.get("paths"), dict):
        read_document(value, collector)
    elif isinstance(value.get("function"), dict):
        _named(value["function"], collector)
    elif "name" in value and any(name in value for name in ("input_schema", "inputSchema", "parameters")):
        _named(value, collector)
    elif lists:
        for each in lists:
            read_value(each, collector)
    elif "operationId" in value or ("responses" in value and ("parameters" in value or "requestBody" in value)):
        read_operation("", "", value, {}, collector)
    elif any(isinstance(value.get(method), dict) for method in METHODS) and "type" not in value:
        read_document({"paths": {"": value}}, collector)
    elif value.get("type") == "object" or any(name in value for name in SCHEMA_MEMBERS):
        _schema(value, collector)


def _named(value: dict[str, Any], collector: ToolCollector) -> None:
    """A tool with a name. One of this API's form is kept with all that it has."""
    if isinstance(value.get("input_schema"), dict):
        collector.add_whole(dict(value))
        return
    schema = value.get("inputSchema", value.get("parameters"))
    description = value.get("description")
    if value.get("strict") is True:
        collector.note("“strict” is not taken over: choose it in the tool.")
    collector.add(
        name if isinstance(name := value.get("name"), str) else "",
        description if isinstance(description, str) else "",
        schema if isinstance(schema, dict) else object_of({}, []),
    )


def _schema(value: Schema, collector: ToolCollector) -> None:
    """A schema alone: its title is the name, its description that of the tool."""
    title, description = value.get("title"), value.get("description")
    schema = {name: each for name, each in value.items() if name not in ("title", "description", "$schema", "$id")}
    if schema.get("type") != "object" and "properties" in schema:
        schema = {"type": "object", **schema}
    collector.add(title if isinstance(title, str) else "", description if isinstance(description, str) else "", schema)
