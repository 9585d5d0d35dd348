"""One run's page, and two runs beside each other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from playground.models import Run
from playground.recording import retention
from playground.request_log import run_comparison
from tests.support import runs
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


class Markup(HTMLParser):
    """What in a page could run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: list[str] = []
        self.sources: set[str] = set()
        self.images: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [name for name, _ in attrs if name.startswith(("on", "hx-on"))]
        self.images += [value or "" for name, value in attrs if tag == "img" and name == "src"]
        self.in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self.in_script:
            self.sources.add(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.sources.add("")
            self.in_script = False


def page(reader: Client, run: Run, **query: str) -> str:
    response = reader.get(f"/requests/{run.pk}/", query)
    assert response.status_code == 200
    return markup(response)


def test_it_shows_what_was_sent_and_what_came_back(reader: Client, owner: User) -> None:
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    body = runs.body_of("Why is the *sky* blue?", system="Be short.", temperature=0.5, tools=tools)
    run = runs.store(runs.tell(runs.live_run(owner, body=body), runs.stream("Rayleigh **scattering**.")))
    text = page(reader, run)
    for words in (
        "Be short.",
        "get_weather",
        "temperature",
        "0.5",
        "••••f3a9",
        "<strong>scattering</strong>",
        "192.0.2.7",
    ):
        assert words in text
    assert "Open in playground" in text


def test_code_of_a_request_to_the_sandbox_calls_this_server(reader: Client, owner: User) -> None:
    code = reader.get(f"/requests/{runs.stored_run(owner).pk}/code/").content.decode()
    assert "http://testserver/v1/messages" in code
    assert "PLAYGROUND_KEY" in code
    assert "sandbox:" not in code
    elsewhere = runs.store(runs.tell(runs.live_run(owner, base_url="https://api.example.com")))
    code = reader.get(f"/requests/{elsewhere.pk}/code/").content.decode()
    assert "https://api.example.com/v1/messages" in code
    assert "ANTHROPIC_API_KEY" in code


def test_foreign_text_is_never_markup(reader: Client, owner: User) -> None:
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="x'
    body = runs.body_of(evil, model=evil, system=evil, metadata={"user_id": evil}, tools=[{"name": evil}])
    live = runs.live_run(owner, body=body, model=evil, user_agent=evil, connection_name=evil, access_key_name=evil)
    run = runs.store(runs.tell(live, runs.stream("ok").replace(b"ok ", json.dumps(evil)[1:-1].encode())))
    Run.objects.filter(pk=run.pk).update(note=evil)
    other = runs.stored_run(owner)
    addresses = [f"/requests/{run.pk}/", "/requests/", "/requests/?group=session", f"/requests/{run.pk}/code/"]
    addresses += [f"/requests/compare/?a={run.pk}&b={other.pk}", f"/requests/compare/?a={other.pk}"]
    for address in addresses:
        text = reader.get(address).content.decode()
        found = Markup()
        found.feed(text)
        assert found.handlers == []
        assert found.sources <= {""}, "only scripts of our own, from files"
        assert "x" not in found.images


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"\xff\xfe\x00", b"[1]", b'{"messages": 3}', b'{"messages": [7, {"content": 5}]}', b"[" * 5000],
)
def test_a_body_of_any_kind_can_be_read(reader: Client, owner: User, body: bytes) -> None:
    run = runs.store(runs.tell(runs.live_run(owner, body=body)))
    page(reader, run)
    for address in ("code/", "download/json/", "download/har/", "download/sse/", "download/request/"):
        assert reader.get(f"/requests/{run.pk}/{address}").status_code == 200


def test_a_run_of_which_only_figures_were_kept_says_so(reader: Client, owner: User) -> None:
    text = page(reader, runs.stored_run(owner, keep_content=False))
    assert "Content was not stored" in text
    assert "Open in playground" not in text


def test_a_run_whose_text_was_swept_says_since_when(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner)
    retention.remove_old_content(datetime(2100, 1, 1, tzinfo=UTC))
    text = page(reader, run)
    assert "was deleted on" in text
    assert "Rayleigh" not in text


