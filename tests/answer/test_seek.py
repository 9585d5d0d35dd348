"""Large answers: deltas folded into one, drawings that are kept, the answer as it stood, one asker after the other."""

from __future__ import annotations

import json
import random
import re
import threading
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.answer import cache, drawing, run_view, seek
from playground.answer.cache import OwnerLocks, TooBusy, WeightedCache
from playground.answer.drawing import Drawing
from playground.answer.folding import folded
from playground.answer.run_info import RunInfo
from playground.answer.run_view import blank, drawing_of, events_between, stored_events
from playground.answer.seek import Seeker
from playground.engine.events import RunEvent, Streamed
from playground.models import Run, RunContent, run_content
from playground.protocol.stream import sse
from tests.answer.test_answer import Page, html_of
from tests.support.runs import draw_all, ended, live_run, store, stream, tell, told

STREAMS = sorted((Path(__file__).parent.parent / "streams").glob("*.sse"))
HTMX = {"HX-Request": "true"}
TEXT = "# A title\n\nSome *words* & here.\n\n- one\n- two\n\n```python\nprint(1)\n```\n\nAnd an end.\n\n"
LONG = TEXT * 40 + "one endless paragraph " * 200


def wire_of(*texts: str, kind: str = "text", pad: str = "") -> bytes:
    """Deltas of one block, written as the API writes them."""
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": kind, kind: ""}}
    events = [sse.encode("content_block_start", json.dumps(start))]
    for text in texts:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": f"{kind}_delta", kind: text}}
        data = json.dumps(delta, separators=(",", ":"))
        events.append(sse.encode("content_block_delta", data[:-1] + pad + "}"))
    return b"".join(events)


# --- Folding ------------------------------------------------------------------------------------------------------


def ended_of(data: bytes, chunk: int = 90) -> list[RunEvent]:
    return [*told(data, chunk=chunk), ended()]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_folded_events_draw_the_very_same_answer(path: Path) -> None:
    events = ended_of(path.read_bytes())
    assert html_of(draw_all(RunInfo(), folded(events))) == html_of(draw_all(RunInfo(), events))


@given(
    st.lists(st.text(st.characters(), max_size=6) | st.sampled_from(["\ud83d", "\ude00", "", "\n", '"', "\\", "**"])),
    st.sampled_from(["", "   "]),
)
def test_any_text_cut_anywhere_is_the_same_when_folded(texts: list[str], pad: str) -> None:
    events = told(wire_of(*texts, pad=pad))
    whole = [*events, ended()]
    assert html_of(draw_all(RunInfo(), folded(whole))) == html_of(draw_all(RunInfo(), whole))
    plain, fold = Drawing(RunInfo()), Drawing(RunInfo())
    plain.take_all(events)
    fold.take_all(folded(events))
    assert (fold.number, fold.now_ms) == (plain.number, plain.now_ms)
    assert fold.figures.first_token_ms == plain.figures.first_token_ms


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=6) | st.sampled_from(['{"a": "', "1}", "[", '"}'])
    )
)
def test_a_tools_input_cut_anywhere_is_the_same_when_folded(pieces: list[str]) -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    data = [
        sse.encode(
            "content_block_start", json.dumps({"type": "content_block_start", "index": 0, "content_block": tool})
        )
    ]
    for piece in pieces:
        delta = {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": piece},
        }
        data.append(sse.encode("content_block_delta", json.dumps(delta)))
    whole = ended_of(b"".join(data))
    assert html_of(draw_all(RunInfo(), folded(whole))) == html_of(draw_all(RunInfo(), whole))


def test_many_deltas_become_few() -> None:
    whole = folded(ended_of(stream("word " * 500, thinking="hm " * 500)))
    events = [event for event in whole if isinstance(event, Streamed)]
    assert len(events) < 20
    assert events[-1].number == 1007


