"""The columns of a comparison: each is the form's request with a connection and values of its own.

What a column has not made its own follows the form. A column is kept with the draft, and names the run it sent last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.protocol import body as edit
from playground.protocol.catalogue.kinds import Object
from playground.protocol.catalogue.parameters import BODY
from playground.protocol.json import json_text
from playground.protocol.json.paths import MISSING, Path, PathError, parse_path, to_text
from playground.protocol.rules.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.models import Draft

IDS = ("a", "b", "c", "d")
MOST_COLUMNS = len(IDS)
FULL = f"At most {MOST_COLUMNS} columns."
MOST_OWN = 40
SANDBOX = "sandbox"  # as a connection
OFTEN = ("temperature", "max_tokens", "system", "thinking", "output_config.effort", "tools", "tool_choice")
# A body nests up to a hundred levels; a column holds one inside a few more.
_LIMITS = json_text.Limits(depth=110, tokens=1_000_000)


@dataclass
class Override:
    """A column's own value; `MISSING`: it leaves the member out. `typed` is text that could not be read as a value."""

    value: Any = MISSING
    typed: str | None = None


@dataclass
class Column:
    """`connection`: None follows the form, else `SANDBOX` or a primary key. `own` goes by the paths as text."""

    id: str
    connection: str | None = None
    own: dict[str, Override] = field(default_factory=dict)
    run: str = ""

    @property
    def differs(self) -> bool:
        return self.connection is not None or bool(self.own)


def read(draft: Draft) -> list[Column]:
    """The columns of a draft; none when nothing is compared."""
    if not draft.columns:
        return []
    return [_from_json(each) for each in json_text.parse(bytes(draft.columns), _LIMITS)]


def write(draft: Draft, columns: list[Column]) -> None:
    """Put the columns into the draft, which is not stored yet. Fewer than two compare nothing."""
    text = json_text.dump([_to_json(each) for each in columns], indent=None) if len(columns) > 1 else ""
    draft.columns = text.encode("utf-8", "backslashreplace")


def _from_json(kept: Any) -> Column:
    own = {name: Override(each.get("value", MISSING), each.get("typed")) for name, each in kept["own"].items()}
    return Column(kept["id"], kept["connection"], own, kept["run"])


def _to_json(column: Column) -> Any:
    own = {}
    for name, each in column.own.items():
        kept = {"value": each.value, "typed": each.typed}
        own[name] = {
            key: value for key, value in kept.items() if value is not MISSING and (key, value) != ("typed", None)
        }
    return {"id": column.id, "connection": column.connection, "own": own, "run": column.run}


# --- Changes --------------------------------------------------------------------------------------------------------


Changed = tuple[list[Column], str]  # the columns after it, and why nothing was changed, if so


def change(columns: list[Column], op: str, key: str, name: str, body: Any) -> Changed:
    """The columns after one press of a button. `body` is the form's, `name` a member's, or a run's at the start."""
    if op in _OF_ALL:
        return _OF_ALL[op](columns, name)
    column = next((column for column in columns if column.id == key), None)
    if column is None:
        return columns, "This column was removed."
    return _OF_ONE[op](columns, column, name, body) if op in _OF_ONE else (columns, "")


def start(columns: list[Column], run: str) -> Changed:
    return columns or [Column("a", run=run), Column("b")], ""


def stop(_columns: list[Column], _name: str) -> Changed:
    return [], ""


def add(columns: list[Column], _name: str) -> Changed:
    return _with(columns, Column(free_id(columns)), len(columns)) if has_room(columns) else (columns, FULL)


def duplicate(columns: list[Column], column: Column, _name: str, _body: Any) -> Changed:
    if not has_room(columns):
        return columns, FULL
    return _with(columns, Column(free_id(columns), column.connection, dict(column.own)), columns.index(column) + 1)


def remove(columns: list[Column], column: Column, _name: str, _body: Any) -> Changed:
    return [each for each in columns if each is not column], ""


def unlink_member(columns: list[Column], column: Column, name: str, body: Any) -> Changed:
    return columns, unlink(column, name, body)


