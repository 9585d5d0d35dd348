"""Makes steps, threads and misses of the stored digests of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from playground.models import AgentSession, Run, RunDigest
from playground.models.run import started_at_of
from playground.sessions.causes import Miss, misses_of
from playground.sessions.digest import Block, Call, Mark
from playground.sessions.steps import Step
from playground.sessions.threads import Threads, threads_of

_RUN_COLUMNS = (
    "state", "http_status", "model", "duration_ms", "input_tokens", "cache_write_tokens", "cache_read_tokens",
    "output_tokens", "cost_usd", "stop_reason", "first_token_ms", "phases", "endpoint",
    "counted_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures that a page shows of a step beside what `Step` has."""

    first_token_ms: float | None
    duration_ms: float | None
    phases: Mapping[str, float]
    error: str


@dataclass
class LoadedSession:
    session: AgentSession
    steps: list[Step]
    figures: dict[str, RunFigures]
    blocks: dict[bytes, Block]

    @cached_property
    def threads(self) -> Threads:
        return threads_of(self.steps)

    @cached_property
    def misses(self) -> list[Miss]:
        return misses_of(self.threads, self.blocks)


def load(session: AgentSession) -> LoadedSession:
    """Everything of one session, in two queries."""
    rows = (
        RunDigest.objects.filter(session=session)
        .order_by("run")
        .values_list("run_id", "hashes", "tools", "system", "details", *(f"run__{name}" for name in _RUN_COLUMNS))
    )
    steps, figures = [], {}
    for run_id, hashes, tools, system, details, *columns in rows.iterator(chunk_size=500):
        run = dict(zip(_RUN_COLUMNS, columns, strict=True))
        step = _step(run_id, bytes(hashes), tools, system, details if isinstance(details, dict) else {}, run)
        steps.append(step)
        figures[step.id] = RunFigures(
            run["first_token_ms"], run["duration_ms"], run["phases"] or {}, details.get("error", "")
        )
    return LoadedSession(session, steps, figures, blocks_of(session))


def blocks_of(session: AgentSession) -> dict[bytes, Block]:
    rows: Any = session.blocks.values_list(
        "hash", "section", "role", "kind", "size", "tokens", "image_tokens", "starts_message", "label"
    )
    return {bytes(row[0]): Block(bytes(row[0]), *row[1:]) for row in rows.iterator(chunk_size=2_000)}


def _step(run_id: UUID, hashes: bytes, tools: int, system: int, details: dict[str, Any], run: dict[str, Any]) -> Step:
    started_s = started_at_of(run_id).timestamp()
    return Step(
        id=str(run_id),
        started_s=started_s,
        ended_s=started_s + (run["duration_ms"] or 0.0) / 1_000,
        model=run["model"],
        state=run["state"],
        status=run["http_status"],
        hashes=hashes,
        tools=tools,
        system=system,
        marks=tuple(Mark(at, ttl) for at, ttl in details.get("marks", ())),
        parameters=details.get("parameters", {}),
        first_texts=tuple(bytes.fromhex(text) for text in details.get("first_texts", ())),
        input_tokens=run["input_tokens"],
        written_tokens=run["cache_write_tokens"],
        written_1h_tokens=details.get("written_1h", 0),
        read_tokens=run["cache_read_tokens"],
        output_tokens=run["output_tokens"],
        cost_usd=None if run["cost_usd"] is None else float(run["cost_usd"]),
        calls=tuple(
            Call(name, argument, call_id, bytes.fromhex(prompt), agent)
            for name, argument, call_id, prompt, agent in details.get("calls", ())
        ),
        words=details.get("words", ""),
        stop_reason=run["stop_reason"],
        is_count=run["endpoint"] == Run.Endpoint.COUNT_TOKENS,
        counted_tokens=run["counted_tokens"],
        diagnosis=details.get("diagnosis"),
    )
