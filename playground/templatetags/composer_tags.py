"""Tags of the request form: draw a node by the template of its kind, an icon, a member of a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import format_html

from playground.composer import token_estimate
from playground.composer.nodes import SHOWN_ITEMS, Node
from playground.composer.request_examples import EXAMPLES, Example
from playground.composer.schema_rows import SchemaRows, rows_of
from playground.composer.tool_examples import name_of
from playground.protocol.catalogue.block_types import block_type
from playground.protocol.catalogue.kinds import Choice, ListOf, Object, OneOf, Variants
from playground.protocol.headers import BETAS
from playground.protocol.snippets.http_request import is_canonical_base64
from playground.protocol.tool_loop import is_answered_by_caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

    from playground.composer.request_form import RequestForm
    from playground.models import Attachment
    from playground.protocol.json.paths import Path
    from playground.protocol.rules.problems import Problem

register = template.Library()

NOT_SENT = "not sent"
EMPTY_STRING = "empty string"  # the page's script knows these two as well: form-draft.js
ITEM_CHARACTERS = 5_000  # of markup around one item of a list, about
SHOWN_BASE64 = 64_000  # characters


@register.simple_tag(takes_context=True)
def draw(context: Context, node: Node) -> SafeString:
    """The control, or the group of controls, for one place of the body. Nodes inside are drawn in the same way."""
    return _render(context, f"playground/composer/_kind_{node.word}.html", node)


@register.simple_tag(takes_context=True)
def draw_parameter(context: Context, node: Node) -> SafeString:
    """A parameter of the body. One that is not sent looks the same in every form: it is drawn once."""
    name, form = "playground/composer/_param.html", context["form"]
    shows_own = node.label == "model" or node.list_style == "turns" or (node.list_style == "tools" and form.saved_tools)
    if node.is_set or node.parameter is None or shows_own or settings.DEBUG:
        return _drawn(context, name, node)
    key = (node.path, node.hidden, form.draft.user is None)
    if key not in _NOT_SENT:
        _NOT_SENT[key] = _drawn(context, name, node)
    form.room -= len(_NOT_SENT[key])
    return _NOT_SENT[key]


_NOT_SENT: dict[tuple[Path, frozenset[str], bool], SafeString] = {}  # no more than the catalogue has parameters


@register.simple_tag(takes_context=True)
def draw_list(context: Context, node: Node) -> SafeString:
    """A list as its items ask for: turns, blocks, tools, chips, or plain items."""
    return _render(context, f"playground/composer/_list_{node.list_style}.html", node)


@register.simple_tag(takes_context=True)
def draw_block(context: Context, node: Node) -> SafeString:
    """Draw the inside of a content block: by a template of its own where the type is worth one."""
    own = node.variant if block_type(node.variant).has_own_form else "other"
    return _render(context, f"playground/composer/_block_{own}.html", node)


def _render(context: Context, name: str, node: Node) -> SafeString:
    form = context.get("form")
    if form is not None and _is_left_out(node, form):
        name = "playground/composer/_node_later.html"
    return _drawn(context, name, node)


def _drawn(context: Context, name: str, node: Node) -> SafeString:
    form = context.get("form")
    assert context.template is not None  # while a template is being drawn
    template = context.template.engine.get_template(name)
    room = form.room if form is not None else 0
    # Only what form parts need: copying the whole page's context for each of some hundred nodes is what would cost.
    drawn = template.render(Context({"node": node, "form": form}))
    if form is not None:
        form.room = room - len(drawn)
    return drawn


def _is_left_out(node: Node, form: RequestForm) -> bool:
    """Return whether the page gets a place to load this node from instead of its controls."""
    if form.whole is not None and node.path[: len(form.whole)] == form.whole:
        return False
    return node.is_set and (node.is_large or form.room <= 0)


@dataclass(frozen=True)
class Items:
    """The items of a list that are drawn, and how many come after them."""

    shown: list[Node]
    last: int
    left: int
    next: int


@register.filter
def items_within(node: Node, form: RequestForm | None) -> Items:
    """Return as many items as a page holds of one list; none when the page is full already."""
    items = node.items
    most = SHOWN_ITEMS if form is None else min(SHOWN_ITEMS, max(0, form.room) // ITEM_CHARACTERS)
    first = form.first if form is not None and form.whole == node.path else 0
    shown = items[first : first + most]
    last = first + len(shown)
    return Items(shown, last, len(items) - last, min(SHOWN_ITEMS, len(items) - last))


@register.filter
def is_drawn_later(node: Node, form: RequestForm | None) -> bool:
    """Return whether a tool's inside is fetched when the tool is opened: in a long list of them."""
    return form is not None and form.whole != node.path and f"{node.name}" not in form.open and form.has_many_tools


# --- Nodes ----------------------------------------------------------------------------------------------------------


@register.filter
def member(node: Node, name: str) -> Node:
    return node.member(name)


@register.filter
def has_member(node: Node, name: str) -> bool:
    """Return whether the catalogue, or the value itself, has a member of this name here."""
    return isinstance(node.kind, Object) and (name in node.kind.by_name or (node.is_set and name in node.value))


@dataclass(frozen=True)
class Rest:
    shown: list[Node]
    more: list[Node]