def link_member(columns: list[Column], column: Column, name: str, _body: Any) -> Changed:
    column.own.pop(name, None)
    return columns, ""


def link_connection(columns: list[Column], column: Column, _name: str, _body: Any) -> Changed:
    column.connection = None
    return columns, ""


_OF_ALL: dict[str, Callable[[list[Column], str], Changed]] = {
    "column-start": start,
    "column-stop": stop,
    "column-add": add,
}
_OF_ONE: dict[str, Callable[[list[Column], Column, str, Any], Changed]] = {
    "column-duplicate": duplicate,
    "column-remove": remove,
    "column-unlink": unlink_member,
    "column-link": link_member,
    "column-link-connection": link_connection,
}


def has_room(columns: list[Column]) -> bool:
    return len(columns) < MOST_COLUMNS


def _with(columns: list[Column], column: Column, place: int) -> Changed:
    return [*columns[:place], column, *columns[place:]], ""


def free_id(columns: Iterable[Column]) -> str:
    return next(each for each in IDS if each not in {column.id for column in columns})


def unlink(column: Column, name: str, body: Any) -> str:
    """Make a member the column's own, beginning with the form's value. Returns what is wrong with it, in words."""
    path = own_path(name)
    if path is None:
        return f"{name[:60]} cannot be overridden in a column."
    if name not in column.own and len(column.own) >= MOST_OWN:
        return f"A column has at most {MOST_OWN} overrides."
    column.own.setdefault(name, Override(edit.get(body, path)))
    return ""


def own_path(name: str) -> Path | None:
    """The path of a member that a column can have for itself: one of the body, or one inside an object of it."""
    try:
        path = parse_path(name)
    except PathError:
        return None
    return path if 1 <= len(path) <= 2 and all(isinstance(step, str) for step in path) else None


def type_in(column: Column, name: str, text: str, body: Any) -> None:
    """Take over the text of a control of the column. The member is the column's own from then on."""
    if unlink(column, name, body):
        return
    own = column.own[name]
    changed, problems = edit.apply(body_of(column, body)[0], [(name, text)])
    if problems:
        own.typed = text
    else:
        own.value, own.typed = edit.get(changed, own_path(name) or ()), None


def take_posted(draft: Draft, body: Any, posted: Iterable[tuple[str, str]]) -> None:
    """Take over what was typed and chosen in the heads: `:own a temperature`, `:connection a`."""
    typed = [(name.split(" ", 2), text) for name, text in posted if name.startswith((":own ", ":connection "))]
    kept = {column.id: column for column in read(draft)} if typed else {}
    for (what, key, *rest), text in typed:
        column = kept.get(key)
        if column is None:
            continue
        if what == ":connection":
            column.connection = text[:40]
        elif rest:
            type_in(column, rest[0], text, body)
    if typed and kept:
        write(draft, list(kept.values()))


def body_of(column: Column, body: Any) -> tuple[Any, list[Problem]]:
    """The form's body with the column's own values, and what of them found no place or could not be read."""
    problems = []
    for name, own in sorted(column.own.items(), key=lambda each: len(own_path(each[0]) or ())):
        path = own_path(name) or ()
        try:
            if own.value is not MISSING:
                body = edit.place(body, path, own.value)
            elif edit.get(body, path) is not MISSING:
                body = edit.remove(body, path)
        except PathError as error:
            problems.append(Problem(path, str(error)))
        if own.typed is not None:
            problems += edit.apply(body, [(name, own.typed)])[1]
    return body, problems


# --- What can be chosen ---------------------------------------------------------------------------------------------


def member_names(body: Any) -> list[str]:
    """Every member that a column can be given a value for: the catalogue's, and those only the body has."""
    names: dict[str, None] = {}
    for parameter in BODY.members:
        names[parameter.name] = None
        if isinstance(parameter.kind, Object):
            names |= dict.fromkeys(to_text((parameter.name, member.name)) for member in parameter.kind.members)
    names |= dict.fromkeys(to_text((name,)) for name in body if isinstance(body, dict))
    return [name for name in names if own_path(name)]
