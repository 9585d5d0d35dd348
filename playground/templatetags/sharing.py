"""Filters of the pages of conversations and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from playground.conversations.branches import branches
from playground.conversations.reading import chain

if TYPE_CHECKING:
    from django.template import Context

register = template.Library()


@register.filter
def at(found: dict[Any, Any] | None, key: Any) -> Any:
    """The entry of a dictionary, or None."""
    return (found or {}).get(key)


@register.filter
def words(text: str) -> list[str]:
    """A list written in a template, separated by spaces."""
    return text.split()


@register.inclusion_tag("playground/_turn_switch.html", takes_context=True)
def turn_switch(context: Context, node: Any) -> dict[str, Any]:
    """Where a turn of the form has siblings: which one it is, and buttons to the others."""
    form = context.get("form")
    conversation = form.draft.conversation if form is not None else None
    turn = node.path[1] if len(node.path) == 2 else None
    if conversation is None or not isinstance(form.body, dict):
        return {"turn": turn}
    known = form.__dict__.get("branches")
    if known is None:
        known = form.__dict__["branches"] = branches(conversation, chain(form.body))
    return {"turn": turn, "branch": known.get(turn), "conversation": conversation}
