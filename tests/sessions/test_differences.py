"""Where two requests of a thread first differ: the place, the character, and an excerpt of each."""

from typing import Any

import pytest

from playground.sessions.differences import first_difference, same_messages

HI = {"role": "user", "content": "hi"}
BLOCKS = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}


@pytest.mark.parametrize(
    ("before", "after", "place", "excerpts"),
    [
        ({"model": "m-1"}, {"model": "m-2"}, "model, character 3", ("m-1", "m-2")),
        ({"system": "ab"}, {"system": ""}, "system, character 1", ("ab", "(empty)")),
        ({"tools": [{"name": "a"}]}, {"tools": []}, "tools[0]", ('{"name": "a"}', "nothing")),
        ({"tools": []}, {"tools": [{"name": "b"}]}, "tools[0]", ("nothing", '{"name": "b"}')),
        ({"messages": [HI]}, {"messages": [{**HI, "content": "ho"}]}, "messages[0].content[0].text, character 2",
         ("hi", "ho")),
        ({"thinking": {"type": "enabled"}}, {}, "thinking", ('{"type": "enabled"}', "null")),
        ({"tool_choice": {"type": "auto"}}, {"tool_choice": {"type": "any"}}, "tool_choice.type, character 2",
         ("auto", "any")),
        ({"speed": 1, "model": "b"}, {"speed": 2, "model": "a"}, "model, character 1", ("b", "a")),
    ],
)  # fmt: skip
def test_the_first_difference_is_told_in_the_order_of_the_cache(
    before: dict[str, Any], after: dict[str, Any], place: str, excerpts: tuple[str, str]
) -> None:
    difference = first_difference(before, after)
    assert difference is not None
    assert difference.place == place
    assert (difference.before, difference.after) == excerpts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"messages": [HI]}, {"messages": [HI, {"role": "assistant", "content": "ho"}]}),
        ({"messages": [HI]}, {"messages": [BLOCKS]}),
        ({"system": BLOCKS["content"]}, {"system": [{"type": "text", "text": "hi"}]}),
        ({"max_tokens": 1}, {"max_tokens": 2}),
    ],
)
def test_a_thread_that_grows_or_is_marked_for_the_cache_does_not_differ(before: Any, after: Any) -> None:
    assert first_difference(before, after) is None


def test_a_long_text_is_cut_around_the_character_at_which_it_differs() -> None:
    difference = first_difference({"system": "a" * 1000 + "b"}, {"system": "a" * 1000 + "c" * 500})
    assert difference is not None
    assert difference.place == "system, character 1,001"
    assert difference.before == "…" + "a" * 30 + "b"
    assert difference.after.endswith("c")
    assert len(difference.after) < 100


def test_a_long_value_ends_with_dots() -> None:
    difference = first_difference({"thinking": {"type": "x" * 900}}, {})
    assert difference is not None
    assert difference.before.endswith("…")


def test_messages_that_both_begin_with_are_counted_whatever_their_spelling() -> None:
    other = {"role": "assistant", "content": "ho"}
    assert same_messages([HI, other, HI], {"messages": [BLOCKS, other]}) == 2
    assert same_messages([HI, other], {"messages": [HI, HI]}) == 1
    assert same_messages([HI], {"messages": "none"}) == 0
    assert same_messages([HI], None) == 0
