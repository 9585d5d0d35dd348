"""What the documentation of the official Java, C# and PHP clients shows is read as the request that it sends."""

from __future__ import annotations

from typing import Any

import pytest

from playground.protocol.importers import Imported, ImportProblem, read
from tests.protocol.importing import imported, problem

JAVA = """
import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.*;

public class Main {
    public static void main(String[] args) {
        AnthropicClient client = AnthropicOkHttpClient.fromEnv(); // "ANTHROPIC_API_KEY"
        MessageCreateParams params = MessageCreateParams.builder()
            .model(%s)
            .maxTokens(1_024L)
            %s
            .build();
        Message message = client.messages().create(params);
    }
}
"""
CSHARP = """
using Anthropic;
using Anthropic.Models.Messages;

AnthropicClient client = new();
MessageCreateParams parameters = new()
{
    MaxTokens = 1024,
    Messages =
    [
        %s
    ],
    Model = %s, // the newest
};
var message = await client.Messages.Create(parameters);
"""
PHP = """
<?php
use Anthropic\\Client;
$client = new Client(apiKey: getenv('ANTHROPIC_API_KEY'));
$message = $client->messages->create(
    maxTokens: 1024,
    messages: [['role' => 'user', 'content' => 'Hello, Claude']],
    model: 'claude-sonnet-4-5-20250929',%s
);
"""
HELLO = [{"role": "user", "content": "Hello, Claude"}]


def body_of(code: str) -> dict[str, Any]:
    return dict(imported(code).body)


@pytest.mark.parametrize(
    ("written", "model"),
    [
        ('"claude-opus-4-6"', "claude-opus-4-6"),
        ("Model.CLAUDE_OPUS_4_6", "claude-opus-4-6"),
        ("Model.CLAUDE_SONNET_4_5_20250929", "claude-sonnet-4-5-20250929"),
    ],
)
def test_the_builder_of_java_is_read(written: str, model: str) -> None:
    assert body_of(JAVA % (written, '.addUserMessage("Hello, Claude")')) == {
        "model": model,
        "max_tokens": 1024,
        "messages": HELLO,
    }


@pytest.mark.parametrize(
    ("setters", "members"),
    [
        ('.system("Be " + "kind.")', {"system": "Be kind."}),
        (".temperature(0.5).topP(0.9).topK(40L)", {"temperature": 0.5, "top_p": 0.9, "top_k": 40}),
        ('.stopSequences(List.of("END", "STOP"))', {"stop_sequences": ["END", "STOP"]}),
        ('.addStopSequence("A").addStopSequence("B")', {"stop_sequences": ["A", "B"]}),
        (".enabledThinking(2048L)", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (
            '.putAdditionalBodyProperty("thinking", JsonValue.from(Map.of("type", "adaptive")))',
            {"thinking": {"type": "adaptive"}},
        ),
        ('.putAdditionalBodyProperty("x", JsonValue.from(List.of(1, -2.50, true)))', {"x": [1, -2.5, True]}),
    ],
)
def test_the_setters_of_java_are_members(setters: str, members: dict[str, Any]) -> None:
    body = body_of(JAVA % ('"m"', f'.addUserMessage("Hello, Claude"){setters}'))
    assert body == {"model": "m", "max_tokens": 1024, "messages": HELLO, **members}


def test_the_turns_of_java_stay_in_order() -> None:
    turns = '.addUserMessage("One").addAssistantMessage("Two").addUserMessage("Three")'
    assert [turn["content"] for turn in body_of(JAVA % ('"m"', turns))["messages"]] == ["One", "Two", "Three"]


def test_a_value_that_java_computes_becomes_a_placeholder_and_an_unknown_setter_is_listed() -> None:
    request = imported(JAVA % ('System.getenv("MODEL")', ".addUserMessage(prompt).addTool(Weather.class)"))
    assert request.body["messages"] == [{"role": "user", "content": "{{prompt}}"}]
    assert any("addTool(Weather.class)" in note for note in request.notes)


def test_a_stream_of_java_is_asked_for() -> None:
    code = (JAVA % ('"m"', '.addUserMessage("Hello, Claude")')).replace(".create(", ".createStreaming(")
    assert body_of(code)["stream"] is True


@pytest.mark.parametrize(
    ("turn", "model"),
    [
        ('new() { Role = Role.User, Content = "Hello, Claude" }', "Model.ClaudeOpus4_6"),
        ('new MessageParam { Content = "Hello, Claude", Role = Role.User },', '"claude-opus-4-6"'),
    ],
)
def test_the_properties_of_csharp_are_read(turn: str, model: str) -> None:
    request = imported(CSHARP % (turn, model))
    assert request.body == {"max_tokens": 1024, "messages": HELLO, "model": "claude-opus-4-6"}
    assert request.version == "2023-06-01"


def test_a_value_that_csharp_computes_becomes_a_placeholder() -> None:
    body = body_of(CSHARP % ("new() { Role = Role.User, Content = question }", "Model.ClaudeOpus4_6"))
    assert body["messages"] == [{"role": "user", "content": "{{question}}"}]


def test_the_named_arguments_of_php_are_read() -> None:
    options = "['extraBodyParams' => ['x' => true], 'extraQueryParams' => ['beta' => 'true']]"
    request = imported(PHP % f"\n    topK: 5,\n    requestOptions: {options},")
    assert request.body == {
        "max_tokens": 1024,
        "messages": HELLO,
        "model": "claude-sonnet-4-5-20250929",
        "top_k": 5,
        "x": True,
    }


def test_a_stream_of_php_is_asked_for() -> None:
    assert body_of((PHP % "").replace("->create(", "->createStream("))["stream"] is True


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_code_that_is_cut_off_anywhere_is_read_or_named(cut: int) -> None:
    for code in (
        JAVA % ('"m"', '.addUserMessage("Hello")'),
        CSHARP % ('new() { Role = Role.User, Content = "Hi" }', '"m"'),
        PHP % "",
    ):
        assert isinstance(read(code[: len(code) - cut]), Imported | ImportProblem)


def test_a_java_client_without_a_request_is_named() -> None:
    assert (
        "official Java client"
        in problem("import com.anthropic.client.AnthropicClient;\nclient.models().list();").message
    )
