"""Branches: versions that share their first turns and then differ. Found by comparing digests, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playground.models import Conversation, ConversationVersion


@dataclass(frozen=True, slots=True)
class Branch:
    """Turn `turn` of a body has `count` variants, of which it shows number `number` (from 1)."""

    turn: int
    number: int
    count: int
    before: ConversationVersion | None  # the newest version with the variant before this one
    after: ConversationVersion | None


def branches(conversation: Conversation, chain: list[str]) -> dict[int, Branch]:
    """Where the body with this chain has siblings, by turn."""
    versions = list(conversation.versions.filter(pinned=True).order_by("made_at").defer("packed_body"))
    found: dict[int, Branch] = {}
    for turn, own in enumerate(chain):
        variants = _variants(versions, chain[:turn], turn)
        if own not in variants:
            variants[own] = None
        if len(variants) > 1:
            names = list(variants)
            at = names.index(own)
            before = variants[names[at - 1]] if at else None
            after = variants[names[at + 1]] if at + 1 < len(names) else None
            found[turn] = Branch(turn, at + 1, len(names), before, after)
    return found


def _variants(
    versions: Iterable[ConversationVersion], shared: list[str], turn: int
) -> dict[str, ConversationVersion | None]:
    """The digests of turn `turn` in order of their first appearance, each with its newest version."""
    variants: dict[str, ConversationVersion | None] = {}
    for version in versions:
        if len(version.chain) > turn and version.chain[:turn] == shared:
            variants[version.chain[turn]] = version
    return variants
