"""Undo and redo of what was done to the request being written: operations, typing, and whatever replaced it whole.

Each stored change puts the state before it aside, with words for what was done. Undoing goes back to the newest of
them and puts the present state aside in turn, so nothing is lost by undoing either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Connection
from playground.conversations.versions import SETTINGS, settings_of
from playground.models import Draft, DraftState

TYPING = "Typing"
ONE_BURST = timedelta(seconds=20)  # of typing is undone as one
MOST_STATES = 60
MOST_BYTES = 4 * 2**20  # of them all, packed
MOST_TYPED = 2 * 2**20  # characters of a body up to which typing is recorded; operations always are


def state_of(draft: Draft) -> dict[str, Any]:
    """Return what Undo can bring back: the body as typed, its headers and where it goes."""
    return settings_of(draft) | {"body": draft.body_text, "columns": bytes(draft.columns).decode()}


def record(draft: Draft, before: dict[str, Any], act: str) -> bool:
    """Put the state before an act aside. The draft is stored. False: the act changed nothing."""
    if before == state_of(draft):
        return False
    if act == TYPING and (len(before["body"]) > MOST_TYPED or _goes_on(draft)):
        return True
    with transaction.atomic():
        draft.states.filter(is_redo=True).delete()
        _put(draft, before, act, is_redo=False)
        _drop_oldest(draft)
    return True


@contextmanager
def replacing(draft: Draft, act: str) -> Iterator[None]:
    """Make whatever is done inside, which replaces the request, one step of Undo."""
    before = state_of(draft)
    yield
    record(draft, before, act)


def _goes_on(draft: Draft) -> bool:
    """Whether what was put aside last was put aside for typing, just now."""
    # In one query, without the states themselves: each press of Try It! waits for it. What can be redone comes first.
    newest = draft.states.order_by("-is_redo", "-id").values_list("is_redo", "act", "made_at").first()
    if newest is None:
        return False
    is_redo, act, made_at = newest
    return not is_redo and act == TYPING and timezone.now() - made_at < ONE_BURST


def step(draft: Draft, *, is_redo: bool) -> str | None:
    """Go one step back, or forth again. Returns what was undone, in words; None when there is nothing to go to.

    The draft is not stored yet.
    """
    target = _newest(draft, is_redo=is_redo)
    if target is None:
        return None
    _put(draft, state_of(draft), target.act, is_redo=not is_redo)
    _restore(draft, target.state)
    target.delete()
    return str(target.act)


def _newest(draft: Draft, *, is_redo: bool) -> DraftState | None:
    return draft.states.filter(is_redo=is_redo).order_by("id").last() if not draft._state.adding else None


def _put(draft: Draft, state: dict[str, Any], act: str, *, is_redo: bool) -> None:
    aside = DraftState(draft=draft, act=act[:120], is_redo=is_redo)
    aside.state = state
    aside.save()


def _restore(draft: Draft, state: dict[str, Any]) -> None:
    """Put a state back, as far as what it names is still there and still the owner's."""
    draft.body_text = state["body"]
    draft.columns = state["columns"].encode()
    for name in SETTINGS:
        setattr(draft, name, state[name])
    draft.connection = None
    if state["connection"] and draft.user is not None:
        draft.connection = Connection.objects.usable_by(draft.user).filter(pk=state["connection"]).first()


def _drop_oldest(draft: Draft) -> None:
    total, gone = 0, []
    newest_first = draft.states.filter(is_redo=False).order_by("-id").values_list("pk", "size")
    for number, (key, size) in enumerate(newest_first):
        total += size
        if number and (number >= MOST_STATES or total > MOST_BYTES):
            gone.append(key)
    if gone:
        draft.states.filter(pk__in=gone).delete()
