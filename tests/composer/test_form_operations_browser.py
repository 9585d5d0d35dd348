"""Every control shows what is in the body: each button is pressed, and the form is compared with the JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from playground.protocol.catalogue.kinds import Constant
from playground.protocol.catalogue.parameters import BODY, find
from playground.protocol.json import json_text
from playground.protocol.json.paths import MISSING, get, parse_path, to_text
from tests.composer.test_compose_browser import body_of_draft, open_playground
from tests.support.browser import expect, settle
from tests.support.examples import one_of_each

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]

PICTURE = Path(__file__).with_name("form_picture.js").read_text()
PLAIN: dict[str, Any] = {"model": "sandbox-echo", "max_tokens": 2048, "messages": [{"role": "user", "content": "Hi"}]}
SEVERAL = 2  # of the ways to press one button (the types of a new block, the server tools), this many are pressed
WITHOUT_OPERATIONS = {"model", "max_tokens", "temperature", "top_p", "top_k"}
PRESSES = 25  # of one parameter at most
# One parameter of each kind of control, and so many presses, where the exhaustive test is too long to wait for.
SOME = ("messages", "stop_sequences", "thinking", "tools")
FEW = 6


def open_with(page: Any, body: Any) -> None:
    """Open the playground with this body in the visitor's draft."""
    page.goto("/")
    put(page, body)


def put(page: Any, body: Any) -> None:
    page.evaluate(
        """async (text) => {
          const headers = { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"] }
          const version = document.getElementById("draft-state").dataset.version
          const body = new URLSearchParams({ ":version": version, ":mode": "json", ":json": text })
          const answer = await fetch(document.getElementById("ask").dataset.edit, { method: "POST", body, headers })
          if (!answer.ok) throw new Error(String(answer.status))
        }""",
        json.dumps(body),
    )
    page.goto("/")
    expect(page.locator("#draft-state")).to_be_attached()


def shown(page: Any) -> Any:
    return page.evaluate(f"({PICTURE})(document)")


def shown_after_a_reload(page: Any) -> Any:
    """The same of a copy of the page: what a reload would show, without losing what is unfolded."""
    return page.evaluate(
        f"fetch(location.href).then((page) => page.text())"
        f".then((html) => ({PICTURE})(new DOMParser().parseFromString(html, 'text/html')))"
    )


def assert_true(picture: Any, body: Any) -> None:
    """Each control shows its value of the body, and each value of the body is shown by something."""
    seen: set[str] = set()
    for name, control in picture["controls"].items():
        path = parse_path(name)
        value, parameter = get(body, path), find(path, body)
        assert_control(name, control, value, parameter is not None and parameter.required)
        seen.add(name)
    for name, texts in picture["chips"].items():
        value = get(body, parse_path(name))
        assert texts == ([] if value is MISSING or value is None else value), f"chips of {name}"
        seen.add(name)
    for name in picture["nulls"]:
        assert get(body, parse_path(name)) is None, f"{name} says null"
        seen.add(name)
    for name, places in picture["items"].items():
        value = get(body, parse_path(name))
        assert len(places) == len(value if isinstance(value, list) else []), f"items of {name}"
    for name, ttl in picture["marks"].items():
        value = get(body, parse_path(name))
        assert ttl == (value.get("ttl") or "5m"), f"the cache mark {name}"
        seen.add(name)
    for name, is_ticked in picture["ticks"].items():  # parts with a row of their own, such as effort, among them
        assert is_ticked is (get(body, parse_path(name)) is not MISSING), f"the tick of {name}"
    assert {name for name in body if name in BODY.by_name} <= set(picture["ticks"])
    assert [path for path in leaves((), body) if not is_shown(path, seen, picture, body)] == []


def assert_control(name: str, control: Any, value: Any, is_required: bool) -> None:
    text = control["value"]
    if isinstance(text, bool):
        assert text is (value is True), f"the switch {name} beside {value!r}"
        assert control["off"] == ("false" if value is False else ""), f"what the switch {name} says when it is off"
    elif value is MISSING:
        assert text == "", f"{name} shows {text!r} and is not in the body"
    elif isinstance(value, str):
        assert text.replace("\r\n", "\n") == value.replace("\r\n", "\n"), name
        if value == "" and not is_required:
            assert control.get("placeholder") != "not sent", f"{name} is sent, as an empty string"
    else:
        assert json_text.parse(text) == value, name


def leaves(path: tuple[Any, ...], value: Any) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in leaves((*path, name), each)]
    if isinstance(value, list):
        return [leaf for at, each in enumerate(value) for leaf in leaves((*path, at), each)]
    return [path]


