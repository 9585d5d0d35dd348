"""OpenAPI written as YAML: read as the JSON that it stands for, so without tags, dates and words for yes and no.

An alias is as good as writing its value again, which makes short texts of any size: what they stand for is counted
before anybody walks through it.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml
from yaml.constructor import ConstructorError

from playground.protocol.importers.result import ReadingError
from playground.protocol.importers.tool_definitions.json_forms import read_value
from playground.protocol.importers.tool_definitions.tool_collector import ToolCollector
from playground.protocol.json import json_text

TAG = "tag:yaml.org,2002:"
# Null, booleans and numbers as YAML's JSON schema has them, with the first characters they can have; else it is text.
WORDS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
)


class JsonLoader(yaml.SafeLoader):
    """Makes the values that JSON has, and no two members of one name."""

    yaml_implicit_resolvers: dict[Any, Any] = {}
    yaml_constructors: ClassVar[dict[Any, Any]] = {}

    def number(self, node: yaml.ScalarNode) -> Any:
        return json_text.parse(node.value)

    def array(self, node: yaml.SequenceNode) -> list[Any]:
        return [self.construct_object(item, deep=True) for item in node.value]

    def object(self, node: yaml.MappingNode) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a name must be text", key.start_mark)
            if key.value in members:
                raise ConstructorError(None, None, f"“{key.value}” comes twice", key.start_mark)
            members[key.value] = self.construct_object(value, deep=True)  # a status such as 200 is a name too
        return members

    def refuse_tag(self, node: yaml.Node) -> None:
        raise ConstructorError(None, None, "tags are not read", node.start_mark)


JsonLoader.yaml_constructors |= {
    TAG + "null": JsonLoader.construct_yaml_null,
    TAG + "bool": JsonLoader.construct_yaml_bool,
    TAG + "float": JsonLoader.number,
    TAG + "str": JsonLoader.construct_yaml_str,
    TAG + "seq": JsonLoader.array,
    TAG + "map": JsonLoader.object,
    None: JsonLoader.refuse_tag,
}
for _name, _pattern, _first in WORDS:
    JsonLoader.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


def read_yaml_tools(text: str, collector: ToolCollector) -> None:
    """Collect the tools of a YAML text. Raises ReadingError with the place of what cannot be read."""
    try:
        root = yaml.compose(text, Loader=JsonLoader)
        if root is None:
            return
        _refuse_large(root)
        value = JsonLoader("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ReadingError(f"This is not YAML that can be read: {error.problem}.", *place) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ReadingError(f"This is not YAML that can be read: {error}") from None
    read_value(value, collector)


def _refuse_large(root: yaml.Node) -> None:
    """Count what the aliases stand for; raises ReadingError beyond what is taken as JSON, and for endless loops."""
    left = json_text.DEFAULT_LIMITS.tokens
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > json_text.DEFAULT_LIMITS.depth:
            raise ReadingError("This YAML is too large, or nests too deeply, with all its aliases written out.")
        if isinstance(node, yaml.MappingNode):
            waiting += [(value, depth + 1) for _key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, depth + 1) for item in node.value]
