"""One draft as a form: its body as nodes, what is wrong with it, what is folded, and the figures above it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playground.forms import estimate, tool_examples
from playground.forms.attachments import references, resolve
from playground.forms.destination import Destination
from playground.forms.nodes import Node
from playground.forms.variables import names_in
from playground.forms.words import model_words
from playground.protocol import json_text, validation
from playground.protocol.caching import MOST_CACHE_MARKS
from playground.protocol.headers import API_VERSIONS, BETAS
from playground.protocol.models import KNOWN_MODELS, ModelFacts, facts_of
from playground.protocol.parameters import BODY
from playground.protocol.paths import Path, PathError, parse_path, to_text
from playground.protocol.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from accounts.models import Connection
    from playground.models import Attachment, Draft

# The order of the page: what a request is made of first, then how the answer is made.
FIRST = (
    "model",
    "max_tokens",
    "system",
    "messages",
    "stream",
    "thinking",
    "tools",
    "tool_choice",
    "stop_sequences",
)
SAMPLING = ("temperature", "top_p", "top_k")

OPEN_TURNS = 6  # at the end of a conversation
LISTED_TURNS = 24  # before those: one line each; what is earlier is listed on demand
GAP = 100


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
    """What the templates of the playground page read. Built for one request, never kept."""

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
        self.focus: Path = ()
        self.unreadable: list[Problem] = []
        self.body: Any = None
        self.error: json_text.JsonTextError | None = None
        self.to = Destination(draft.connection)
        self.api_versions = API_VERSIONS
        self.beta_meanings = BETAS
        self.known_models = KNOWN_MODELS
        self.is_prefilled = False
        self.is_replaced = False  # another request took the place of the one that it began with
        self.cut: tuple[str, Any, int] | None = None  # text and body before later turns went, and the turn that is last
        self.read()
        self.began = (draft.body_text, self.body)

    def go_to(self, connection: Connection | None) -> None:
        """Send to another connection: its models are asked for anew."""
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
        """What was worked out of the body before it changed."""
        for name in ("root", "problems", "parameters", "uses"):
            self.__dict__.pop(name, None)

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

    @cached_property
    def parameters(self) -> list[Node]:
        """The parameters of the main list, in the order of the page, without the three of sampling."""
        often = [member.name for member in BODY.members if not member.rare and member.name not in (*FIRST, *SAMPLING)]
        return [self.root.member(name) for name in (*FIRST, *often)]

    @property
    def before_sampling(self) -> list[Node]:
        return self.parameters[: len(FIRST)]

    @property
    def after_sampling(self) -> list[Node]:
        return self.parameters[len(FIRST) :]

    @property
    def sampling(self) -> list[Node]:
        return [self.root.member(name) for name in SAMPLING]

    @property
    def rare(self) -> list[Node]:
        return [self.root.member(member.name) for member in BODY.members if member.rare]

    @property
    def rare_set(self) -> list[Node]:
        return [node for node in self.rare if node.is_set]

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
        """What could not be read from the controls, then what the checks say; errors first within each."""
        if self.error is not None:
            return [
                Problem(
                    (), f"This is not JSON: {self.error.message}, at line {self.error.line}, column {self.error.column}"
                )
            ]
        found = validation.check(
            self.checked_body,
            version=self.draft.anthropic_version,
            betas=tuple(self.draft.betas),
            capabilities=self.capabilities,
        )
        examples = tool_examples.problems(self.draft.tool_examples, self.body)
        return [*self.unreadable, *self.unset_variables(), *found, *examples]

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
                yield Problem(path, f"The variable {{{{{name}}}}} has no value yet. Fill it in under Variables.")

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
    def capabilities(self) -> Mapping[str, Any] | None:
        """What the connection's model list says of the body's model, if it was read."""
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
        """The body's members, one a line, for the ticks in the margin."""
        return "\n".join(self.set_names)

    @property
    def field_count(self) -> int:
        return len(self.body) if isinstance(self.body, dict) else 0

    @property
    def token_words(self) -> str:
        return estimate.words(estimate.body_tokens(self.body, self.image_tokens))

    def image_tokens(self, data: str) -> int | None:
        file = self.attachments.get(data)
        return estimate.image_tokens(file.width, file.height) if file and file.width and file.height else None

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
        return [(name, self.draft.variables.get(name)) for name in names]

    @cached_property
    def uses(self) -> list[tuple[Path, str]]:
        """Each use of a variable in the body."""
        return list(names_in(self.body))

    @property
    def references(self) -> set[str]:
        return references(self.body)


def count_marks(value: Any) -> int:
    """How many cache marks a body has, the one at its top included."""
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
