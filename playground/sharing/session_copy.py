"""The frozen copy of an agent's session: its steps and misses, and of what was said the chosen parts only.

Made from digests. Of the bodies only those are read that hold what no later one holds: the last of each unbroken run
of a thread. Block hashes become numbers, so that a copy says of a part that was left out only that it was the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from playground.models import Run
from playground.protocol.catalogue.block_types import block_type
from playground.protocol.json import json_text
from playground.recording.session_loading import LoadedSession, load
from playground.sessions.causes import Miss, misses_of
from playground.sessions.differences import first_difference
from playground.sessions.digest import HASH_BYTES, Block, messages_with_blocks
from playground.sessions.steps import Step, common_blocks
from playground.sharing.allow_list import AllowList
from playground.sharing.masking import mask_within

if TYPE_CHECKING:
    from playground.models import AgentSession

FORMAT = 1
MOST_READ = 120  # bodies beyond those that hold what was said: for excerpts at misses, and for changed heads
LIMITS = json_text.Limits(depth=400, tokens=20_000_000, number_length=400)
_FIGURES = (
    "started_s", "ended_s", "input_tokens", "written_tokens", "written_1h_tokens", "read_tokens", "output_tokens",
    "cost_usd", "counted_tokens",
)  # fmt: skip
_TELLING = ("model", "state", "status", "tools", "system", "words", "stop_reason", "is_count")


def of_session(session: AgentSession, parts: frozenset[str], secrets: list[str]) -> dict[str, Any]:
    """The copy of a session as it is now."""
    copier = _SessionCopier(load(session), parts)
    snapshot: dict[str, Any] = {
        "format": FORMAT,
        "kind": "session",
        "title": session.title or "Session",
        "frozen_at": timezone.now().isoformat(timespec="seconds"),
        "parts": sorted(parts),
        "client": session.client,
        "steps": copier.steps(),
        "threads": [
            {"name": thread.name, "is_side": thread.is_side, "started_by": copier.number_of.get(thread.started_by)}
            for thread in copier.loaded.threads.threads
        ],
        "misses": copier.misses() if "figures" in parts else [],
        "blocks": [copier.block(key) for key in copier.numbers],
        "left_out": sorted(copier.allow_list.left_out),
    }
    if "name" in parts:
        snapshot["by"] = session.owner.get_username()
    masked: dict[str, Any] = mask_within(snapshot, secrets)
    return masked


class _SessionCopier:
    """Copies steps, blocks and misses of one session, as far as the chosen parts allow."""

    def __init__(self, loaded: LoadedSession, parts: frozenset[str]) -> None:
        self.loaded = loaded
        self.parts = parts
        self.allow_list = AllowList(parts)
        self.ordered = sorted(loaded.steps, key=lambda step: (step.started_s, step.id))
        self.by_id = {step.id: step for step in self.ordered}
        self.number_of = {step.id: number for number, step in enumerate(self.ordered, 1)}
        self.numbers: dict[bytes, int] = {}  # of blocks, in the order in which they came
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._left_to_read = MOST_READ

    # --- steps

    def steps(self) -> list[dict[str, Any]]:
        messages = self._messages_by_step() if "turns" in self.parts else {}
        if "turns" not in self.parts:
            self.allow_list.left_out.add("turns")
        if "figures" not in self.parts:
            self.allow_list.left_out.add("figures")
        return [self._step(step) | messages.get(step.id, {}) for step in self.ordered]

    def _step(self, step: Step) -> dict[str, Any]:
        place = self.loaded.threads.places[step.id]
        fields: dict[str, Any] = {name: getattr(step, name) for name in _TELLING}
        fields["words"] = whole_words(step.words)
        fields["calls"] = [
            [call.name, whole_words(call.argument), call.id, whole_words(call.agent)] for call in step.calls
        ]
        fields["error"] = self.loaded.figures[step.id].error
        fields["prompt"] = self._prompt(step, self.by_id.get(place.parent))
        fields["place"] = {
            "thread": place.thread,
            "parent": self.number_of.get(place.parent),
            "shared": place.shared,
            "is_rewritten": place.is_rewritten,
            "is_compacted": place.is_compacted,
            "retry_of": self.number_of.get(place.retry_of),
        }
        if "figures" in self.parts:
            figures = self.loaded.figures[step.id]
            fields |= {name: getattr(step, name) for name in _FIGURES}
            fields |= {"first_token_ms": figures.first_token_ms, "duration_ms": figures.duration_ms}
            fields["phases"] = dict(figures.phases)
        return fields

    def _prompt(self, step: Step, parent: Step | None) -> list[Any]:
        """Return how many blocks are as in the parent, and the numbers of the others."""
        if step.is_count:  # as long as the request beside it, and nothing is told of it
            return [0, []]
        same = common_blocks(step.hashes, parent.hashes) if parent is not None else 0
        keys = (step.block_hash(at) for at in range(same, step.length))
        return [same, [self.numbers.setdefault(key, len(self.numbers)) for key in keys]]

    # --- blocks and misses

    def block(self, key: bytes) -> list[Any]:
        block = self.loaded.blocks.get(key)
        if block is None:
            return []
        block = self._shown(block)
        return [
            block.section, block.role, block.kind, block.size, block.tokens, block.image_tokens, block.starts_message,
            block.label,
        ]  # fmt: skip

    def _shown(self, block: Block) -> Block:
        """The block without a label that belongs to a part which is left out."""
        part: str | None = block.section
        if block.section == "messages":
            part = "system" if block.role == "system" else block_type(block.kind).share_part
        is_known = block.section != "messages" or block_type(block.kind).shared is not None
        is_shown = is_known and (not part or not block.label or self.allow_list.allows(part))
        return replace(block, label=whole_words(block.label) if is_shown else "")

    def misses(self) -> list[dict[str, Any]]:
        shown = {key: self._shown(block) for key, block in self.loaded.blocks.items()}
        misses = misses_of(self.loaded.threads, shown)
        copies = []
        for miss in misses:
            each = asdict(self._without_parameters(miss))
            each |= {"step": self.number_of[miss.step], "parent": self.number_of.get(miss.parent)}
            each["api_reason"] = miss.api_reason[:60]
            if miss.path and miss.parent and "turns" in self.parts and self._may_read(2):
                each["difference"] = self._difference(miss)
            copies.append(each)
        return copies

    def _without_parameters(self, miss: Miss) -> Miss:
        if miss.cause != "parameters_changed" or miss.path == "messages":
            return replace(miss, before=whole_words(miss.before), after=whole_words(miss.after))
        if self.allow_list.allows("tools" if miss.path == "tool_choice" else "parameters"):
            return miss
        return replace(miss, before="", after="")

    def _difference(self, miss: Miss) -> dict[str, Any] | None:
        before, after = self._body(miss.parent), self._body(miss.step)
        difference = first_difference(self.allow_list.body(dict(before)), self.allow_list.body(dict(after)))
        # What was left out of both is no difference any more, and what comes behind it would be a wrong place.
        return asdict(difference) if difference is not None and difference.path.startswith(miss.path) else None

    # --- what was said

    def _messages_by_step(self) -> dict[str, dict[str, Any]]:
        """Return for each step what is new in its request, and its answer."""
        by_step: dict[str, dict[str, Any]] = {}
        for thread in self.loaded.threads.threads:
            carrier: Step | None = None
            messages: list[Any] = []
            for step in reversed(thread.steps):
                if step.is_count:  # what was said is in the request beside it
                    by_step[step.id] = {"is_kept": False}
                    continue
                if carrier is None or not carrier.section("messages").startswith(step.section("messages")):
                    carrier = step
                    messages = messages_with_blocks(self._body(step.id))
                by_step[step.id] = self._new(step, messages)
            self._bodies.clear()
        for step_id, message in self._answers():
            by_step[step_id]["answer"] = self.allow_list.answer(message).get("content", [])
        return by_step

    def _new(self, step: Step, messages: list[Any]) -> dict[str, Any]:
        place = self.loaded.threads.places[step.id]
        parent = self.by_id.get(place.parent)
        own = step.section("messages")
        shared = common_blocks(own, parent.section("messages")) if parent is not None else 0
        starts = self._starts(own)
        ends = [*starts[1:], len(own) // HASH_BYTES]
        same = sum(end <= shared for end in ends) if starts else 0
        is_kept = len(messages) >= len(starts) > 0
        request: dict[str, Any] = {"is_kept": is_kept, "same": same}
        if is_kept:
            request["new"] = self.allow_list.messages(messages[same : len(starts)])
            request["head"] = self._head(step, parent)
        return request

    def _starts(self, hashes: bytes) -> list[int]:
        """The places of the blocks that begin a message."""
        keys = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
        return [
            at for at, key in enumerate(keys) if (block := self.loaded.blocks.get(key)) is None or block.starts_message
        ]

    def _head(self, step: Step, parent: Step | None) -> dict[str, Any]:
        """System prompt and tools, where they are not those of the parent."""
        changed = [
            name
            for name in ("system", "tools")
            if step.section(name) and (parent is None or step.section(name) != parent.section(name))
        ]
        allowed = [name for name in changed if self.allow_list.allows(name)] if changed and self._may_read(1) else []
        return self.allow_list.body({name: self._body(step.id).get(name) for name in allowed}) if allowed else {}

    def _answers(self) -> Iterable[tuple[str, dict[str, Any]]]:
        ids = [step.id for step in self.ordered]
        for at in range(0, len(ids), 500):
            runs = Run.objects.filter(pk__in=ids[at : at + 500], owner_id=self.loaded.session.owner_id)
            for run_id, message in runs.values_list("pk", "content__message").iterator(chunk_size=100):
                if isinstance(message, dict):
                    yield str(run_id), message

    def _body(self, step_id: str) -> Mapping[str, Any]:
        """The body of a step; empty where its text is not kept."""
        if step_id not in self._bodies:
            if len(self._bodies) >= 4:
                self._bodies.pop(next(iter(self._bodies)))
            runs = Run.objects.filter(pk=step_id, owner_id=self.loaded.session.owner_id).select_related("content")
            run = runs.first()
            parsed = json_text.try_parse(run.request_body or b"{}", LIMITS) if run is not None else {}
            self._bodies[step_id] = parsed if isinstance(parsed, dict) else {}
        return self._bodies[step_id]

    def _may_read(self, count: int) -> bool:
        self._left_to_read -= count
        return self._left_to_read >= 0


def whole_words(label: str) -> str:
    """A label that was cut, without the word in which it was: half a secret is one that no scan knows."""
    if not label.endswith("…") or label.endswith(" …"):
        return label
    kept, between, _ = label[:-1].rpartition(" ")
    if not between:
        kept, between, _ = label[:-1].rpartition("/")
        kept += between
    return f"{kept}…"
