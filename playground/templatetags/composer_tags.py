"""Tags of the request form: draw a node by the template of its kind, an icon, a member of a node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.template import Context
from django.utils.html import format_html
from lucide.templatetags.lucide import lucide

from playground.forms import estimate
from playground.forms.nodes import Node
from playground.forms.tool_examples import name_of
from playground.protocol import json_text
from playground.protocol.kinds import Choice, ListOf, Object, OneOf, Variants
from playground.protocol.snippets.request import is_canonical_base64
from playground.protocol.tools import is_answered_by_caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

    from playground.forms.request_form import RequestForm
    from playground.models import Attachment
    from playground.protocol.problems import Problem

register = template.Library()

# Content blocks whose inside has a template of its own.
OWN_BLOCKS = {"text", "image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result"}
# Blocks offered with words at the foot of a turn, by its role; the others are in the menu beside them.
USUAL_BLOCKS = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "tool_use"),
    "system": ("text",),
}
SHOWN_BASE64 = 64_000  # characters
ICONS = {"text": "type", "image": "image", "document": "file-text", "tool_result": "wrench", "tool_use": "wrench"}


@register.simple_tag(takes_context=True)
def draw(context: Context, node: Node) -> SafeString:
    """The control, or the group of controls, for one place of the body. Nodes inside are drawn in the same way."""
    return _render(context, f"playground/_kind_{node.word}.html", node)


@register.simple_tag(takes_context=True)
def draw_list(context: Context, node: Node) -> SafeString:
    """A list as its items ask for: turns, blocks, tools, chips, or plain items."""
    return _render(context, f"playground/_list_{node.list_style}.html", node)


@register.simple_tag(takes_context=True)
def draw_block(context: Context, node: Node) -> SafeString:
    """What is inside a content block: a template of its own where the type is worth one."""
    own = node.variant if node.variant in OWN_BLOCKS else "other"
    return _render(context, f"playground/_block_{own}.html", node)


def _render(context: Context, name: str, node: Node) -> SafeString:
    found = context.template.engine.get_template(name)
    # Only what form parts need: copying the whole page's context for each of some hundred nodes is what would cost.
    return found.render(Context({"node": node, "form": context.get("form")}))


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 14) -> SafeString:
    """An icon that says nothing to a screen reader: words or a label stand beside it."""
    return lucide(name, size=size, aria_hidden="true", stroke_width="1.75")


# --- Nodes ----------------------------------------------------------------------------------------------------------


@register.filter
def member(node: Node, name: str) -> Node:
    return node.member(name)


@register.filter
def has_member(node: Node, name: str) -> bool:
    """Whether the catalogue, or the value itself, has a member of this name here."""
    return isinstance(node.kind, Object) and (name in node.kind.by_name or (node.is_set and name in node.value))


@dataclass(frozen=True)
class Rest:
    shown: list[Node]
    more: list[Node]


@register.filter
def rest(node: Node, drawn: str) -> Rest:
    """The members that a block's template has not drawn itself, and the cache mark is in its head."""
    skipped = {*drawn.split(), "cache_control"}
    shown = [each for each in (*node.members, *node.unknown) if each.label not in skipped or _needs_json(each)]
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
def is_answered_here(node: Node) -> bool:
    return is_answered_by_caller(node.value)


@register.filter
def output_example(form: RequestForm | None, node: Node) -> str:
    """What was typed as the example of this tool's results."""
    return form.draft.tool_examples.get(name_of(node.value), "") if form is not None else ""


@register.filter
def block_words(node: Node) -> str:
    """What a block's head says beside its type."""
    value = node.value if isinstance(node.value, dict) else {}
    if node.variant in {"thinking", "redacted_thinking"}:
        return format_html(
            '<span class="tag">{}</span>', "signed" if value.get("signature") or value.get("data") else "unsigned"
        )
    if node.variant == "tool_use" and isinstance(value.get("name"), str):
        return format_html('<b class="mono">{}</b>', value["name"])
    if node.variant in {"image", "document"} and isinstance(value.get("source"), dict):
        return format_html('<span class="mono">{}</span>', f"source {value['source'].get('type', '')}")
    return ""


@register.filter
def usual_blocks(node: Node) -> list[Object]:
    found = {kind.name: kind for kind in _block_kinds(node)}
    return [found[name] for name in USUAL_BLOCKS.get(node.variant, ()) if name in found]


@register.filter
def other_blocks(node: Node) -> list[Object]:
    return [kind for kind in _block_kinds(node) if kind.name not in USUAL_BLOCKS.get(node.variant, ())]


def _block_kinds(turn: Node) -> tuple[Object, ...]:
    content = turn.member("content").declared
    for kind in content.kinds if isinstance(content, OneOf) else (content,):
        if isinstance(kind, ListOf) and isinstance(kind.item, Variants | Object):
            return kind.item.variants if isinstance(kind.item, Variants) else (kind.item,)
    return ()


@register.filter
def block_icon(kind: Object) -> str:
    return ICONS.get(kind.name, "plus")


# --- Figures and files ----------------------------------------------------------------------------------------------


@register.filter
def token_words(node: Node) -> str:
    return estimate.words(estimate.tokens(node.value))


@register.filter
def is_small_image(data: Node, media: Node) -> bool:
    """Whether base64 that stands in the body itself can be shown: an image type of the API's, not large."""
    known = isinstance(media.kind, Choice) and media.value in media.kind.values
    return (
        known
        and isinstance(data.value, str)
        and 40 < len(data.value) < SHOWN_BASE64
        and is_canonical_base64(data.value)
    )


@register.filter
def image_tokens(file: Attachment) -> str:
    return estimate.words(estimate.image_tokens(file.width or 0, file.height or 0)).removesuffix(" tokens")


@register.filter
def attachment(form: RequestForm, node: Node) -> Attachment | None:
    """The stored file that a base64 source stands for, if it is the reader's."""
    return form.attachments.get(node.value) if isinstance(node.value, str) else None


@register.filter
def needs_place(problem: Problem) -> bool:
    """Whether a problem's message does not itself begin with the name of its place; our own names nobody knows."""
    return bool(problem.place) and not problem.message.startswith(problem.place) and problem.place[0] != ":"


@register.filter
def is_open(form: RequestForm | None, node: Node) -> bool:
    """Whether the reader had unfolded what is rare in this part."""
    return form is not None and f"{node.name}:more" in form.open


@register.filter
def line_of(form: RequestForm, problem: Problem) -> int:
    """The line of the body's text where a problem is; 0 when it cannot be told."""
    if form.error is not None:
        return form.error.line
    try:
        return json_text.locate(form.draft.body_text, problem.path)[0]
    except (LookupError, ValueError):
        return 0


@register.filter
def lookup(mapping: Mapping[str, Any], name: str) -> Any:
    return mapping.get(name, "")
