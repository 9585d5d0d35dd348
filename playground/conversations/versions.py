"""Keeps a request as it was before turns of it were edited or dropped, so that its branches can be returned to.

A saved conversation has these states among its versions; an unsaved request has versions of its own, which become the
conversation's when it is saved. Typing alone keeps nothing: a state stays once it was sent, cut or switched away from.
The one before an edit of an earlier turn waits, unpinned, for what comes of the edit.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Length
from django.utils import timezone

from playground.conversations import body_summary
from playground.conversations.branches import Branches, branches, later_turns
from playground.models import Conversation, ConversationRun, ConversationVersion, Draft, storage_quota
from playground.models.storage_quota import StorageQuotaError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

SETTINGS = ("anthropic_version", "betas", "accept", "extra_headers", "variables", "tool_examples")
BEFORE_EDIT = "before an edit"
MOST_BRANCHES = 40  # of an unsaved request
MOST_BYTES = 4 * 2**20  # of them all, packed


def settings_of(draft: Draft) -> dict[str, Any]:
    """What is sent beside the body, by the draft's fields; the connection by its id, None for the sandbox."""
    settings: dict[str, Any] = {name: getattr(draft, name) for name in SETTINGS}
    settings["connection"] = str(draft.connection_id) if draft.connection_id else None
    return settings


def digest_of(body_text: str, settings: dict[str, Any]) -> str:
    state = f"{body_text}\n{json.dumps(settings, sort_keys=True)}"
    return hashlib.sha256(state.encode("utf-8", "backslashreplace")).hexdigest()


# --- where ---


def home(draft: Draft) -> Conversation | None:
    """The saved conversation that keeps this draft's states; None: the draft keeps them."""
    conversation = draft.conversation
    return conversation if conversation is not None and conversation.deleted_at is None else None


def versions_of(draft: Draft) -> QuerySet[ConversationVersion]:
    conversation = home(draft)
    if conversation is not None:
        return conversation.versions.order_by("made_at").defer("packed_body")
    if draft._state.adding:
        return ConversationVersion.objects.none()
    return draft.versions.order_by("made_at").defer("packed_body")


def pinned_of(conversation: Conversation) -> QuerySet[ConversationVersion]:
    return conversation.versions.filter(pinned=True).order_by("made_at").defer("packed_body")


def branches_of(draft: Draft, body: Any) -> Branches:
    """Return the branches that the page shows for the body as it is now."""
    is_new = draft._state.adding and home(draft) is None
    pinned = [] if is_new or not isinstance(body, dict) else list(versions_of(draft).filter(pinned=True))
    if not pinned:
        return Branches()
    chain = body_summary.chain(body)
    return Branches(branches(pinned, chain), later_turns(pinned, chain))


# --- when ---


def leaves_turns(old: list[Any], new: list[Any]) -> bool:
    """Return whether more is lost than words of the last turn."""
    if len(old) < 2:
        return False
    return new[: len(old) - 1] != old[:-1] or (len(new) < len(old) and not body_summary.is_blank_turn(old[-1]))


def before_edit(draft: Draft, old_text: str, old: Any, new: Any) -> None:
    """Put the state before an edit of an earlier turn aside, once: what is typed after that goes on with the edit."""
    if not isinstance(old, dict) or not leaves_turns(body_summary.turns(old), body_summary.turns(new)):
        return
    if _aside(draft) is None and not _is_kept(draft, body_summary.chain(old)):
        with suppress(StorageQuotaError):
            _add(draft, old_text, old, pinned=False, note=BEFORE_EDIT)


def before_cut(draft: Draft, old_text: str, old: dict[str, Any], index: int) -> None:
    """Keep the turns after `index`, which are about to go: with the turns they belong to, if those were edited."""
    later = body_summary.said(body_summary.turns(old)[index + 1 :])
    if not later:
        return
    aside = _aside(draft)
    if aside is not None:
        _pin(draft, aside)
        if body_summary.said(body_summary.turns(body_summary.parse(aside.body_text))[index + 1 :]) == later:
            return
    keep(draft, old_text, old, note="before running again")


def sent(draft: Draft) -> ConversationVersion | None:
    """The draft as it is was sent: the version that tells. In a saved conversation there will be one anyway."""
    body = body_summary.parse(draft.body_text)
    if home(draft) is not None:
        _settle(draft, body_summary.chain(body))
        return None
    if draft._state.adding:
        return None
    kept = _kept_in_draft(draft)
    if not all(state.pinned for state in kept):
        _settle(draft, body_summary.chain(body))
        kept = _kept_in_draft(draft)
    return _keep_in_draft(draft, draft.body_text, body, "sent", kept)


def put_away(draft: Draft, text: str, body: dict[str, Any]) -> None:
    """Something else takes the place of this state, which may have been sent or only typed."""
    chain = body_summary.chain(body)
    _settle(draft, chain)
    if chain and not (home(draft) is not None and _is_kept(draft, chain)):
        keep(draft, text, body, note="put aside")


def replaced(draft: Draft, old_text: str, old: Any, new: Any) -> None:
    """Another request took the place of this one. They are branches of one only if they begin alike."""
    old, new = (each if isinstance(each, dict) else {} for each in (old, new))
    if home(draft) is not None or body_summary.chain(old)[:1] == body_summary.chain(new)[:1]:
        put_away(draft, old_text, old)
    else:
        forget(draft)


def has_others(draft: Draft) -> bool:
    """Return whether a version is kept that differs from the draft as it is now."""
    chain = body_summary.chain(body_summary.parse(draft.body_text))
    return any(not _begins(chain, version.chain) for version in versions_of(draft).filter(pinned=True))


