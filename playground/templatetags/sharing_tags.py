"""Filters of the pages of conversations and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from playground.conversations.branches import Branches
from playground.conversations.versions import MOST_BRANCHES, branches_of

if TYPE_CHECKING:
    from django.template import Context

register = template.Library()


@register.filter
def at(members: dict[Any, Any] | None, key: Any) -> Any:
    """The entry of a dictionary, or None."""
    return (members or {}).get(key)


@register.filter
def words(text: str) -> list[str]:
    """A list written in a template, separated by spaces."""
    return text.split()


@register.inclusion_tag("playground/composer/_turn_switch.html", takes_context=True)
def turn_switch(context: Context, node: Any) -> dict[str, Any]:
    """Return which of its siblings a turn of the form is, for the buttons to the others."""
    turn = node.path[1] if len(node.path) == 2 else None
    return {"turn": turn, "branch": _branches(context).by_turn.get(turn) if turn is not None else None}


@register.inclusion_tag("playground/composer/_turn_switch_list.html", takes_context=True)
def turn_switches(context: Context, first: int = 0, last: int | None = None) -> dict[str, Any]:
    """The switches of the turns `first` to `last`, or of all."""
    branches = _branches(context).by_turn.values()
    return {"branches": [each for each in branches if first <= each.turn and (last is None or each.turn <= last)]}


@register.inclusion_tag("playground/composer/_branch_note.html", takes_context=True)
def branch_note(context: Context) -> dict[str, Any]:
    """Under the turns: where those are that came after, and how many branches made room."""
    form = context.get("form")
    branches = _branches(context)
    gone = form.draft.branches_gone if form is not None and not form.is_prefilled else 0
    return {"later": branches.later, "gone": gone, "most": MOST_BRANCHES, "user": context.get("user")}


def _branches(context: Context) -> Branches:
    """Return the branches of the form, read once for each page."""
    form = context.get("form")
    if form is None or form.is_prefilled:
        return Branches()
    known: Branches | None = form.__dict__.get("branches")
    if known is None:
        known = form.__dict__["branches"] = branches_of(form.draft, form.body)
    return known
