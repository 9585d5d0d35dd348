"""A session of a scripted agent, stored as the recorder stores runs: with bodies, messages and counts."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from playground.models import AgentSession, Run, RunContent
from playground.models.run import first_id_at
from playground.protocol import pricing
from playground.protocol.foreign_text import storable
from playground.recording.session_writer import add_run
from tests.sessions.scripted_agent import LONG, MARK, Agent, Session

if TYPE_CHECKING:
    from accounts.models import User
    from playground.sessions.steps import Step

BEGINNING = dt.datetime(2026, 11, 29, 14, 2, 10, tzinfo=dt.UTC)


class StoredSession(Session):
    """Stores each request when it is sent."""

    def __init__(self, owner: User, client_id: str = "5f0c2b7e-91d4") -> None:
        super().__init__()
        self.owner = owner
        self.client_id = client_id
        self.server.now = BEGINNING.timestamp()

    def send(self, body: dict[str, Any], answer: list[dict[str, Any]], **options: Any) -> Step:
        body = copy.deepcopy(body)
        step = super().send(body, answer, **options)
        took_ms = (step.ended_s - step.started_s) * 1_000
        started = dt.datetime.fromtimestamp(step.started_s, dt.UTC)
        message = {
            "type": "message", "role": "assistant", "model": step.model, "content": answer,
            "stop_reason": "tool_use" if step.calls else "end_turn",
        }  # fmt: skip
        usage = {
            "input_tokens": step.input_tokens or 0, "output_tokens": step.output_tokens or 0,
            "cache_creation_input_tokens": step.written_tokens or 0, "cache_read_input_tokens": step.read_tokens or 0,
        }  # fmt: skip
        is_told = step.is_answered and not step.is_count
        run = Run.objects.create(
            pk=first_id_at(started), owner=self.owner, started_at=started, source="relay",
            model=storable(step.model, 200),
            state=step.state, http_status=step.status, status_class=(step.status or 0) // 100,
            client_session=storable(self.client_id, 200), agent="claude-cli 2.1.0",
            user_agent="claude-cli/2.1.0", duration_ms=took_ms,
            first_token_ms=took_ms / 4, phases={"waiting": took_ms / 4, "thinking": took_ms / 4, "text": took_ms / 2},
            input_tokens=step.input_tokens, output_tokens=step.output_tokens, cache_write_tokens=step.written_tokens,
            cache_read_tokens=step.read_tokens, stop_reason=message["stop_reason"] if is_told else "",
            cost_usd=pricing.cost_usd(step.model, usage) if is_told else None, connection_name="Anthropic",
            access_key_name="laptop", endpoint="count_tokens" if step.is_count else "messages",
            counted_tokens=step.counted_tokens, failure_message="" if step.is_answered else "Too many requests",
            failure_detail=None if step.is_answered else {"type": "rate_limit_error"},
        )  # fmt: skip
        sent = json.dumps(body).encode()
        kept = message if is_told else None
        RunContent.objects.create(run=run, owner_id=self.owner.pk, request_body=sent, message=kept, size=len(sent))
        add_run(run, sent, kept)
        return step

    @property
    def stored(self) -> AgentSession:
        return AgentSession.objects.get(owner=self.owner, client_id=self.client_id)


def work(owner: User) -> StoredSession:
    """A main agent and a subagent, a retry, four kinds of misses, a compaction: about thirty steps."""
    session = StoredSession(owner)
    title = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "A short title"}]}
    session.send(title, [{"type": "text", "text": "Dates in invoices"}])
    main = Agent(session, "Dates in invoices shift by a day for customers west of Greenwich.")
    main.turns(4)
    prompt = "Find every caller of parse_date."
    call = {"description": "explore", "prompt": prompt, "subagent_type": "Explore"}
    main.ask([{"type": "tool_use", "id": "toolu_agent", "name": "Agent", "input": call}])
    sub = Agent(session, prompt)
    sub.system = [{"type": "text", "text": "You explore. " + LONG, **MARK}]
    sub.tools = sub.tools[:3]
    sub.turns(5)
    main.results("Nine callers; three pass a bare date.")
    main.turns(3)
    main.ask(status=429, took_s=0.4)
    main.ask()
    main.results("a line of the log that was read\n" * 2_000)
    main.turns(3)
    main.system[1]["text"] = "branch: dates\nStatus: M src/invoices/importer.py"
    main.turns(2)
    session.server.now += 400
    main.turns(2)
    main.tools.append({"name": "WebSearch", "description": "Searches.", "input_schema": {"type": "object"}})
    main.turns(2)
    summary = "This session goes on from an earlier one. Summary: the zone is given now."
    main.messages = [{"role": "user", "content": [{"type": "text", "text": summary}]}]
    main.turns(3)
    main.ask([{"type": "text", "text": "Done: dates keep the customer's zone; 341 tests pass."}])
    return session