def test_a_run_that_was_not_stored_to_its_end_says_so(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner)
    Run.objects.filter(pk=run.pk).update(log_complete=False)
    assert "the end of its response was not stored" in page(reader, run)


def test_one_can_step_to_the_older_and_the_newer_run_of_the_filter(reader: Client, owner: User, stranger: User) -> None:
    old, skipped, run = runs.stored_run(owner), runs.failed_run(owner), runs.stored_run(owner)
    runs.stored_run(stranger)
    text = page(reader, run, status="2xx")
    assert f'/requests/{old.pk}/?status=2xx" data-step="older"' in text
    assert 'data-step="newer"' not in text
    assert f'/requests/{skipped.pk}/" data-step="older"' in page(reader, run)


def test_a_star_can_be_put_on_and_taken_off(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner)
    assert 'aria-pressed="true"' in reader.post(f"/requests/{run.pk}/star/").content.decode()
    assert 'aria-pressed="false"' in reader.post(f"/requests/{run.pk}/star/").content.decode()


@pytest.mark.parametrize("note", ["Slow today.", "", "NUL \x00", "x" * 20_000])
def test_a_note_is_kept(reader: Client, owner: User, note: str) -> None:
    run = runs.stored_run(owner)
    assert reader.post(f"/requests/{run.pk}/note/", {"note": note}).status_code == 302
    kept = Run.objects.get(pk=run.pk).note
    assert kept == note.replace("\x00", "\ufffd")[:10_000]
    assert kept in page(reader, run)


def test_a_run_is_deleted_whole(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner, "needle")
    assert reader.post(f"/requests/{run.pk}/delete/")["Location"] == "/requests/"
    assert not Run.objects.exists()
    assert runs.search_ids(owner, "needle") == []


@pytest.mark.parametrize("language", ["shell", "python", "nonsense", ""])
def test_the_request_can_be_copied_as_code_without_its_key(reader: Client, owner: User, language: str) -> None:
    run = runs.stored_run(owner)
    text = reader.get(f"/requests/{run.pk}/code/", {"language": language}).content.decode()
    assert "claude-opus-4-5" in text
    assert "f3a9" not in text


def test_the_page_of_a_run_takes_a_fixed_number_of_queries(
    reader: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    run = runs.stored_run(owner, answer="word " * 300)
    with django_assert_max_num_queries(12):
        page(reader, run)


# --- Two runs ---


def compared(owner: User, left: bytes, right: bytes, *answers: str) -> run_comparison.Comparison:
    stored = [
        runs.store(runs.tell(runs.live_run(owner, body=body), runs.stream(answer)))
        for body, answer in zip((left, right), answers or ("Same.", "Same."), strict=True)
    ]
    return run_comparison.compare(*stored)


def test_the_first_difference_is_where_the_prompt_cache_breaks(owner: User) -> None:
    turns = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    left = runs.body_of(system="Be short.", messages=[*turns, {"role": "user", "content": "three and four"}])
    right = runs.body_of(system="Be short.", messages=[*turns, {"role": "user", "content": "three or four"}])
    differences = compared(owner, left, right)
    assert differences.same_until == "messages[1].content[0]"
    assert [(each.path, each.breaks_cache) for each in differences.blocks] == [("messages[2].content[0]", True)]
    assert [(piece.kind, piece.text) for piece in differences.blocks[0].right] == [
        ("same", "three "),
        ("added", "or"),
        ("same", " four"),
    ]


def test_a_difference_that_is_too_small_to_be_written_is_left_out(owner: User) -> None:
    left, right = runs.stored_run(owner), runs.stored_run(owner)
    left.first_token_ms, right.first_token_ms = 320.4, 320.0
    left.duration_ms, right.duration_ms = 2440.0, 2500.0
    more = {name: words for name, _, _, words in run_comparison.compare(left, right).figures}
    assert more["first token"] == ""
    assert more["duration"] == "+60 ms (+2\N{NO-BREAK SPACE}%)"


def test_the_next_turn_of_a_conversation_breaks_no_cache(owner: User) -> None:
    first = [{"role": "user", "content": "one"}]
    later = [
        *first,
        {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "3"},
    ]
    left, right = (runs.body_of(system="Be short.", tools=[{"name": "a"}], messages=each) for each in (first, later))
    for found in (compared(owner, left, right), compared(owner, right, left)):
        assert [each.path for each in found.blocks] == ["messages[1].content[0]", "messages[2].content[0]"]
        assert not any(each.breaks_cache for each in found.blocks)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"system": "Be long."}, "system[0]"),
        ({"tools": [{"name": "a"}, {"name": "b"}]}, "tools[1]"),
        ({"system": None}, "system[0]"),
    ],
)
def test_a_next_turn_after_a_change_before_it_breaks_the_cache(owner: User, change: Any, place: str) -> None:
    first = [{"role": "user", "content": "one"}]
    both = {"system": "Be short.", "tools": [{"name": "a"}]}
    left = runs.body_of(**both, messages=first)
    right = runs.body_of(**(both | change), messages=[*first, {"role": "assistant", "content": "two"}])
    assert [each.path for each in compared(owner, left, right).blocks if each.breaks_cache] == [place]


