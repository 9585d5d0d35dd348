"""A comparison as the page draws it: for each column its controls, what differs from the form, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playground.composer.comparison_columns import (
    OFTEN,
    SANDBOX,
    Column,
    body_of,
    free_id,
    has_room,
    member_names,
    own_path,
)
from playground.composer.nodes import path_id
from playground.composer.request_form import RequestForm
from playground.models import Draft
from playground.protocol.body import switch_variant
from playground.protocol.catalogue.kinds import Boolean, Choice, Integer, Number, Text, Variants
from playground.protocol.json import json_text
from playground.protocol.json.paths import MISSING, get
from playground.protocol.rules.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accounts.models import Connection
    from playground.composer.nodes import Node

MOST_WORDS = 60  # characters of a value, where it stands in a line


def value_words(value: Any) -> str:
    """A value in a line of text: cut, and without line breaks."""
    if value is MISSING:
        return "not sent"
    text = value if isinstance(value, str) and value else json_text.dump(value, indent=None)
    text = " ".join(text.split())
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class Override:
    """One thing that a column has for itself. `op` takes it back."""

    name: str
    words: str
    op: str


class Row:
    """One member of the body in one column."""

    def __init__(self, column: ColumnForm, name: str) -> None:
        self.column = column
        self.name = name
        self.path = own_path(name) or ()
        self.own = column.column.own.get(name)

    @property
    def id(self) -> str:
        return f"column-{self.column.id}-{path_id(self.path)}"

    @property
    def control(self) -> str:
        """The name that the control posts as."""
        return f":own {self.column.id} {self.name}"

    @property
    def is_own(self) -> bool:
        return self.own is not None

    @cached_property
    def node(self) -> Node:
        node = self.column.form.root
        for step in self.path:
            node = node.member(str(step))
        return node

    @property
    def text(self) -> str:
        return self.own.typed if self.own is not None and self.own.typed is not None else self.node.text

    @property
    def style(self) -> str:
        """The kind of its control: select, line, text or json."""
        kind = self.node.kind
        if self.own is not None and self.own.typed is not None and not isinstance(kind, Text | Integer | Number):
            return "json"
        if isinstance(kind, Boolean) or (isinstance(kind, Choice) and not kind.is_open):
            return "select"
        if isinstance(kind, Integer | Number | Choice):
            return "line"
        if isinstance(kind, Text):
            return "line" if self.name == "model" else "text"
        return "json"

    @property
    def is_wide(self) -> bool:
        """Whether its control has a line to itself."""
        return self.name == "model" or self.style in {"text", "json"}

    @property
    def is_number(self) -> bool:
        return isinstance(self.node.kind, Integer | Number)

    @property
    def step(self) -> float:
        return self.node.kind.step if isinstance(self.node.kind, Number) else 1

    @property
    def values(self) -> tuple[str, ...]:
        """The values to choose from."""
        kind = self.node.kind
        return ("true", "false") if isinstance(kind, Boolean) else kind.values if isinstance(kind, Choice) else ()

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Values to suggest, with words for each: for the model those of the column's connection, if they were read."""
        if self.name != "model":
            return [(value, "") for value in self.values]
        listed = [(str(model["id"]), str(model.get("display_name") or "")) for model in self.column.form.models]
        return listed or [(model, "") for model in self.column.form.known_models]

    @property
    def template(self) -> str:
        return f"playground/comparison/_row_{'text' if self.style == 'json' else self.style}.html"

    @property
    def fills(self) -> list[tuple[str, str]]:
        """Names of the variants, each with the JSON it begins with."""
        kind = self.node.chosen
        if not isinstance(kind, Variants) or not self.node.has_segments:
            return []
        value = self.node.value if self.node.is_set else None
        return [(each.name, json_text.dump(switch_variant(kind, value, each.name))) for each in kind.variants]

    @property
    def form_words(self) -> str:
        """The form's own value, in words."""
        return value_words(get(self.column.base.body, self.path))

    @property
    def own_words(self) -> str:
        return value_words(get(self.column.form.body, self.path))

    @property
    def is_same(self) -> bool:
        """Whether the column's own value is what the form has anyway."""
        return self.own is not None and self.own.typed is None and self.own_words == self.form_words

    @property
    def problems(self) -> list[Problem]:
        return [problem for problem in self.column.problems if self.column.row_of(problem) == self.name]