def forget(draft: Draft) -> None:
    """Drop the draft's versions: nothing leads back from here any more."""
    if not draft._state.adding:
        draft.versions.all().delete()
        Draft.objects.filter(pk=draft.pk).update(branches_gone=0)
    draft.branches_gone = 0


def hand_over(draft: Draft, conversation: Conversation) -> None:
    """The draft was saved: what it kept is the conversation's now, and the runs that were made from it."""
    if not draft._state.adding:
        ConversationRun.objects.filter(version__draft=draft).update(conversation=conversation)
        draft.versions.update(conversation=conversation, draft=None)
        Draft.objects.filter(pk=draft.pk).update(branches_gone=0)
    draft.branches_gone = 0


# --- how ---


def _aside(draft: Draft) -> ConversationVersion | None:
    return versions_of(draft).filter(pinned=False, note=BEFORE_EDIT).last()


def _is_kept(draft: Draft, chain: list[str]) -> bool:
    return any(_begins(version.chain, chain) for version in versions_of(draft).filter(pinned=True))


def _begins(chain: list[str], beginning: list[str]) -> bool:
    return chain[: len(beginning)] == beginning


def _settle(draft: Draft, chain: list[str]) -> None:
    """The state before an edit stays if it had come from a run and the present one has left it."""
    aside = _aside(draft)
    if aside is None:
        return
    pinned = versions_of(draft).filter(pinned=True)
    was_run = any(version.chain and _begins(aside.chain, version.chain) for version in pinned)
    if was_run and not _begins(chain, aside.chain):
        _pin(draft, aside)
    else:
        aside.delete()


def _pin(draft: Draft, version: ConversationVersion) -> None:
    version.pinned, version.changed_at = True, timezone.now()
    version.save(update_fields=["pinned", "changed_at"])
    if home(draft) is None:
        _supersede(draft, version, [other for other in _kept_in_draft(draft) if other.pk != version.pk])


def keep(draft: Draft, text: str, body: dict[str, Any], *, note: str) -> ConversationVersion | None:
    """Let a state stay. None: there is no room for it."""
    if home(draft) is None:
        return None if draft._state.adding else _keep_in_draft(draft, text, body, note, _kept_in_draft(draft))
    with suppress(StorageQuotaError), transaction.atomic():
        return _add(draft, text, body, pinned=True, note=note)
    return None


def _add(draft: Draft, text: str, body: dict[str, Any], *, pinned: bool, note: str) -> ConversationVersion:
    version = _made(draft, text, body, pinned=pinned, note=note)
    if version.conversation is not None:
        storage_quota.make_for_version(version.conversation.owner_id, len(version.packed_body))
    version.save()
    return version


def _made(draft: Draft, text: str, body: dict[str, Any], *, pinned: bool, note: str) -> ConversationVersion:
    """Not stored yet."""
    conversation, settings = home(draft), settings_of(draft)
    version = ConversationVersion(
        conversation=conversation,
        draft=None if conversation else draft,
        parent_id=conversation.head_id if conversation else None,
        settings=settings,
        chain=body_summary.chain(body),
        digest=digest_of(text, settings),
        pinned=pinned,
        note=note,
    )
    version.body_text = text
    return version


# An unsaved request keeps each branch once, at its longest, and the number and size of them has an end.


class _Kept(NamedTuple):
    """What there is to know of a state before its body is read."""

    pk: UUID
    chain: list[str]
    made_at: datetime
    size: int
    pinned: bool


def _kept_in_draft(draft: Draft) -> list[_Kept]:
    """The newest first. In one query, since each press of Try It! waits for it."""
    versions = draft.versions.order_by("-changed_at")
    return [_Kept(*row) for row in versions.values_list("pk", "chain", "made_at", Length("packed_body"), "pinned")]


@transaction.atomic(savepoint=False)
def _keep_in_draft(draft: Draft, text: str, body: dict[str, Any], note: str, kept: list[_Kept]) -> ConversationVersion:
    """A branch that goes on with another one takes its row, with the runs that were made from it."""
    version = _made(draft, text, body, pinned=True, note=note)
    others = [state for state in kept if state.pinned]
    shorter = [other for other in others if _begins(version.chain, other.chain)]
    if shorter:
        first = min(shorter, key=lambda other: other.made_at)
        version.pk, version.made_at, version._state.adding = first.pk, min(first.made_at, version.made_at), False
        others.remove(first)
    version.save()
    _supersede(draft, version, others)
    return version


def _supersede(draft: Draft, newest: ConversationVersion, others: list[_Kept]) -> None:
    others = [other for other in others if other.pinned]
    shorter = [other for other in others if _begins(newest.chain, other.chain)]
    if shorter:
        keys = [other.pk for other in shorter]
        ConversationRun.objects.filter(version__in=keys).update(version=newest)
        draft.versions.filter(pk__in=keys).delete()
        newest.made_at = min(newest.made_at, *(other.made_at for other in shorter))
        newest.save(update_fields=["made_at"])
    _make_room(draft, newest, [other for other in others if other not in shorter])


def _make_room(draft: Draft, newest: ConversationVersion, others: list[_Kept]) -> None:
    total, gone = len(newest.packed_body), []
    for number, other in enumerate(others, start=1):
        total += other.size
        if number >= MOST_BRANCHES or total > MOST_BYTES:
            gone.append(other.pk)
    if gone:
        draft.versions.filter(pk__in=gone).delete()
        Draft.objects.filter(pk=draft.pk).update(branches_gone=F("branches_gone") + len(gone))
        draft.branches_gone += len(gone)
