"""The changes that the form's buttons make to a body. Typing is `protocol.body.apply`; this is the rest.

Every change is a pure function of the body. Its result also says which part of the form has to be drawn again and where
the focus belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.composer.new_items import ChangeError, block_for, new_item, open_calls, role_of, source_for
from playground.composer.schema_changes import SCHEMA_CHANGES
from playground.protocol import body as edit
from playground.protocol.catalogue.blocks import CONTENT_BLOCK, MESSAGE
from playground.protocol.catalogue.kinds import Kind, ListOf, OneOf, Parameter, Variants, blank, blank_for
from playground.protocol.catalogue.parameters import find
from playground.protocol.json.paths import MISSING, Path, PathError, get, parse_path, to_text
from playground.protocol.whole_numbers import read_whole

JsonValue = Any


@dataclass(frozen=True)
class Change:
    """One press of a button: what to do, where, and (for some) what with."""

    op: str
    path: Path
    kind: str = ""
    to: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The body after a change. `focus` is where the reader goes on; `moved` tells where a list's item went to."""

    body: JsonValue
    focus: Path = ()
    moved: Callable[[Path], Path] | None = None


def make(body: JsonValue, change: Change) -> Outcome:
    """The body after the change. Raises `ChangeError` when there is nothing of the kind at the place."""
    do = CHANGES.get(change.op)
    if do is None:
        raise ChangeError(f"Unknown change {change.op[:40]!r}")
    try:
        return do(body, change)
    except PathError as error:
        raise ChangeError(f"This field no longer exists: {error}") from error
    except ValueError as error:
        raise ChangeError(str(error)) from error


def add(body: JsonValue, change: Change) -> Outcome:
    """Put a member into the body, with the value that its record starts with."""
    parameter = _parameter(body, change.path)
    value = blank_for(parameter)
    kind = parameter.kind
    if change.kind and isinstance(kind, Variants) and change.kind in kind.by_name:
        value = blank(kind.by_name[change.kind])
    return Outcome(_put(body, change.path, value), change.path)


def unset(body: JsonValue, change: Change) -> Outcome:
    return Outcome(body if get(body, change.path) is MISSING else edit.remove(body, change.path), change.path)


def null(body: JsonValue, change: Change) -> Outcome:
    return Outcome(_put(body, change.path, None), change.path)


def false(body: JsonValue, change: Change) -> Outcome:
    return Outcome(_put(body, change.path, False), change.path)


def empty(body: JsonValue, change: Change) -> Outcome:
    return Outcome(_put(body, change.path, ""), change.path)


def insert(body: JsonValue, change: Change) -> Outcome:
    """Append an item to a list (or put it at `to`), of the named kind or with the given text for a list of texts."""
    parameter = _parameter(body, change.path)
    kind = _list_kind(parameter.kind)
    items = get(body, change.path)
    if not isinstance(items, list):
        body, items = _put(body, change.path, []), []
    at = len(items) if change.to is None else max(0, min(change.to, len(items)))
    new = new_item(kind.item, change.kind, body, change.path)
    path = (*change.path, at)
    return Outcome(edit.insert(body, path, new), path, _shifted(change.path, at, 1))


def insert_before(body: JsonValue, change: Change) -> Outcome:
    at = _index(change.path)
    if change.path[:-1] == ("messages",):
        role = "assistant" if role_of(body, at) == "user" else "user"
        return insert(body, Change("insert", ("messages",), role, at))
    return insert(body, Change("insert", change.path[:-1], change.kind, at))


def entry(body: JsonValue, change: Change) -> Outcome:
    """Put a name of the user's choice into a map."""
    path = (*change.path, change.kind)
    parameter = find(path, body)
    if not change.kind or get(body, path) is not MISSING:
        raise ChangeError("Enter a name that is not used yet")
    return Outcome(_put(body, path, blank(parameter.kind) if parameter else None), path)


def remove(body: JsonValue, change: Change) -> Outcome:
    """Take an item out of its list. A list that could be left out and has nothing left is left out."""
    body = edit.remove(body, change.path)
    at, parent = change.path[-1], change.path[:-1]
    if get(body, parent) == [] and len(parent) == 1 and not _parameter(body, parent).required:
        return Outcome(edit.remove(body, parent), parent)
    if not isinstance(at, int):
        return Outcome(body, parent)
    left = get(body, parent)
    focus = (*parent, min(at, len(left) - 1)) if left else parent
    return Outcome(body, focus, _shifted(parent, at + 1, -1))


