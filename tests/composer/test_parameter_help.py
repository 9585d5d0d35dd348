"""Every parameter is explained as a reference page would: what it does, its type, its edges."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from playground.composer import thinking
from playground.protocol.catalogue.help import HELP
from playground.protocol.catalogue.parameters import BODY
from playground.protocol.rules.validation import check
from tests.support.drafting import HELLO, begin

if TYPE_CHECKING:
    from typing import Any

    from django.test import Client


@pytest.mark.parametrize("name", [member.name for member in BODY.members])
def test_every_parameter_has_a_full_text_of_its_own(name: str) -> None:
    text = HELP[name].text
    assert len(text) > len(BODY.by_name[name].help)
    assert text.endswith(".")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("messages", ["up to 100,000 messages", "role and content"]),
        ("thinking.budget_tokens", ["1,024 or more", "counts towards max_tokens"]),
        ("system", ["string or blocks"]),
        ("stop_sequences", ["stop_reason becomes"]),
        ("temperature", ["number, 0 to 1", "refused since 2026-10-21", "Default"]),
        ("top_p", ["number, 0 to 1"]),
        ("top_k", ["integer, 0 or more"]),
        ("service_tier", ["auto · standard_only"]),
        ("mcp_servers[0].url", ["https"]),
        ("context_management", ["compact-2026-01-12"]),
        (":anthropic-version", ["2023-06-01"]),
        (":betas", ["anthropic-beta"]),
        (":accept", ["follows"]),
    ],
)
def test_the_card_says_what_is_known(client: Client, path: str, words: list[str]) -> None:
    body = HELLO | {"thinking": {"type": "enabled"}, "mcp_servers": [{"type": "url", "name": "a", "url": "b"}]}
    begin(client, body)
    page = client.get("/parameter", {"path": path}).content.decode()
    assert [each for each in words if each not in page] == []
    assert "API reference" in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "nothing", "messages[", "messages[9].x", "x" * 9000, "<script>", "\0"])
def test_what_is_no_parameter_is_not_found(client: Client, path: str) -> None:
    assert client.get("/parameter", {"path": path}).status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"max_tokens": 0},
        {"max_tokens": 2048},
        {"max_tokens": 5000},
        {"max_tokens": 64_000, "temperature": 0.2, "top_k": 5},
        {"temperature": 1, "top_p": 0.2},
        {"tool_choice": {"type": "any"}, "tools": [{"name": "a", "input_schema": {"type": "object"}}]},
        {"max_tokens": "many"},
    ],
)
def test_thinking_is_enabled_with_values_that_are_valid_together(more: dict[str, Any]) -> None:
    body = HELLO | {"model": "claude-sonnet-4-5", "max_tokens": 100} | more | {"thinking": {"type": "enabled"}}
    fitted, said = thinking.fit(body)
    wrong = [p.message for p in check(fitted) if p.severity == "error" and p.path != ("max_tokens",)]
    assert wrong == [], json.dumps(fitted)
    changed = {name for name in body if fitted.get(name) != body[name]} - {"thinking"}
    assert [name for name in changed if name not in said] == []
