"""The frozen copy: made from a conversation or a run, holding the chosen parts and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from playground.attachments.references import resolve
from playground.conversations import body_summary
from playground.models import Attachment, Conversation, Run
from playground.protocol.json import json_text
from playground.sharing.allow_list import AllowList
from playground.sharing.masking import mask_within
from playground.sharing.shared_events import share_events

if TYPE_CHECKING:
    from accounts.models import User
    from playground.models import ConversationVersion

FORMAT = 1
MOST_ANSWERS = 20
MOST_BRANCHES = 50


def of_conversation(conversation: Conversation, parts: frozenset[str], secrets: list[str]) -> dict[str, Any]:
    """The copy of a conversation's newest version, with the answers that belong to its turns."""
    head = conversation.head
    body = body_summary.parse(head.body_text) if head else {}
    builder = _SnapshotBuilder(conversation.owner, parts, secrets)
    snapshot = builder.frame(conversation.title, body, head.settings if head else {})
    snapshot["answers"] = builder.answers_of(conversation, body)
    if "branches" in parts:
        snapshot["branches"] = builder.branches_of(conversation, body_summary.chain(body))
    return builder.finish(snapshot)


def of_run(run: Run, parts: frozenset[str], secrets: list[str]) -> dict[str, Any]:
    """The copy of one run: its request and its answer."""
    try:
        parsed = json_text.parse(run.request_body or b"{}")
    except json_text.JsonTextError:
        parsed = {}
    body = parsed if isinstance(parsed, dict) else {}
    builder = _SnapshotBuilder(run.owner, parts, secrets)
    snapshot = builder.frame(body_summary.proposed_title(body), body, {})
    snapshot["answers"] = [builder.answer(run, len(body_summary.turns(body)))]
    return builder.finish(snapshot)


class _SnapshotBuilder:
    """Copies body, answers and branches of one owner, as far as the chosen parts allow."""

    def __init__(self, owner: User, parts: frozenset[str], secrets: list[str]) -> None:
        self.owner = owner
        self.parts = parts
        self.secrets = secrets
        self.allow_list = AllowList(parts)

    def frame(self, title: str, body: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        snapshot: dict[str, Any] = {
            "format": FORMAT,
            "title": title,
            "frozen_at": timezone.now().isoformat(timespec="seconds"),
            "parts": sorted(self.parts),
            "body": self._with_bytes(self.allow_list.body(body)),
        }
        if "name" in self.parts:
            snapshot["by"] = self.owner.get_username()
        if "parameters" in self.parts:
            snapshot["settings"] = {
                name: settings[name] for name in ("anthropic_version", "betas") if settings.get(name)
            }
        return snapshot

    def finish(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        snapshot["left_out"] = sorted(self.allow_list.left_out)
        masked: dict[str, Any] = mask_within(snapshot, self.secrets)
        return masked

    # --- answers

    def answers_of(self, conversation: Conversation, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return for each turn that a run answered the newest such run."""
        chain = body_summary.chain(body)
        runs: dict[int, UUID] = {}
        for link in conversation.run_links.select_related("version").defer("version__packed_body"):
            length = len(link.asked)
            if length and link.asked == chain[:length] and length not in runs:
                runs[length] = link.run_id
        newest = dict(sorted(runs.items())[-MOST_ANSWERS:])
        stored = Run.objects.owned_by(self.owner).in_bulk(newest.values())
        turns = body_summary.turns(body)
        return [
            self.answer(stored[run_id], turn)
            for turn, run_id in newest.items()
            if run_id in stored and _belongs(stored[run_id], turn, turns)
        ]

    def answer(self, run: Run, turn: int) -> dict[str, Any]:
        """Return the answer after `turn` turns. Without the figures only what was said; without the replay no
        events."""
        answer: dict[str, Any] = {
            "turn": turn,
            "state": run.state,
            "message": self.allow_list.answer(run.message() or {}),
        }
        if "figures" in self.parts:
            answer["figures"] = {
                "http_status": run.http_status,
                "first_byte_ms": run.first_byte_ms,
                "duration_ms": run.duration_ms,
                "streamed": run.event_count > 0,
                "is_sandbox": run.is_sandbox,
            }
        if "replay" in self.parts and run.event_count:
            answer["events"] = share_events(run.events(), self.allow_list, self.secrets)
        return answer

    # --- branches

    def branches_of(self, conversation: Conversation, chain: list[str]) -> list[dict[str, Any]]:
        """Return what other kept versions say from the turn on at which they differ."""
        branches: list[dict[str, Any]] = []
        seen: set[str] = set()
        for version in conversation.versions.filter(pinned=True).order_by("made_at"):
            turn = _first_difference(version, chain)
            if turn is None or version.chain[-1] in seen or len(branches) >= MOST_BRANCHES:
                continue
            seen.add(version.chain[-1])
            messages = self.allow_list.messages(body_summary.turns(body_summary.parse(version.body_text))[turn:])
            branches.append({"turn": turn, "messages": self._with_bytes(messages)})
        return branches

    # --- files

    def _with_bytes(self, value: Any) -> Any:
        """The value with the bytes of the owner's files in place of the references to them."""
        return resolve(value, Attachment.objects.filter(user=self.owner).bytes_of)


def _belongs(run: Run, turn: int, turns: list[Any]) -> bool:
    """Return whether this answer is the next turn, unedited, or came after the last one.

    The owner may have changed an answer's text before going on: then the original is not for readers.
    """
    if turn == len(turns):
        return True
    next_turn = turns[turn]
    if not isinstance(next_turn, dict) or next_turn.get("role") != "assistant":
        return False
    return _comparable(next_turn.get("content")) == _comparable(run.message())


def _comparable(content: Any) -> list[tuple[Any, ...]]:
    """Return what of a content a reader would miss, to compare by."""
    if isinstance(content, dict):
        content = content.get("content")
    if isinstance(content, str):
        return [("text", content)] if content else []
    names = ("text", "thinking", "data", "name", "input", "content")
    blocks = [block for block in content or [] if isinstance(block, dict)] if isinstance(content, list) else []
    return [
        (block.get("type"), *(json_text.dump(block[name]) for name in names if name in block))
        if block.get("type") != "text"
        else ("text", block.get("text"))
        for block in blocks
    ]


def _first_difference(version: ConversationVersion, chain: list[str]) -> int | None:
    """The first turn in which a version differs from the chain; None when it only stops earlier."""
    for turn, digest in enumerate(version.chain):
        if turn >= len(chain) or chain[turn] != digest:
            return turn
    return None
