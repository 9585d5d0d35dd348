"""Whatever a request holds, its page stays small: what is large is loaded when the reader asks for it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.urls import reverse

from playground.models import Draft
from playground.protocol.json import json_text
from tests.support import drafting
from tests.support.examples import one_of_each

pytestmark = pytest.mark.django_db
MOST_PAGE = 1_000_000  # bytes
LONG = "lorem <ipsum> " * 200_000


def request_with(content: Any, **members: Any) -> dict[str, Any]:
    message = {"role": "user", "content": content}
    return {"model": "sandbox-echo", "max_tokens": 64, "messages": [message], **members}


def tools(count: int) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(8)}}
    return [{"name": f"tool_{n}", "description": "Does a thing.", "input_schema": schema} for n in range(count)]


SHAPES = {
    "a long text": request_with(LONG),
    "a long text in a block": request_with([{"type": "text", "text": LONG}]),
    "a long system prompt": request_with("Hi", system=LONG),
    "a long model name": request_with("Hi") | {"model": LONG},
    "base64 that is no file": request_with(
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "Zm9v" * 500_000}}]
    ),
    "many blocks": request_with([{"type": "text", "text": "a"}] * 9_000),
    "many turns": request_with("Hi") | {"messages": [{"role": "user", "content": "a"}] * 9_000},
    "a thousand tools": request_with("Hi", tools=tools(1_000)),
    "many stop sequences": request_with("Hi", stop_sequences=[f"stop {n}" for n in range(20_000)]),
    "many unknown members": request_with("Hi") | {f"unknown_{n}": n for n in range(9_000)},
    "many members of a block": request_with([{"type": "text", "text": "a", **{f"x{n}": n for n in range(9_000)}}]),
    "many variables": request_with(" ".join("{{" + f"v{n}" + "}}" for n in range(9_000))),
    "a tool's input of many members": request_with(
        [{"type": "tool_use", "id": "toolu_1", "name": "t", "input": {f"m{n}": "text" for n in range(20_000)}}]
    ),
    "results of results": request_with(
        [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}] * 90}] * 90
    ),
    "problems everywhere": request_with([{"type": "text", "text": ""}] * 9_000),
}


@pytest.mark.parametrize("mode", one_of_each(["form", "json"]))
@pytest.mark.parametrize("shape", one_of_each(SHAPES))
def test_a_page_stays_small(client: Any, shape: str, mode: str) -> None:
    drafting.begin(client, SHAPES[shape])
    page = client.get("/", {"as": mode})
    assert page.status_code == 200
    assert len(page.content) <= MOST_PAGE


@pytest.mark.parametrize("shape", one_of_each(SHAPES))
def test_the_answer_to_a_change_stays_small(client: Any, shape: str) -> None:
    drafting.begin(client, SHAPES[shape])
    for answer in (
        drafting.edit(client, max_tokens="65"),
        drafting.change(client, "add-turn", "messages"),
        client.post(reverse("draft-form"), {":version": Draft.objects.get().version, ":mode": "form"}),
    ):
        assert answer.status_code == 200
        assert len(answer.content) <= MOST_PAGE


def whole(client: Any, path: str, **more: str) -> str:
    answer = client.post(reverse("draft-part"), {":path": path, ":whole": "1", **more})
    assert answer.status_code == 200
    return str(answer.content.decode())


def typed(answer: str, name: str) -> str:
    """What the control of this name shows."""
    match = re.search(
        rf'<textarea[^>]*name="{re.escape(html.escape(name))}"[^>]*>\n(.*?)</textarea>', answer, re.DOTALL
    )
    assert match, answer[:500]
    return html.unescape(match[1])


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ("a long text", "messages[0].content"),
        ("a long text in a block", "messages[0].content[0].text"),
        ("a long system prompt", "system"),
        ("base64 that is no file", "messages[0].content[0].source.data"),
    ],
)
def test_a_large_value_is_loaded_whole(client: Any, shape: str, path: str) -> None:
    drafting.begin(client, SHAPES[shape])
    page = client.get("/").content.decode()
    assert f'data-later="{path}"' in page
    value: Any = json_text.parse(Draft.objects.get().body_text)
    for step in re.findall(r"\w+", path):
        value = value[int(step) if step.isdigit() else step]
    assert typed(whole(client, path), path) == value


def test_the_body_is_loaded_whole_as_json(client: Any) -> None:
    drafting.begin(client, SHAPES["a long text"])
    assert 'name=":json"' not in client.get("/", {"as": "json"}).content.decode()
    assert typed(whole(client, ""), ":json") == Draft.objects.get().body_text


def test_a_value_that_is_not_loaded_is_not_changed(client: Any) -> None:
    drafting.begin(client, SHAPES["a long text"])
    drafting.edit(client, max_tokens="65")
    assert json_text.parse(Draft.objects.get().body_text) == SHAPES["a long text"] | {"max_tokens": 65}


@pytest.mark.slow
def test_a_long_list_is_shown_in_parts(client: Any) -> None:
    drafting.begin(client, SHAPES["many blocks"])
    page = client.get("/").content.decode()
    assert 'data-place="messages[0].content[49]"' in page
    assert 'data-place="messages[0].content[50]"' not in page
    assert "8,950 more in messages[0].content" in page
    following = whole(client, "messages[0].content", **{":from": "50"})
    assert 'data-place="messages[0].content[50]"' in following
    assert 'data-place="messages[0].content[49]"' not in following
    last = whole(client, "messages[0].content", **{":from": "8950"})
    assert 'data-place="messages[0].content[8999]"' in last
    assert "more in" not in last


def test_of_many_tools_the_insides_come_when_they_are_opened(client: Any) -> None:
    drafting.begin(client, request_with("Hi", tools=tools(21)))
    page = client.get("/").content.decode()
    assert 'name="tools[3].description"' not in page
    assert 'name="tools[3].description"' in whole(client, "tools[3]")
    opened = client.post(
        reverse("draft-form"), {":version": "1", ":mode": "form", ":open": "tools[3]"}
    ).content.decode()
    assert 'name="tools[3].description"' in opened


def test_few_tools_are_drawn_with_the_page(client: Any) -> None:
    drafting.begin(client, request_with("Hi", tools=tools(20)))
    assert 'name="tools[3].description"' in client.get("/").content.decode()


def test_each_problem_names_its_line() -> None:
    body = {"a": [1, {"b": 2}], "c": {"d": [3, 4]}}
    text = json_text.dump(body)
    places = [(), ("a",), ("a", 1, "b"), ("c", "d", 1), ("c", "missing"), ("gone",)]
    lines = json_text.lines_of(text, places)
    assert list(lines) == places
    assert lines["c", "d", 1] == next(at for at, line in enumerate(text.splitlines(), 1) if line.strip() == "4")
    assert json_text.lines_of(json.dumps(body).replace("[", "\r\n[\r"), [("c", "d", 1)]) == {("c", "d", 1): 5}
