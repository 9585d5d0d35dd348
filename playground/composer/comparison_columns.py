"""The columns of a comparison: each is the form's request with a connection and values of its own.

What a column has not made its own follows the form. A column is kept with the draft, and names the run it sent last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.protocol import body as edit
from playground.protocol import json_text
from playground.protocol.kinds import Object
from playground.protocol.parameters import BODY
from playground.protocol.paths import MISSING, Path, PathError, parse_path, to_text
from playground.protocol.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.models import Draft

IDS = ("a", "b", "c", "d")
MOST_COLUMNS = len(IDS)
MOST_OWN = 40
SANDBOX = "sandbox"  # as a connection
OFTEN = ("temperature", "max_tokens", "system", "thinking", "output_config.effort", "tools", "tool_choice")
# A body nests up to a hundred levels; a column holds one inside a few more.
_LIMITS = json_text.Limits(depth=110, tokens=1_000_000)


@dataclass
class Own:
    """A column's own value; `MISSING`: it leaves the member out. `typed` is text that could not be read as a value."""

    value: Any = MISSING
    typed: str | None = None


@dataclass
class Column:
    """`connection`: None follows the form, else `SANDBOX` or a primary key. `own` goes by the paths as text."""

    id: str
    connection: str | None = None
    own: dict[str, Own] = field(default_factory=dict)
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
    own = {name: Own(each.get("value", MISSING), each.get("typed")) for name, each in kept["own"].items()}
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


def change(columns: list[Column], op: str, key: str, what: str, body: Any) -> tuple[list[Column], str]:
    """The columns after one press of a button, and why nothing was changed, if so. `body` is the form's."""
    if op == "column-start":
        return (columns, "") if columns else ([Column("a", run=what), Column("b")], "")
    if op == "column-stop":
        return [], ""
    if op in {"column-add", "column-duplicate"} and len(columns) >= MOST_COLUMNS:
        return columns, f"There are {MOST_COLUMNS} columns, and that is the most."
    if op == "column-add":
        return [*columns, Column(free_id(columns))], ""
    found = next((at for at, column in enumerate(columns) if column.id == key), None)
    if found is None:
        return columns, "This column is not there any more."
    column = columns[found]
    if op == "column-remove":
        return [*columns[:found], *columns[found + 1 :]], ""
    if op == "column-duplicate":
        copy = Column(free_id(columns), column.connection, dict(column.own))
        return [*columns[: found + 1], copy, *columns[found + 1 :]], ""
    if op == "column-unlink":
        return columns, unlink(column, what, body)
    if op == "column-link":
        column.own.pop(what, None)
    if op == "column-link-connection":
        column.connection = None
    return columns, ""


def free_id(columns: Iterable[Column]) -> str:
    return next(each for each in IDS if each not in {column.id for column in columns})


def unlink(column: Column, name: str, body: Any) -> str:
    """Make a member the column's own, beginning with the form's value. Returns what is wrong with it, in words."""
    path = own_path(name)
    if path is None:
        return f"{name[:60]} is no member that a column could have of its own."
    if name not in column.own and len(column.own) >= MOST_OWN:
        return f"A column has at most {MOST_OWN} values of its own."
    column.own.setdefault(name, Own(edit.get(body, path)))
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
    found: dict[str, None] = {}
    for parameter in BODY.members:
        found[parameter.name] = None
        if isinstance(parameter.kind, Object):
            found |= dict.fromkeys(to_text((parameter.name, member.name)) for member in parameter.kind.members)
    found |= dict.fromkeys(to_text((name,)) for name in body if isinstance(body, dict))
    return [name for name in found if own_path(name)]
