"""Makes the page of a shared session from its frozen copy: the same page as its owner's, as far as the copy goes."""

from __future__ import annotations

from typing import Any

from playground.answer.turns import draw_content
from playground.models import AgentSession
from playground.recording.session_loading import LoadedSession, RunFigures
from playground.session_log.page import SessionPage, StepRow
from playground.session_log.step_detail import MOST_MESSAGES, StepDetail, new_messages
from playground.sessions.causes import Miss
from playground.sessions.differences import FirstDifference
from playground.sessions.digest import HASH_BYTES, Block, Call
from playground.sessions.steps import Step
from playground.sessions.threads import Place, Thread, Threads

_FIGURES = (
    "input_tokens", "written_tokens", "written_1h_tokens", "read_tokens", "output_tokens", "cost_usd",
    "counted_tokens",
)  # fmt: skip


def page_of(snapshot: dict[str, Any]) -> SessionPage:
    """The page of a copy. Steps are known by their numbers; without figures it has no times, tokens and misses."""
    session = AgentSession(title=snapshot["title"], client=snapshot["client"])
    steps = _steps(snapshot["steps"])
    figures = {
        step.id: RunFigures(
            fields.get("first_token_ms"), fields.get("duration_ms"), fields.get("phases", {}), fields.get("error", "")
        )
        for step, fields in zip(steps, snapshot["steps"], strict=True)
    }
    blocks = {_key(number): Block(_key(number), *block) for number, block in enumerate(snapshot["blocks"]) if block}
    loaded = LoadedSession(session, steps, figures, blocks)
    loaded.threads = _threads(snapshot, steps)
    loaded.misses = [_miss(fields) for fields in snapshot["misses"]]
    return SessionPage(loaded, has_figures="figures" in snapshot["parts"])


def detail_of(snapshot: dict[str, Any], page: SessionPage, row: StepRow) -> StepDetail:
    """One step of a copy: what is new in it, as far as it was chosen."""
    copied = snapshot["steps"][row.number - 1]
    place = page.loaded.threads.places[row.step.id]
    parent = page.row_of(place.parent) if place.parent else None
    if not copied.get("is_kept"):
        return StepDetail(row, parent, is_kept=False)
    new = copied["new"]
    names = {call.id: call.name for each in page.rows[: row.number] for call in each.step.calls if call.id}
    miss: dict[str, Any] = next((each for each in snapshot["misses"] if each["step"] == row.number), {})
    difference = miss.get("difference")
    return StepDetail(
        row,
        parent,
        is_kept=True,
        same_messages=copied["same"],
        new=new_messages(new, names),
        left_out=max(0, len(new) - MOST_MESSAGES),
        answer=draw_content(copied.get("answer")),
        difference=FirstDifference(**difference) if difference else None,
        system=draw_content(copied["head"].get("system")),
        tools=[
            str(tool.get("name") or tool.get("type"))
            for tool in copied["head"].get("tools") or ()
            if isinstance(tool, dict)
        ],
    )


def _key(number: int) -> bytes:
    return number.to_bytes(HASH_BYTES)


def _id(number: int | None) -> str:
    """Numbers as ids that sort alike."""
    return f"{number:06}" if number else ""


def _steps(shared_steps: list[dict[str, Any]]) -> list[Step]:
    steps: list[Step] = []
    for number, each in enumerate(shared_steps, 1):
        same, others = each["prompt"]
        parent = each["place"]["parent"]
        before = steps[parent - 1].hashes[: same * HASH_BYTES] if parent else b""
        started_s = each.get("started_s", float(number))
        steps.append(
            Step(
                id=_id(number),
                started_s=started_s,
                ended_s=each.get("ended_s", started_s),
                model=each["model"],
                state=each["state"],
                status=each["status"],
                hashes=before + b"".join(_key(other) for other in others),
                tools=each["tools"],
                system=each["system"],
                calls=tuple(
                    Call(name, argument, call_id, b"", agent) for name, argument, call_id, agent in each["calls"]
                ),
                words=each["words"],
                stop_reason=each["stop_reason"],
                is_count=each["is_count"],
                **{name: each[name] for name in _FIGURES if name in each},
            )
        )
    return steps


def _threads(snapshot: dict[str, Any], steps: list[Step]) -> Threads:
    threads = tuple(
        Thread(each["name"], started_by=_id(each["started_by"]), is_side=each["is_side"])
        for each in snapshot["threads"]
    )
    places = {}
    for step, fields in zip(steps, snapshot["steps"], strict=True):
        place = fields["place"]
        threads[place["thread"]].steps.append(step)
        places[step.id] = Place(
            place["thread"], _id(place["parent"]), place["shared"], place["is_rewritten"], place["is_compacted"],
            _id(place["retry_of"]),
        )  # fmt: skip
    return Threads(threads, places)


def _miss(fields: dict[str, Any]) -> Miss:
    columns = {name: value for name, value in fields.items() if name != "difference"}
    return Miss(**columns | {"step": _id(fields["step"]), "parent": _id(fields["parent"])})
