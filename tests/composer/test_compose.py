"""The playground page and what it posts: drawn from the catalogue, kept as a draft, sent as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from playground.composer.nodes import Node
from playground.models import Draft
from playground.protocol.catalogue.kinds import ListOf, MapOf, Object, OneOf, Variants
from playground.protocol.catalogue.parameters import BODY
from playground.protocol.json import json_text
from tests.support.drafting import HELLO, begin, body, change, edit

pytestmark = pytest.mark.django_db

# --- The page ---------------------------------------------------------------------------------------------------------


def test_a_newcomer_finds_a_request_that_can_be_sent_as_it_stands(client: Any) -> None:
    page = client.get("/").content.decode()
    assert "sandbox-stories" in page
    assert "Try It!" in page
    assert 'data-severity="error"' not in page


def test_looking_at_the_page_stores_nothing(client: Any) -> None:
    client.get("/")
    assert not Draft.objects.exists()


@pytest.mark.parametrize("member", [member.name for member in BODY.members])
def test_every_parameter_of_the_body_has_its_place_in_the_form(client: Any, member: str) -> None:
    assert f'data-param="{member}"' in client.get("/").content.decode()


def records(kind: Any, path: tuple[Any, ...] = ()) -> Any:
    """Every record of the catalogue once, with a path to it."""
    seen: set[int] = set()

    def walk(kind: Any, path: tuple[Any, ...], value: Any) -> Any:
        match kind:
            case OneOf():
                for each in kind.kinds:
                    yield from walk(each, path, value)
            case Variants():
                for each in kind.variants:
                    yield from walk(each, path, value)
            case ListOf():
                yield from walk(kind.item, (*path, 0), value)
            case MapOf():
                yield from walk(kind.value, (*path, "name"), value)
            case Object() if id(kind) not in seen:
                seen.add(id(kind))
                yield path, kind
                for member in kind.members:
                    yield from walk(member.kind, (*path, member.name), value)

    yield from walk(kind, path, None)


@pytest.mark.parametrize(("path", "kind"), [(p, k) for p, k in records(BODY) if k is not BODY], ids=str)
def test_every_record_of_the_catalogue_is_drawn_with_a_control(path: tuple[Any, ...], kind: Object) -> None:
    """A group with nothing set still offers each member: as a control, under More, or as its variant's own control."""
    from playground.protocol.catalogue.kinds import blank

    value = blank(kind)
    node = Node(path, kind, value)
    drawn = {each.label for each in (*node.members, *node.more)}
    fixed = {member.name for member in kind.members if member.kind.word == "constant"}
    assert {member.name for member in kind.members} == drawn | fixed


# --- Typing -----------------------------------------------------------------------------------------------------------


def test_what_was_typed_is_kept_and_nothing_else_is_touched(client: Any) -> None:
    text = '{"model": "m", "max_tokens": 100, "messages": [], "temperature": 1.0, "unknown": {"b": 1e2, "a": null}}'
    client.get("/")
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": text})
    edit(client, max_tokens="200")
    assert json_text.dump(body(), indent=None).replace(" ", "") == text.replace(" ", "").replace("100", "200")


def test_an_emptied_field_is_left_out_of_the_body(client: Any) -> None:
    begin(client, HELLO | {"temperature": 0.5})
    edit(client, temperature="")
    assert "temperature" not in body()


def test_text_that_is_no_number_is_told_at_its_field_and_changes_nothing(client: Any) -> None:
    begin(client, HELLO)
    page = edit(client, max_tokens="many").content.decode()
    assert 'data-path="max_tokens"' in page
    assert 'data-unread="max_tokens"' in page
    assert body()["max_tokens"] == 100


def test_problems_come_with_path_and_repair(client: Any) -> None:
    begin(client, HELLO | {"thinking": {"type": "enabled", "budget_tokens": 4096}})
    page = edit(client, max_tokens="2000").content.decode()
    assert 'data-path="thinking.budget_tokens"' in page
    label = next(part.split('"')[0] for part in page.split('data-op="repair"')[1].split('data-kind="')[1:])
    change(client, "repair", "thinking.budget_tokens", label)
    assert body()["max_tokens"] > 4096


def test_json_that_cannot_be_parsed_is_kept_as_typed_and_named_by_its_line(client: Any) -> None:
    client.get("/")
    page = client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": '{\n "model": oops\n}'})
    assert 'data-line="2"' in page.content.decode()
    assert Draft.objects.get().body_text == '{\n "model": oops\n}'
    assert "oops" in client.get("/").content.decode()


def test_a_second_tab_is_told_that_the_draft_changed_and_overwrites_nothing(client: Any) -> None:
    draft = begin(client, HELLO)
    old = draft.version
    edit(client, max_tokens="200")
    response = client.post(reverse("edit"), {":version": old, ":mode": "form", "max_tokens": "300"})
    assert response.status_code == 409
    assert "changed in another tab" in response.content.decode()
    assert body()["max_tokens"] == 200


def test_the_reader_can_put_their_change_on_top_of_the_newer_version(client: Any) -> None:
    old = begin(client, HELLO).version
    edit(client, max_tokens="200")
    client.post(reverse("edit"), {":version": old, ":mode": "form", "model": "other", ":overwrite": "1"})
    assert (body()["model"], body()["max_tokens"]) == ("other", 200)


ROLES = ("user", "assistant", "user")
THREE = HELLO | {"messages": [{"role": role, "content": text} for role, text in zip(ROLES, "abc", strict=True)]}
SEEN = {f"messages[{at}].content": text for at, text in enumerate("abc")}  # as the page showed it