def move(body: JsonValue, change: Change) -> Outcome:
    at, parent = _index(change.path), change.path[:-1]
    items = edit.read(body, parent)
    to = max(0, min(at if change.to is None else change.to, len(items) - 1))
    return Outcome(edit.move(body, change.path, to), (*parent, to), _permuted(parent, at, to))


def up(body: JsonValue, change: Change) -> Outcome:
    return move(body, Change("move", change.path, to=_index(change.path) - 1))


def down(body: JsonValue, change: Change) -> Outcome:
    return move(body, Change("move", change.path, to=_index(change.path) + 1))


def duplicate(body: JsonValue, change: Change) -> Outcome:
    at = _index(change.path)
    after = (*change.path[:-1], at + 1)
    return Outcome(edit.duplicate(body, change.path), after, _shifted(change.path[:-1], at + 1, 1))


def variant(body: JsonValue, change: Change) -> Outcome:
    """Make an object into another of its variants; what both have stays."""
    if not change.kind:
        return unset(body, change)
    parameter = _parameter(body, change.path)
    kinds = parameter.kind.kinds if isinstance(parameter.kind, OneOf) else (parameter.kind,)
    for kind in kinds:
        if isinstance(kind, Variants) and change.kind in kind.by_name:
            value = edit.switch_variant(kind, get(body, change.path), change.kind)
            return Outcome(_put(body, change.path, value), change.path)
    raise ChangeError(f"{to_text(change.path)} cannot be {change.kind[:40]!r}")


def other_kind(body: JsonValue, change: Change) -> Outcome:
    """Make a value into another of the kinds its place takes: a text into a list of one text block, and back."""
    parameter = _parameter(body, change.path)
    number = read_whole(change.kind)
    if not isinstance(parameter.kind, OneOf) or number is None:
        raise ChangeError("This value cannot be changed")
    kind = parameter.kind.kinds[min(number, len(parameter.kind.kinds) - 1)]
    value = edit.convert(kind, get(body, change.path))
    if isinstance(kind, ListOf) and not value:
        value = [blank(kind.item)]  # an empty list would offer nothing to type into
    return Outcome(_put(body, change.path, value), change.path)


def ttl(body: JsonValue, change: Change) -> Outcome:
    """A cache mark's time to live; none: the mark goes."""
    if not change.kind:
        return unset(body, change)
    path = (*change.path, "ttl")
    if change.kind == "5m":  # what the API assumes
        return Outcome(body if get(body, path) is MISSING else edit.remove(body, path), change.path)
    return Outcome(edit.set(body, path, change.kind), change.path)


def add_turn(body: JsonValue, change: Change) -> Outcome:
    """A turn after the last one, of the role that speaks next."""
    messages = get(body, ("messages",))
    if not isinstance(messages, list):
        body, messages = edit.set(body, ("messages",), []), []
    last = role_of(body, len(messages) - 1)
    role = change.kind or ("assistant" if last == "user" else "user")
    if role not in MESSAGE.by_name:
        raise ChangeError(f"There is no role {role[:40]!r}")
    path = ("messages", len(messages))
    new: dict[str, Any] = {"role": role, "content": ""}
    if role == "user" and (calls := open_calls(messages)):
        new = {"role": role, "content": [{"type": "tool_result", "tool_use_id": call, "content": ""} for call in calls]}
    return Outcome(edit.insert(body, path, new), (*path, "content"))


