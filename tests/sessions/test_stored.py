"""Runs find their session when they are stored, whatever the order in which they end; nothing of it reads bodies."""

from __future__ import annotations

import copy
import datetime as dt
import io
import itertools
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from playground.models import AgentSession, Run, RunContent, RunDigest, SessionBlock
from playground.models.run import first_id_at, started_at_of
from playground.recording import retention
from playground.recording.session_loading import load
from playground.recording.session_upkeep import fill_in, runs_without_digest
from playground.recording.session_writer import add_run
from tests.sessions.scripted_agent import Agent, Session

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db


def stored(owner: User, bodies: list[dict[str, Any]], order: list[int] | None = None, client_id: str = "") -> list[Run]:
    """Runs a minute apart, put into sessions in the given order."""
    beginning = started_at_of(Run().pk).timestamp()
    runs = []
    for number, body in enumerate(bodies):
        started = dt.datetime.fromtimestamp(beginning + number, dt.UTC)
        runs.append(
            Run.objects.create(
                pk=first_id_at(started), owner=owner, started_at=started, state="completed", http_status=200,
                source="relay", model=body["model"], client_session=client_id, duration_ms=500.0, input_tokens=10,
                cache_write_tokens=100, cache_read_tokens=0, output_tokens=5,
            )
        )  # fmt: skip
    for number in order or range(len(bodies)):
        add_run(runs[number], json.dumps(bodies[number]).encode(), {"content": [{"type": "text", "text": "ok"}]})
    return runs


def conversation(turns: int, prompt: str = "Fix the bug") -> list[dict[str, Any]]:
    agent = Agent(Session(), prompt)
    bodies = []
    for _ in range(turns):
        bodies.append(copy.deepcopy(agent.body()))
        agent.turns(1)
    return bodies


def test_requests_with_one_client_id_are_one_session(owner: User) -> None:
    stored(owner, [*conversation(2), *conversation(1, "Something else")], client_id="abc-123")
    session = AgentSession.objects.get()
    assert (session.client_id, session.request_count, session.title) == ("abc-123", 3, "Fix the bug")
    assert session.written_tokens == 300


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_requests_that_go_on_from_one_another_are_one_session_in_any_order(owner: User, order: tuple[int, ...]) -> None:
    stored(owner, conversation(4), list(order))
    session = AgentSession.objects.get()
    assert session.request_count == 4
    assert session.title == "Fix the bug"


def test_two_conversations_are_two_sessions(owner: User) -> None:
    stored(owner, [*conversation(2), *conversation(2, "Write a poem")])
    assert sorted(AgentSession.objects.values_list("title", "request_count")) == [
        ("Fix the bug", 2),
        ("Write a poem", 2),
    ]


def aider(turns: int) -> list[dict[str, Any]]:
    """Requests as aider 0.86 sends them: examples first, the files in the chat and the newest words at the end, no
    session id, no tools and, for a model whose caching it does not know, no marks."""
    system = [{"type": "text", "text": "Act as an expert software developer."}]

    def said(*texts: str) -> list[dict[str, Any]]:
        roles = itertools.cycle(["user", "assistant"])
        return [
            {"role": role, "content": [{"type": "text", "text": text}]}
            for role, text in zip(roles, texts, strict=False)
        ]

    examples = said("Change the greeting", "Ok, I will: 1. Switch", "I switched to a new code base.", "Ok.")
    files = said("I have *added these files to the chat*", "Ok, any changes I propose will be to those files.")
    done: list[dict[str, Any]] = []
    bodies = []
    for number in range(turns):
        asked = f"Fix number {number}"
        newest = said(f"{asked}\n\nTo suggest changes to a file you MUST return the entire content.")
        bodies.append({"model": "m", "system": system, "messages": [*examples, *done, *files, *newest]})
        done += said(asked, "Done.", "I updated the files.", "Ok.")
    return bodies


def test_requests_of_aider_are_one_session_though_files_move_to_the_end(owner: User) -> None:
    runs = stored(owner, aider(4))
    session = AgentSession.objects.get()
    assert session.request_count == 4
    assert session.title == "Fix number 0"
    loaded = load(session)
    assert [thread.name for thread in loaded.threads.threads] == ["main"]
    assert all(loaded.threads.places[str(run.pk)].is_rewritten for run in runs[1:])


