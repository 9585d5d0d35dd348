"""What the sandbox's models say, and that they do what the request's members ask."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import jsonschema
import pytest

from tests.sandbox.sandbox_server import WEATHER, Sandbox, accumulate, body

PIXEL = base64.b64encode(b"\x89PNG" + b"\0" * 40_996).decode()
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("Hello, world", r"(?m)^- "),
        ("Tell me a story", r"(?m)^## \w"),
        ("Draw a table", r"(?m)^\|:?--"),
        ("Write some SQL", r"```sql\n"),
        ("Write a Python function", r"```python\ndef "),
        ("List three ideas", r"(?m)^3\. \*\*"),
        ("A haiku, please", r"(?m)^### Haiku$"),
        ("What is 12 * 7?", r"\*\*84\*\*"),
        ("How do tides work?", r"\*\*[Tt]ides"),
        ("markdown demo", r"(?s)# .*> .*```"),
    ],
)
async def test_the_talker_shows_what_was_asked_for(sandbox: Sandbox, asked: str, shown: str) -> None:
    assert re.search(shown, await sandbox.text(asked))


@pytest.mark.parametrize(
    "language", ["Python", "TypeScript", "JavaScript", "SQL", "Bash", "Rust", "Go", "HTML", "JSON"]
)
async def test_code_comes_in_the_language_asked_for(sandbox: Sandbox, language: str) -> None:
    assert f"```{language.lower()}\n" in await sandbox.text(f"Write {language} code")


async def test_the_list_is_as_long_as_asked(sandbox: Sandbox) -> None:
    assert "4." not in await sandbox.text("List three ideas")
    assert "6." in await sandbox.text("Give me 6 tips")


async def test_the_first_answer_says_that_it_is_a_simulation(sandbox: Sandbox) -> None:
    assert "Simulated" in await sandbox.text("Tell me a story")
    later = [{"role": role, "content": "x"} for role in ("user", "assistant")] + [
        {"role": "user", "content": "A story"}
    ]
    assert "Simulated" not in await sandbox.text(later)


async def test_the_talker_says_after_the_user(sandbox: Sandbox) -> None:
    assert (await sandbox.text("Repeat after me: “Ahoy, *sailor*”")).startswith("Ahoy, *sailor*")


async def test_what_is_attached_is_named(sandbox: Sandbox) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    note = {
        "type": "document",
        "title": "Notes",
        "source": {"type": "text", "media_type": "text/plain", "data": "a b c"},
    }
    said = await sandbox.text([image, url, note, {"type": "text", "text": "What is this?"}])
    assert "an image of 41 kB (PNG)" in said
    assert "https://example.com/a.png (the sandbox fetches nothing)" in said
    assert "a text document of 3 tokens, “Notes”" in said


async def test_the_echo_shows_the_request_exactly_as_it_came(sandbox: Sandbox) -> None:
    raw = '{"model": "sandbox-echo", "max_tokens":  4096.0, "anything": [1.0, null, "```"], "messages": "no list"}'
    response = await sandbox.send("POST", "/v1/messages", content=raw.encode())
    text = response.json()["content"][0]["text"]
    assert f"````json\n{raw}\n````\n" in text


async def test_the_long_answer_is_as_long_as_asked(sandbox: Sandbox) -> None:
    accumulator = await sandbox.answer("3,000 tokens please", "sandbox-long", max_tokens=5_000)
    assert accumulator.usage["output_tokens"] == 3_000
    assert accumulator.count > 3_000


async def test_thinking_comes_first_and_signed(sandbox: Sandbox) -> None:
    thinking, text = (await sandbox.answer("Why?", "sandbox-thinker")).message["content"]
    assert (thinking["type"], text["type"]) == ("thinking", "text")
    assert thinking["thinking"]
    assert thinking["signature"]


@pytest.mark.parametrize(
    ("model", "config", "thinks"),
    [
        ("sandbox-thinker", None, True),
        ("sandbox-thinker", {"type": "disabled"}, False),
        ("sandbox-stories", None, False),
        ("sandbox-stories", {"type": "adaptive"}, True),
        ("sandbox-stories", {"type": "enabled", "budget_tokens": 1024}, True),
        ("sandbox-stories", {"type": "between_tools"}, False),
    ],
)
async def test_thinking_follows_its_configuration(sandbox: Sandbox, model: str, config: Any, thinks: bool) -> None:
    message = await sandbox.message("Why?", model, **({"thinking": config} if config else {}))
    assert (message["content"][0]["type"] == "thinking") is thinks
    assert ("output_tokens_details" in message["usage"]) is thinks


async def test_omitted_thinking_has_a_signature_and_no_text(sandbox: Sandbox) -> None:
    message = await sandbox.message("Why?", thinking={"type": "adaptive", "display": "omitted"})
    assert message["content"][0]["thinking"] == ""
    assert message["content"][0]["signature"]
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] > 0


async def test_less_effort_is_less_thinking(sandbox: Sandbox) -> None:
    lengths = []
    for effort in ("low", "medium", "max"):
        message = await sandbox.message("Why?", "sandbox-thinker", output_config={"effort": effort})
        lengths.append(len(message["content"][0]["thinking"]))
    assert lengths == sorted(set(lengths))


async def test_redacted_thinking_can_be_asked_for(sandbox: Sandbox) -> None:
    content = (await sandbox.message("Something redacted", "sandbox-thinker"))["content"]
    assert [block["type"] for block in content] == ["redacted_thinking", "thinking", "text"]


@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_thinking_goes_back_unchanged_or_is_refused(sandbox: Sandbox, display: str) -> None:
    config = {"type": "adaptive", "display": display}
    answer = (await sandbox.message("Why?", thinking=config))["content"]
    back = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": answer},
        {"role": "user", "content": "Go on"},
    ]
    assert await sandbox.text(back)
    answer[0]["thinking"] = "edited"
    status, _, words = await sandbox.refusal(messages=back)
    assert (status, words) == (400, "messages.1.content.0: Invalid `signature` in `thinking` block")


async def test_a_search_finds_pages_and_cites_them(sandbox: Sandbox) -> None:
    tool = SEARCH | {"allowed_domains": ["tides.example"]}
    message = await sandbox.message("Search the web for tides", tools=[tool])
    kinds = [block["type"] for block in message["content"]]
    assert kinds[:4] == ["text", "server_tool_use", "web_search_tool_result", "text"]
    results = message["content"][2]["content"]
    assert all(page["url"].startswith("https://tides.example/") for page in results)
    assert message["content"][4]["citations"][0]["url"] == results[0]["url"]
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}


@pytest.mark.parametrize(("version", "name"), [("20250522", "code_execution"), ("20250825", "bash_code_execution")])
async def test_a_program_is_run_in_the_way_of_its_version(sandbox: Sandbox, version: str, name: str) -> None:
    tool = {"type": f"code_execution_{version}", "name": "code_execution"}
    betas = {"anthropic-version": "2023-06-01", "anthropic-beta": "code-execution-2025-05-22"}
    asked = body("Calculate an average", tools=[tool], stream=True)
    answer = accumulate((await sandbox.send("POST", "/v1/messages", asked, betas)).content)
    _, call, result, _ = answer.message["content"]
    assert (call["type"], call["name"]) == ("server_tool_use", name)
    assert (result["type"], result["content"]["type"]) == (f"{name}_tool_result", f"{name}_result")
    assert result["tool_use_id"] == call["id"]


async def test_a_page_is_fetched_by_its_address(sandbox: Sandbox) -> None:
    tool = {"type": "web_fetch_20250910", "name": "web_fetch"}
    message = await sandbox.message("What does https://example.com/a say?", tools=[tool])
    assert message["content"][1]["input"] == {"url": "https://example.com/a"}
    assert message["content"][2]["content"]["type"] == "web_fetch_result"
    assert message["usage"]["server_tool_use"]["web_fetch_requests"] == 1


async def test_a_conversation_is_compacted(sandbox: Sandbox) -> None:
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "compact-2026-09-04"}
    asked = body("Remember the lamp", compaction={"type": "summarize"}, stream=True)
    answer = accumulate((await sandbox.send("POST", "/v1/messages", asked, headers)).content)
    (block,) = answer.message["content"]
    assert (block["type"], answer.stop_reason) == ("compaction", "compaction")
    assert "Remember the lamp" in block["content"]


async def test_documents_are_cited_where_that_is_enabled(sandbox: Sandbox) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "  The lamp is lit at six. Nobody knows why."}
    document = {"type": "document", "title": "Pier", "source": source, "citations": {"enabled": True}}
    content = (await sandbox.message([document, {"type": "text", "text": "When?"}]))["content"]
    citation = content[1]["citations"][0]
    assert citation["cited_text"] == "The lamp is lit at six."
    assert source["data"][citation["start_char_index"] : citation["end_char_index"]] == citation["cited_text"]


async def test_max_tokens_cuts_the_answer(sandbox: Sandbox) -> None:
    message = await sandbox.message("Tell me a story", max_tokens=10)
    assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 10)
    whole = await sandbox.text("Tell me a story")
    assert whole.startswith(message["content"][0]["text"])


async def test_max_tokens_leaves_a_tools_input_unfinished(sandbox: Sandbox) -> None:
    accumulator = await sandbox.answer("Hm", tools=[WEATHER], tool_choice={"type": "any"}, max_tokens=4)
    assert accumulator.stop_reason == "max_tokens"
    assert accumulator.blocks[0].input_problem
    assert accumulator.blocks[0].partial_json.startswith('{"city"')


async def test_max_tokens_0_only_warms_the_cache(sandbox: Sandbox) -> None:
    message = await sandbox.message("Tell me a story", max_tokens=0)
    assert (message["content"], message["stop_reason"]) == ([], "max_tokens")


async def test_a_stop_sequence_ends_the_text_before_it(sandbox: Sandbox) -> None:
    whole = await sandbox.text("Tell me a story")
    message = await sandbox.message("Tell me a story", stop_sequences=["never there", ". "])
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", ". ")
    assert message["content"][0]["text"] == whole[: whole.index(". ")]


SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "pages": {"type": "integer", "minimum": 10},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["sea", "lamp"]}, "minItems": 2},
    },
    "required": ["title", "pages", "tags"],
    "additionalProperties": False,
}


async def test_structured_output_fits_its_schema(sandbox: Sandbox) -> None:
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    text = await sandbox.text("Tell me about the book “Pier Nine”", output_config=wanted)
    jsonschema.validate(json.loads(text), SCHEMA)
    assert json.loads(text)["title"] == "Pier Nine"


async def test_a_prefill_is_gone_on_with(sandbox: Sandbox) -> None:
    asked = [{"role": "user", "content": "Tell me a story"}, {"role": "assistant", "content": "Once upon a time"}]
    assert (await sandbox.text(asked)).startswith(" and so")


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": 1_000_000}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content.0.source"),
        ({"temperature": 2}, "temperature"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.budget_tokens"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [{"name": "no schema"}]}, "tools.0"),
        ({"invented": 1}, "invented"),
    ],
)
async def test_a_body_that_the_api_would_refuse_is_refused_at_its_place(
    sandbox: Sandbox, members: dict[str, Any], place: str
) -> None:
    status, type_, words = await sandbox.refusal(**members)
    assert (status, type_) == (400, "invalid_request_error")
    assert words.startswith(place)


async def test_the_newer_version_refuses_sampling(sandbox: Sandbox) -> None:
    asked = body("Hello") | {"temperature": 0.5}
    assert (await sandbox.send("POST", "/v1/messages", asked)).status_code == 200
    newer = {"anthropic-version": "2026-10-21"}
    assert (await sandbox.send("POST", "/v1/messages", asked, newer)).status_code == 400
