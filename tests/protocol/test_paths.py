"""Paths as text, and edits that leave the old value alone."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.json import paths
from playground.protocol.json.paths import MISSING, PathError
from tests.protocol.bodies import texts

BODY = {"messages": [{"role": "user"}, {"role": "assistant"}, {"role": "system"}], "metadata": {"user_id": None}}


@given(st.lists(texts | st.integers(0, 999_999_999), max_size=5).map(tuple))
def test_a_path_survives_its_text(path: tuple[str | int, ...]) -> None:
    assert paths.parse_path(paths.to_text(path)) == path


def test_a_path_reads_as_people_write_it() -> None:
    assert paths.to_text(("messages", 2, "content", 0)) == "messages[2].content[0]"
    assert paths.to_text(("a b", 0, "x")) == '["a b"][0].x'


@pytest.mark.parametrize("text", [".a", "a..b", "a[", "a[-1]", "a[x]", "a b", "a]", 'a["\\x"]', "a[0]b", "a." + "é"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        paths.parse_path(text)


def test_null_is_there_and_absent_is_not() -> None:
    assert paths.get(BODY, ("metadata", "user_id")) is None
    assert paths.get(BODY, ("metadata", "other")) is MISSING
    assert paths.get(BODY, ("messages", -1)) is MISSING


def test_edits_give_the_new_value() -> None:
    assert paths.put(BODY, ("metadata", "user_id"), "u") == {**BODY, "metadata": {"user_id": "u"}}
    assert paths.put(BODY, ("messages", 3), 1)["messages"][3] == 1
    assert paths.put(BODY, (), 5) == 5
    assert paths.remove(BODY, ("metadata", "user_id"))["metadata"] == {}
    assert [m["role"] for m in paths.remove(BODY, ("messages", 0))["messages"]] == ["assistant", "system"]
    assert [m["role"] for m in paths.move(BODY, ("messages", 0), 2)["messages"]] == ["assistant", "system", "user"]
    assert [m["role"] for m in paths.move(BODY, ("messages", 2), -5)["messages"]] == ["system", "user", "assistant"]
    assert [m["role"] for m in paths.duplicate(BODY, ("messages", 1))["messages"]][:3] == ["user", *["assistant"] * 2]
    assert paths.insert(BODY, ("messages", 0), {})["messages"][0] == {}
    assert paths.insert(BODY, ("messages", 3), {})["messages"][3] == {}


def test_an_edit_shares_what_it_does_not_touch_and_leaves_the_old_value_alone() -> None:
    before = copy.deepcopy(BODY)
    after = paths.put(BODY, ("messages", 1, "role"), "user")
    assert before == BODY
    assert after["messages"][0] is BODY["messages"][0]
    assert after["metadata"] is BODY["metadata"]


def test_members_keep_their_order_when_set() -> None:
    assert list(paths.put(BODY, ("messages",), [])) == ["messages", "metadata"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda: paths.read(BODY, ("nothing",)),
        lambda: paths.put(BODY, ("messages", 5), 1),
        lambda: paths.put(BODY, ("messages", "role"), 1),
        lambda: paths.put(BODY, ("nothing", "inside"), 1),
        lambda: paths.put(BODY, ("metadata", "user_id", "inside"), 1),
        lambda: paths.put(BODY, ("metadata", 0), 1),
        lambda: paths.remove(BODY, ("messages", 3)),
        lambda: paths.remove(BODY, ()),
        lambda: paths.insert(BODY, ("metadata", "x"), 1),
        lambda: paths.insert(BODY, ("messages", 4), 1),
        lambda: paths.insert(BODY, (), 1),
        lambda: paths.move(BODY, ("metadata", "user_id"), 0),
        lambda: paths.move(BODY, ("messages", 3), 0),
        lambda: paths.duplicate(BODY, ("messages",)),
    ],
)
def test_an_edit_of_a_place_that_is_not_there_is_refused(edit: object) -> None:
    with pytest.raises(PathError):
        edit()  # type: ignore[operator]
