"""The groups of the form: which parameters stand together, and one line about what is set in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.protocol.catalogue.parameters import BODY

if TYPE_CHECKING:
    from playground.composer.nodes import Node
    from playground.composer.request_form import RequestForm

OPEN_AT_FIRST = ("prompt", "model")
MOST_NAMES = 3
MOST_UNKNOWN = 100  # members that the catalogue does not know; all of them are in the JSON
MOST_SAID = 80  # characters of a model's name
EFFORT = ("output_config", "effort")
# Paths of parameters; what is in no group is in the last of these, "beta", so that a new parameter has a place.
PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "prompt": (("system",), ("messages",)),
    "model": (("model",), ("max_tokens",), ("thinking",), EFFORT),
    "tools": (("tools",), ("tool_choice",)),
    "sampling": (("temperature",), ("top_p",), ("top_k",)),
    "output": (("stream",), ("stop_sequences",), ("output_config",)),
    "caching": (("cache_control",), ("diagnostics",)),
    "beta": (),
}
TITLES = {"beta": "Beta & more"}


@dataclass(frozen=True)
class Group:
    """One fold of the form. `said` sums up what is set in it."""

    name: str
    nodes: list[Node]
    said: str
    is_open: bool

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name.capitalize())


def groups_of(form: RequestForm) -> list[Group]:
    return [Group(name, nodes_of(form, name), said(form, name), name in form.open_groups) for name in PLACES]


def nodes_of(form: RequestForm, name: str) -> list[Node]:
    paths = list(PLACES[name])
    if name == "beta":
        placed = {path[0] for places in PLACES.values() for path in places}
        paths += [(member.name,) for member in BODY.members if member.name not in placed]
        return [*(node_at(form, path) for path in paths), *form.root.unknown[:MOST_UNKNOWN]]
    return [node_at(form, path) for path in paths]


def node_at(form: RequestForm, path: tuple[str, ...]) -> Node:
    """A parameter as it is drawn in its group. The effort is drawn apart from the rest of `output_config`."""
    node = form.root.member(path[0])
    if path == EFFORT:
        return node.member("effort")
    if path == EFFORT[:1]:
        node.hidden = frozenset(EFFORT[1:])
    return node


def drawn_for(form: RequestForm, name: str) -> list[Node]:
    """Return the nodes that show a member of the body: usually one parameter of the form."""
    if name == EFFORT[0]:
        return [node_at(form, EFFORT), node_at(form, EFFORT[:1])]
    return [form.root.member(name)]


# --- What is set ----------------------------------------------------------------------------------------------------


def said(form: RequestForm, name: str) -> str:
    """One line about a group, in the words of the body."""
    body = form.body if isinstance(form.body, dict) else {}
    return _SAID[name](body, form)


def _prompt(body: dict[str, Any], _form: RequestForm) -> str:
    messages = body.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    system = "system set" if "system" in body else "system not sent"
    return f"{count:,} message{'' if count == 1 else 's'} · {system}"


def _model(body: dict[str, Any], _form: RequestForm) -> str:
    parts = [str(body["model"])[:MOST_SAID] if body.get("model") else "no model"]
    if "max_tokens" in body:
        parts.append(f"max {_plain(body['max_tokens'])}")
    thinking = body.get("thinking")
    if isinstance(thinking, dict):
        parts.append(f"thinking {_plain(thinking.get('budget_tokens', thinking.get('type')))}")
    config = body.get("output_config")
    if isinstance(config, dict) and "effort" in config:
        parts.append(f"effort {_plain(config['effort'])}")
    return " · ".join(parts)


def _tools(body: dict[str, Any], _form: RequestForm) -> str:
    tools = body.get("tools")
    names = [_name_of(tool) for tool in tools] if isinstance(tools, list) else []
    parts = [_listed(names)] if names else ["none"]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        parts.append(f"choice {_plain(choice.get('name') or choice.get('type'))}")
    return " · ".join(parts)


def _sampling(body: dict[str, Any], _form: RequestForm) -> str:
    parts = [f"{name} {_plain(body[name])}" for name in ("temperature", "top_p", "top_k") if name in body]
    return " · ".join(parts) or "not sent"


def _output(body: dict[str, Any], _form: RequestForm) -> str:
    stream = body.get("stream", "not sent")
    parts = [f"stream {'on' if stream is True else 'off' if stream is False else _plain(stream)}"]
    stops = body.get("stop_sequences")
    if isinstance(stops, list) and stops:
        parts.append(f"{len(stops)} stop sequence{'' if len(stops) == 1 else 's'}")
    config = body.get("output_config")
    if isinstance(config, dict):
        parts += [name for name in config if name != "effort"]
    return " · ".join(parts)


def _caching(body: dict[str, Any], form: RequestForm) -> str:
    state = "automatic" if body.get("cache_control") else "off"
    parts = [state, f"{form.cache_marks} of {form.most_cache_marks} marks"]
    if "diagnostics" in body:
        parts.append("diagnostics")
    return " · ".join(parts)


def _beta(body: dict[str, Any], _form: RequestForm) -> str:
    placed = {path[0] for places in PLACES.values() for path in places}
    return _listed([name for name in body if name not in placed]) or "nothing sent"


_SAID: dict[str, Callable[[dict[str, Any], RequestForm], str]] = {
    "prompt": _prompt,
    "model": _model,
    "tools": _tools,
    "sampling": _sampling,
    "output": _output,
    "caching": _caching,
    "beta": _beta,
}


def _name_of(tool: Any) -> str:
    if not isinstance(tool, dict):
        return "?"
    return next((str(tool[key]) for key in ("name", "mcp_server_name", "type") if tool.get(key)), "unnamed")


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _plain(value: Any) -> str:
    """A value as short text: foreign ones can be anything."""
    return "null" if value is None else str(value)[:40]