@register.filter
def rest(node: Node, drawn: str) -> Rest:
    """The members that a block's template has not drawn itself, and the cache mark is in its head."""
    skipped = {*drawn.split(), "cache_control"}
    shown = [
        each for each in (*node.members, *node.unknown[:SHOWN_ITEMS]) if each.label not in skipped or _needs_json(each)
    ]
    return Rest(shown, [each for each in node.more if each.label not in skipped])


def _needs_json(node: Node) -> bool:
    """A cache mark that is no object cannot be shown in a block's head."""
    return node.label == "cache_control" and node.is_set and node.is_unexpected


@register.filter
def tool_title(node: Node) -> str:
    """The name a tool goes by: its own, that of its server, or its type."""
    value = node.value if isinstance(node.value, dict) else {}
    for name in ("name", "mcp_server_name", "type"):
        if isinstance(value.get(name), str) and value[name]:
            return str(value[name])
    return node.name


@register.filter
def schema_rows(node: Node) -> SchemaRows:
    """A JSON Schema as rows, or why it cannot be read as one."""
    return rows_of(node.path, node.value if node.is_set else None)


@register.filter
def is_unfolded(form: RequestForm | None, fold: str) -> bool:
    """Return whether the reader has this fold open."""
    return form is not None and fold in form.open


@register.filter
def is_answered_here(node: Node) -> bool:
    return is_answered_by_caller(node.value)


@register.filter
def output_example(form: RequestForm | None, node: Node) -> str:
    """Return the typed example of this tool's results."""
    return form.draft.tool_examples.get(name_of(node.value), "") if form is not None else ""


@register.filter
def block_words(node: Node) -> str:
    """Return the words of a block's head beside its type."""
    value = node.value if isinstance(node.value, dict) else {}
    if block_type(node.variant).is_thinking:
        return format_html(
            '<span class="tag">{}</span>', "signed" if value.get("signature") or value.get("data") else "unsigned"
        )
    if node.variant == "tool_use" and isinstance(value.get("name"), str):
        return format_html('<b class="mono">{}</b>', value["name"])
    if block_type(node.variant).is_file and isinstance(value.get("source"), dict):
        return format_html('<span class="mono">{}</span>', f"source {value['source'].get('type', '')}")
    return ""


@register.filter
def usual_blocks(node: Node) -> list[Object]:
    """Blocks offered with words at the foot of a turn; the others are in the menu beside them."""
    return [kind for kind in _block_kinds(node) if node.variant in block_type(kind.name).offered_to]


@register.filter
def other_blocks(node: Node) -> list[Object]:
    return [kind for kind in _block_kinds(node) if node.variant not in block_type(kind.name).offered_to]


def _block_kinds(turn: Node) -> tuple[Object, ...]:
    content = turn.member("content").declared
    for kind in content.kinds if isinstance(content, OneOf) else (content,):
        if isinstance(kind, ListOf) and isinstance(kind.item, Variants | Object):
            return kind.item.variants if isinstance(kind.item, Variants) else (kind.item,)
    return ()


@register.filter
def block_icon(kind: Object) -> str:
    return block_type(kind.name).icon


# --- Figures and files ----------------------------------------------------------------------------------------------


@register.filter
def token_words(node: Node) -> str:
    return token_estimate.words(token_estimate.tokens(node.value))


@register.filter
def is_small_image(data: Node, media: Node) -> bool:
    """Return whether base64 in the body itself can be shown: an image type of the API's, not large."""
    known = isinstance(media.kind, Choice) and media.value in media.kind.values
    return (
        known
        and isinstance(data.value, str)
        and 40 < len(data.value) < SHOWN_BASE64
        and is_canonical_base64(data.value)
    )


@register.filter
def image_tokens(file: Attachment) -> str:
    return token_estimate.words(token_estimate.image_tokens(file.width or 0, file.height or 0)).removesuffix(" tokens")


@register.filter
def attachment(form: RequestForm, node: Node) -> Attachment | None:
    """The stored file that a base64 source stands for, if it is the reader's."""
    return form.attachments.get(node.value) if isinstance(node.value, str) else None


@register.filter
def placeholder(node: Node) -> str:
    """The attribute that tells an empty field that sends nothing from one that sends an empty string."""
    if node.required:
        return ""
    return format_html(' placeholder="{}"', EMPTY_STRING if node.value == "" else NOT_SENT)


@register.filter
def needs_place(problem: Problem) -> bool:
    """Return whether a problem's message needs its place named before it; our own names nobody knows."""
    return bool(problem.place) and not problem.message.startswith(problem.place) and problem.place[0] != ":"


@register.filter
def is_open(form: RequestForm | None, node: Node) -> bool:
    """Return whether the reader had unfolded what is rare in this part."""
    return form is not None and f"{node.name}:more" in form.open


@register.filter
def line_of(form: RequestForm, problem: Problem) -> int:
    """The line of the body's text where a problem is; 0 when it cannot be told."""
    return form.lines.get(problem.path, 0)


@register.simple_tag
def known_betas() -> Mapping[str, str]:
    """Names of beta features and what each is for."""
    return BETAS


@register.simple_tag
def request_examples() -> tuple[Example, ...]:
    return EXAMPLES


@register.filter
def lookup(mapping: Mapping[str, Any], name: str) -> Any:
    return mapping.get(name, "")