def opencode(asked: str, *, title_first: bool) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Requests as opencode 1.18 sends them, with their answers: no session id, a side call for the title that holds the
    same words, a subagent that gets the prompt of a call."""
    title = {"model": "m", "system": "You name conversations.", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "Generate a title for this conversation:"}, {"type": "text", "text": asked},
    ]}]}  # fmt: skip
    call = {"type": "tool_use", "id": "t1", "name": "task", "input": {
        "description": "find callers", "prompt": f"Find callers. {asked}", "subagent_type": "general",
    }}  # fmt: skip
    read = {"type": "tool_use", "id": "t2", "name": "read", "input": {"filePath": "dates.py"}}

    def turns(first: str, tools: int, *more: dict[str, Any]) -> dict[str, Any]:
        named = [{"name": f"tool_{number}", "input_schema": {"type": "object"}} for number in range(tools)]
        said = [{"role": "user", "content": [{"type": "text", "text": first}]}]
        for block in more:
            result = {"type": "tool_result", "tool_use_id": block["id"], "content": f"result of {block['id']}"}
            said += [{"role": "assistant", "content": [block]}, {"role": "user", "content": [result]}]
        return {"model": "m", "system": "You code.", "tools": named, "messages": said}

    named = (title, [{"type": "text", "text": "Dates"}])
    began = (turns(asked, 9), [call])
    return [
        *([named, began] if title_first else [began, named]),
        (turns(call["input"]["prompt"], 7), [read]),
        (turns(call["input"]["prompt"], 7, read), [{"type": "text", "text": "None."}]),
        (turns(asked, 9, call), [read]),
        (turns(asked, 9, call, read), [{"type": "text", "text": "It parses nothing."}]),
    ]


@pytest.mark.parametrize("title_first", [True, False])
def test_requests_of_opencode_are_one_session_with_its_title_and_its_subagent(owner: User, title_first: bool) -> None:
    for word in ("dates", "zones"):
        for body, answer in opencode(f"What is wrong with the {word}?", title_first=title_first):
            started = started_at_of(Run().pk)
            run = Run.objects.create(
                pk=Run().pk, owner=owner, started_at=started, state="completed", http_status=200, source="relay",
                model="m", agent="opencode 1.18", duration_ms=1.0,
            )  # fmt: skip
            add_run(run, body, {"content": answer})
    sessions = AgentSession.objects.order_by("pk")
    assert [session.request_count for session in sessions] == [6, 6]
    assert [session.title for session in sessions] == ["What is wrong with the dates?", "What is wrong with the zones?"]
    for session in sessions:
        threads = load(session).threads.threads
        assert sorted((thread.name, len(thread.steps)) for thread in threads) == [
            ("find callers", 2), ("main", 3), ("side calls", 1),
        ]  # fmt: skip


def test_questions_behind_the_same_examples_are_sessions_of_their_own(owner: User) -> None:
    first = aider(1)[0]
    other = copy.deepcopy(first)
    other["messages"] = [*other["messages"][:4], {"role": "user", "content": "Something else"}]
    stored(owner, [first, other])
    assert AgentSession.objects.count() == 2


def test_another_owner_never_shares_a_session(owner: User, stranger: User) -> None:
    stored(owner, conversation(2), client_id="same")
    stored(stranger, conversation(2), client_id="same")
    assert AgentSession.objects.count() == 2


def test_each_block_is_stored_once(owner: User) -> None:
    bodies = conversation(12)
    stored(owner, bodies)
    last = RunDigest.objects.order_by("-run").first()
    assert last is not None
    assert SessionBlock.objects.count() == len(last.hashes) // 8


def test_what_was_stored_loads_as_the_steps_that_were_sent(owner: User) -> None:
    runs = stored(owner, conversation(6))
    loaded = load(AgentSession.objects.get())
    assert [step.id for step in loaded.steps] == [str(run.pk) for run in runs]
    assert [thread.name for thread in loaded.threads.threads] == ["main"]
    parents = [loaded.threads.places[step.id].parent for step in loaded.steps]
    assert parents == ["", *[str(run.pk) for run in runs[:-1]]]


def test_loading_asks_two_questions(owner: User, django_assert_num_queries: Any) -> None:
    stored(owner, conversation(8))
    session = AgentSession.objects.get()
    with django_assert_num_queries(2):
        _ = load(session).misses


def test_a_body_that_is_no_object_joins_no_session(owner: User) -> None:
    run = stored(owner, conversation(1))[0]
    RunDigest.objects.all().delete()
    for body in (b"[1]", b"nonsense", b"", b'{"messages": 3}', b"\xff"):
        assert add_run(run, body, None) is None


def test_odd_bodies_never_raise(owner: User) -> None:
    chance = random.Random(7)
    odd: list[Any] = [None, 1, "x", [], {}, [1], [{}], {"type": []}, [[]], "\ud800\x00", 1e308]
    for number in range(200):
        body = {
            name: chance.choice(odd)
            for name in ("tools", "system", "messages", "thinking", "cache_control", "metadata")
        }
        body["messages"] = [{"role": chance.choice(odd), "content": chance.choice(odd)}, chance.choice(odd)]
        run = Run.objects.create(owner=owner, started_at=started_at_of(Run().pk), state="failed", source="relay")
        add_run(run, json.dumps(body).encode(), {"content": chance.choice(odd), "usage": chance.choice(odd)})
        assert RunDigest.objects.count() <= number + 1
    for session in AgentSession.objects.all():
        _ = load(session).misses


def test_older_runs_are_filled_in_behind(owner: User) -> None:
    runs = stored(owner, conversation(3))
    bodies = conversation(3)
    AgentSession.objects.all().delete()
    for run, body in zip(runs, bodies, strict=True):
        RunContent.objects.create(run=run, owner_id=owner.pk, request_body=json.dumps(body).encode())
    assert runs_without_digest(owner.pk).count() == 3
    looked_at, before = fill_in(2)
    assert looked_at == 2
    assert fill_in(2, before=before)[0] == 1
    assert runs_without_digest(owner.pk).count() == 0
    assert AgentSession.objects.get().request_count == 3


def test_a_run_that_cannot_be_sorted_is_not_waited_for_for_ever(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    [run] = stored(owner, conversation(1))
    AgentSession.objects.all().delete()
    RunContent.objects.create(run=run, owner_id=owner.pk, request_body=b"{}")

    def fails(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr("playground.recording.session_upkeep.add_run", fails)
    assert fill_in(5)[0] == 1
    assert runs_without_digest(owner.pk).count() == 0


def test_a_body_without_blocks_is_looked_at_once(owner: User) -> None:
    runs = stored(owner, conversation(2))
    AgentSession.objects.all().delete()
    for run, body in zip(runs, (b"nonsense", b'{"messages": 3}'), strict=True):
        RunContent.objects.create(run=run, owner_id=owner.pk, request_body=body)
    out = io.StringIO()
    call_command("sort_sessions", stdout=out)
    assert "Sorted 2 requests" in out.getvalue()
    assert runs_without_digest().count() == 0
    assert not AgentSession.objects.exists()


def test_a_deleted_run_leaves_its_session_with_right_figures(owner: User) -> None:
    runs = stored(owner, conversation(4), client_id="abc")
    retention.delete_runs([runs[-1].pk, runs[0].pk])
    session = AgentSession.objects.get()
    assert (session.request_count, session.written_tokens, session.input_tokens) == (2, 200, 20)
    assert (session.first_run_id, session.last_run_id) == (runs[1].pk, runs[2].pk)
    held = set().union(*(hashes_of(digest) for digest in RunDigest.objects.all()))
    assert {bytes(block.hash) for block in SessionBlock.objects.all()} == held


def hashes_of(digest: RunDigest) -> set[bytes]:
    hashes = bytes(digest.hashes)
    return {hashes[at : at + 8] for at in range(0, len(hashes), 8)}


def test_a_session_goes_with_the_last_of_its_runs(owner: User) -> None:
    runs = stored(owner, conversation(3))
    retention.delete_runs([run.pk for run in runs])
    assert not AgentSession.objects.exists()
    assert not SessionBlock.objects.exists()


def test_words_go_with_the_content_and_figures_stay(owner: User) -> None:
    runs = stored(owner, conversation(3))
    for run in runs:
        RunContent.objects.create(run=run, owner_id=owner.pk, request_body=b"{}")
    retention.remove_content([runs[0].pk])
    assert AgentSession.objects.get().title == "Fix the bug"
    assert "words" not in RunDigest.objects.get(pk=runs[0].pk).details
    retention.remove_content([run.pk for run in runs])
    session = AgentSession.objects.get()
    assert (session.title, session.request_count) == ("", 3)
    assert set(SessionBlock.objects.exclude(section="tools").values_list("label", flat=True)) == {""}
