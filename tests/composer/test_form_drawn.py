"""The form as it is drawn: it shows whatever a body holds, and posting it back unchanged changes nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, example, given

from playground.composer.request_form import RequestForm
from playground.models import Draft
from playground.protocol.body import apply
from playground.protocol.json import json_text
from tests.protocol.bodies import bodies
from tests.support.examples import examples

VOID = {"input", "img", "br", "hr"}


class Controls(HTMLParser):
    """What a browser would hold in the controls of the form: name and value of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.open: dict[str, Any] | None = None
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag not in VOID:
            self.tags.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"] or "")
        if tag == "option" and self.open is not None:
            self.option = attributes
            self.open["text"] = ""
        if "data-control" not in attributes:
            return
        name, kind = attributes["name"] or "", attributes.get("type")
        if tag == "input":
            value = attributes.get("value") or ""
            if kind == "checkbox":
                value = "true" if "checked" in attributes else attributes.get("data-off") or ""
            self.values.append((name, value))
        else:
            self.open = {"tag": tag, "name": name, "text": "", "chosen": None}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A part of an icon."""

    def handle_data(self, data: str) -> None:
        if self.open is not None:
            self.open["text"] += data

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag, "elements are nested wrongly"
        if self.open is None:
            return
        if tag == "option":
            value = self.option.get("value", self.open["text"])
            if "selected" in self.option or self.open["chosen"] is None:
                self.open["chosen"] = value
        elif tag == self.open["tag"]:
            # A browser drops the first line break of a textarea.
            text = self.open["chosen"] if tag == "select" else self.open["text"].removeprefix("\n")
            self.values.append((self.open["name"], text or ""))
            self.open = None


def drawn(body: Any) -> str:
    form = RequestForm(Draft(body=json_text.dump(body).encode("utf-8", "backslashreplace")))
    form.open = {"*", *(f"messages[{index}]" for index in range(20))}
    return render_to_string("playground/composer/_form_params.html", {"form": form, "mode": "form"})


@examples(80, suppress_health_check=list(HealthCheck))
@given(bodies)
@example({"tools": [{"type": []}]})
def test_a_form_that_is_posted_back_as_it_was_drawn_changes_nothing(body: Any) -> None:
    if not isinstance(body, dict):
        return
    edits = [(name, value) for name, value in Controls(drawn(body)).values if not name.startswith(":")]
    after, problems = apply(body, edits)
    assert problems == []
    assert json_text.dump(after) == json_text.dump(body)


@examples(30, suppress_health_check=list(HealthCheck))
@given(bodies)
@example({"messages": [{"role": "user", "content": [{"type": "image", "source": False}]}]})
def test_no_id_stands_twice_in_the_form(body: Any) -> None:
    if not isinstance(body, dict):
        return
    ids = Controls(drawn(body)).ids
    assert sorted(ids) == sorted(set(ids))


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' hx-get=/x"


@pytest.mark.parametrize(
    "body",
    [
        {HOSTILE: 1, "messages": [{"role": HOSTILE, "content": HOSTILE}]},
        {"model": HOSTILE, "stop_sequences": [HOSTILE], "metadata": {HOSTILE: {HOSTILE: HOSTILE}}},
        {
            "tools": [
                {"name": HOSTILE, "type": HOSTILE},
                {"name": HOSTILE, "description": HOSTILE, "input_schema": HOSTILE},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": HOSTILE}, {"type": "text", "text": "a", HOSTILE: 1}]}]},
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": HOSTILE, "configs": {HOSTILE: {"enabled": True}}}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": HOSTILE}}]}]},
    ],
)
def test_text_of_a_body_never_becomes_markup(body: Any) -> None:
    html = drawn(body)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert not any(HOSTILE[:4] in identity for identity in Controls(html).ids)
