"""One draft as a form: its body as nodes, what is wrong with it, what is folded, and the figures above it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from playground.attachments.references import references, resolve
from playground.composer import token_estimate, tool_examples
from playground.composer.destination import Destination
from playground.composer.header_problems import chosen_accept
from playground.composer.labels import model_words
from playground.composer.nodes import Node
from playground.composer.parameter_groups import EFFORT, OPEN_AT_FIRST, Group, groups_of
from playground.composer.variables import names_in
from playground.models import SavedTool
from playground.protocol.catalogue.caching import MOST_CACHE_MARKS
from playground.protocol.catalogue.known_models import KNOWN_MODELS, ModelFacts, facts_of
from playground.protocol.catalogue.parameters import BODY
from playground.protocol.headers import API_VERSIONS, BETAS
from playground.protocol.json import json_text
from playground.protocol.json.paths import Path, PathError, parse_path, to_text
from playground.protocol.rules import validation
from playground.protocol.rules.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from accounts.models import Connection
    from playground.models import Attachment, Draft

EVENT_STREAM = "text/event-stream"
ACCEPTS = ("application/json", EVENT_STREAM)
OPEN_TURNS = 6  # at the end of a conversation
LISTED_TURNS = 24  # before those: one line each; what is earlier is listed on demand
GAP = 100
PAGE_CHARACTERS = 300_000  # of drawn controls in one page; what comes after them is loaded when it is asked for
SHOWN_JSON = 128_000  # bytes of the body as text
FOLDED_TOOLS = 20  # of more tools than these only the heads are part of the page
MOST_LISTED = 200  # problems, and inputs of variables


@dataclass
class Turn:
    """One line of the conversation: open, folded, or a gap that stands for the turns `first` to `last`."""

    node: Node | None = None
    is_open: bool = False
    first: int = 0
    last: int = 0

    @property
    def is_gap(self) -> bool:
        return self.node is None


class RequestForm:
    """The form of one request, as the templates of the playground page read it. It is never kept.

    Its many members are one for each thing that a template asks for.
    """

    def __init__(
        self,
        draft: Draft,
        attachments: Mapping[str, Attachment] | None = None,
        upload_limit: int = 0,
        models: list[dict[str, Any]] | None = None,
    ) -> None:
        self.draft = draft
        self.attachments = attachments or {}
        self.models = models or []
        self.upload_limit = upload_limit
        self.open: set[str] = set()
        self.open_groups: Collection[str] = OPEN_AT_FIRST
        self.focus: Path = ()
        self.room = PAGE_CHARACTERS  # that is left for controls while the page is drawn
        self.first = 0  # of a list that is loaded in parts
        self.whole: Path | None = None  # what was asked for is drawn however large it is
        self.unreadable: list[Problem] = []
        self.body: Any = None
        self.error: json_text.JsonTextError | None = None
        self.to = Destination(draft.connection)
        self.api_versions = API_VERSIONS
        self.beta_meanings = BETAS
        self.known_models = KNOWN_MODELS
        self.is_prefilled = False
        self.before: dict[str, Any] = {}  # the draft's state when it was opened, for Undo
        self.act = ""  # what was done since, in words for the reader; "" is not to be undone
        self.is_replaced = False  # another request took the place of the one that it began with
        self.cut: tuple[str, Any, int] | None = None  # text and body before later turns went, and the turn that is last
        self.read()
        self.began = (draft.body_text, self.body)

    def go_to(self, connection: Connection | None) -> None:
        """Send to another connection: its models are fetched again."""
        self.to, self.models = Destination(connection), []

    def read(self) -> None:
        """Parse the draft's text again, after it was changed."""
        self._forget()
        try:
            self.body, self.error = json_text.parse(self.draft.body_text), None
        except json_text.JsonTextError as error:
            self.body, self.error = None, error

    def write(self, body: Any) -> None:
        """Take a changed body over into the draft, which is not stored yet."""
        self.draft.body_text = json_text.dump(body)
        self.body, self.error = body, None
        self._forget()

    def _forget(self) -> None:
        """Drop all that was derived from the body before it changed."""
        for name in ("root", "problems", "uses", "lines"):
            self.__dict__.pop(name, None)

    @property
    def typed_accept(self) -> str:
        """The Accept that was chosen; empty when it follows from whether the body asks for a stream."""
        return chosen_accept(self.draft.accept) or ""

    @property
    def can_be_drawn(self) -> bool:
        """Whether the body is an object; anything else can be edited as JSON only."""
        return isinstance(self.body, dict)

    # --- Nodes ----------------------------------------------------------------------------------------------------

    @cached_property
    def root(self) -> Node:
        return Node((), BODY, self.body)

    def node(self, path: Path) -> Node | None:
        """The node at a path; None when it leads nowhere."""
        node: Node | None = self.root
        for step in path:
            if node is None:
                return None
            if isinstance(step, int) or node.word == "map_of":
                node = next((item for item in node.items if item.path[-1] == step), None)
            else:
                node = node.member(step)
        return node

    @property
    def groups(self) -> list[Group]:
        return groups_of(self)

    @cached_property
    def saved_tools(self) -> list[SavedTool]:
        """The tools that the user keeps, by name; a visitor keeps none."""
        user = self.draft.user
        return list(SavedTool.objects.owned_by(user).only("name")) if user is not None else []

    # --- The conversation ------------------------------------------------------------------------------------------

    @property
    def turns(self) -> list[Turn]:
        """The conversation as it is drawn: the last turns open, earlier ones as lines, much earlier ones as gaps."""
        nodes = self.root.member("messages").items
        first_open = max(0, len(nodes) - OPEN_TURNS) if len(nodes) > OPEN_TURNS + 2 else 0
        first_listed = max(0, first_open - LISTED_TURNS)
        lines: list[Turn] = []
        for first in range(0, first_listed, GAP):
            last = min(first + GAP, first_listed) - 1
            if any(self.is_opened(index) for index in range(first, last + 1)):
                lines += self.listed(first, last)
            else:
                lines.append(Turn(first=first, last=last))
        for index, node in enumerate(nodes[first_listed:], start=first_listed):
            folded = f"-{node.name}" in self.open
            lines.append(Turn(node, is_open=(index >= first_open and not folded) or self.is_opened(index)))
        return lines

    def listed(self, first: int, last: int) -> list[Turn]:
        """The turns of a gap, one line each."""
        nodes = self.root.member("messages").items[first : last + 1]
        return [Turn(node, is_open=self.is_opened(first + at)) for at, node in enumerate(nodes)]

    def is_opened(self, index: int) -> bool:
        return f"messages[{index}]" in self.open

    # --- What is wrong ----------------------------------------------------------------------------------------------

    @cached_property
    def problems(self) -> list[Problem]:
        """What could not be read from the controls, then the problems that the rules find; errors first within each."""
        if self.error is not None:
            return [
                Problem(
                    (), f"This is not JSON: {self.error.message}, at line {self.error.line}, column {self.error.column}"
                )
            ]
        problems = validation.check(
            self.checked_body,
            version=self.draft.anthropic_version,
            betas=tuple(self.draft.betas),
            capabilities=self.capabilities,
        )
        examples = tool_examples.problems(self.draft.tool_examples, self.body)
        unset = islice(self.unset_variables(), MOST_LISTED)
        return [*self.unreadable, *unset, *problems, *examples][:MOST_LISTED]

    @property
    def checked_body(self) -> Any:
        """The body with something short and valid where a stored file's bytes will be."""
        return resolve(self.body, lambda reference: b"ok " if reference in self.attachments else None)

    @property
    def unread_names(self) -> str:
        """The controls whose text says nothing their kind could hold, one a line: the page sends them again."""
        return "\n".join(problem.place for problem in self.unreadable)

    def unset_variables(self) -> Iterable[Problem]:
        for path, name in self.uses:
            if name not in self.draft.variables:
                yield Problem(path, f"The variable {{{{{name}}}}} has no value yet. Enter one under Variables.")

    @cached_property
    def lines(self) -> dict[Path, int]:
        """The line of the body's text, from 1, of each place that has a problem."""
        if self.error is not None:
            return {(): self.error.line}
        return json_text.lines_of(self.draft.body_text, {problem.path for problem in self.problems})

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity != "error"]

    # --- Figures ----------------------------------------------------------------------------------------------------

    @property
    def model(self) -> str:
        model = self.body.get("model") if isinstance(self.body, dict) else None
        return model if isinstance(model, str) else ""

    @property
    def digest(self) -> str:
        """Names the request as it stands, so that a page can tell whether a response belongs to an earlier one."""
        draft = self.draft
        body = draft.body_text if self.error is not None else json_text.dump(self.body, indent=None)
        headers = [draft.anthropic_version, draft.accept, list(draft.betas), list(draft.extra_headers)]
        parts = [*map(repr, headers), repr(sorted(draft.variables.items())), str(draft.connection_id or "")]
        digest = hashlib.sha256(body.encode("utf-8", "replace"))  # by itself: it may be large
        digest.update(("\n" + "\n".join(parts)).encode("utf-8", "replace"))
        return digest.hexdigest()[:24]

    @property
    def capabilities(self) -> Mapping[str, Any] | None:
        """The entry of the body's model in the connection's model list, if that was read."""
        return next((model for model in self.models if model.get("id") == self.model), None)

    @property
    def model_facts(self) -> ModelFacts | None:
        return facts_of(self.model, self.capabilities)

    @property
    def model_words(self) -> str:
        return model_words(self.model, self.model_facts)

    @property
    def set_names(self) -> list[str]:
        return list(self.body) if isinstance(self.body, dict) else []

    @property
    def set_lines(self) -> str:
        """The body's members, one a line, for the ticks in the margin; the effort has one of its own."""
        config = self.body.get(EFFORT[0]) if isinstance(self.body, dict) else None
        has_effort = isinstance(config, dict) and EFFORT[1] in config
        return "\n".join([*self.set_names, *([".".join(EFFORT)] if has_effort else [])])

    @property
    def accepts(self) -> list[str]:
        """The choices for Accept, with the present value if it is another one."""
        return list(dict.fromkeys([*ACCEPTS, *([self.typed_accept] if self.typed_accept else [])]))

    @property
    def accept_note(self) -> str:
        """A sentence when the chosen Accept and the body's `stream` ask for different things."""
        streams = isinstance(self.body, dict) and self.body.get("stream") is True
        accept = self.typed_accept
        if not accept or accept not in ACCEPTS or streams == (accept == EVENT_STREAM):
            return ""
        is_on = "stream is true" if streams else "stream is not true"
        return f"{is_on}: most servers go by that, not by Accept."

    @property
    def headers_said(self) -> str:
        """One line about the headers."""
        extra = [name for name, _ in self.draft.extra_headers]
        accept = self.typed_accept or "auto"
        return " · ".join(
            [self.draft.anthropic_version or "no version", f"Accept {accept}", *self.draft.betas[:2], *extra[:2]]
        )

    @property
    def has_many_tools(self) -> bool:
        tools = self.body.get("tools") if isinstance(self.body, dict) else None
        return isinstance(tools, list) and len(tools) > FOLDED_TOOLS

    @property
    def is_text_large(self) -> bool:
        """Whether the body as JSON text is too long to be part of every page."""
        return self.whole is None and len(self.draft.body) > SHOWN_JSON

    @property
    def field_count(self) -> int:
        return len(self.body) if isinstance(self.body, dict) else 0

    @property
    def token_words(self) -> str:
        return token_estimate.words(token_estimate.body_tokens(self.body, self.image_tokens))

    def image_tokens(self, data: str) -> int | None:
        file = self.attachments.get(data)
        return token_estimate.image_tokens(file.width, file.height) if file and file.width and file.height else None

    @property
    def cache_marks(self) -> int:
        return count_marks(self.body)

    @property
    def most_cache_marks(self) -> int:
        return MOST_CACHE_MARKS

    @property
    def budget_limit(self) -> int:
        """The slider's end: the largest thinking budget that max_tokens leaves room for."""
        most = self.body.get("max_tokens") if isinstance(self.body, dict) else None
        return max(most - 1, 1025) if isinstance(most, int) and not isinstance(most, bool) else 32_000

    @property
    def variables(self) -> list[tuple[str, str | None]]:
        """The names that the body's texts use, in order, with their values."""
        names = dict.fromkeys(name for _, name in self.uses)
        return [(name, self.draft.variables.get(name)) for name in islice(names, MOST_LISTED)]

    @cached_property
    def uses(self) -> list[tuple[Path, str]]:
        """Each use of a variable in the body."""
        return list(names_in(self.body))

    @property
    def references(self) -> set[str]:
        return references(self.body)


def count_marks(value: Any) -> int:
    """Count the cache marks of a body, the one at its top included."""
    if isinstance(value, list):
        return sum(count_marks(each) for each in value)
    if not isinstance(value, dict):
        return 0
    own = isinstance(value.get("cache_control"), dict)
    return own + sum(
        count_marks(each) for name, each in value.items() if name not in {"cache_control", "input", "input_schema"}
    )


def moved_names(names: Iterable[str], moved: Callable[[Path], Path]) -> set[str]:
    """The names of open parts after a list's items moved. A name is a path; "-" before it: folded; ":more" after it."""
    kept = set()
    for name in names:
        plain = name.removeprefix("-").removesuffix(":more")
        try:
            path = parse_path(plain)
        except PathError:
            kept.add(name)
        else:
            kept.add(name.replace(plain, to_text(moved(path))) if plain else name)
    return kept
