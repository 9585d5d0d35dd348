"""The body as a tree of nodes, each ready to be drawn by the template of its kind.

A node is one place of the body: a value that is there, or one that the catalogue says could be. Nodes are made as the
templates ask for them, so a folded turn costs nothing.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playground.composer.labels import type_words, with_article
from playground.protocol.body import control_text
from playground.protocol.catalogue.kinds import (
    FREE_JSON,
    AnyJson,
    Choice,
    Constant,
    Kind,
    ListOf,
    MapOf,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
    accepts,
    control,
    summary,
)
from playground.protocol.json import json_text
from playground.protocol.json.paths import MISSING, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.protocol.json.paths import Path


MOST_SEGMENTS = 5
# What a page holds of one value, in characters, and of one list, in items. The rest is loaded when it is asked for.
SHOWN_CHARACTERS = 64_000
SHOWN_ITEMS = 50
COMPOSITE = (ListOf, MapOf, Object, Variants)
_VERSION = re.compile(r"_20\d{6}$")
_SAFE = re.compile(r"[A-Za-z0-9_]+")


def path_id(path: Path) -> str:
    """An id for the element that shows this place. Names that are not the catalogue's are hashed: they are foreign."""
    steps = (str(step) if isinstance(step, int) or _SAFE.fullmatch(step) else _digest(step) for step in path)
    return "-".join(("f", *steps))


def _digest(name: str) -> str:
    return "x" + hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def family_of(name: str) -> str:
    """The name of a server tool without the date of its version."""
    return _VERSION.sub("", name)