def is_shown(path: tuple[Any, ...], seen: set[str], picture: Any, body: Any) -> bool:
    """By a control of its own or of what is around it; by a choice, as a tag is; or as it can be nothing else."""
    if any(to_text(path[:end]) in seen for end in range(1, len(path) + 1)):
        return True
    parameter = find(path, body)
    if parameter is not None and isinstance(parameter.kind, Constant):
        return bool(get(body, path) == parameter.kind.value)
    return picture["choices"].get(to_text(path[:-1])) == get(body, path)


def compare(page: Any, pressed: str) -> None:
    settle(page)
    now, later, body = shown(page), shown_after_a_reload(page), body_of_draft()
    try:
        assert_true(now, body)
        assert differences(now, later) == {}
    except AssertionError as wrong:
        raise AssertionError(f"after {pressed}, with {json.dumps(body)[:1500]}: {wrong}") from wrong


def differences(now: Any, later: Any) -> dict[str, Any]:
    """What the page shows and what it will show after a reload, where these differ."""
    found = {}
    for part in now:
        if isinstance(now[part], dict):
            names = {name for name in {*now[part], *later[part]} if now[part].get(name) != later[part].get(name)}
            found |= {f"{part} {name}": (now[part].get(name), later[part].get(name)) for name in sorted(names)}
        elif now[part] != later[part]:
            found[part] = (now[part], later[part])
    return found


def presses_in(page: Any, name: str) -> list[Any]:
    """The operations that the parameter offers now: op, path and kind."""
    found = page.evaluate(
        """(name) => [...document.querySelectorAll(
            `#ask [data-param="${CSS.escape(name)}"] :is([data-op], [data-op-choice])`)]
          .filter((each) => each.dataset.op !== "run-from")
          .flatMap((each) => each.options
            ? [...each.options].map((option) => [each.dataset.opChoice, each.dataset.path, option.value])
            : [[each.dataset.op ?? each.dataset.opChoice, each.dataset.path,
                each.dataset.kind ?? each.value ?? ""]])""",
        name,
    )
    return list(found)


def do_press(page: Any, name: str, op: str, path: str, kind: str) -> None:
    page.evaluate(
        """([name, op, path, kind]) => {
          const all = [...document.querySelectorAll(
            `#ask [data-param="${CSS.escape(name)}"] :is([data-op], [data-op-choice])`)]
          const isSame = ({ dataset }) => (dataset.op ?? dataset.opChoice) === op && dataset.path === path
          const same = all.filter(isSame)
          const button = same.find((each) => each.dataset.op && (each.dataset.kind ?? "") === kind)
          if (button) return button.click()
          const select = same.find((each) => each.options)
          if (select) {
            select.value = kind
            return select.dispatchEvent(new Event("change", { bubbles: true }))
          }
          same.find((each) => each.value === kind).click()
        }""",
        [name, op, path, kind],
    )


def signature(op: str, path: str, kind: str) -> str:
    return f"{op} {re.sub(r'[0-9]+', 'n', path)} {kind}"


def press_and_compare(page: Any, name: str, presses: int, body: Any = PLAIN) -> None:
    """Press what the parameter offers, each operation once, and compare after each press and after a reload."""
    open_with(page, body)
    pressed: set[str] = set()
    kinds: dict[str, int] = {}
    for _ in range(presses):
        for op, path, kind in presses_in(page, name):
            once = signature(op, path, kind)
            family = signature(op, path, "")
            if once in pressed or (op in {"insert", "add-block"} and kinds.get(family, 0) >= SEVERAL):
                continue
            pressed.add(once)
            kinds[family] = kinds.get(family, 0) + 1
            do_press(page, name, op, path, kind)
            compare(page, once)
            break
        else:
            break
    assert pressed or name in WITHOUT_OPERATIONS
    before = shown(page)
    page.reload()
    assert shown(page) == before


@pytest.mark.parametrize("name", one_of_each(SOME))
def test_an_operation_shows_in_the_form_what_it_did_to_the_body(page: Any, name: str) -> None:
    press_and_compare(page, name, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", [member.name for member in BODY.members])
def test_every_operation_shows_in_the_form_what_it_did_to_the_body(page: Any, name: str) -> None:
    press_and_compare(page, name, PRESSES)


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "spots": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}},
        "either": {"not": {"type": "null"}},
    },
    "required": ["city"],
}
TOOL = {"name": "get_weather", "description": "Weather", "input_schema": SCHEMA}
WITH_SCHEMAS = {
    "tools": PLAIN | {"tools": [TOOL]},
    "tool_choice": PLAIN | {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "get_weather"}},
    "output_config": PLAIN | {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_SCHEMAS)
def test_rows_and_json_of_a_schema_are_in_step_after_every_operation(page: Any, name: str) -> None:
    press_and_compare(page, name, 3 * PRESSES, WITH_SCHEMAS[name])