def test_two_halves_of_a_character_stay_apart() -> None:
    events = told(wire_of("a", "b", "\ud83d", "\ude00", "c", "d"))
    assert "\N{GRINNING FACE}" not in draw_all(RunInfo(), folded(events)).blocks[0].html


# --- Reading what is stored ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_events_decoded_at_once_are_those_decoded_each(path: Path) -> None:
    data = path.read_bytes()
    marks = [[event.number, event.end, event.at_ms] for event in told(data) if isinstance(event, Streamed)]
    if not marks:
        return
    wanted = data[: marks[-1][1]]
    each = list(run_content._decode_each(wanted, 0, marks))
    at_once = list(run_content._decode(wanted, 0, marks))
    assert [(event.number, event.at_ms, event.event.name, event.event.data, event.event.size) for event in at_once] == [
        (event.number, event.at_ms, event.event.name, event.event.data, event.event.size) for event in each
    ]


@pytest.mark.django_db
def test_a_window_of_events_reads_only_its_own_batches(owner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("playground.recording.run_writer.BATCH_BYTES", 300)
    run = store(tell(live_run(owner), stream("word " * 200)))
    assert run.batches.count() > 20
    read: list[int] = []
    from_db = run_content.RunBatch.from_db.__func__

    def count(cls: Any, db: str, names: Any, values: Any) -> Any:
        read.append(1)
        return from_db(cls, db, names, values)

    monkeypatch.setattr(run_content.RunBatch, "from_db", classmethod(count))
    assert [event.number for event in run.events(100, 101)] == [100, 101]
    assert len(read) <= 3


# --- As it stood --------------------------------------------------------------------------------------------------


class OfRun:
    def __init__(self, run: Any) -> None:
        self.run = run

    def blank(self) -> Drawing:
        return blank(self.run, None)

    def events_between(self, after: int, up_to: int) -> Any:
        return events_between(self.run, after, up_to)


def seen(drawing: Drawing | None) -> list[Any]:
    """What a reader sees of each block, whether its tail came at once or in pieces."""
    assert drawing is not None
    tails = ["".join(unescape(re.sub(r"<[^>]*>", "", drawn.open_html)).split()) for drawn in drawing.blocks]
    return [*zip(tails, [drawn.part_list for drawn in drawing.blocks], strict=True)]


@pytest.mark.django_db
@pytest.mark.parametrize("is_stored", [False, True], ids=["live", "stored"])
def test_wherever_one_comes_from_the_answer_stands_the_same(owner: Any, monkeypatch: Any, is_stored: bool) -> None:
    monkeypatch.setattr(seek, "APART", 40)
    live = tell(live_run(owner), wire_of(*re.findall(r"\s*\S+", LONG)))
    source = OfRun(store(live) if is_stored else live)
    chance, way, place, page = random.Random(3), Seeker(), "", Page()
    for _ in range(60):
        number = chance.choice([chance.randint(1, live.event_count), chance.randint(300, 310)])
        told = way.at(source, number, place)
        if told["is_whole"]:
            page = Page()
        page.apply(told["draw"])
        place = told["drawn"]
        alone = Seeker()
        once = alone.at(source, number)
        assert (told["number"], told["ms"]) == (once["number"], once["ms"])
        if number < live.event_count:  # the last one ends at the end
            streamed = [each for each in source.events_between(number - 1, number) if isinstance(each, Streamed)]
            assert told["ms"] == round(streamed[-1].at_ms, 1)
        assert seen(way.drawing) == seen(alone.drawing), number
        # The page has been told of each part and of each piece of the tail.
        for drawn in way.drawing.blocks:
            block = page.blocks[drawn.block.index]
            assert sorted(block["parts"]) == list(range(len(drawn.parts)))
            assert block["pieces"] == (None if drawn.is_shut else len(drawn.pieces))


@pytest.mark.django_db
def test_a_step_reads_no_more_than_it_shows(owner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(seek, "APART", 40)
    run = store(tell(live_run(owner), stream("word " * 600)))
    source, way = OfRun(run), Seeker()
    asked: list[int] = []
    between = source.events_between

    def count(after: int, up_to: int) -> Any:
        asked.append(up_to - after)
        return between(after, up_to)

    monkeypatch.setattr(source, "events_between", count)
    place = way.at(source, 500)["drawn"]
    for number in (501, 502, 501, 500, 499, 498):
        asked.clear()
        told = way.at(source, number, place)
        place = told["drawn"]
        assert sum(asked) <= 40, number
    assert way.at(source, 510, place)["is_whole"] is False


@pytest.mark.django_db
def test_a_place_nobody_gave_is_the_beginning(owner: Any) -> None:
    source, way = OfRun(store(tell(live_run(owner)))), Seeker()
    way.at(source, 2)
    for place in ("", "x", "x.1", f"{way.epoch}.", f"{way.epoch}.-1", f"{way.epoch}.²", ".", f"{way.epoch}.{'9' * 99}"):
        assert way.at(source, 3, place)["is_whole"] is True


@pytest.mark.django_db
def test_a_run_that_was_drawn_lately_is_not_read_from_its_beginning(owner: Any, client: Any, monkeypatch: Any) -> None:
    for name in ("LARGE_EVENTS", "MILESTONE"):
        monkeypatch.setattr(run_view, name, 50)
    monkeypatch.setattr(cache.drawings, "rest_s", 600.0)  # however slow this machine is
    cache.drawings.clear()
    run = store(tell(live_run(owner), stream(" ".join(f"w{number}" for number in range(200)))))
    client.force_login(owner)
    address = f"/requests/{run.pk}/answer/"
    monkeypatch.setattr(drawing._budget, "_credit_s", -60.0)  # and however much it has drawn before
    panel = client.get(address, headers=HTMX).content.decode()
    assert re.search(r"\bw199\b", panel)
    read: list[int] = []
    events = run_content.read_events

    def watch(run: Run, first: int, last: int) -> Any:
        read.append(first)
        return events(run, first, last)

    monkeypatch.setattr(run_content, "read_events", watch)
    told = client.get(f"{address}at/170/").json()
    assert min(read) == 151
    alone = Seeker()
    alone.at(OfRun(run), 170)
    assert told["number"] == 170
    assert [patch["html"] for patch in told["draw"]] == [drawn.html for drawn in alone.drawing.blocks]


# --- Kept ---------------------------------------------------------------------------------------------------------


def test_a_shelf_holds_so_many_so_heavy_so_long(monkeypatch: Any) -> None:
    now = [0.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: now[0])
    small = WeightedCache(most=3, most_weight=100, rest_s=60)
    for name in "abcd":
        small.put(name, name, 1)
    assert [name in small for name in "abcd"] == [False, True, True, True]
    small.put("heavy", "heavy", 99)
    assert ("b" in small, "c" in small, "d" in small) == (False, False, True)
    small.put("too heavy", "too heavy", 101)
    assert "too heavy" not in small
    now[0] = 50.0
    assert small.get("d") == "d"
    now[0] = 100.0
    assert ("heavy" in small, "d" in small) == (False, True)


def test_one_owners_work_is_done_one_after_the_other_and_not_without_end() -> None:
    turns, inside, go, finished = OwnerLocks(most_waiting=1, wait_s=5), threading.Event(), threading.Event(), []

    def work(name: str) -> None:
        with turns.of("me"):
            inside.set()
            go.wait(5)
            finished.append(name)

    first = threading.Thread(target=work, args=["first"])
    first.start()
    inside.wait(5)
    second = threading.Thread(target=work, args=["second"])
    second.start()
    while turns._locks["me"][1] < 2:
        pass
    with pytest.raises(TooBusy), turns.of("me"):
        pass
    with turns.of("somebody else"):
        assert finished == []
    go.set()
    first.join(5)
    second.join(5)
    assert finished == ["first", "second"]
    assert turns._locks == {}


def test_who_waits_too_long_is_told_so() -> None:
    turns = OwnerLocks(wait_s=0.01)
    with turns.of("me"), pytest.raises(TooBusy), turns.of("me"):
        pass


@pytest.fixture
def large(owner: Any, monkeypatch: Any) -> Run:
    monkeypatch.setattr(run_view, "LARGE_EVENTS", 10)
    monkeypatch.setattr(run_view, "SLOW_EVENTS", 10)
    cache.drawings.clear()
    return store(tell(live_run(owner), stream("word " * 50)))


@pytest.mark.django_db
def test_a_page_with_a_very_long_answer_comes_before_the_answer(client: Any, owner: Any, large: Run) -> None:
    client.force_login(owner)
    page = client.get(f"/requests/{large.pk}/")
    assert "Building the response from 55 events" in page.content.decode()
    assert "word word" not in page.content.decode().split('id="answer"')[1]
    from_there = {**HTMX, "HX-Current-URL": f"http://testserver/requests/{large.pk}/"}
    panel = client.get(f"/requests/{large.pk}/answer/", headers=from_there).content.decode()
    assert "word word" in panel
    assert panel.strip() in client.get(f"/requests/{large.pk}/").content.decode()  # kept: it comes at once now


@pytest.mark.django_db
def test_a_large_answer_is_drawn_once(client: Any, owner: Any, large: Run, monkeypatch: Any) -> None:
    client.force_login(owner)
    address = f"/requests/{large.pk}/answer/"
    first = client.get(address, headers=HTMX).content
    monkeypatch.setattr(run_view, "stored_events", lambda *_: pytest.fail("read again"))
    assert client.get(address, headers=HTMX).content == first
    assert b"word word" in client.get(f"{address}text/").content


@pytest.mark.django_db
def test_what_was_removed_is_not_shown_from_what_was_kept(client: Any, owner: Any, large: Run) -> None:
    client.force_login(owner)
    for part in ("answer/", "answer/at/20/", "wire/"):
        assert b"word" in client.get(f"/requests/{large.pk}/{part}", headers=HTMX).content or part == "wire/"
    RunContent.objects.filter(run=large).delete()
    large.batches.all().delete()
    for part in ("answer/", "answer/at/20/"):
        assert b"word word" not in client.get(f"/requests/{large.pk}/{part}", headers=HTMX).content
    assert json.loads(client.get(f"/requests/{large.pk}/wire/").content)["columns"]["at"] == []


@pytest.mark.django_db
def test_what_was_kept_for_one_is_not_there_for_another(client: Any, owner: Any, stranger: Any, large: Run) -> None:
    client.force_login(owner)
    address = f"/requests/{large.pk}/answer/at/20/"
    assert client.get(address).status_code == 200
    client.force_login(stranger)
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_who_asks_too_much_at_once_is_asked_for_patience(client: Any, owner: Any, large: Run, monkeypatch: Any) -> None:
    client.force_login(owner)
    monkeypatch.setattr(cache.owner_locks, "wait_s", 0.01)
    with cache.owner_locks.of(f"user:{owner.pk}"):
        for part in ("answer/", "answer/at/20/", "answer/json/", "answer/frames/", "wire/"):
            refused = client.get(f"/requests/{large.pk}/{part}", headers=HTMX)
            assert (refused.status_code, refused["Retry-After"]) == (429, "2"), part
    assert client.get(f"/requests/{large.pk}/answer/at/20/").status_code == 200


@pytest.mark.django_db
def test_a_large_answer_shows_the_digest_of_the_live_one(owner: Any, large: Run) -> None:
    live = tell(live_run(owner), stream("word " * 50))
    assert drawing_of(store(live), None).digest == draw_all(blank(live, None).about, live.events).digest
    assert list(stored_events(large))