class ColumnForm:
    """One column: the form that its request would have, and where that differs from the shared one."""

    def __init__(self, comparison: Comparison, number: int, column: Column) -> None:
        self.comparison = comparison
        self.base = comparison.base
        self.number = number
        self.column = column
        self.id = column.id
        self.refusal: Any = None  # why it was not sent just now
        body, self.unreadable = body_of(column, self.base.body) if self.base.can_be_drawn else (None, [])
        self.form = self._form(body)

    @cached_property
    def run(self) -> Any:
        """The run that the column sent last, if it is still there."""
        return self.comparison.find_run(self.column.run) if self.column.run else None

    def _form(self, body: Any) -> RequestForm:
        draft = Draft(**self.base.draft.content())
        models = self.base.models
        if self.column.connection is not None:
            draft.connection = self.connection
            models = self.comparison.models_of(self.connection)
            if self.connection is not None:
                draft.anthropic_version = self.connection.anthropic_version
        if self.base.can_be_drawn:
            draft.body = b"{}"  # `body` itself stands in its place: it need not be read again
        form = RequestForm(draft, self.base.attachments, self.base.upload_limit, models)
        form.unreadable = self.base.unreadable
        if self.base.can_be_drawn:
            form.body = body
            form._forget()
        return form

    # --- The connection ----------------------------------------------------------------------------------------------

    @cached_property
    def connection(self) -> Connection | None:
        """The connection that the column sends to; None is the sandbox, or one that is gone."""
        if self.column.connection is None:
            return self.base.draft.connection
        return next((each for each in self.comparison.choices if str(each.pk) == self.column.connection), None)

    @property
    def has_own_connection(self) -> bool:
        return self.column.connection is not None

    @property
    def is_connection_gone(self) -> bool:
        return self.column.connection not in {None, SANDBOX} and self.connection is None

    @property
    def connection_value(self) -> str:
        return str(self.connection.pk) if self.connection else SANDBOX

    # --- Members -----------------------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> list[Row]:
        return [Row(self, name) for name in self.comparison.names]

    @property
    def overrides(self) -> list[Override]:
        """The values that differ from the form's, for the line above the column's response. The model is always shown
        there."""
        links = []
        if self.has_own_connection and self.connection_value != self.comparison.base_connection:
            name = self.form.to.name if not self.is_connection_gone else "deleted connection"
            links.append(Override("connection", name, "column-link-connection"))
        own = [row for row in self.rows if row.is_own and not row.is_same and row.name != "model"]
        return links + [Override(row.name, f"{row.name} {row.own_words}", "column-link") for row in own]

    @property
    def model_words(self) -> str:
        return self.form.model or "No model"

    @property
    def problem_count(self) -> int:
        return sum(len(row.problems) for row in self.rows) + len(self.other_problems) + self.is_connection_gone

    @property
    def number_text(self) -> str:
        return str(self.number)

    @property
    def title(self) -> str:
        return f"Column {self.number}"

    @property
    def chooseable(self) -> list[str]:
        """The members that are not yet in the column's head as its own."""
        return [name for name in self.comparison.member_names if name not in self.column.own and name != "model"]

    @property
    def often(self) -> list[str]:
        return [name for name in OFTEN if name in self.chooseable]

    @property
    def seldom(self) -> list[str]:
        return [name for name in self.chooseable if name not in OFTEN]

    # --- What is wrong -----------------------------------------------------------------------------------------------

    @cached_property
    def problems(self) -> list[Problem]:
        """The problems of this column that the form does not have."""
        common = {(problem.path, problem.message) for problem in self.base.problems}
        checked = [each for each in self.form.problems if (each.path, each.message) not in common]
        return [*self.unreadable, *checked]

    @property
    def other_problems(self) -> list[Problem]:
        """The problems that belong to no control of the column."""
        return [problem for problem in self.problems if not self.row_of(problem)]

    def row_of(self, problem: Problem) -> str:
        """The name of the row that the problem stands at: the innermost around its place; "" when there is none."""
        around = [name for name in self.comparison.names if problem.path[: len(path := own_path(name) or ())] == path]
        return max(around, key=len, default="")

    @property
    def errors(self) -> list[Problem]:
        gone = [Problem((), "This connection was deleted.")] if self.is_connection_gone else []
        return [*gone, *self.unreadable, *self.form.errors]

    @property
    def obstacle(self) -> str:
        """Why the column cannot be sent even by "Send anyway"; "" when it can."""
        if self.is_connection_gone:
            return "This column's connection was deleted. Choose another."
        if self.column.own and not self.base.can_be_drawn:
            return "The form's body is not a JSON object, so this column's overrides cannot be applied."
        if self.unreadable:
            return f"{self.unreadable[0].place}: {self.unreadable[0].message}."
        return ""


