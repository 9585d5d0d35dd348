"""Kinds of value: which control draws a value, what "add" starts with, and the line that stands for a folded item."""

from typing import Any

import pytest

from playground.protocol.catalogue.blocks import CONTENT_BLOCK, MESSAGE
from playground.protocol.catalogue.conversation_state import COMPACT
from playground.protocol.catalogue.kinds import (
    AnyJson,
    Boolean,
    Choice,
    Constant,
    Integer,
    JsonSchema,
    Kind,
    ListOf,
    Null,
    Number,
    Object,
    OneOf,
    Text,
    accepts,
    blank,
    blank_for,
    control,
    summary,
)
from playground.protocol.catalogue.parameters import BODY, HEADERS
from playground.protocol.rules.validation import check

SYSTEM = BODY.by_name["system"].kind


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        (Text(), "a", "text"),
        (Text(), 5, "any_json"),
        (Text(), None, "null"),
        (Text(), "a\0b", "any_json"),
        (Text(), "\ud800", "any_json"),
        (Boolean(), 1, "any_json"),
        (Integer(), True, "any_json"),
        (Integer(), 1.5, "integer"),
        (Number(), 1, "number"),
        (Choice(("a",)), "unheard of", "choice"),
        (Constant("a"), "b", "any_json"),
        (SYSTEM, "Be brief.", "text"),
        (SYSTEM, [], "list_of"),
        (SYSTEM, {}, "any_json"),
        (MESSAGE, {"role": "user"}, "object"),
        (MESSAGE, {"role": "robot"}, "any_json"),
        (JsonSchema(), "not a schema", "json_schema"),
    ],
)
def test_a_value_is_drawn_by_what_it_is(kind: Kind, value: Any, word: str) -> None:
    assert control(kind, value).word == word


def test_a_text_with_line_breaks_gets_more_than_one_line() -> None:
    drawn = control(Text(max_length=9), "a\nb")
    assert isinstance(drawn, Text)
    assert (drawn.multiline, drawn.max_length) == (True, 9)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text(), ""),
        (Integer(minimum=1024), 1024),
        (Number(maximum=1), 0),
        (Boolean(), False),
        (Choice(("auto", "any")), "auto"),
        (Constant("text"), "text"),
        (AnyJson(), None),
        (AnyJson(must_be_object=True), {}),
        (JsonSchema(), {"type": "object", "properties": {}}),
        (ListOf(Text()), []),
        (ListOf(Text(), minimum=2), ["", ""]),
        (OneOf((Text(), ListOf(Text()))), ""),
        (Null(), None),
        (MESSAGE, {"role": "user", "content": ""}),
    ],
)
def test_adding_starts_with_the_least_there_can_be(kind: Kind, value: Any) -> None:
    assert blank(kind) == value


@pytest.mark.parametrize("block", CONTENT_BLOCK.variants, ids=lambda block: block.name)
def test_every_block_as_it_is_added_is_that_block(block: Object) -> None:
    assert CONTENT_BLOCK.pick(blank(block)) is block


@pytest.mark.parametrize("member", BODY.members, ids=lambda member: member.name)
def test_every_member_as_it_is_added_has_its_kind(member: Any) -> None:
    assert accepts(member.kind, blank_for(member))


def test_what_is_added_is_new_every_time() -> None:
    blank_for(BODY.by_name["messages"])[0]["content"] = "changed"
    assert blank_for(BODY.by_name["messages"]) == [{"role": "user", "content": ""}]


def test_a_compaction_edit_as_it_is_added_is_inside_its_bounds() -> None:
    edit = {**blank(COMPACT), "trigger": blank_for(COMPACT.by_name["trigger"])}
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
    betas = ["context-management-2025-06-27", "compact-2026-01-12"]
    assert check({**body, "context_management": {"edits": [edit]}}, betas=betas) == []


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"role": "user", "content": "Hi\n  there"}, "Hi there"),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image"}]}, "2 blocks: Hi"),
        ({"role": "assistant", "content": []}, "no blocks"),
        ({"role": "assistant", "content": None}, "null"),
        ({"role": "robot"}, "{role}"),
        ("not a message", "not a message"),
    ],
)
def test_a_folded_message_is_told_in_a_line(value: Any, line: str) -> None:
    assert summary(MESSAGE, value) == line


def test_a_folded_image_tells_its_size_and_not_its_bytes() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 4000}}
    assert summary(CONTENT_BLOCK, image) == "image · image/png · 3,000 bytes"


def test_a_long_line_is_cut() -> None:
    assert summary(Text(), "word " * 100_000).endswith("…")


def test_the_headers_of_a_request_are_those_of_the_api() -> None:
    assert [header.name for header in HEADERS] == [
        "anthropic-version",
        "anthropic-beta",
        "Accept",
        "anthropic-workspace-id",
        "anthropic-user-profile-id",
    ]
