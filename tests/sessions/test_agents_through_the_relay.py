"""Scripted agents with the official client, through the real relay, to a model of the API and its prompt cache."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import anthropic
import pytest

from accounts.models import AccessKey, Connection, User
from playground.dispatch import process
from playground.models import AgentSession
from playground.models.run import first_id_at
from playground.recording.session_loading import load
from playground.sandbox.prompt_cache import PromptCache
from playground.session_log.page import SessionPage
from tests.sessions.scripted_agent import LONG, MARK, Agent, Session, tool
from tests.support.examples import one_of_each
from tests.support.upstream import KEY, Handler, Upstream

pytestmark = pytest.mark.django_db(transaction=True)
SESSION = "0190cafe-5f0c"
CLOCK_BEGINS = dt.datetime(2026, 11, 29, 14, 0, tzinfo=dt.UTC).timestamp()


class Api:
    """Answers with the counts of a prompt cache, by a clock that goes on five seconds with each run."""

    def __init__(self) -> None:
        self.now = CLOCK_BEGINS
        self.cache = PromptCache(lambda: self.now)
        self.refusals = 0
        self.replies: dict[str, list[dict[str, Any]]] = {}  # by the first text of the conversation, once
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.upstream = Upstream(self.answer)

    def next_id(self) -> UUID:
        with self._lock:
            self.now += 5
            at = dt.datetime.fromtimestamp(self.now, dt.UTC)
            return UUID(int=first_id_at(at).int + next(self._numbers))

    def forget(self) -> None:
        self.cache = PromptCache(lambda: self.now)

    def answer(self, handler: Handler) -> None:
        body = json.loads(handler.body)
        if handler.path.endswith("/count_tokens"):
            handler.send_json(200, {"input_tokens": 1_234})
            return
        with self._lock:
            if self.refusals:
                self.refusals -= 1
                error = {"type": "rate_limit_error", "message": "Too many requests"}
                handler.send_json(429, {"type": "error", "error": error})
                return
            usage = self.cache.use(body)
            number = next(self._numbers)
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "Read", "input": {"file_path": f"{number}.py"}}
        content = self.replies.pop(body["messages"][0]["content"][0]["text"], [{"type": "text", "text": "So"}, call])
        handler.send_json(200, {
            "id": f"msg_{number}", "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": "tool_use", "stop_sequence": None, "usage": usage.to_usage() | {"output_tokens": 20},
        })  # fmt: skip


class Relayed(Agent):
    """Sends what it would send with the official client, and names its session as Claude Code does."""

    def __init__(self, client: anthropic.Anthropic, prompt: str = "Fix the bug") -> None:
        super().__init__(Session(), prompt, "claude-sonnet-5-5")
        self.client: Any = client

    def ask(self, *_: Any, **__: Any) -> Any:
        self.send(self.body())

    def send(self, body: dict[str, Any]) -> None:
        metadata = {"user_id": f"user_0_account__session_{SESSION}"}
        answer = self.client.messages.create(**body, metadata=metadata)
        self.messages.append({"role": "assistant", "content": json.loads(answer.to_json())["content"]})


class Counting(Relayed):
    """Counts the tokens of each request before it is sent."""

    def send(self, body: dict[str, Any]) -> None:
        counted = {name: value for name, value in body.items() if name not in {"max_tokens", "metadata"}}
        self.client.messages.count_tokens(**counted, extra_headers={"x-claude-code-session-id": SESSION})
        super().send(body)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    monkeypatch.setattr("playground.engine.live_run.uuid7", api.next_id)
    yield api
    api.upstream.close()


@pytest.fixture
def client(live_url: str, owner: User, api: Api, settings: Any) -> Iterator[anthropic.Anthropic]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    address = f"http://127.0.0.1:{api.upstream.server_address[1]}/v1/"
    connection = Connection(owner=owner, name="model", base_url=address)
    connection.set_credential(KEY)
    connection.save()
    secret = AccessKey.objects.issue(owner=owner, connection=connection, name="laptop")[1]
    with anthropic.Anthropic(base_url=live_url, api_key=secret, max_retries=2) as client:
        yield client


@pytest.fixture
def page(served: Any) -> Callable[[], SessionPage]:
    def settled() -> SessionPage:
        served.server.call(lambda: process.current().recorder.settle())
        return SessionPage(load(AgentSession.objects.get()))

    return settled


def change_system(agent: Relayed, api: Api) -> None:
    agent.system[1]["text"] = "branch: dates"


def add_tool(agent: Relayed, api: Api) -> None:
    agent.tools.insert(2, tool("WebSearch"))


def change_model(agent: Relayed, api: Api) -> None:
    agent.model = "claude-opus-4-8"


def rewrite(agent: Relayed, api: Api) -> None:
    agent.messages[2]["content"][0]["content"] = "[old result cleared]"


def compact(agent: Relayed, api: Api) -> None:
    agent.messages = [{"role": "user", "content": [{"type": "text", "text": "Summary of what was: all well."}]}]


def think(agent: Relayed, api: Api) -> None:
    agent.extra = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    api.forget()


def choose_tool(agent: Relayed, api: Api) -> None:
    agent.extra = {"tool_choice": {"type": "any"}}
    api.forget()


def wait(agent: Relayed, api: Api) -> None:
    api.now += 400


def add_many_blocks(agent: Relayed, api: Api) -> None:
    agent.messages[-1]["content"] += [{"type": "text", "text": f"file {number}"} for number in range(30)]
    api.forget()


def lose_the_entry(agent: Relayed, api: Api) -> None:
    api.forget()


def drop_marks(agent: Relayed, api: Api) -> None:
    for block in agent.system:
        block.pop("cache_control", None)
    plain = agent.body()
    plain["messages"][-1]["content"][-1].pop("cache_control")
    agent.body = lambda: plain  # type: ignore[method-assign]


CAUSES = {
    change_system: ("system_changed", "system[1]", True),
    add_tool: ("tools_changed", "tools[2]", True),
    change_model: ("model_changed", "model", True),
    rewrite: ("messages_rewritten", "messages[2].content[0]", True),
    compact: ("compacted", "messages[0].content[0]", False),
    think: ("parameters_changed", "thinking", True),
    choose_tool: ("parameters_changed", "tool_choice", True),
    wait: ("ttl_expired", "", False),
    add_many_blocks: ("look_back", "", True),
    lose_the_entry: ("likely_server_side", "", False),
    drop_marks: ("marks_removed", "", True),
}


@pytest.mark.parametrize("change", one_of_each(CAUSES), ids=lambda change: change.__name__)
def test_each_cause_is_named_with_its_place(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage], change: Callable[[Relayed, Api], None]
) -> None:
    agent = Relayed(client)
    agent.turns(12)
    change(agent, api)
    agent.ask()
    found = page()
    assert [thread.name for thread in found.threads] == ["main"]
    assert [each.miss.cause for each in found.misses[:-1]] == ["first_request"]
    last = found.misses[-1]
    assert last.step_number == 13
    assert (last.miss.cause, last.miss.path, last.miss.is_avoidable) == CAUSES[change]


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", one_of_each([change_system, rewrite, compact, drop_marks]), ids=lambda change: change.__name__
)
def test_counts_before_each_request_change_no_cause_and_no_sum(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage], change: Callable[[Relayed, Api], None]
) -> None:
    agent = Counting(client)
    agent.turns(12)
    change(agent, api)
    agent.ask()
    found = page()
    assert [(thread.name, len(thread.steps)) for thread in found.threads] == [("main", 13), ("side calls", 13)]
    assert [each.miss.cause for each in found.misses] == ["first_request", CAUSES[change][0]]
    assert [row.words for row in found.rows if row.step.is_count] == ["Counted tokens: 1,234"] * 13
    sent = [row.step for row in found.rows if not row.step.is_count]
    assert (
        found.tokens["all"] == sum(step.total_tokens or 0 for step in sent) == found.loaded.session.total_input_tokens
    )
    assert found.tokens["output"] == 13 * 20
    assert found.cost_usd == pytest.approx(sum(step.cost_usd or 0.0 for step in sent))


def test_a_short_prompt_is_below_the_minimum(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage]
) -> None:
    agent = Relayed(client)
    agent.system, agent.tools = [{"type": "text", "text": "Be brief.", **MARK}], []
    agent.ask()
    assert [each.miss.cause for each in page().misses] == ["below_minimum"]


@pytest.mark.slow
def test_fifty_ordinary_turns_name_no_cause(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage]
) -> None:
    Relayed(client).turns(50)
    found = page()
    assert len(found.rows) == 50
    assert [each.miss.cause for each in found.misses] == ["first_request"]
    assert found.read_percent is not None
    assert found.read_percent > 80


def test_a_retry_after_429_is_joined_to_the_step_it_repeats(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage]
) -> None:
    agent = Relayed(client)
    agent.turns(2)
    api.refusals = 1
    agent.turns(2)
    found = page()
    assert [(row.step.status, row.retry_of) for row in found.rows] == [
        (200, None), (200, None), (429, None), (200, 3), (200, None),
    ]  # fmt: skip
    assert found.rows[2].words == "Refused: 429, rate_limit_error"
    assert (found.failed, found.retried) == (1, 1)
    assert [each.miss.cause for each in found.misses] == ["first_request"]


def test_a_subagent_in_parallel_has_a_lane_named_by_the_call_that_started_it(
    client: anthropic.Anthropic, api: Api, page: Callable[[], SessionPage]
) -> None:
    main, prompt = Relayed(client), "Find every caller of parse_date and list them."
    started = {"description": "explore", "prompt": prompt, "subagent_type": "Explore"}
    api.replies["Fix the bug"] = [{"type": "tool_use", "id": "toolu_a", "name": "Agent", "input": started}]
    main.turns(1)
    sub = Relayed(client, prompt)
    sub.system, sub.tools = [{"type": "text", "text": "You explore. " + LONG, **MARK}], sub.tools[:2]
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda agent: agent.turns(1), (main, sub)))
    found = page()
    assert [(thread.name, len(thread.steps)) for thread in found.threads] == [("main", 4), ("explore", 3)]
    assert found.threads[1].started_by == found.rows[0].step.id
    assert [each.miss.cause for each in found.misses] == ["first_request", "first_request"]