@pytest.mark.parametrize("was", [SEEN, {}, "no JSON"])
def test_a_change_does_not_go_on_top_where_its_place_may_be_another_item_now(client: Any, was: Any) -> None:
    old = begin(client, THREE).version
    change(client, "remove", "messages[0]")
    put = {":version": old, ":mode": "form", "messages[1].content": "B", "model": "other", ":was": json.dumps(was)}
    response = client.post(reverse("edit"), put | {":overwrite": "1"})
    assert response.status_code == 409
    assert "messages[1].content" in response.content.decode()
    assert 'data-overwrite="anyway"' in response.content.decode()
    assert body()["model"] == HELLO["model"]
    assert client.post(reverse("edit"), put | {":overwrite": "anyway"}).status_code == 200
    assert [turn["content"] for turn in body()["messages"]] == ["b", "B"]


def test_a_change_goes_on_top_where_its_list_is_as_the_page_showed_it(client: Any) -> None:
    old = begin(client, THREE).version
    edit(client, max_tokens="200")
    put = {":version": old, ":mode": "form", "messages[1].content": "B", ":was": json.dumps(SEEN), ":overwrite": "1"}
    assert client.post(reverse("edit"), put).status_code == 200
    assert [turn["content"] for turn in body()["messages"]] == ["a", "B", "c"]


def test_a_header_does_not_go_on_top_of_another_one(client: Any) -> None:
    begin(client, HELLO)
    change(client, "header-add", "", "x-one")
    change(client, "header-add", "", "x-two")
    old = edit(client, **{":header 1": "2"}) and Draft.objects.get().version
    change(client, "header-remove", "", "0")
    put = {":version": old, ":mode": "form", ":header 0": "1", ":overwrite": "1"}
    response = client.post(reverse("edit"), put | {":was": json.dumps({":header 0": "", ":header 1": "2"})})
    assert response.status_code == 409
    assert "the extra headers" in response.content.decode()
    assert Draft.objects.get().extra_headers == [["x-two", "2"]]


# --- Pressing ---------------------------------------------------------------------------------------------------------


def test_a_block_added_to_a_text_makes_it_a_list_of_blocks(client: Any) -> None:
    begin(client, HELLO)
    change(client, "add-block", "messages[0].content", "document")
    content = body()["messages"][0]["content"]
    assert [block["type"] for block in content] == ["text", "document"]
    assert content[0]["text"] == "Hi"


def test_a_turn_after_tool_calls_begins_with_a_result_for_each(client: Any) -> None:
    calls = [{"type": "tool_use", "id": f"toolu_{n}", "name": "f", "input": {}} for n in (1, 2)]
    begin(client, HELLO | {"messages": [*HELLO["messages"], {"role": "assistant", "content": calls}]})
    change(client, "add-turn", "messages")
    assert [block["tool_use_id"] for block in body()["messages"][2]["content"]] == ["toolu_1", "toolu_2"]


@pytest.mark.parametrize(
    ("op", "to", "order"), [("up", "", "acb"), ("down", "", "abc"), ("move", "0", "cab"), ("duplicate", "", "abcc")]
)
def test_items_of_a_list_can_be_moved_and_doubled(client: Any, op: str, to: str, order: str) -> None:
    begin(client, HELLO | {"stop_sequences": ["a", "b", "c"]})
    change(client, op, "stop_sequences[2]", to=to)
    assert "".join(body()["stop_sequences"]) == order


def test_a_list_whose_last_item_goes_is_left_out(client: Any) -> None:
    begin(client, HELLO | {"stop_sequences": ["a"]})
    change(client, "remove", "stop_sequences[0]")
    assert "stop_sequences" not in body()


def test_null_empty_false_and_absent_are_four_things(client: Any) -> None:
    begin(client, HELLO | {"metadata": {"user_id": "u"}})
    seen = []
    for op in ("null", "empty", "unset"):
        change(client, op, "metadata.user_id")
        seen.append(body()["metadata"])
    change(client, "false", "stream")
    assert seen == [{"user_id": None}, {"user_id": ""}, {}]
    assert body()["stream"] is False


def test_a_change_of_variant_keeps_what_both_have(client: Any) -> None:
    begin(client, HELLO | {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}})
    change(client, "variant", "thinking", "adaptive")
    assert body()["thinking"] == {"type": "adaptive", "display": "omitted"}


@pytest.mark.parametrize("path", ["nothing[3]", "messages[99]", "messages[0].content[7]", "]]", "", "messages"])
@pytest.mark.parametrize(
    "op", ["remove", "up", "insert", "add-block", "variant", "entry", "kind", "run-from", "nonsense"]
)
def test_a_change_that_makes_no_sense_is_refused_in_words(client: Any, op: str, path: str) -> None:
    begin(client, HELLO)
    assert change(client, op, path, "nonsense").status_code == 200


def test_each_server_tool_is_offered_once_and_its_version_can_be_chosen(client: Any) -> None:
    begin(client, HELLO)
    page = client.get("/").content.decode()
    assert page.count('data-kind="web_search_20') == 1
    change(client, "insert", "tools", "web_search_20260318")
    page = client.get("/").content.decode()
    assert 'value="web_search_20250305"' in page
    change(client, "variant", "tools[0]", "web_search_20250305")
    assert body()["tools"] == [{"type": "web_search_20250305", "name": "web_search"}]
    change(client, "insert", "tools", "text_editor_20250728")
    change(client, "variant", "tools[1]", "text_editor_20250124")
    assert body()["tools"][1] == {"type": "text_editor_20250124", "name": "str_replace_editor"}