def add_block(body: JsonValue, change: Change) -> Outcome:
    """A block at the end of a content; a content that is text becomes blocks first."""
    content = get(body, change.path)
    blocks = content if isinstance(content, list) else edit.convert(_content_list(body, change.path), content)
    if content == "" or content is MISSING:
        blocks = []
    at = len(blocks) if change.to is None else max(0, min(change.to, len(blocks)))
    new = new_item(CONTENT_BLOCK, change.kind, body, change.path)
    # The API wants all results before anything else in their turn.
    if change.kind == "tool_result" and change.to is None:
        at = sum(1 for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result")
    body = _put(body, change.path, [*blocks[:at], new, *blocks[at:]])
    return Outcome(body, (*change.path, at), _shifted(change.path, at, 1))


def run_from(body: JsonValue, change: Change) -> Outcome:
    """The conversation up to and with this turn; what came after it goes."""
    index = _index(change.path)
    if change.path != ("messages", index):
        raise ChangeError("This is not a message")
    edit.read(body, change.path)
    return Outcome(edit.set(body, ("messages",), get(body, ("messages",))[: index + 1]), change.path)


def attach(body: JsonValue, path: Path, reference: str, media_type: str, name: str) -> Outcome:
    """A stored file in the body: in the source at the path, or as a new block of the content there."""
    if path[-1:] == ("source",):
        block = edit.read(body, path[:-1])
        block_type = block_for(media_type)
        if isinstance(block, dict) and block.get("type") != block_type:
            raise ChangeError(f"A file of type {media_type} makes {block_type!r}, not {block.get('type')!r}")
        return Outcome(edit.set(body, path, source_for(reference, media_type)), path)
    new = {"type": block_for(media_type), "source": source_for(reference, media_type)}
    if new["type"] == "document":
        new["title"] = name
    content = get(body, path)
    blocks = content if isinstance(content, list) else edit.convert(_content_list(body, path), content)
    if content == "" or content is MISSING:
        blocks = []
    # Before the text about it: the API's advice for images and documents.
    last = blocks[-1] if blocks else None
    at = len(blocks) - 1 if isinstance(last, dict) and last.get("type") == "text" else len(blocks)
    return Outcome(_put(body, path, [*blocks[:at], new, *blocks[at:]]), (*path, at))


def of_schema(body: JsonValue, change: Change) -> Outcome:
    """A change of one row of a tool's schema."""
    if find(change.path, body) is None and get(body, change.path) is MISSING:
        raise ChangeError("This field no longer exists")
    return Outcome(*SCHEMA_CHANGES[change.op](body, change.path, change.kind))


CHANGES: dict[str, Callable[[JsonValue, Change], Outcome]] = {
    **dict.fromkeys(SCHEMA_CHANGES, of_schema),
    "add": add,
    "add-block": add_block,
    "add-turn": add_turn,
    "down": down,
    "duplicate": duplicate,
    "empty": empty,
    "entry": entry,
    "false": false,
    "insert": insert,
    "insert-before": insert_before,
    "kind": other_kind,
    "move": move,
    "null": null,
    "remove": remove,
    "run-from": run_from,
    "ttl": ttl,
    "unset": unset,
    "up": up,
    "variant": variant,
}


def region(change: Change, outcome: Outcome) -> Path:
    """The smallest part of the form that shows all of the change: one turn, or one parameter of the body."""
    path = change.path
    if path[:1] == ("messages",) and len(path) > 2:
        return path[:2]
    if change.op == "variant" and len(path) == 2 and path[0] == "messages":
        return path
    return path[:1]


def read_change(op: str, path: str, kind: str = "", to: str = "") -> Change:
    """A change as the page posts it. Raises `ChangeError` for a path that cannot be read."""
    try:
        return Change(op, parse_path(path), kind, read_whole(to))
    except PathError as error:
        raise ChangeError(str(error)) from error


def _parameter(body: JsonValue, path: Path) -> Parameter:
    place = find(path, body)
    if place is None:
        raise ChangeError(f"The catalogue has no {to_text(path)}")
    return place


def _put(body: JsonValue, path: Path, value: JsonValue) -> JsonValue:
    """Set, after making the objects on the way that are not there."""
    for depth in range(1, len(path)):
        if get(body, path[:depth]) is MISSING:
            body = edit.set(body, path[:depth], {})
    return edit.set(body, path, value)


def _list_kind(kind: Kind) -> ListOf:
    for each in kind.kinds if isinstance(kind, OneOf) else (kind,):
        if isinstance(each, ListOf):
            return each
    raise ChangeError("This is not a list")


def _content_list(body: JsonValue, path: Path) -> ListOf:
    return _list_kind(_parameter(body, path).kind)


def _index(path: Path) -> int:
    last = path[-1] if path else None
    if not isinstance(last, int):
        raise ChangeError("This is not an item of a list")
    return last


def _shifted(parent: Path, first: int, by: int) -> Callable[[Path], Path]:
    """Return a function from old paths to new ones after items were put in before `first`, or one before it was taken
    out."""

    def moved(path: Path) -> Path:
        depth = len(parent)
        step = path[depth] if len(path) > depth and path[:depth] == parent else None
        if isinstance(step, int) and step >= first:
            return (*parent, step + by, *path[depth + 1 :])
        return path

    return moved


def _permuted(parent: Path, at: int, to: int) -> Callable[[Path], Path]:
    """Return a function from old paths to new ones after the item at `at` went to `to`."""

    def moved(path: Path) -> Path:
        depth = len(parent)
        if len(path) <= depth or path[:depth] != parent or not isinstance(path[depth], int):
            return path
        index = int(path[depth])
        if index == at:
            index = to
        elif at < index <= to:
            index -= 1
        elif to <= index < at:
            index += 1
        return (*parent, index, *path[depth + 1 :])

    return moved
