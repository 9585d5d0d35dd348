"""Preparing, publishing and updating a share. A prepared one has a copy to look at and no door yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from playground.models import Conversation, Run, ShareLink, room
from playground.sharing import parts as every_part
from playground.sharing.contents import contents
from playground.sharing.scan import Finding, scan
from playground.sharing.snapshot import of_conversation, of_run

if TYPE_CHECKING:
    from accounts.models import User

LASTS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30), "never": None}
DEFAULT_LASTS = "month"
MOST_MASKED = 200
LONGEST_MASKED = 10_000
LARGEST_COPY = 16 * 2**20  # bytes, packed: a page shows all of it at once


@dataclass(frozen=True, slots=True)
class Choices:
    """What the owner chose: names of parts, and words to mask."""

    parts: frozenset[str] = every_part.DEFAULTS
    masked: tuple[str, ...] = ()

    @classmethod
    def read(cls, names: list[str], masked: list[str]) -> Choices:
        words = [word for word in masked if word and len(word) <= LONGEST_MASKED][:MOST_MASKED]
        return cls(every_part.chosen(names), tuple(dict.fromkeys(words)))


def copy_of(thing: Conversation | Run, choices: Choices) -> dict[str, Any]:
    if isinstance(thing, Conversation):
        return of_conversation(thing, choices.parts, list(choices.masked))
    return of_run(thing, choices.parts, list(choices.masked))


def findings(thing: Conversation | Run, choices: Choices) -> list[Finding]:
    """What the chosen parts hold that should perhaps not be published; also what is masked already."""
    return scan(copy_of(thing, Choices(choices.parts)))


def contents_of(thing: Conversation | Run) -> dict[str, str]:
    """What there is of each part, in words."""
    whole = copy_of(thing, Choices(every_part.NAMES))
    messages = [answer["message"] for answer in whole["answers"]]
    return contents(whole["body"], messages, len(whole.get("branches", ())))


def is_too_large(share: ShareLink) -> bool:
    return len(share.packed_snapshot) > LARGEST_COPY


def prepare(thing: Conversation | Run, owner: User, choices: Choices) -> ShareLink:
    """The copy to look at before publishing: one for each conversation or run, made anew each time."""
    home = {"conversation": thing} if isinstance(thing, Conversation) else {"run": thing}
    share = ShareLink.objects.filter(owner=owner, published_at=None, **home).first() or ShareLink(owner=owner, **home)
    fill(share, thing, choices)
    share.save()
    return share


def fill(share: ShareLink, thing: Conversation | Run, choices: Choices) -> None:
    """Put the copy into the share, which is not stored yet. Raises `NoRoomError`."""
    snapshot = copy_of(thing, choices)
    share.snapshot = snapshot
    share.title = snapshot["title"][:200]
    share.parts = sorted(choices.parts)
    share.masked = list(choices.masked)
    room.check_copy(share)


@transaction.atomic
def publish(share: ShareLink, *, lasts: str, until: datetime | None, passphrase: str, public: bool) -> str | None:
    """Open the doors of a prepared share; returns the token of its public address, if it gets one."""
    share.published_at = share.made_at = timezone.now()
    set_expiry(share, lasts, until, share.published_at)
    share.set_passphrase(passphrase)
    token = share.give_address() if public else None
    share.save()
    return token


def set_expiry(share: ShareLink, lasts: str, until: datetime | None, now: datetime | None = None) -> None:
    span = LASTS.get(lasts, LASTS[DEFAULT_LASTS])
    if lasts == "date" and until is not None:
        share.expires_at = until
    else:
        share.expires_at = (now or timezone.now()) + span if span else None


def update(share: ShareLink) -> list[Finding]:
    """Put the present state into a published share, with the same choices, at the same address.

    Returns what is in it now that was not looked at before; then nothing was changed.
    """
    thing = share.conversation or share.run
    if thing is None:
        return []
    choices = Choices(every_part.chosen(share.parts), tuple(share.masked))
    known = {finding.text for finding in scan(share.snapshot)}
    fresh = [one for one in scan(copy_of(thing, choices)) if one.text not in known]
    if fresh:
        return fresh
    fill(share, thing, choices)
    share.published_at = timezone.now()
    share.save()
    return []
