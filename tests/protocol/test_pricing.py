"""Costs from usage: an estimate, in Decimal, from a list with a date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.pricing import PRICES_READ_ON, cost_usd, estimate, rates


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("claude-opus-5", {"input_tokens": 1_000_000}, "5"),
        ("claude-opus-5", {"output_tokens": 1_000_000}, "25"),
        ("claude-opus-5", {"cache_read_input_tokens": 1_000_000}, "0.5"),
        ("claude-opus-5", {"cache_creation_input_tokens": 1_000_000}, "6.25"),
        (
            "claude-opus-5",
            {
                "cache_creation_input_tokens": 1_000_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 600_000, "ephemeral_1h_input_tokens": 400_000},
            },
            "7.75",
        ),
        ("claude-opus-5", {"input_tokens": 1_000_000, "speed": "fast"}, "10"),
        ("claude-opus-4-7", {"input_tokens": 1_000_000, "speed": "fast"}, "5"),
        ("claude-opus-5", {"input_tokens": 1_000_000, "inference_geo": "us"}, "5.5"),
        ("claude-opus-5", {"input_tokens": 1_000_000, "service_tier": "batch"}, "2.5"),
        ("claude-opus-5", {"server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 9}}, "0.03"),
        ("claude-haiku-5-5", {"input_tokens": 100_000}, "0.01"),
        ("claude-haiku-5-5", {"input_tokens": 100_000, "cache_read_input_tokens": 100_000}, "0.055"),
        ("claude-sonnet-4-5-20250929", {"output_tokens": 1_000}, "0.015"),
        ("anthropic/claude-sonnet-4.5", {"output_tokens": 1_000}, "0.015"),
        ("claude-haiku-4-5", {"input_tokens": None, "output_tokens": 1_000, "cache_creation": None}, "0.005"),
        ("sandbox-stories", {"input_tokens": 5, "server_tool_use": {"web_search_requests": 1}}, "0"),
    ],
)
def test_usage_costs_what_the_list_says(model: str, usage: dict[str, Any], cost: str) -> None:
    assert cost_usd(model, usage) == Decimal(cost)


@pytest.mark.parametrize("model", ["gpt-5", "", "claude-opus-5-thinking", "claude-opus-50"])
def test_the_price_of_an_unknown_model_is_unknown(model: str) -> None:
    assert rates(model) is None
    assert cost_usd(model, {"input_tokens": 1}) is None
    assert estimate(model, 1, 1) is None


@pytest.mark.parametrize("count", [-1, 1.5, "12", True, 10**30, [1]])
def test_a_count_that_is_none_has_no_cost(count: Any) -> None:
    assert cost_usd("claude-opus-5", {"input_tokens": count}) is None


@given(
    st.dictionaries(
        st.sampled_from(["input_tokens", "cache_creation", "server_tool_use", "speed"]), st.none() | st.text()
    )
)
def test_no_usage_is_bad_enough_to_raise(usage: dict[str, Any]) -> None:
    cost_usd("claude-opus-5", usage)


def test_an_estimate_goes_from_no_answer_to_the_longest_one() -> None:
    estimated = estimate("claude-opus-5", 200_000, 40_000)
    assert estimated == (Decimal(1), Decimal(2))
    assert estimate("claude-opus-5", 200_000, 40_000, speed="fast") == (Decimal(2), Decimal(4))


def test_the_list_has_a_date() -> None:
    assert date(2026, 1, 1) < PRICES_READ_ON
