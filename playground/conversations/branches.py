"""Branches: versions that share their first turns and then differ. Found by comparing digests, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Kept(Protocol):
    """A version as it is needed here; `models.ConversationVersion` is one."""

    pk: Any
    chain: Any
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Branch:
    """Turn `turn` of a body has `count` variants, of which it shows number `number` (from 1)."""

    turn: int
    number: int
    count: int
    before: Any  # the newest version with the variant before this one, or None
    after: Any


@dataclass(frozen=True, slots=True)
class Later:
    """Turns that the body no longer has are kept as variant `number` of `count`, in `version`."""

    number: int
    count: int
    version: Any


@dataclass(frozen=True, slots=True)
class Branches:
    """All that a body's page says about them."""

    by_turn: dict[int, Branch] = field(default_factory=dict)
    later: Later | None = None


def branches(versions: Iterable[Kept], chain: list[str]) -> dict[int, Branch]:
    """Return, by turn, where the body with this chain has siblings. `versions` come oldest first."""
    versions = list(versions)
    by_turn: dict[int, Branch] = {}
    for turn, own in enumerate(chain):
        variants = _variants(versions, chain[:turn])
        variants.setdefault(own, None)
        if len(variants) > 1:
            names = list(variants)
            at = names.index(own)
            before = variants[names[at - 1]] if at else None
            after = variants[names[at + 1]] if at + 1 < len(names) else None
            by_turn[turn] = Branch(turn, at + 1, len(names), before, after)
    return by_turn


def later_turns(versions: Iterable[Kept], chain: list[str]) -> Later | None:
    """Return the turns that once followed: of this very body, else of the sibling of its last turn."""
    if not chain:
        return None
    versions = list(versions)
    following = list(_variants(versions, chain).values())
    if following:
        return Later(len(following), len(following) + 1, following[-1])
    variants = _variants(versions, chain[:-1])
    variants.setdefault(chain[-1], None)
    for number, (digest, version) in reversed(list(enumerate(variants.items(), start=1))):
        if digest != chain[-1] and version is not None and len(version.chain) > len(chain):
            return Later(number, len(variants), version)
    return None


def _variants(versions: Iterable[Kept], shared: list[str]) -> dict[str, Kept | None]:
    """The digests of the turn after the shared ones, in order of first appearance, each with its newest version."""
    turn = len(shared)
    variants: dict[str, Kept | None] = {}
    for version in versions:
        if len(version.chain) > turn and version.chain[:turn] == shared:
            newest = variants.get(version.chain[turn])
            if newest is None or newest.changed_at <= version.changed_at:
                variants[version.chain[turn]] = version
    return variants
