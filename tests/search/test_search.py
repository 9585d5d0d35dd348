"""Full-text search: the same words find the same runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from playground.models import Run, RunContent
from playground.search import index
from playground.search import terms as search_text
from tests.support import runs
from tests.support.examples import examples

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db

TEXT = "Why is the sky blue? Écoute: système_prompt, don't; 東京タワー at https://example.org/a-b.html (v2.5)"


@pytest.mark.parametrize(
    "query",
    [
        "sky",
        "SKY",
        "blue sky",
        '"sky blue"',
        "ecoute",
        "Écoute",
        "système_prompt",
        "syst*",  # the beginning of a word
        "don't",
        "東京",
        "タワー",
        "example.org/a-b.html",
        "v2.5",
        "sky -green",
        "scattering",  # of the answer
        "req_011CVx4",
        "end_turn",
        "sky AND blue".replace("AND", ""),
        '"unfinished sky'.replace("unfinished ", ""),
    ],
)
def test_it_is_found_by(owner: User, query: str) -> None:
    run = runs.stored_run(owner, TEXT)
    assert runs.search_ids(owner, query) == [run.pk]


@pytest.mark.parametrize(
    "query",
    [
        "green",
        '"blue sky"',
        "sky -blue",
        "sk",
        "syst",
        "sk*",
        "京東",
        "lue",
        "-sky",
        "",
        "   ",
        '""',
        "claude_stranger",
    ],
)
def test_it_is_not_found_by(owner: User, query: str) -> None:
    runs.stored_run(owner, TEXT)
    assert runs.search_ids(owner, query) == []


def test_nobody_finds_what_others_wrote(owner: User, stranger: User) -> None:
    run = runs.stored_run(owner, "needle")
    mark = f"o{owner.pk}"
    for query in ("needle", f"{mark} needle", f"{mark}: needle", f"marks:{mark} needle", f'"{mark}:" needle'):
        assert runs.search_ids(stranger, query) == []
    assert runs.search_ids(owner, "needle") == [run.pk]


def test_a_filter_is_answered_by_the_index(owner: User) -> None:
    runs.stored_run(owner, "needle")
    rare = runs.stored_run(owner, "needle", model="rare", source="relay")
    terms = index.read_query("needle")
    wanted = {"model": "rare", "source": "relay", "status_class": 2, "state": "completed"}
    assert index.find(owner.pk, terms, facets=wanted, most=9) == [(rare.content.pk, rare.pk)]
    assert index.find(owner.pk, terms, facets=wanted | {"state": "failed"}, most=9) == []


def test_pictures_signatures_and_ids_are_not_searched(owner: User) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo"}
    content = [{"type": "image", "source": source}, {"type": "thinking", "thinking": "deep", "signature": "sigword"}]
    body = runs.body_of(messages=[{"role": "user", "content": content}])
    run = runs.store(runs.tell(runs.live_run(owner, body=body)))
    assert runs.search_ids(owner, "deep") == [run.pk]
    for query in ("iVBORw0KGgo", "sigword", "base64"):
        assert runs.search_ids(owner, query) == []


def test_a_tools_input_and_result_are_searched(owner: User) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Reykjavik"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "drizzle"}
    body = runs.body_of(messages=[{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}])
    run = runs.store(runs.tell(runs.live_run(owner, body=body)))
    for query in ("reykjavik", "drizzle", "get_weather"):
        assert runs.search_ids(owner, query) == [run.pk]


def test_what_is_deleted_is_not_found(owner: User) -> None:
    run = runs.stored_run(owner, "needle")
    RunContent.objects.filter(run=run).delete()
    assert runs.search_ids(owner, "needle") == []
    other = runs.stored_run(owner, "needle")
    Run.objects.filter(pk=other.pk).delete()
    assert runs.search_ids(owner, "needle") == []


def test_matches_come_newest_first_and_in_parts(owner: User) -> None:
    for _ in range(7):
        runs.stored_run(owner, "needle")
    every = index.find(owner.pk, index.read_query("needle"), most=100)
    assert every == sorted(every, reverse=True)
    assert index.find(owner.pk, index.read_query("needle"), before=every[2][0], most=3) == every[3:6]


def test_a_very_long_text_is_searched_at_its_beginning(owner: User) -> None:
    long = "first " + "filler " * 40_000 + "last"
    run = runs.stored_run(owner, long)
    assert runs.search_ids(owner, "first filler") == [run.pk]


@given(st.text(max_size=60))
@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_can_be_asked(owner: User, query: str) -> None:
    index.find(owner.pk, index.read_query(query), most=5)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=80))
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_found_by_its_own_words(owner: User, text: str) -> None:
    words = search_text.words(text)
    run = runs.stored_run(owner, text)
    if words and len(words) < 12:
        assert run.pk in runs.search_ids(owner, '"' + " ".join(words) + '"')
    Run.objects.filter(pk=run.pk).delete()