def test_a_cache_mark_is_no_difference_in_the_prompt(owner: User) -> None:
    block = {"type": "text", "text": "Be short."}
    left = runs.body_of(system=[block])
    right = runs.body_of(system=[block | {"cache_control": {"type": "ephemeral"}}])
    assert compared(owner, left, right).blocks == []


def test_a_tool_comes_before_everything_else(owner: User) -> None:
    left = runs.body_of(tools=[{"name": "a"}], system="x")
    differences = compared(owner, left, runs.body_of(tools=[{"name": "b"}], system="x"))
    assert differences.blocks[0].path == "tools[0]"
    assert differences.blocks[0].breaks_cache
    assert differences.same_until == ""


def test_parameters_are_compared_by_name(owner: User) -> None:
    differences = compared(owner, runs.body_of(temperature=0.5), runs.body_of(temperature=1, top_k=5))
    assert [each.path for each in differences.parameters] == ["temperature", "top_k"]
    assert not any(each.breaks_cache for each in differences.parameters)


def test_answers_are_compared_word_by_word(owner: User) -> None:
    differences = compared(owner, runs.body_of(), runs.body_of(), "The sky is blue.", "The sea is blue.")
    assert not differences.answers_are_same
    assert "".join(piece.text for piece in differences.answer_left).strip() == "The sky is blue."
    assert [piece.text for piece in differences.answer_right if piece.kind == "added"] == ["sea"]


def test_of_very_many_differences_the_first_are_shown_and_the_others_counted(reader: Client, owner: User) -> None:
    both = [{"role": "user", "content": f"the same {number}"} for number in range(50)]
    count = run_comparison.MOST_MATCHED * 3
    left, right = (
        runs.body_of(
            messages=[*both, *({"role": "user", "content": f"{side} {number}"} for number in range(count))],
            **{f"{side}-{number}": number for number in range(run_comparison.MOST_DIFFERENCES)},
        )
        for side in ("left", "right")
    )
    differences = compared(owner, left, right)
    assert len(differences.blocks) == len(differences.parameters) == run_comparison.MOST_DIFFERENCES
    assert differences.more == count
    assert differences.same_blocks == 50
    assert differences.same_until == "messages[49].content[0]"
    assert [each.breaks_cache for each in differences.blocks[:2]] == [True, False]
    a, b = Run.objects.owned_by(owner)
    page = reader.get("/requests/compare/", {"a": a.pk, "b": b.pk})
    assert "3,000 more places differ" in markup(page)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"messages": "x", "tools": 3, "system": {}}'])
def test_anything_can_be_compared(reader: Client, owner: User, body: bytes) -> None:
    left, right = runs.store(runs.tell(runs.live_run(owner, body=body))), runs.failed_run(owner)
    for query in ({"a": left.pk, "b": right.pk}, {"a": right.pk, "b": left.pk}, {"a": left.pk}):
        assert reader.get("/requests/compare/", query).status_code == 200


@pytest.mark.parametrize("query", [{}, {"a": "x"}, {"a": "", "b": ""}])
def test_comparing_nothing_is_not_found(reader: Client, query: dict[str, str]) -> None:
    assert reader.get("/requests/compare/", query).status_code == 404
