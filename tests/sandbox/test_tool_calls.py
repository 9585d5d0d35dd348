"""Tools that the sandbox calls: when, with what input, and what follows their results."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_server import CLOCK, WEATHER, Sandbox
from tests.sandbox.test_scenarios import SEARCH


async def test_a_tool_is_called_with_input_that_fits(sandbox: Sandbox) -> None:
    message = await sandbox.message("What is the weather in Lisbon?", "sandbox-tools", tools=[WEATHER])
    text, call = message["content"]
    assert message["stop_reason"] == "tool_use"
    assert (text["type"], call["name"]) == ("text", "get_weather")
    assert call["input"] == {"city": "Lisbon", "unit": "celsius"}


async def test_tools_are_called_in_parallel_unless_that_is_switched_off(sandbox: Sandbox) -> None:
    asked = "What is the weather in Lisbon and Oslo?"
    calls = _calls(await sandbox.message(asked, "sandbox-tools", tools=[WEATHER]))
    assert [call["input"]["city"] for call in calls] == ["Lisbon", "Oslo"]
    assert len({call["id"] for call in calls}) == 2
    one = {"type": "auto", "disable_parallel_tool_use": True}
    assert len(_calls(await sandbox.message(asked, "sandbox-tools", tools=[WEATHER], tool_choice=one))) == 1


AGENT_TOOLS = [
    {"name": name, "description": about, "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}}}
    for name, about in (
        ("Bash", "Runs a shell command and returns its output"),
        ("Read", "Reads a file from the disk"),
        ("Task", "Starts an agent that works on its own"),
        ("mcp__files__list_files", "Lists files"),
    )
]


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        ("hi", []),
        ("Read the file and run a shell command for this task", []),
        ("What is in the folder? List the files.", []),
        ("Please call Bash", ["Bash"]),
        ("Use the Read tool", ["Read"]),
        ("What does `Task` say?", ["Task"]),
        ("mcp__files__list_files, please", ["mcp__files__list_files"]),
        ("<system-reminder>You can use the Task tool and call Bash.</system-reminder>\nhi", []),
    ],
)
async def test_a_tool_is_called_when_the_text_names_it_and_not_else(
    sandbox: Sandbox, asked: str, called: list[str]
) -> None:
    assert [call["name"] for call in _calls(await sandbox.message(asked, tools=AGENT_TOOLS))] == called


async def test_an_agent_is_never_started_unasked(sandbox: Sandbox) -> None:
    calls = _calls(await sandbox.message("hi", "sandbox-tools", tools=AGENT_TOOLS))
    assert "Task" not in [call["name"] for call in calls]
    assert _calls(await sandbox.message("hi", "sandbox-tools", tools=[AGENT_TOOLS[2]])) == []


async def test_calls_that_nobody_asked_for_stop_after_a_few_rounds(sandbox: Sandbox) -> None:
    turns: list[Any] = [{"role": "user", "content": "hi"}]
    rounds = 0
    while rounds < 12:
        content = (await sandbox.message(turns, "sandbox-tools", tools=AGENT_TOOLS))["content"]
        calls = _calls({"content": content})
        if not calls:
            break
        rounds += 1
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "done"} for call in calls]
        turns += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
        turns += [{"role": "assistant", "content": "So it is."}, {"role": "user", "content": "and again"}]
    assert 1 <= rounds <= 3


async def test_the_table_is_about_what_was_asked_for(sandbox: Sandbox) -> None:
    text = await sandbox.text("Tell me a short story, then compare three planets in a table.")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [row.split("|")[1].strip() for row in rows] == ["Planet", ":--", "Venus", "Earth", "Mars"]
    assert "Sorting" not in text
    assert "Sorting, compared" in await sandbox.text("Compare sorting algorithms")


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in message["content"] if block["type"] == "tool_use"]


@pytest.mark.parametrize(
    ("model", "choice", "called"),
    [
        ("sandbox-stories", {"type": "auto"}, []),
        ("sandbox-tools", {"type": "auto"}, ["get_weather", "get_time"]),
        ("sandbox-tools", {"type": "none"}, []),
        ("sandbox-stories", {"type": "any"}, ["get_weather", "get_time"]),
        ("sandbox-stories", {"type": "tool", "name": "get_time"}, ["get_time"]),
    ],
)
async def test_tool_choice_is_obeyed(sandbox: Sandbox, model: str, choice: dict[str, Any], called: list[str]) -> None:
    message = await sandbox.message("Hm", model, tools=[WEATHER, CLOCK], tool_choice=choice)
    assert [call["name"] for call in _calls(message)] == called
    if choice["type"] in ("any", "tool"):
        assert all(block["type"] == "tool_use" for block in message["content"])


async def test_the_answer_goes_on_when_the_results_come(sandbox: Sandbox) -> None:
    asked = [{"role": "user", "content": "What is the weather in Lisbon and Oslo?"}]
    answer = (await sandbox.message(asked, "sandbox-tools", tools=[WEATHER]))["content"]
    lisbon, oslo = _calls({"content": answer})
    results = [
        {"type": "tool_result", "tool_use_id": lisbon["id"], "content": "21 °C, sunny"},
        {
            "type": "tool_result",
            "tool_use_id": oslo["id"],
            "content": [{"type": "text", "text": "lost"}],
            "is_error": True,
        },
    ]
    turns = [*asked, {"role": "assistant", "content": answer}, {"role": "user", "content": results}]
    message = await sandbox.message(turns, "sandbox-tools", tools=[WEATHER])
    assert message["stop_reason"] == "end_turn"
    assert "`get_weather` answered: 21 °C, sunny" in message["content"][0]["text"]
    assert "`get_weather` failed: lost" in message["content"][0]["text"]


async def test_a_forced_search_searches(sandbox: Sandbox) -> None:
    message = await sandbox.message("Tides", tools=[SEARCH], tool_choice={"type": "tool", "name": "web_search"})
    assert message["content"][1]["input"] == {"query": "Tides"}


async def test_deferred_tools_and_the_servers_own_are_not_called(sandbox: Sandbox) -> None:
    deferred = CLOCK | {"defer_loading": True}
    message = await sandbox.message("Hm", "sandbox-tools", tools=[WEATHER, deferred, SEARCH])
    assert [call["name"] for call in _calls(message)] == ["get_weather"]


async def test_tools_whose_schema_only_the_api_knows_are_called_sensibly(sandbox: Sandbox) -> None:
    message = await sandbox.message("Hm", "sandbox-tools", tools=[{"type": "bash_20250124", "name": "bash"}])
    assert _calls(message)[0]["input"] == {"command": "ls -la"}