class Node:
    """One place of the body. `parameter` is None for an item of a list and for what the catalogue does not know.

    Its many members are what the templates of all kinds of places read, one each.
    """

    def __init__(
        self,
        path: Path,
        declared: Kind,
        value: Any = MISSING,
        parameter: Parameter | None = None,
        *,
        item: bool = False,
    ) -> None:
        self.path = path
        self.declared = declared
        self.value = value
        self.parameter = parameter
        self.is_item = item
        self.hidden: frozenset[str] = frozenset()  # members that are drawn elsewhere

    @cached_property
    def name(self) -> str:
        """The path as text: the name of the control."""
        return to_text(self.path)

    @cached_property
    def id(self) -> str:
        return path_id(self.path)

    @property
    def label(self) -> str:
        """The text beside the control: the member's own name, or an item's whole path."""
        last = self.path[-1] if self.path else ""
        return last if isinstance(last, str) else self.name

    @property
    def place_in_list(self) -> str:
        """The end of an item's path, where the rest is plain to see: `content[0]`."""
        return to_text(self.path[-2:])

    @property
    def spoken(self) -> str:
        """The accessible name: the member's name, or the whole path where lists make that ambiguous."""
        return self.name if any(isinstance(step, int) for step in self.path) else self.label

    @property
    def is_set(self) -> bool:
        return self.value is not MISSING

    @property
    def is_null(self) -> bool:
        return self.value is None

    @property
    def required(self) -> bool:
        return self.is_item or bool(self.parameter and self.parameter.required)

    @property
    def can_be_null(self) -> bool:
        return bool(self.parameter and self.parameter.nullable)

    @property
    def has_menu(self) -> bool:
        """Whether the value can be changed in ways other than typing."""
        return not self.required or self.has_menu_when_unset

    @property
    def has_menu_when_unset(self) -> bool:
        is_special = self.declared.word == "boolean" or (self.word == "text" and not self.required)
        return self.can_be_null or is_special or bool(self.alternatives)

    @property
    def help(self) -> str:
        return self.parameter.help if self.parameter else ""

    @property
    def beta(self) -> str | None:
        return self.parameter.beta if self.parameter else None

    @cached_property
    def chosen(self) -> Kind:
        """The declared kind, or the one of several that the value has; the first of them when there is no value."""
        if not isinstance(self.declared, OneOf):
            return self.declared
        if not self.is_set:
            return self.declared.kinds[0]
        return next((kind for kind in self.declared.kinds if accepts(kind, self.value)), FREE_JSON)

    @cached_property
    def kind(self) -> Kind:
        """The kind of the control, without alternatives."""
        return control(self.declared, self.value) if self.is_set else self.chosen

    @property
    def word(self) -> str:
        """The name of the template that draws it."""
        if self.is_set:
            if isinstance(self.chosen, Variants) and isinstance(self.kind, Object) and len(self.chosen.variants) > 1:
                return "variants"
            return self.kind.word
        if isinstance(self.chosen, Variants) and len(self.chosen.variants) > 1:
            return "variants"
        if self.list_style == "chips":
            return "list_of"
        return "absent" if isinstance(self.chosen, COMPOSITE) else self.chosen.word

    @property
    def is_composite(self) -> bool:
        """Whether it is a group of controls, named by a legend, and not one control with a label."""
        return self.word in {"variants", "object", "map_of", "absent", "list_of"} and self.list_style != "chips"

    @cached_property
    def text(self) -> str:
        """The text that the control shows."""
        return control_text(self.kind, self.value) if self.is_set else ""

    @cached_property
    def is_large(self) -> bool:
        """Whether the control's text is too long to be part of every page."""
        return not isinstance(self.kind, COMPOSITE) and len(self.text) > SHOWN_CHARACTERS

    @property
    def is_unexpected(self) -> bool:
        """Whether the value is shown as JSON only because the form has no control for it."""
        return isinstance(self.kind, AnyJson) and not isinstance(self.chosen, AnyJson)

    @property
    def type(self) -> str:
        if isinstance(self.kind, ListOf) and self.value and not isinstance(self.kind.item, Text | Choice):
            return f"list, {len(self.value)} {self.kind.noun}{'s' if len(self.value) > 1 else ''}"
        return type_words(self.declared)

    @property
    def summary(self) -> str:
        return summary(self.declared, self.value) if self.is_set else ""

    # --- Members of an object -----------------------------------------------------------------------------------

    @property
    def tag(self) -> str:
        """The member that tells the variants apart; "" when there are none."""
        return self.chosen.tag if isinstance(self.chosen, Variants) else ""

    @cached_property
    def members(self) -> list[Node]:
        """The members to show: those in the body and those often used. The tag has a control of its own."""
        return [node for node in self._known() if node.is_set or not (node.parameter and node.parameter.rare)]

    @cached_property
    def more(self) -> list[Node]:
        """The members that are rarely used and not in the body: folded, not missing."""
        return [node for node in self._known() if not node.is_set and node.parameter and node.parameter.rare]

    def _known(self) -> Iterator[Node]:
        if not isinstance(self.kind, Object):
            return
        for parameter in self.kind.members:
            if parameter.name not in self.hidden and not self._is_drawn_elsewhere(parameter):
                yield self.member(parameter.name)

    def _is_drawn_elsewhere(self, parameter: Parameter) -> bool:
        """A tag that says what it should is the variant's own control; so is the fixed name of a server tool."""
        fixed = parameter.name == self.tag or (isinstance(parameter.kind, Constant) and parameter.required)
        there = self.is_set and parameter.name in self.value
        return fixed and (not there or self._is_constant(parameter))

    def _is_constant(self, parameter: Parameter) -> bool:
        return parameter.name == self.tag or accepts(parameter.kind, self.value[parameter.name])

    @cached_property
    def unknown(self) -> list[Node]:
        """Members that the catalogue does not have: kept, and shown as JSON."""
        if not isinstance(self.kind, Object) or not self.is_set:
            return []
        return [Node((*self.path, name), FREE_JSON, self.value[name]) for name in self.kind.unknown(self.value)]

    def member(self, name: str) -> Node:
        """The member of this name, whether it is in the body or not."""
        value = self.value.get(name, MISSING) if isinstance(self.value, dict) else MISSING
        parameter = self.kind.by_name.get(name) if isinstance(self.kind, Object) else None
        return Node((*self.path, name), parameter.kind if parameter else FREE_JSON, value, parameter)

    # --- Items of a list, entries of a map -----------------------------------------------------------------------

    @cached_property
    def items(self) -> list[Node]:
        if isinstance(self.kind, ListOf) and self.is_set:
            kind = self.kind.item
            return [Node((*self.path, index), kind, value, item=True) for index, value in enumerate(self.value)]
        if isinstance(self.kind, MapOf) and self.is_set:
            kind = self.kind.value
            return [Node((*self.path, name), kind, value, item=True) for name, value in self.value.items()]
        return []

    @property
    def list_style(self) -> str:
        """How a list is drawn: short texts as chips, the rest by what its items are."""
        kind = self.kind if self.is_set else self.chosen
        if not isinstance(kind, ListOf):
            return ""
        if isinstance(kind.item, Text | Choice):
            plain = not self.is_set or all(isinstance(value, str) for value in self.value)
            return "chips" if plain else "items"
        return {"message": "turns", "block": "blocks", "tool": "tools"}.get(kind.noun, "items")

    @property
    def noun(self) -> str:
        return self.chosen.noun if isinstance(self.chosen, ListOf | MapOf) else ""

    # --- Alternatives ---------------------------------------------------------------------------------------------

    @property
    def variants(self) -> tuple[Object, ...]:
        return self.chosen.variants if isinstance(self.chosen, Variants) else ()

    @property
    def families(self) -> list[tuple[str, Object]]:
        """The kinds of item that can be added, each once: its name without the date, and its newest version."""
        families: dict[str, Object] = {}
        for each in self.item_variants:
            families.setdefault(family_of(each.name), each)
        return list(families.items())

    @property
    def versions(self) -> list[str]:
        """The names of all versions of what this is, newest first; empty when there is only one."""
        family = family_of(self.variant)
        versions = [each.name for each in self.variants if family_of(each.name) == family]
        return versions if self.variant and len(versions) > 1 else []

    @property
    def variant(self) -> str:
        """The name of the variant that the value is; "" when it is not there."""
        return self.kind.name if self.is_set and isinstance(self.kind, Object) else ""

    @property
    def has_segments(self) -> bool:
        return len(self.variants) <= MOST_SEGMENTS

    @property
    def item_variants(self) -> tuple[Object, ...]:
        """The kinds of items that can be added to this list, when there are several."""
        kind = self.chosen.item if isinstance(self.chosen, ListOf) else None
        return kind.variants if isinstance(kind, Variants) else ()

    @property
    def block_variants(self) -> tuple[Object, ...]:
        """The blocks that can be added to this list: several types, or the only one."""
        kind = self.kind.item if isinstance(self.kind, ListOf) else None
        return (kind,) if isinstance(kind, Object) else self.item_variants

    @property
    def is_content_of_turn(self) -> bool:
        """Whether the foot of a turn offers what can be added here."""
        return len(self.path) == 3 and self.path[0] == "messages"

    @property
    def alternatives(self) -> list[tuple[int, str, bool]]:
        """Number, words and whether it is the present one, for each of several kinds the value could have."""
        if not isinstance(self.declared, OneOf):
            return []
        kinds = enumerate(self.declared.kinds)
        return [(at, with_article(type_words(kind)), kind is self.chosen) for at, kind in kinds]

    @property
    def json(self) -> str:
        """The value as JSON text on several lines."""
        return json_text.dump(self.value) if self.is_set else ""
