"""Preparing, publishing and updating a share. A prepared one has a copy to look at and cannot be read by others yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from playground.models import AgentSession, ConformanceReport, Conversation, Run, ShareLink, storage_quota
from playground.sharing import parts as every_part
from playground.sharing.contents import contents, contents_of_session
from playground.sharing.report_copy import contents_of_report, of_report
from playground.sharing.scan import Finding, scan
from playground.sharing.session_copy import of_session
from playground.sharing.snapshot import of_conversation, of_run

if TYPE_CHECKING:
    from accounts.models import User

Shareable = Conversation | Run | AgentSession | ConformanceReport
LASTS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30), "never": None}
DEFAULT_LASTS = "month"
MOST_MASKED = 500  # more than a scan finds
LONGEST_MASKED = 10_000
LARGEST_COPY = 16 * 2**20  # bytes, packed: a page shows all of it at once


@dataclass(frozen=True, slots=True)
class Choices:
    """The owner's choices: names of parts, and texts to mask.

    `seen` are the findings that the owner was shown: a secret among them that is not masked was unticked, one that is
    not among them is masked. `revealed` are the secrets of which the owner said once more that readers may have them.
    """

    parts: frozenset[str] = frozenset()
    masked: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()
    revealed: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls, names: list[str], masked: list[str], seen: Iterable[str] = (), revealed: Iterable[str] = ()
    ) -> Choices:
        words = [word for word in masked if word and len(word) <= LONGEST_MASKED][:MOST_MASKED]
        return cls(every_part.chosen(names), tuple(dict.fromkeys(words)), frozenset(seen), frozenset(revealed))

    def masks(self, finding: Finding) -> bool:
        return finding.text in self.masked or (finding.is_secret and finding.text not in self.seen)

    def with_secrets_masked(self, findings: Iterable[Finding]) -> Choices:
        """Return the same choices, with the secrets masked that the owner has not unticked."""
        texts = (finding.text for finding in findings if self.masks(finding))
        return replace(self, masked=tuple(dict.fromkeys([*self.masked, *texts])))

    def to_confirm(self, findings: Iterable[Finding]) -> list[Finding]:
        """The secrets that readers would get, and of which the owner has said so only once."""
        return [one for one in findings if one.is_secret and not self.masks(one) and one.text not in self.revealed]


def kind_of(thing: Shareable) -> str:
    """The name of the share's column that leads to it: conversation, run, session, report."""
    if isinstance(thing, ConformanceReport):
        return "report"
    if isinstance(thing, AgentSession):
        return "session"
    return "conversation" if isinstance(thing, Conversation) else "run"


def copy_of(thing: Shareable, choices: Choices) -> dict[str, Any]:
    """The copy that a share freezes: the chosen parts of the thing as it is now, masked."""
    if isinstance(thing, Conversation):
        return of_conversation(thing, choices.parts, list(choices.masked))
    if isinstance(thing, AgentSession):
        return of_session(thing, choices.parts, list(choices.masked))
    if isinstance(thing, ConformanceReport):
        return of_report(thing, choices.parts, list(choices.masked))
    return of_run(thing, choices.parts, list(choices.masked))


def findings(thing: Shareable, choices: Choices) -> list[Finding]:
    """Return what the chosen parts hold that should perhaps not be published; also what is masked already."""
    return scan(copy_of(thing, Choices(choices.parts)))


def readable_in(share: ShareLink) -> frozenset[str]:
    """Return what a published copy holds already that should perhaps not be published."""
    return frozenset(finding.text for finding in scan(share.snapshot))


def contents_of(thing: Shareable) -> dict[str, str]:
    """Describe what there is of each part."""
    if isinstance(thing, ConformanceReport):
        return contents_of_report(thing)
    whole = copy_of(thing, Choices(every_part.NAMES))
    if isinstance(thing, AgentSession):
        return contents_of_session(whole)
    messages = [answer["message"] for answer in whole["answers"]]
    return contents(whole["body"], messages, len(whole.get("branches", ())))


def is_too_large(share: ShareLink) -> bool:
    return len(share.packed_snapshot) > LARGEST_COPY


def prepare(thing: Shareable, owner: User, choices: Choices) -> ShareLink:
    """The copy to look at before publishing: one for each thing, made again each time."""
    home = {kind_of(thing): thing}
    share = ShareLink.objects.filter(owner=owner, published_at=None, **home).first() or ShareLink(owner=owner, **home)
    fill(share, thing, choices)
    share.save()
    return share


def fill(share: ShareLink, thing: Shareable, choices: Choices) -> None:
    """Put the copy into the share, which is not stored yet. Raises `StorageQuotaError`."""
    snapshot = copy_of(thing, choices)
    share.snapshot = snapshot
    share.title = snapshot["title"][:200]
    share.parts = sorted(choices.parts)
    share.masked = list(choices.masked)
    storage_quota.check_copy(share)


@transaction.atomic
def publish(share: ShareLink, *, lasts: str, until: datetime | None, passphrase: str, public: bool) -> str | None:
    """Publish a prepared share; returns the token of its public address, if it gets one."""
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
    thing = share.thing
    if thing is None:
        return []
    choices = Choices(every_part.chosen(share.parts), tuple(share.masked))
    known = readable_in(share)
    fresh = [one for one in scan(copy_of(thing, choices)) if one.text not in known]
    if fresh:
        return fresh
    fill(share, thing, choices)
    share.published_at = timezone.now()
    share.save()
    return []
