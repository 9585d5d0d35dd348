"""What fills the context, and which blocks cost most over their life."""

from __future__ import annotations

from playground.sessions.context import filled, heaviest
from playground.sessions.narration import words_of
from playground.sessions.steps import common_blocks, path_of
from tests.sessions.scripted_agent import Agent, Session


def grown() -> tuple[Session, Agent]:
    session = Session()
    agent = Agent(session)
    agent.turns(2)
    agent.ask()
    agent.results("a very long log " * 3_000)
    agent.turns(6)
    return session, agent


def test_the_parts_of_each_step_add_up_to_the_count_of_the_api() -> None:
    session, _ = grown()
    thread = session.threads().threads[0].steps
    for step, parts in zip(thread, filled(thread, session.blocks), strict=True):
        assert parts.is_scaled
        assert parts.total == step.total_tokens


def test_the_long_log_fills_the_tool_results() -> None:
    session, _ = grown()
    parts = filled(session.threads().threads[0].steps, session.blocks)
    assert parts[-1].parts["tool results"] > 0.7 * parts[-1].total
    assert parts[0].parts["tool results"] == 0


def test_the_heaviest_block_is_the_log_with_the_step_that_brought_it() -> None:
    session, _ = grown()
    thread = session.threads().threads[0].steps
    first = heaviest(thread, session.blocks)[0]
    assert first.block.kind == "tool_result"
    assert first.step == session.steps[3].id
    assert first.requests == 6
    assert first.cost_usd
    assert first.tokens > 8_000


def test_blocks_that_were_dropped_are_carried_no_further() -> None:
    session, agent = grown()
    agent.messages = agent.messages[:1]
    agent.turns(5)
    thread = session.threads().threads[0].steps
    log = next(each for each in heaviest(thread, session.blocks) if each.block.kind == "tool_result")
    assert log.requests == 6


def test_a_place_is_told_as_a_path_of_the_body() -> None:
    session, _ = grown()
    step = session.steps[2]
    assert path_of(1, step, session.blocks) == "tools[1]"
    assert path_of(4, step, session.blocks) == "system[0]"
    assert path_of(6, step, session.blocks) == "messages[0].content[0]"
    assert path_of(8, step, session.blocks) == "messages[1].content[1]"


def test_common_blocks_are_counted_from_the_start() -> None:
    one = b"".join(bytes([n] * 8) for n in range(100))
    for cut in (0, 1, 7, 50, 99):
        other = one[: cut * 8] + b"\xff" * 8 + one[cut * 8 + 8 :]
        assert common_blocks(one, other) == cut
    assert common_blocks(one, one[:80]) == 10


def test_a_step_is_told_in_words() -> None:
    session = Session()
    agent = Agent(session)
    read = agent.ask()
    agent.results()
    two = [
        {"type": "tool_use", "id": "a", "name": "Read", "input": {}},
        {"type": "tool_use", "id": "b", "name": "Grep", "input": {}},
    ]
    both = agent.ask(two)
    agent.results()
    text = agent.ask([{"type": "text", "text": "All done:\n318 tests pass."}])
    agent.results()
    refused = agent.ask(status=429)
    assert words_of(read) == "Read src/1.py"
    assert words_of(both) == "2 calls: Read, Grep"
    assert words_of(text) == "“All done: 318 tests pass.”"
    assert words_of(refused, error="rate_limit_error") == "Refused: 429, rate_limit_error"
