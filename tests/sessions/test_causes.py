"""Each cause of a cache miss, provoked once and named with its place; and no cause where nothing went wrong."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.sessions.causes import Miss, misses_of, ttl_plans
from playground.sessions.threads import threads_of
from tests.sessions.scripted_agent import LONG, MARK, Agent, Session, tool
from tests.support.examples import examples


def worked(turns: int = 4) -> tuple[Session, Agent]:
    session = Session()
    agent = Agent(session)
    agent.turns(turns)
    return session, agent


def newest(session: Session) -> Miss:
    misses = session.misses()
    assert misses, "no miss was named"
    assert misses[-1].step == session.steps[-1].id
    return misses[-1]


def test_fifty_ordinary_turns_have_no_cause_but_the_first_request() -> None:
    session, _ = worked(50)
    assert session.causes() == ["first_request"]
    assert sum(miss.cost_usd or 0 for miss in session.misses()) == 0


def test_a_string_that_becomes_a_marked_block_is_no_change() -> None:
    session = Session()
    agent = Agent(session)
    plain = agent.body() | {
        "messages": [{"role": "user", "content": "Hello " * 400}],
        "cache_control": {"type": "ephemeral"},
    }
    session.send(plain, [{"type": "text", "text": "Hi"}])
    marked = agent.body() | {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hello " * 400}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "user", "content": [{"type": "text", "text": "And now?", **MARK}]},
        ]
    }
    session.send(marked, [{"type": "text", "text": "Well"}])
    threads = session.threads()
    assert len(threads.threads) == 1
    assert not threads.places[session.steps[1].id].is_rewritten


def test_a_changed_system_prompt_is_named_with_its_block() -> None:
    session, agent = worked()
    agent.system[1]["text"] = "branch: dates"
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.path, miss.before, miss.after) == (
        "system_changed", "system[1]", "branch: main", "branch: dates",
    )  # fmt: skip
    assert miss.lost_tokens > 0
    assert miss.cost_usd
    assert miss.is_avoidable


def test_an_added_tool_is_named_with_its_place() -> None:
    session, agent = worked()
    agent.tools.insert(2, tool("WebSearch"))
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.path, miss.before, miss.after) == ("tools_changed", "tools[2]", "Bash", "WebSearch")


def test_a_removed_last_tool_is_a_change_of_tools_too() -> None:
    session, agent = worked()
    del agent.tools[-1]
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.path, miss.before, miss.after) == ("tools_changed", "tools[3]", "Agent", "nothing")


def test_another_model_is_named_before_all_that_changed_with_it() -> None:
    session, agent = worked()
    agent.model = "claude-opus-4-8"
    agent.system[1]["text"] = "branch: dates"
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.before, miss.after) == ("model_changed", "claude-sonnet-4-5", "claude-opus-4-8")


def test_an_edited_message_is_named_with_its_place() -> None:
    session, agent = worked()
    agent.messages[2]["content"][0]["content"] = "[old result cleared]"
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.path) == ("messages_rewritten", "messages[2].content[0]")
    assert miss.is_avoidable


def test_a_compaction_is_expected_and_costs_nothing() -> None:
    session, agent = worked(12)
    agent.messages = [
        {"role": "user", "content": [{"type": "text", "text": "This session goes on. Summary: all well."}]}
    ]
    agent.ask()
    threads = session.threads()
    assert [thread.name for thread in threads.threads] == ["main"]
    assert threads.places[session.steps[-1].id].is_compacted
    assert [miss for miss in session.misses() if miss.is_avoidable] == []
    assert sum(miss.cost_usd or 0 for miss in session.misses()) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("tool_choice", {"type": "any"}), ("thinking", {"type": "enabled", "budget_tokens": 2048}), ("speed", "fast")],
)
def test_parameters_that_count_are_named(name: str, value: object) -> None:
    session, agent = worked()
    agent.extra = {name: value}
    session.server.forget_everything()
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.path, miss.before) == ("parameters_changed", name, "not set")


def test_another_beta_header_is_named() -> None:
    session, agent = worked()
    session.server.forget_everything()
    agent.ask(betas="context-1m-2025-08-07")
    assert newest(session).path == "anthropic-beta"


def test_an_image_that_comes_in_is_named() -> None:
    session, agent = worked()
    source = {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}
    agent.messages[-1]["content"].append({"type": "image", "source": source})
    session.server.forget_everything()
    agent.ask()
    assert (newest(session).cause, newest(session).after) == ("parameters_changed", "an image")


@pytest.mark.parametrize(("ttl", "gap_s"), [("5m", 400.0), ("1h", 4_000.0)])
def test_an_expired_entry_is_told_with_its_ttl(ttl: str, gap_s: float) -> None:
    session = Session()
    agent = Agent(session)
    agent.ttl = {"ttl": ttl}
    agent.system[1]["cache_control"] = {"type": "ephemeral", "ttl": ttl}
    agent.turns(3)
    session.server.now += gap_s
    agent.ask()
    miss = newest(session)
    assert (miss.cause, miss.ttl) == ("ttl_expired", ttl)


def test_an_expired_entry_is_avoidable_only_where_a_longer_ttl_would_have_paid() -> None:
    session, agent = worked(2)
    session.server.now += 400
    agent.turns(40)
    assert not next(miss for miss in session.misses() if miss.cause == "ttl_expired").is_avoidable
    session, agent = worked(2)
    for _ in range(6):
        session.server.now += 400
        agent.turns(1)
    expired = [miss for miss in session.misses() if miss.cause == "ttl_expired"]
    assert len(expired) == 6
    assert all(miss.is_avoidable for miss in expired)
    assert ttl_plans(expired, {step.id: step for step in session.steps})[0].name.startswith("1 hour")


def test_a_short_prompt_is_below_the_minimum() -> None:
    session = Session()
    agent = Agent(session)
    agent.system, agent.tools = [{"type": "text", "text": "Be brief.", **MARK}], [tool("Read")]
    agent.ask()
    assert session.causes() == ["below_minimum"]


def test_more_blocks_than_a_read_looks_back_are_named() -> None:
    session, agent = worked(3)
    agent.ask()
    agent.messages.append({"role": "user", "content": [{"type": "text", "text": f"file {n}"} for n in range(30)]})
    session.server.forget_everything()
    agent.ask()
    assert newest(session).cause == "look_back"


def test_marks_that_are_gone_are_named() -> None:
    session, agent = worked()
    body = agent.body()
    for block in (*body["system"], *body["messages"][-1]["content"]):
        block.pop("cache_control", None)
    session.send(body, [{"type": "text", "text": "ok"}])
    assert newest(session).cause == "marks_removed"


def test_the_same_content_within_the_ttl_is_likely_the_servers_doing() -> None:
    session, agent = worked()
    session.server.forget_everything()
    agent.ask()
    miss = newest(session)
    assert miss.cause == "likely_server_side"
    assert not miss.is_avoidable


def test_without_the_requests_the_cause_is_unknown_unless_the_api_tells() -> None:
    session, agent = worked()
    session.server.forget_everything()
    agent.ask(has_digest=False)
    assert newest(session).cause == "unknown"
    reason = {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 900}}
    session, agent = worked()
    session.server.forget_everything()
    agent.ask(has_digest=False, diagnosis=reason)
    assert newest(session).cause == "tools_changed"
    assert newest(session).api_reason == "tools_changed"


def test_a_server_that_tells_no_counts_has_no_misses() -> None:
    session, _ = worked(5)
    silent = [dataclasses.replace(step, read_tokens=None, written_tokens=None) for step in session.steps]
    assert misses_of(threads_of(silent), session.blocks) == []


def test_a_retry_belongs_to_the_step_it_repeats_and_is_no_miss() -> None:
    session, agent = worked()
    refused = agent.ask(status=429)
    agent.ask()
    threads = session.threads()
    assert threads.places[session.steps[-1].id].retry_of == refused.id
    assert session.causes() == ["first_request"]


def test_a_subagent_in_parallel_has_a_thread_of_its_own_named_by_the_call() -> None:
    session = Session()
    main = Agent(session)
    prompt = "Find every caller of parse_date and list them."
    call = {
        "type": "tool_use", "id": "toolu_x", "name": "Agent",
        "input": {"description": "explore", "prompt": prompt, "subagent_type": "Explore"},
    }  # fmt: skip
    other = {"type": "tool_use", "id": "toolu_y", "name": "WebFetch", "input": {"url": "u", "prompt": prompt}}
    main.ask([call, other])
    sub = Agent(session, prompt)
    sub.system = [{"type": "text", "text": "You explore. " + LONG, **MARK}]
    sub.tools = sub.tools[:2]
    sub.turns(3)
    main.results()
    main.turns(3)
    sub.turns(2)
    threads = session.threads()
    assert [(thread.name, len(thread.steps)) for thread in threads.threads] == [("main", 4), ("explore", 5)]
    assert threads.threads[1].started_by == session.steps[0].id
    assert session.causes() == ["first_request", "first_request"]


def test_two_subagents_of_one_kind_after_each_other_are_two_threads() -> None:
    session = Session()
    main = Agent(session)
    for number in range(2):
        prompt = f"Task number {number}: look at the files."
        main.ask(
            [
                {
                    "type": "tool_use",
                    "id": f"a{number}",
                    "name": "Agent",
                    "input": {"description": "look", "prompt": prompt},
                }
            ]
        )
        sub = Agent(session, prompt)
        sub.system = [{"type": "text", "text": "You explore. " + LONG, **MARK}]
        sub.turns(6)
        main.results()
    assert [thread.name for thread in session.threads().threads] == ["main", "look", "look 2"]


def test_titles_and_token_counts_are_side_calls() -> None:
    session = Session()
    title = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Fix the bug"}]}
    session.send(title, [{"type": "text", "text": "Bug fix"}])
    agent = Agent(session)
    agent.turns(2)
    session.send(agent.body(), [], is_count=True)
    agent.turns(2)
    threads = session.threads()
    assert sorted(thread.name for thread in threads.threads) == ["main", "side calls"]
    main = next(thread for thread in threads.threads if thread.name == "main")
    assert len(main.steps) == 4


@examples(30)
@given(st.randoms(use_true_random=False), st.integers(2, 12))
def test_parent_and_cause_do_not_depend_on_the_order_in_which_runs_end(chance: random.Random, turns: int) -> None:
    session, agent = worked(turns)
    agent.system[1]["text"] = "branch: other"
    agent.turns(2)
    expected = session.misses(), session.threads().places
    chance.shuffle(session.steps)
    assert (session.misses(), session.threads().places) == expected
