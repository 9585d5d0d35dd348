"""One step in detail: only what is new since its parent, read from the two bodies when somebody looks at it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from playground.answer.turns import Item, draw_content, tool_names
from playground.models import Run, RunDigest
from playground.protocol.foreign_text import storable
from playground.recording.session_loading import load
from playground.request_log.request_body import parse
from playground.session_log.page import SessionPage, StepRow
from playground.sessions.differences import FirstDifference, first_difference, same_messages
from playground.sessions.digest import CHARACTERS_PER_TOKEN, Section
from playground.sessions.steps import Step

MOST_MESSAGES = 30  # new ones that are drawn
LONG_RESULT = 1_000  # tokens


@dataclass(frozen=True)
class NewItem:
    """A block of a new message. A tool's result is folded: `number` counts the results of the step, from 1."""

    item: Item
    number: int = 0
    tokens: int = 0  # an estimate

    @property
    def is_long(self) -> bool:
        """Whether it is fetched when it is unfolded."""
        return self.tokens > LONG_RESULT


@dataclass(frozen=True)
class NewMessage:
    role: str
    items: list[NewItem]


@dataclass(frozen=True)
class StepDetail:
    row: StepRow
    parent: StepRow | None
    is_kept: bool
    same_messages: int = 0
    new: list[NewMessage] = field(default_factory=list)
    left_out: int = 0
    answer: list[Item] = field(default_factory=list)
    difference: FirstDifference | None = None
    system: list[Item] = field(default_factory=list)  # where it is not the parent's
    tools: list[str] = field(default_factory=list)

    def result(self, number: int) -> NewItem | None:
        """One of its tools' results."""
        items = (each for message in self.new for each in message.items)
        return next((each for each in items if number and each.number == number), None)


@dataclass(frozen=True)
class RunStep:
    """The step that a run is, and the session that it is a step of."""

    session_id: UUID
    detail: StepDetail


def detail_of(page: SessionPage, row: StepRow, run: Run) -> StepDetail:
    """Read the bodies of a step and its parent. What is not kept is said, not guessed."""
    place = page.loaded.threads.places[row.step.id]
    parent = page.row_of(place.parent) if place.parent else None
    body = parse(run.request_body) if run.request_body else None
    if body is None:
        return StepDetail(row, parent, is_kept=False)
    is_changed = row.miss is not None or row.is_rewritten
    before = _body_of(run.owner_id, parent.step) if parent is not None else None
    messages = [each for each in body.get("messages") or [] if isinstance(each, dict)]
    if row.step.is_count:
        return _detail_of_count(row, messages)
    same = same_messages(messages, before)
    new = messages[same:]
    names = tool_names(messages)
    message = run.message()
    return StepDetail(
        row,
        parent,
        is_kept=True,
        same_messages=same,
        new=new_messages(new, names),
        left_out=max(0, len(new) - MOST_MESSAGES),
        answer=draw_content(message.get("content")) if isinstance(message, dict) else [],
        difference=first_difference(before, body) if before is not None and is_changed else None,
        system=draw_content(body.get("system")) if _is_new("system", row, parent) else [],
        tools=_tool_names(body.get("tools")) if _is_new("tools", row, parent) else [],
    )


def _detail_of_count(row: StepRow, messages: Sequence[Mapping[str, Any]]) -> StepDetail:
    """A token count repeats what the request beside it holds: its newest message tells which that is."""
    before = max(0, len(messages) - 1)
    new = new_messages(messages[before:], tool_names(messages))
    return StepDetail(row, None, is_kept=True, same_messages=before, new=new)


def _is_new(section: Section, row: StepRow, parent: StepRow | None) -> bool:
    return parent is None or row.step.section(section) != parent.step.section(section)


def _tool_names(tools: Any) -> list[str]:
    named = [each for each in tools if isinstance(each, dict)] if isinstance(tools, list) else []
    return [storable(str(each.get("name") or each.get("type") or "")) for each in named]


def new_messages(messages: Sequence[Mapping[str, Any]], names: dict[str, str]) -> list[NewMessage]:
    """The newest of these messages, drawn. `names` are those of tools by the ids of their calls."""
    drawn, number = [], 0
    for message in messages[-MOST_MESSAGES:]:
        content = message.get("content")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        items = []
        for at, item in enumerate(draw_content(content, names)):
            is_result = item.shape == "result"
            number += is_result
            tokens = int(len(json.dumps(blocks[at])) / CHARACTERS_PER_TOKEN) if is_result else 0
            items.append(NewItem(item, number if is_result else 0, tokens))
        drawn.append(NewMessage(storable(str(message.get("role", ""))), items))
    return drawn


def step_of_run(run: Run) -> RunStep | None:
    """A run as a step of its session, for its own page; None without a session, where no text is kept, and for a token
    count, which goes on from nothing."""
    digest = RunDigest.objects.filter(pk=run.pk, session__isnull=False).select_related("session").first()
    if digest is None or digest.session is None or not run.request_body or run.is_count:
        return None
    page = SessionPage(load(digest.session))
    row = page.row_of(str(run.pk))
    detail = detail_of(page, row, run) if row is not None else None
    return RunStep(digest.session.pk, detail) if detail is not None and detail.is_kept else None


def _body_of(owner_id: int, step: Step) -> dict[str, Any] | None:
    run = Run.objects.filter(pk=step.id, owner_id=owner_id).select_related("content").first()
    return parse(run.request_body) if run is not None and run.request_body else None