WRITTEN = {
    "text": "x",
    "number": "7",
    "json": '{\n  "a": 1\n}',
}
EVERY_CONTROL = {
    **PLAIN,
    "system": [{"type": "text", "text": "", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "metadata": {"user_id": ""},
    "stream": False,
    "speed": None,
    "inference_geo": "",
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "tools": [
        {"name": "get_weather", "input_schema": {"type": "object"}, "strict": False},
        {"type": "web_search_20260318", "name": "web_search", "max_uses": None, "allowed_domains": ["example.org"]},
    ],
    "tool_choice": {"type": "tool", "name": "get_weather"},
    "mcp_servers": [{"type": "url", "name": "a", "url": "https://example.org", "authorization_token": None}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "", "is_error": False}],
        },
    ],
    "an_unknown_one": {"kept": [1, None]},
}


def write_everywhere(page: Any, is_emptied: bool) -> None:
    """Type into every control of the body, or empty it, as a reader who goes through all of them."""
    page.evaluate(
        """([texts, isEmptied]) => {
          for (const control of document.querySelectorAll("#ask [data-control]")) {
            if (control.name.startsWith(":") || ["model", "an_unknown_one"].includes(control.name)) continue
            if (control.type === "checkbox") control.checked = !isEmptied
            else if (control.options) control.value = [...control.options].at(isEmptied ? 0 : -1).value
            else {
              const kind = "number" in control.dataset ? "number" : "json" in control.dataset ? "json" : "text"
              control.value = isEmptied ? "" : texts[kind]
            }
            control.dispatchEvent(new Event("input", { bubbles: true }))
          }
        }""",
        [WRITTEN, is_emptied],
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_emptied", one_of_each([False, True]), ids=["written", "emptied"])
def test_what_is_typed_shows_as_it_will_after_a_reload(page: Any, is_emptied: bool) -> None:
    open_with(page, EVERY_CONTROL)
    compare(page, "opening the page")
    write_everywhere(page, is_emptied)
    settle(page)
    if is_emptied:  # what cannot be empty stays as it was in the body, and as it was emptied on the page
        names = set(page.evaluate("document.getElementById('draft-state').dataset.unread").split("\n"))
        page.evaluate(
            """(names) => {
              for (const name of names) {
                const control = document.querySelector(`#ask [data-control][name="${CSS.escape(name)}"]`)
                control.value = control.defaultValue
                control.dispatchEvent(new Event("input", { bubbles: true }))
              }
            }""",
            [name for name in names if name],
        )
    compare(page, "typing")


NEEDS_REPAIR = {
    "thinking": PLAIN | {"thinking": {"type": "enabled", "budget_tokens": 4096}},
    "max_tokens": {name: value for name, value in PLAIN.items() if name != "max_tokens"},
    "temperature": PLAIN | {"temperature": 7},
    "messages": PLAIN | {"messages": [*PLAIN["messages"], {"role": "assistant", "content": "So "}]},
    "tool_choice": PLAIN | {"tool_choice": {"type": "any"}},
    "tools": PLAIN
    | {"tools": [{"name": "a b", "input_schema": {}}, {"name": "a b", "input_schema": {"type": "string"}}]},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS_REPAIR)
def test_every_repair_shows_in_the_form(page: Any, name: str) -> None:
    open_with(page, NEEDS_REPAIR[name])
    pressed = 0
    while pressed < 6:
        repairs = page.evaluate("[...document.querySelectorAll('#problem-list [data-op=repair]')].length")
        if not repairs:
            break
        page.evaluate("document.querySelector('#problem-list [data-op=repair]').click()")
        pressed += 1
        compare(page, f"repair {pressed}")
    assert pressed, "nothing to repair: the test has lost its case"


@pytest.mark.slow
def test_chips_are_shown_as_they_are_added_and_taken_away(page: Any) -> None:
    open_with(page, PLAIN)
    page.locator("details.group:has(#f-stop_sequences) > summary").click()
    field = page.get_by_label("stop_sequences", exact=True)
    for text in ("END", "STOP"):
        field.fill(text)
        field.press("Enter")
        compare(page, f"adding {text}")
    assert body_of_draft()["stop_sequences"] == ["END", "STOP"]
    expect(page.locator('[data-chips="stop_sequences"] .chip')).to_have_count(2)
    field = page.get_by_label("stop_sequences", exact=True)
    field.press("Backspace")
    compare(page, "Backspace")
    assert body_of_draft()["stop_sequences"] == ["END"]


def test_an_example_takes_the_place_of_the_request(page: Any) -> None:
    open_playground(page)
    page.get_by_label("More for the request").click()
    page.get_by_role("button", name="Choose an example").click()
    page.locator("#examples-dialog").get_by_role("button", name="Tool use").click()
    expect(page.locator("details.tool")).to_have_count(2)
    settle(page)
    assert body_of_draft()["tool_choice"] == {"type": "auto"}
