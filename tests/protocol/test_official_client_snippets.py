"""Snippets with the official clients: those of Python and Node are run with them, PHP's and Java's with stand-ins for
them, and Ruby's and Go's, whose packages cannot be installed here, are only read by their compilers."""

import inspect
import subprocess
from pathlib import Path
from typing import Any

import pytest

from playground.protocol.snippets import LANGUAGES, SnippetRequest, snippet
from playground.protocol.snippets.official_clients import PLAIN_HTTP_NOTE
from playground.protocol.snippets.python_source import BETA_ARGUMENTS, STABLE_ARGUMENTS
from tests.protocol.snippet_programs import KEY, meant, needs, run, spelled
from tests.protocol.test_snippets import HARD, PLAIN


@pytest.mark.parametrize("language", ["python", "node"])
def test_the_official_clients_take_betas_and_long_answers(language: str, upstream: str, tmp_path: Path) -> None:
    body = {
        "model": "m",
        "max_tokens": 64000,
        "messages": [{"role": "user", "content": "Hi"}],
        "compaction": None,
        "x": 1,
    }
    _, headers, received, printed = run(language, SnippetRequest(body, upstream, "bearer", betas=("b-1",)), tmp_path)
    assert spelled(received) == meant(body)
    assert headers["anthropic-beta"] == "b-1"
    assert "Hello" in printed


@pytest.mark.parametrize("body", [PLAIN, {**PLAIN, "stream": True}, HARD])
@pytest.mark.parametrize(("language", "check"), [("ruby-client", ["ruby", "-c"]), ("go-client", ["gofmt", "-e", "-l"])])
def test_snippets_of_clients_that_cannot_be_installed_here_are_valid_programs(
    language: str, check: list[str], body: Any, tmp_path: Path
) -> None:
    source = snippet(
        language, SnippetRequest(body, "http://a.example", betas=("b-1",), query="a=b", calls_playground=True)
    )
    assert "PLAYGROUND_KEY" in source
    (tmp_path / "program").write_text(source)
    command = [needs(check[0]), *check[1:], "program"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"program" not in done.stdout  # gofmt would write it otherwise


@pytest.mark.parametrize(
    ("language", "call"),
    [
        ("ruby", "Anthropic::Client.new"),
        ("php", "use Anthropic\\Client;"),
        ("go", "anthropic.NewClient("),
        ("java", "AnthropicOkHttpClient.builder()"),
        ("csharp", "AnthropicClient client = new()"),
    ],
)
def test_the_official_client_comes_before_plain_http(language: str, call: str) -> None:
    ids = [language.id for language in LANGUAGES]
    assert ids.index(f"{language}-client") < ids.index(language)
    assert call in snippet(f"{language}-client", SnippetRequest(PLAIN))


@pytest.mark.parametrize("language", ["ruby", "php", "java", "csharp"])
def test_what_an_official_client_would_change_is_plain_http_and_says_so(language: str) -> None:
    source = snippet(f"{language}-client", SnippetRequest(HARD))
    assert PLAIN_HTTP_NOTE in source
    assert source.replace(f"// {PLAIN_HTTP_NOTE}\n", "").replace(f"# {PLAIN_HTTP_NOTE}\n", "") == snippet(
        language, SnippetRequest(HARD)
    )


ODD_BODIES = [
    {"max_tokens": 1, "stream": False, "2": 1},
    {"messages": [], "temperature": 1, "top_p": 0.25, "top_k": 5},
    {"system": [], "stop_sequences": [], "metadata": {}, "tools": None, "thinking": None},
    {"messages": [{"role": "user", "content": "$x {$y} \\", "mediaType": None}, 7], "system": "a\n$HOME"},
    {"tools": [{"name": "f", "input_schema": {"properties": {"cityName": {}, "0": {"type": "string"}}}}]},
    {"stream": "yes", "0": [{"1": 1}], "temperature": 12345678.5, "unknown": [None, {"0": True}, "\u202e"]},
    {"stop_sequences": ["END", 3], "service_tier": 4, "tool_choice": [], "output_config": "x", "top_k": 0.5},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}, "system": "x" * 70_000},
    {"max_tokens": "many"},
    {"model": None},
]


@pytest.mark.parametrize("odd", ODD_BODIES)
def test_the_official_client_of_php_sends_odd_bodies_as_they_are(
    odd: dict[str, Any], upstream: str, tmp_path: Path
) -> None:
    body = {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}], **odd}
    assert spelled(run("php-client", SnippetRequest(body, upstream), tmp_path)[2]) == meant(body)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD_BODIES)
def test_the_official_client_of_java_sends_odd_bodies_as_they_are(
    odd: dict[str, Any], upstream: str, tmp_path: Path
) -> None:
    body = {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}], **odd}
    _, headers, sent, _ = run("java-client", SnippetRequest(body, upstream, "bearer", betas=("b-1",)), tmp_path)
    assert spelled(sent) == meant(body)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-beta"] == "b-1"


def test_the_known_arguments_are_those_of_the_official_client() -> None:
    import anthropic

    client = anthropic.Anthropic(api_key=KEY)
    for create, known in ((client.messages.create, STABLE_ARGUMENTS), (client.beta.messages.create, BETA_ARGUMENTS)):
        names = {name for name in inspect.signature(create).parameters if not name.startswith("extra_")}
        assert names - {"timeout", "betas", "user_profile_id", "workspace_id"} == known
