"""What tells a version from the one before it, in one line: the first message of the user's that changed.

Twenty bodies of 40 kB take ten milliseconds to read, those of a page a few dozen at most: beyond these limits a version
has no preview.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import IntegerField
from django.db.models.functions import Length

from playground.conversations import body_summary

if TYPE_CHECKING:
    from playground.models import Conversation, ConversationVersion

MOST_PACKED = 64 * 2**10
MOST_PACKED_AT_ONCE = 2**20
MOST_UNPACKED = 2**20
LONGEST = 160


class Listed(NamedTuple):
    """`preview` is empty where nothing can be said cheaply."""

    version: ConversationVersion
    preview: str


def listed(conversation: Conversation, most: int) -> list[Listed]:
    """The newest versions of a conversation, the newest first, each with its preview."""
    size = Length("packed_body", output_field=IntegerField())
    found = list(conversation.versions.defer("packed_body").annotate(size=size)[: most + 1])
    bodies = _bodies(conversation, list(_readable(found[:most])))
    before = {newer.pk: older for newer, older in pairwise(found)}
    return [Listed(each, _preview(each, before.get(each.pk), bodies.get(each.pk, {}))) for each in found[:most]]


def _readable(versions: list[Any]) -> Iterator[UUID]:
    """Those that are small enough, until it is enough for one page."""
    total = 0
    for version in versions:
        if version.size <= MOST_PACKED and total + version.size <= MOST_PACKED_AT_ONCE:
            total += version.size
            yield version.pk


def _bodies(conversation: Conversation, readable: list[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = conversation.versions.filter(pk__in=readable).order_by().values_list("pk", "packed_body")
    return {pk: body_summary.parse(_unpacked(bytes(packed))) for pk, packed in rows}


def _unpacked(packed: bytes) -> str:
    """The text, or nothing of one that unpacks to much more than it looks."""
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(packed, MOST_UNPACKED)
    return text.decode() if unpacking.eof else ""


def _preview(version: ConversationVersion, before: ConversationVersion | None, body: dict[str, Any]) -> str:
    turns = body_summary.turns(body)
    start = _shared(version.chain, before.chain) if before is not None else 0
    changed = next(_texts(turns[start:]), "")
    return changed or next(_texts(reversed(turns)), "")


def _shared(one: list[str], other: list[str]) -> int:
    """How many turns two versions begin with alike. An entry of a chain stands for all turns up to it."""
    return sum(own == its for own, its in zip(one, other, strict=False))


def _texts(turns: Any) -> Iterator[str]:
    """What the user says in these turns, each on one line."""
    for turn in turns:
        if isinstance(turn, dict) and turn.get("role") == "user":
            text = " ".join(body_summary.text_of(turn.get("content"))[: 4 * LONGEST].split())
            if text:
                yield text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
