"""An answer is drawn the same way live, at its end and from the log, whatever it holds."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from playground.answer.drawing import Drawing
from playground.answer.example_answers import example, frames
from playground.answer.failures import verdict
from playground.answer.run_info import RunInfo
from playground.answer.run_view import blank, drawing_of, events_between, stored_events
from playground.engine.events import Failure, RunEvent
from tests.support.elements import Elements
from tests.support.examples import one_of_each
from tests.support.hostile_texts import HOSTILE
from tests.support.runs import body_of, draw_all, ended, live_run, store, stream, tell, told

STREAMS = sorted((Path(__file__).parent.parent / "streams").glob("*.sse"))
PART = re.compile(r'<div class="part"\s+data-part="\d+">(.*?)</div>(?=\s*</?div(?:\s+class="part"|>))', re.DOTALL)
DANGEROUS = {"script", "img", "iframe", "object", "embed", "link", "style", "base", "meta", "video", "audio"}
ANSWER = "One *two*.\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- three\n- four\n"


def events_of(data: bytes, **options: Any) -> list[RunEvent]:
    return [*told(data, **options), ended()]


def html_of(drawing: Drawing) -> list[str]:
    return [drawing.figures_html, *(drawn.html for drawn in drawing.blocks), drawing.ending_html]


# --- Live, at once, stored ----------------------------------------------------------------------------------------


class Page:
    """What a page would show that applies patches: the same rules as static/js/answer/draw.js, without elements."""

    def __init__(self) -> None:
        self.blocks: dict[int, dict[str, Any]] = {}
        self.figures = self.ending = ""

    def apply(self, patches: list[dict[str, Any]]) -> None:
        for patch in patches:
            getattr(self, f"on_{patch['op']}")(patch)

    def on_figures(self, patch: dict[str, Any]) -> None:
        self.figures = patch["html"]

    def on_ending(self, patch: dict[str, Any]) -> None:
        self.ending = patch["html"]

    def on_block(self, patch: dict[str, Any]) -> None:
        html = patch["html"]
        parts = dict(enumerate(PART.findall(html)))
        tail = re.search(r'data-tail\s+data-pieces="(\d+)"', html)
        self.blocks[patch["index"]] = {"html": html, "parts": parts, "pieces": int(tail[1]) if tail else None}

    def on_head(self, patch: dict[str, Any]) -> None:
        self.blocks[patch["index"]]["head"] = patch["html"]

    def on_part(self, patch: dict[str, Any]) -> None:
        block = self.blocks[patch["index"]]
        block["parts"].setdefault(patch["part"], patch["html"])
        block["pieces"] = 0

    def on_tail(self, patch: dict[str, Any]) -> None:
        self.blocks[patch["index"]]["pieces"] = patch["to"]

    def on_text(self, patch: dict[str, Any]) -> None:
        block = self.blocks[patch["index"]]
        if patch["to"] <= block["pieces"]:
            return  # it was sent once more
        assert block["pieces"] == patch["after"], "a piece of text is missing"
        block["pieces"] = patch["to"]

    def on_shut(self, patch: dict[str, Any]) -> None:
        self.blocks[patch["index"]] |= {"pieces": None, "foot": patch["html"]}


def draw_live(events: list[RunEvent], seed: int) -> tuple[Drawing, Page]:
    """Draw in gathered pieces of random length, as sockets do, with a page that follows."""
    chance, drawing, page, since, now_s = random.Random(seed), Drawing(RunInfo()), Page(), 0, 0.0
    waiting = list(events)
    while waiting:
        count = chance.randint(1, 12)
        drawing.take_all(waiting[:count])
        del waiting[:count]
        now_s += chance.random() / 4
        revision = drawing.draw(now_s)
        page.apply(drawing.patches(since))
        if chance.random() < 0.1:
            page.apply(drawing.patches(0 if chance.random() < 0.5 else since))  # a page that reconnects
        since = revision
    return drawing, page


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", range(4))
def test_an_answer_drawn_live_is_the_answer_drawn_at_once(path: Path, seed: int) -> None:
    events = events_of(path.read_bytes(), chunk=40)
    drawing, page = draw_live(events, seed)
    whole = draw_all(RunInfo(), events)
    assert html_of(drawing) == html_of(whole)
    assert (page.figures, page.ending) == (whole.figures_html, whole.ending_html)
    assert sorted(page.blocks) == [drawn.block.index for drawn in whole.blocks]
    for drawn in whole.blocks:
        shown = page.blocks[drawn.block.index]
        assert shown["pieces"] is None, "the tail of a finished block is still there"
        if drawn.is_prose:
            assert [shown["parts"][number] for number in sorted(shown["parts"])] == drawn.part_list
        else:
            assert shown["html"] == drawn.html


def test_a_page_that_comes_late_gets_everything() -> None:
    events = events_of(stream(ANSWER.replace("\n", " \n "), thinking="Hm, well."), chunk=30)
    for cut in range(0, len(events), 7):
        drawing = Drawing(RunInfo())
        drawing.take_all(events[:cut])
        drawing.draw(1.0)
        page = Page()
        page.apply(drawing.patches(0))
        since = drawing.revision
        drawing.take_all(events[cut:])
        drawing.draw(2.0)
        page.apply(drawing.patches(since))
        for drawn in drawing.blocks:
            shown = page.blocks[drawn.block.index]["parts"]
            assert [shown[number] for number in sorted(shown)] == drawn.part_list


@pytest.mark.django_db
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stored_run_is_drawn_as_it_was_live(owner: Any, path: Path) -> None:
    run = tell(live_run(owner), path.read_bytes(), step_ms=7.77)
    live = drawing_of(run, None)
    stored = drawing_of(store(run), None)
    assert html_of(stored) == html_of(live)


@pytest.mark.django_db
def test_a_json_answer_is_drawn_as_it_was_live(owner: Any) -> None:
    message = {"type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": ANSWER}]}
    run = live_run(owner)
    data = json.dumps(message | {"stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 4}}).encode()
    run.publish([event for event in events_of(data) if type(event).__name__ != "Streamed"])
    live = drawing_of(run, None)
    assert "<em>two</em>" in live.blocks[0].html
    assert html_of(drawing_of(store(run), None)) == html_of(live)


@pytest.mark.django_db
def test_the_answer_as_it_stood_has_what_had_come_and_no_more(owner: Any) -> None:
    run = store(tell(live_run(owner), stream("alpha beta gamma delta")))
    at_event = draw_all(RunInfo(), events_between(run, 0, 4))
    assert "alpha beta" in at_event.blocks[0].html
    assert "gamma" not in at_event.blocks[0].html
    assert not at_event.is_over


def test_the_example_plays_to_the_same_end_as_it_is_drawn_at_once() -> None:
    whole, page = example("stream"), Page()
    assert whole is not None
    for frame in frames("stream"):
        page.apply(frame["draw"])
    assert page.figures == whole.figures_html
    assert [list(page.blocks[drawn.block.index]["parts"].values()) for drawn in whole.blocks] == [
        drawn.part_list for drawn in whole.blocks
    ]


# --- Foreign text -------------------------------------------------------------------------------------------------


def everywhere(text: str) -> list[dict[str, Any]]:
    """Content with this text in every place that an upstream can write to."""
    return [
        {"type": "text", "text": f"{text}\n\n{text}", "citations": [
            {"type": "web_search_result_location", "cited_text": text, "url": text, "title": text},
            {"type": "char_location", "cited_text": text, "document_title": text, "document_index": text},
        ]},
        {"type": "thinking", "thinking": text, "signature": text},
        {"type": "redacted_thinking", "data": text},
        {"type": "tool_use", "id": text, "name": text, "input": {text: text}},
        {"type": "server_tool_use", "id": text, "name": text, "input": {"query": text}},
        {"type": "web_search_tool_result", "tool_use_id": text, "content": [
            {"type": "web_search_result", "url": text, "title": text, "page_age": text}]},
        {"type": "web_search_tool_result", "tool_use_id": text, "content": {"type": text, "error_code": text}},
        {"type": "web_fetch_tool_result", "content": {
            "url": text, "content": {"title": text, "source": {"type": "text", "data": text}}}},
        {"type": "bash_code_execution_tool_result", "content": {"stdout": text, "stderr": text, "return_code": text}},
        {"type": "text_editor_code_execution_tool_result", "content": {"file_type": text, "content": text}},
        {"type": "mcp_tool_result", "tool_use_id": text, "content": [{"type": "text", "text": text}], "is_error": True},
        {"type": "fallback", "from": {"model": text}, "to": {"model": text}, "trigger": text},
        {"type": "compaction", "content": text},
        {"type": text, "anything": text},
    ]  # fmt: skip


def panel_with(text: str) -> str:
    """The whole panel of an answer that says this text wherever it can, first complete, then failed."""
    message = {
        "type": "message", "id": text, "model": text, "content": everywhere(text), "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": text},
    }  # fmt: skip
    request = RequestFactory().get("/")
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]  # as its middleware does
    run = live_run(None, model=text)
    failure = Failure("http_status", text, {"status": 400, "type": text, "message": text, "request_id": text})
    run.publish([event for event in told(json.dumps(message).encode()) if type(event).__name__ != "Streamed"])
    run.publish([ended()])
    failed = live_run(None, model=text)
    failed.publish([*told(text.encode("utf-8", "replace"), status=400), ended("failed", failure)])
    html = ""
    for each in (run, failed):
        drawing = drawing_of(each, None)
        html += render_to_string("playground/answer/_view.html", {"answer": drawing}, request)
    return html


def skeleton(html: str) -> tuple[set[str], set[str]]:
    """Tags, and the names of all attributes that a script of ours or the browser acts upon."""
    elements = Elements(html).tags
    acting = {
        f"{name}={value}" if name in {"id", "hx-post", "hx-get", "form"} else name
        for _, attributes in elements
        for name, value in attributes.items()
        if name.startswith(("hx-", "data-hx", "on", "data-s", "data-r", "ws-", "sse-"))
        or name in {"id", "style", "form", "src"}
    }  # fmt: skip
    return {tag for tag, _ in elements}, {re.sub(r"[0-9a-f-]{36}|[0-9a-f]{12}", "ID", name) for name in acting}


@pytest.mark.parametrize("text", one_of_each(HOSTILE, lambda text: text[:1]))
def test_hostile_text_in_any_place_of_an_answer_makes_nothing_that_acts(text: str) -> None:
    tags, acting = skeleton(panel_with(text))
    _, usual_acting = skeleton(panel_with("harmless"))
    assert not tags & DANGEROUS
    assert acting <= usual_acting
    html = panel_with(text)
    html.encode()
    for tag, attributes in Elements(html).tags:
        if tag == "a":
            assert re.match(r"(https?://|mailto:)", attributes["href"] or "")


# --- How it ended -------------------------------------------------------------------------------------------------


def failed(kind: str, message: str = "Because.", state: str = "failed", data: bytes = b"", **detail: Any) -> Drawing:
    events = [*told(data)] if data else told(b"")[:1]
    return draw_all(
        RunInfo(can_act=True, id=live_run(None).id), [*events, ended(state, Failure(kind, message, detail))]
    )  # type: ignore[arg-type]


KINDS = [
    "connect", "dns", "tls", "timeout", "blocked", "http_status", "not_json", "error_event", "encoding", "redirect",
    "protocol", "reset", "truncated", "idle", "too_large", "duration", "server_stopping", "server_stopped", "stopped",
    "internal",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_to_fail_says_what_happened_and_offers_to_run_again(kind: str) -> None:
    note = verdict(failed(kind))
    assert note is not None
    assert note.title
    assert note.title != kind
    assert note.said
    assert "retry" in note.actions


def test_an_error_in_mid_stream_keeps_the_text_and_names_the_event() -> None:
    cut = stream("one two three").split(b"event: content_block_stop")[0]
    drawing = failed("error_event", data=cut, type="overloaded_error", message="Overloaded", request_id="req_9")
    assert "one two three" in drawing.blocks[0].html
    assert "200, then error" in drawing.figures_html
    assert "The upstream is overloaded, " in drawing.ending_html
    assert "overloaded_error" in drawing.ending_html
    assert "as event 5" in drawing.ending_html


def test_a_truncated_answer_is_never_shown_as_complete() -> None:
    cut = stream("one two three").split(b"event: content_block_stop")[0]
    drawing = failed("truncated", state="interrupted", data=cut)
    assert "200, cut" in drawing.figures_html
    assert "tokens per second" not in drawing.figures_html
    assert "Truncated" in drawing.ending_html
    assert "Received 5 events, " in drawing.ending_html


def test_the_tokens_of_a_response_that_was_cut_off_are_estimated() -> None:
    cut = stream("one two three four " * 10).split(b"event: content_block_stop")[0]  # says: output_tokens 1
    for state, kind in (("interrupted", "truncated"), ("failed", "error_event"), ("cancelled", "stopped")):
        drawing = failed(kind, state=state, data=cut)
        figures = {measure.short: measure.value for measure in drawing.measures}
        assert figures["out"] == "~48", state
    assert "and about 48 tokens" in drawing.ending_html


def test_a_retry_after_starts_a_countdown() -> None:
    html = failed(
        "http_status", type="rate_limit_error", message="Slow down", status=429, retry_after_s=7.2
    ).ending_html
    assert 'data-countdown="7"' in html


def test_a_reset_before_the_answer_warns_that_it_may_have_run() -> None:
    assert "may have processed" in failed("reset", may_have_run=True).ending_html


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("max_tokens", "Double max_tokens"),
        ("pause_turn", "Continue"),
        ("refusal", "Refused"),
        ("model_context_window_exceeded", "context window"),
        ("something_new", "stop_reason something_new"),
    ],
)
def test_a_stop_reason_is_put_into_words(reason: str, words: str) -> None:
    events = events_of(stream("Well.", stop_reason=reason))
    assert words in draw_all(RunInfo(can_act=True, id=live_run(None).id), events).ending_html


def test_an_ordinary_end_needs_no_words() -> None:
    assert draw_all(RunInfo(), events_of(stream("Well."))).ending_html == ""


@pytest.mark.slow
def test_a_very_long_text_is_cut_and_says_how_much_is_missing() -> None:
    drawing = draw_all(RunInfo(), events_of(stream("word " * 80_000), chunk=100_000))
    html = drawing.blocks[0].html
    assert len(html) < 400_000
    assert "144.0 kB more" in html


@pytest.mark.django_db
def test_a_form_for_a_result_is_made_of_what_the_tool_returned_before(owner: Any) -> None:
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "count", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": '{"before": 3, "unit": "queries", "ok": true}'}]},
    ]  # fmt: skip
    content = [{"type": "tool_use", "id": "t2", "name": "count", "input": {"x": 1}}]
    run = live_run(owner, body=body_of(messages=messages))
    data = json.dumps({"type": "message", "content": content, "stop_reason": "tool_use"}).encode()
    run.publish([event for event in events_of(data) if type(event).__name__ != "Streamed"])
    html = drawing_of(run, None).blocks[0].html
    assert 'name="field-0-before" value="3"' in html
    assert 'name="field-0-unit" value="queries"' in html
    assert 'name="field-0-ok"' in html
    assert blank(run, None).about.can_act
    assert list(stored_events(store(run)))[-1] == ended()
