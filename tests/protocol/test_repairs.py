"""One-click repairs: what the body is after each."""

from typing import Any

import pytest

from playground.protocol.json import paths
from playground.protocol.rules.validation import check, repaired
from tests.protocol.broken_bodies import MARK, PNG, body, call, image, result, text, turns


def mended(wrong: dict[str, Any], **arguments: Any) -> Any:
    """The body after the repair of its first problem."""
    problem = check(wrong, **arguments)[0]
    assert problem.repair is not None
    return repaired(wrong, problem.repair)


def test_a_budget_that_is_too_large_raises_max_tokens() -> None:
    after = mended(body(thinking={"type": "enabled", "budget_tokens": 4000}))
    assert after["max_tokens"] == 5024


def test_a_budget_is_lowered_where_the_model_does_not_write_more() -> None:
    wrong = body(model="claude-sonnet-4-5", max_tokens=64_000, thinking={"type": "enabled", "budget_tokens": 64_000})
    assert mended(wrong)["thinking"]["budget_tokens"] == 32_000


def test_a_refused_temperature_is_left_out() -> None:
    assert "temperature" not in mended(body(temperature=1), version="2026-10-21")


def test_missing_results_are_added_before_the_text_that_is_there() -> None:
    after = mended(turns("a", [call(), call("t2")], "b"))
    assert [block["type"] for block in after["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]
    assert [block.get("tool_use_id") for block in after["messages"][2]["content"]] == ["t1", "t2", None]


def test_a_missing_result_brings_its_user_message_along() -> None:
    after = mended(turns("a", [call()]))
    assert after["messages"][2]["role"] == "user"
    assert after["messages"][2]["content"][0]["tool_use_id"] == "t1"


def test_results_that_came_late_move_to_the_front() -> None:
    after = mended(turns("a", [call()], [text("b"), result()]))
    assert after["messages"][2]["content"] == [result(), text("b")]


def test_white_space_at_the_end_of_an_answer_that_was_begun_is_dropped() -> None:
    assert mended(turns("a", "b \n"))["messages"][1]["content"] == "b"


def test_the_fifth_cache_mark_is_removed() -> None:
    after = mended(turns([text(cache_control=MARK)] * 5))
    assert ["cache_control" in block for block in after["messages"][0]["content"]] == [True] * 4 + [False]


def test_a_data_url_is_cut_down_to_its_bytes() -> None:
    after = mended(turns([image(media_type="image/gif", data=f"data:image/png;base64,{PNG}")]))
    assert after["messages"][0]["content"] == [image()]


def test_a_repair_of_a_body_that_has_changed_since_is_refused() -> None:
    problem = check(turns("a", "b "))[0]
    assert problem.repair is not None
    with pytest.raises(paths.PathError):
        repaired({"messages": []}, problem.repair)
