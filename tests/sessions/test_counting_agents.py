"""An agent that counts before each request: the session is the one that it would be without, counts beside it."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from playground.export import run_files
from playground.models import AgentSession, Run, RunDigest
from playground.recording import retention
from playground.recording.session_import import import_session
from playground.recording.session_loading import load
from playground.recording.session_upkeep import fill_in_all
from playground.recording.session_writer import add_run
from playground.session_log.charts import agents, drawn
from playground.session_log.page import SessionPage
from playground.session_log.shared_session import detail_of, page_of
from playground.sessions.causes import misses_of
from playground.sessions.context import filled, heaviest
from playground.sessions.narration import words_of
from playground.sessions.steps import Step
from playground.sessions.threads import Place, threads_of
from playground.sharing.session_copy import of_session
from tests.sessions.scripted_agent import Agent, Session
from tests.sessions.stored import StoredSession
from tests.support.examples import examples
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User


class Counting(Agent):
    """Asks how many tokens a body has before it sends it."""

    status = 200

    def ask(self, *arguments: Any, **options: Any) -> Step:
        self.session.send(
            {name: value for name, value in self.body().items() if name != "max_tokens"}, [], is_count=True,
            counted_tokens=1_234 if self.status == 200 else None, status=self.status, took_s=0.1, wait_s=0.1,
        )  # fmt: skip
        return super().ask(*arguments, **options)


def busy(session: Session, agent: Agent) -> None:
    """A title, a subagent, a retry, a change of the system prompt, an edit and a compaction."""
    title = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "A title"}]}
    session.send(title, [{"type": "text", "text": "Dates"}])
    agent.turns(3)
    call = {"description": "explore", "prompt": "Find all callers.", "subagent_type": "Explore"}
    agent.ask([{"type": "tool_use", "id": "toolu_a", "name": "Agent", "input": call}])
    sub = type(agent)(session, "Find all callers.")
    sub.tools = sub.tools[:3]
    sub.turns(3)
    agent.results("Nine.")
    agent.turns(2)
    agent.ask(status=429)
    agent.turns(1)
    agent.system[1]["text"] = "branch: dates"
    agent.turns(2)
    agent.messages[4]["content"] = [{"type": "text", "text": "something else"}]
    agent.turns(2)
    agent.messages = [{"role": "user", "content": [{"type": "text", "text": "This goes on. Summary: done."}]}]
    agent.turns(2)


def counted() -> Session:
    session = Session()
    busy(session, Counting(session))
    return session


def without_counts(session: Session) -> Session:
    return Session(session.server, [step for step in session.steps if not step.is_count], session.blocks)


def told(session: Session) -> dict[str, Any]:
    """Everything of a session that a page tells of its messages; threads by their names."""
    threads = session.threads()
    names = [thread.name for thread in threads.threads]
    places = {}
    for step in session.steps:
        place = threads.places[step.id]
        places[step.id] = (names[place.thread], place.parent, place.shared, place.is_rewritten, place.is_compacted,
                           place.retry_of)  # fmt: skip
    return {
        "places": {step.id: places[step.id] for step in session.steps if not step.is_count},
        "misses": misses_of(threads, session.blocks),
        "context": {
            thread.name: (filled(thread.steps, session.blocks), heaviest(thread.steps, session.blocks))
            for thread in threads.threads
            if not thread.is_side
        },
        "starts": {thread.name: thread.started_by for thread in threads.threads if not thread.is_side},
    }


def test_threads_parents_causes_and_context_are_those_without_counts() -> None:
    session = counted()
    assert sum(step.is_count for step in session.steps) > 10
    assert told(session) == told(without_counts(session))


@pytest.mark.slow
@examples(40)
@given(st.randoms(use_true_random=False), st.sampled_from(["counts", "refused", "only in parts"]))
def test_the_order_in_which_runs_end_does_not_matter_with_counts(chance: random.Random, how: str) -> None:
    session = Session()
    agent = Counting(session)
    agent.status = 404 if how == "refused" else 200
    busy(session, agent)
    if how == "only in parts":
        session.steps = [step for step in session.steps if not step.is_count or chance.random() < 0.5]
    expected = told(session), session.threads().places
    chance.shuffle(session.steps)
    assert (told(session), session.threads().places) == expected
    assert told(session) == told(without_counts(session))


def test_a_count_is_a_side_call_and_has_no_parent() -> None:
    session = counted()
    threads = session.threads()
    for step in session.steps:
        if step.is_count:
            assert threads.of(step).is_side
            assert threads.places[step.id] == Place(threads.places[step.id].thread)
    side = next(thread for thread in threads.threads if thread.is_side)
    assert [step.id for step in side.steps] == sorted(step.id for step in side.steps)


def test_counts_alone_are_one_thread_of_side_calls() -> None:
    session = Session()
    for _ in range(3):
        session.send(Agent(session).body(), [], is_count=True)
    assert [(thread.name, thread.is_side) for thread in session.threads().threads] == [("side calls", True)]
    assert session.causes() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"counted_tokens": 1_234}, "Counted tokens: 1,234"),
        ({}, "Counted tokens"),
        ({"state": "failed", "status": 404}, "Token count refused: 404, not_found_error"),
        ({"state": "cancelled", "status": None}, "Token count cancelled, not_found_error"),
        ({"state": "running", "status": None}, "Counting tokens"),
    ],
)
def test_a_count_is_told_in_words(changes: dict[str, Any], words: str) -> None:
    step = Step("1", 0.0, 1.0, "m", is_count=True, **changes)
    assert words_of(step, error="not_found_error") == words


@pytest.fixture
def pair(owner: User) -> tuple[SessionPage, SessionPage]:
    """The page of a stored session with counts, and of the same one without."""
    pages = []
    for kind in (Counting, Agent):
        session = StoredSession(owner, kind.__name__)
        session.server.now += 86_400 * len(pages)
        busy(session, kind(session))
        pages.append(SessionPage(load(session.stored)))
    return pages[0], pages[1]


@pytest.mark.django_db
def test_no_figure_of_a_session_holds_a_count(pair: tuple[SessionPage, SessionPage]) -> None:
    with_counts, without = pair
    for name in ("failed", "retried", "tokens", "has_counts", "read_percent", "cost_usd", "avoidable_usd", "causes"):
        assert getattr(with_counts, name) == getattr(without, name), name
    one, other = with_counts.loaded.session, without.loaded.session
    for name in ("input_tokens", "written_tokens", "read_tokens", "output_tokens", "cost_usd", "failed_count", "title"):
        assert getattr(one, name) == getattr(other, name), name
    counts = sum(row.step.is_count for row in with_counts.rows)
    assert (one.request_count, len(with_counts.rows)) == (other.request_count + counts, len(without.rows) + counts)
    for (_, context, cache), (_, theirs, their_cache) in zip(agents(with_counts), agents(without), strict=True):
        assert [mark.parts for mark in context.marks] == [mark.parts for mark in theirs.marks]
        assert [mark.parts for mark in cache.marks] == [mark.parts for mark in their_cache.marks]
    assert drawn(with_counts)["timeline"]


@pytest.mark.django_db
def test_deleting_a_message_sums_up_again_without_the_counts(owner: User) -> None:
    session = StoredSession(owner)
    agent = Counting(session)
    agent.status = 404
    agent.turns(3)
    before = session.stored
    assert (before.request_count, before.failed_count) == (6, 0)
    last = Run.objects.filter(endpoint="messages").latest("pk")
    retention.delete_runs([last.pk])
    after = session.stored
    assert (after.request_count, after.failed_count) == (5, 0)
    assert after.output_tokens == before.output_tokens - last.output_tokens


def run_of(owner: User, body: dict[str, Any], endpoint: str) -> Run:
    run = Run(owner=owner, source="relay", state="completed", http_status=200, endpoint=endpoint, model="m")
    run.started_at = "2026-11-29T12:00:00Z"
    run.save()
    return run


@pytest.mark.django_db
@pytest.mark.parametrize("tools", [True, False])
@pytest.mark.parametrize("chance", [random.Random(number) for number in range(6)])
def test_a_title_comes_from_no_count_whatever_ends_first(owner: User, chance: random.Random, tools: bool) -> None:
    def body(*said: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": text} for text in said]
        return {"model": "m", "messages": messages, **({"tools": [{"name": "Read"}]} if tools else {})}

    sent = [
        (body("Counted words"), "count_tokens"), (body("First words"), "messages"),
        (body("First words", "more"), "count_tokens"), (body("Other words"), "messages"),
    ]  # fmt: skip
    runs = [(run_of(owner, each, endpoint), each) for each, endpoint in sent]
    for run, _ in runs:
        run.client_session = "one"
    chance.shuffle(runs)
    for run, each in runs:
        add_run(run, json.dumps(each).encode(), None)
    assert AgentSession.objects.get().title == "First words"


@pytest.mark.django_db
@pytest.mark.parametrize("count_first", [True, False])
def test_a_count_of_a_client_without_ids_joins_the_session_that_it_repeats(owner: User, count_first: bool) -> None:
    agent = Agent(Session())
    bodies = []
    for _ in range(3):
        bodies.append(copy.deepcopy(agent.body()))
        agent.turns(1)
    for body in bodies:
        order = ["count_tokens", "messages"] if count_first else ["messages", "count_tokens"]
        for endpoint in order:
            add_run(run_of(owner, body, endpoint), json.dumps(body).encode(), None)
    session = AgentSession.objects.get()
    assert (session.request_count, session.title) == (6, "Fix the bug")
    assert RunDigest.objects.filter(session=session).count() == 6
    names = {thread.name: len(thread.steps) for thread in threads_of(load(session).steps).threads}
    assert names == {"main": 3, "side calls": 3}


@pytest.fixture
def reader(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def step_page(reader: Client, session: AgentSession, number: int) -> str:
    return markup(reader.get(reverse("session-step", args=[session.pk, number])))


@pytest.mark.django_db
def test_the_page_of_a_session_tells_counts_in_words(reader: Client, owner: User) -> None:
    session = StoredSession(owner)
    agent = Counting(session)
    agent.turns(2)
    agent.status = 404
    agent.turns(1)
    page = markup(reader.get(reverse("session", args=[session.stored.pk])))
    assert page.count("Counted tokens: 1,234") == 4, "two rows, and two marks of the timeline"
    assert "Token count refused: 404, rate_limit_error" in page
    assert "side calls" in page
    assert "6 <small>3 token counts</small>" in page
    second = step_page(reader, session.stored, 3)
    assert "2 messages before it, not shown" in second
    assert "uncached" not in second
    assert "Too many requests" in step_page(reader, session.stored, 5)
    assert markup(reader.get(reverse("sessions"))).count("6 <small>requests</small>") == 1


@pytest.mark.django_db
def test_the_page_of_a_count_shows_its_whole_request(reader: Client, owner: User) -> None:
    session = StoredSession(owner)
    Counting(session).turns(2)
    run = Run.objects.filter(endpoint="count_tokens").latest("pk")
    text = markup(reader.get(reverse("run", args=[run.pk])))
    assert "Fix the bug" in text
    assert "as in the previous request" not in text
    assert "Its session" in text


@pytest.mark.django_db
@pytest.mark.usefixtures("no_guesses_yet")
@pytest.mark.parametrize("with_figures", [True, False])
def test_a_shared_session_shows_that_was_counted_and_nothing_twice(
    client: Client, owner: User, with_figures: bool
) -> None:
    session = StoredSession(owner)
    Counting(session).turns(6)
    chosen = frozenset({"turns", "system", "tools", "tool_results", *(["figures"] if with_figures else [])})
    copied = of_session(session.stored, chosen, [])
    page = page_of(copied)
    words = "Counted tokens: 1,234" if with_figures else "Counted tokens"
    assert [row.words for row in page.rows if row.step.is_count] == [words] * 6
    counts = [each for each in copied["steps"] if each["is_count"]]
    assert all(not each["is_kept"] and "new" not in each for each in counts)
    assert len(json.dumps(copied)) < 1.5 * len(json.dumps(of_session(messages_only(owner), chosen, [])))
    assert all(detail_of(copied, page, row).new for row in page.rows if not row.step.is_count)


def messages_only(owner: User) -> AgentSession:
    """The same session without its counts."""
    session = StoredSession(owner, "without")
    session.server.now += 86_400
    Agent(session).turns(6)
    return session.stored


@pytest.mark.django_db(transaction=True)
def test_an_export_comes_in_again_with_its_counts(client: Client, owner: User, stranger: User) -> None:
    session = StoredSession(owner)
    busy(session, Counting(session))
    before = SessionPage(load(session.stored))
    lines = b"".join(piece.encode() for piece in run_files.jsonl(Run.objects.filter(digest__session=session.stored)))
    after = SessionPage(load(import_session(stranger, lines)))
    assert [row.words for row in after.rows] == [row.words for row in before.rows]
    assert [row.step.is_count for row in after.rows] == [row.step.is_count for row in before.rows]
    assert (after.tokens, after.causes, after.failed) == (before.tokens, before.causes, before.failed)
    assert Run.objects.filter(owner=stranger, endpoint="count_tokens").count() == sum(
        row.step.is_count for row in before.rows
    )


@pytest.mark.django_db
def test_counts_that_were_stored_without_a_digest_are_filled_in(owner: User) -> None:
    session = StoredSession(owner)
    Counting(session).turns(3)
    before = SessionPage(load(session.stored))
    AgentSession.objects.all().delete()
    RunDigest.objects.all().delete()
    fill_in_all(0)
    after = SessionPage(load(session.stored))
    assert [(row.words, row.thread) for row in after.rows] == [(row.words, row.thread) for row in before.rows]
    assert session.stored.title == "Fix the bug"