@dataclass(eq=False)
class Comparison:
    """All columns. `on_page` are the ids of those the page shows now, None when it did not say."""

    base: RequestForm
    choices: Sequence[Connection]
    models_of: Callable[[Connection | None], list[dict[str, Any]]]
    find_run: Callable[[str], Any]
    kept: list[Column]
    on_page: list[str] | None = None
    is_redrawn: bool = False  # every head, because controls come or go

    @cached_property
    def columns(self) -> list[ColumnForm]:
        return [ColumnForm(self, number, column) for number, column in enumerate(self.kept, start=1)]

    @cached_property
    def names(self) -> list[str]:
        """The members that every column shows: the model, and each that some column has for itself."""
        own = dict.fromkeys(name for column in self.kept for name in column.own if name != "model")
        return ["model", *own]

    @cached_property
    def member_names(self) -> list[str]:
        return member_names(self.base.body if self.base.can_be_drawn else {})

    @property
    def base_connection(self) -> str:
        return str(self.base.draft.connection_id or SANDBOX)

    @property
    def ids(self) -> str:
        return " ".join(column.id for column in self.kept)

    @property
    def has_room(self) -> bool:
        return has_room(self.kept)

    @property
    def next_id(self) -> str:
        return free_id(self.kept) if self.has_room else ""

    @property
    def runs(self) -> list[Any]:
        """The runs that were started just now."""
        return [run for column in self.columns if (run := column.__dict__.get("run")) is not None]

    @property
    def has_runs(self) -> bool:
        return any(column.run for column in self.columns)

    @property
    def errors(self) -> list[Problem]:
        return [problem for column in self.columns for problem in column.errors]

    @property
    def said(self) -> str:
        """Which columns hold all of them back, in words."""
        wrong = [column for column in self.columns if column.errors]
        which = ", ".join(str(column.number) for column in wrong)
        first = shown(wrong[0].errors[0].message).rstrip(".") if wrong else ""
        columns = "column" if len(wrong) == 1 else "columns"
        return f"No column was sent: fix {columns} {which}, or send anyway. {first}."

    # --- What the page has to change ---------------------------------------------------------------------------------

    @property
    def is_new(self) -> bool:
        """Whether the page shows no comparison yet."""
        return self.on_page == []

    @property
    def removed(self) -> list[str]:
        return [each for each in self.on_page or [] if each not in {column.id for column in self.kept}]

    @property
    def staying(self) -> list[ColumnForm]:
        """The columns that the page shows already."""
        return [column for column in self.columns if self.on_page is None or column.id in self.on_page]

    @property
    def added(self) -> list[tuple[str, ColumnForm]]:
        """Columns that the page lacks, each with the id of the one that it comes after."""
        if self.on_page is None:
            return []
        pairs = zip(["", *(column.id for column in self.kept)], self.columns, strict=False)
        return [(before, column) for before, column in pairs if column.id not in self.on_page]
