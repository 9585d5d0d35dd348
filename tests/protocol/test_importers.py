"""Pasted requests are read without running them, and without their secrets."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from playground.protocol.importers import ImportChoice, Imported, ImportProblem, read
from playground.protocol.json import json_text
from playground.protocol.snippets import LANGUAGES, SnippetRequest, snippet
from tests.protocol.importing import imported, problem, spelled
from tests.support.examples import examples, one_of_each

BODY = {
    "model": "m",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": 'it\'s $5\n"now"'}],
    "temperature": 0.5,
}


texts = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["$HOME", "`id`", "'", '"""', "\\", "JSON", "\ud83e"]
)
numbers = st.sampled_from(["0", "-0", "1.0", "1e5", "0.10", "12345678901234567890123", "-7", "0.5", "1E-7", "2.50"])
values = st.recursive(
    st.none() | st.booleans() | numbers.map(json_text.parse) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
bodies = st.fixed_dictionaries(
    {
        "model": st.text(min_size=1, max_size=8),
        "max_tokens": st.integers(0, 100_000),
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": values}), max_size=2),
    },
    optional={
        "stream": st.booleans(),
        "system": texts,
        "temperature": numbers.map(json_text.parse),
        "metadata": values,
        "x": values,
    },
) | st.dictionaries(texts, values, min_size=1, max_size=4)


@pytest.mark.parametrize("language", one_of_each((each.id for each in LANGUAGES), kind=lambda name: name.split("-")[0]))
@examples(50, suppress_health_check=[HealthCheck.too_slow])
@given(body=bodies)
@example(body={"\\s": "\\s \\\\s"})
def test_a_snippet_reads_back_as_the_body_it_was_made_from(language: str, body: dict[str, Any]) -> None:
    back = imported(snippet(language, SnippetRequest(body, base_url="https://api.example/v1", betas=("b-1", "b-2"))))
    assert spelled(back.body) == spelled(body)
    assert back.betas == ("b-1", "b-2")
    assert back.base_url == "https://api.example"
    assert back.version == "2023-06-01"


@examples(400)
@given(st.text() | st.text("{}[]()\"'`\\$curl -d@<\n=:,x0.+*abc#%^;>&|~?!/"))
def test_nothing_pasted_raises(text: str) -> None:
    for start in (
        "",
        "curl https://x -d ",
        "{",
        "const a = ",
        "client.messages.create(",
        "x = [",
        "fetch('u', {body: ",
        'curl ^"https://x^" -d ^"',
        "Invoke-RestMethod -Uri x -Body ",
        "<?php $a = ",
        "package main\n",
        "import java.net.URI; ",
        "using System;\n",
        "require 'json'\n",
        "POST /v1/messages\n\n",
        "event: a\n",
        "```\n",
        ">>> ",
    ):
        assert isinstance(read(start + text), Imported | ImportProblem | ImportChoice)


# --- curl


@pytest.mark.parametrize(
    "command",
    [
        "curl https://a.example/v1/messages -H 'x-api-key: k' -d '{\"model\":\"m\"}'",
        'curl -sSX POST "https://a.example/v1/messages" --json "{\\"model\\":\\"m\\"}"',
        '$ curl --request POST \\\n  --url https://a.example \\\n  --data-raw $\'{"model":"\\u006d"}\' --compressed',
        'export KEY=x\n# a comment\ncurl https://a.example/v1 -d @- <<\'JSON\' | jq .\n{"model": "m"}\nJSON\n',
        'curl https://a.example/v1/messages --data-binary @- <<EOF\n{"model": "m"}\nEOF',
        'FOO=1 /usr/bin/curl -d\'{"model":"m"}\' -o /tmp/x -m 5 https://a.example/v1/messages; echo done',
        'curl https://a.example/v1/messages -d @- <<< \'{"model":"m"}\'',
    ],
)
def test_a_curl_command_is_read_as_a_shell_would(command: str) -> None:
    result = imported(command)
    assert result.body == {"model": "m"}
    assert result.base_url == "https://a.example"


def test_curl_headers_are_sorted_and_secrets_are_dropped() -> None:
    result = imported(
        "curl https://u:pw@a.example/base/v1/messages -u me:secret -H 'X-Api-Key: sk-secret' "
        "-H 'Authorization: Bearer $KEY' -H 'anthropic-version: 2026-10-21' -H 'anthropic-beta: a, b' "
        "-H 'User-Agent: x' -H 'x-team: red' -d '{\"model\": \"m\"}'"
    )
    assert (result.version, result.betas) == ("2026-10-21", ("a", "b"))
    assert result.headers == (("x-team", "red"),)
    assert result.base_url == "https://a.example/base"
    assert "secret" not in repr(result)
    assert "pw" not in repr(result)
    assert any("x-api-key" in note for note in result.notes)


def test_a_command_inside_the_body_is_not_run_but_noted() -> None:
    result = imported('curl https://a.example/v1/messages -d "{\\"system\\": \\"$(id)\\"}"')
    assert result.body == {"system": "$(id)"}
    assert "was not run" in result.notes[0]


@pytest.mark.parametrize(
    ("command", "words", "place"),
    [
        ("curl https://a.example -d '{\"a\": 1,}'", "not valid JSON", (1, 36)),
        ("curl https://a.example \\\n -d '{", "single quote is not closed", (2, 5)),
        ("curl https://a.example", "no body", (0, 0)),
        ("curl https://a.example -d @body.json", "body.json", (1, 27)),
        ("curl https://a.example -F a=b", "form", (1, 24)),
        ("curl https://a.example -d @- <<'JSON'\n{}\n", "JSON is not closed", (2, 1)),
    ],
)
def test_a_bad_curl_command_is_a_problem_with_its_place(command: str, words: str, place: tuple[int, int]) -> None:
    told = problem(command)
    assert words in told.message
    assert (told.line, told.column) == place


# --- JSON and HAR


def test_json_keeps_its_numbers_and_a_bare_list_is_the_messages() -> None:
    assert (
        json_text.dump(
            imported('{"temperature": 1.0, "messages": [], "n": 12345678901234567890}').body, indent=None
        ).count("1.0")
        == 1
    )
    assert imported('[{"role": "user", "content": "Hi"}]').body == {"messages": [{"role": "user", "content": "Hi"}]}


def test_bad_json_names_the_line() -> None:
    assert problem('{\n  "a": nope\n}').line == 2
    assert "object" in problem('"text"').message or problem('"text"').message


def test_the_first_messages_call_of_a_har_file_is_taken() -> None:
    def entry(method: str, url: str, text: str) -> dict[str, Any]:
        headers = [
            {"name": "X-Api-Key", "value": "sk-secret"},
            {"name": "anthropic-beta", "value": "a,b"},
            {"name": ":path", "value": "/"},
        ]
        return {"request": {"method": method, "url": url, "headers": headers, "postData": {"text": text}}}

    entries = [
        entry("GET", "https://a.example/v1/messages", ""),
        entry("POST", "https://a.example/v1/messages/count_tokens", "{}"),
        entry("POST", "https://a.example/x/v1/messages?beta=true", json.dumps(BODY)),
        entry("POST", "https://a.example/v1/messages", "{}"),
    ]
    result = imported(json.dumps({"log": {"entries": entries}}))
    assert spelled(result.body) == spelled(BODY)
    assert (result.base_url, result.betas) == ("https://a.example/x", ("a", "b"))
    assert "sk-secret" not in repr(result)
    assert "No entry" in problem('{"log": {"entries": [1, {"request": null}]}}').message


# --- code


def test_python_code_is_read_with_variables_and_joined_texts() -> None:
    code = (
        "import anthropic, os\n"
        "client = anthropic.Anthropic(api_key='sk-secret', base_url='https://a.example', "
        "default_headers={'x-team': 'red'})\n"
        "MODEL = 'm'\nquestion = ('How ' 'are ' + 'you?')\n"
        "def ask():\n"
        "    with client.messages.stream(model=MODEL, max_tokens=1_000, temperature=1.0,\n"
        "            messages=[{'role': 'user', 'content': question}], **{'top_k': -1}) as stream:\n"
        "        pass\n"
    )
    result = imported(code)
    assert spelled(result.body) == {
        "model": "m", "max_tokens": "1000", "temperature": "1.0",
        "messages": [{"role": "user", "content": "How are you?"}], "top_k": "-1", "stream": True,
    }  # fmt: skip
    assert (result.base_url, result.headers) == ("https://a.example", (("x-team", "red"),))
    assert "sk-secret" not in repr(result)


def test_node_code_is_read_with_variables_templates_and_comments() -> None:
    code = (
        "import Anthropic from '@anthropic-ai/sdk';\nconst client = new Anthropic({ apiKey: 'sk-secret' });\n"
        "const messages: Anthropic.MessageParam[] = [{ role: 'user' as const, content: `How's\nit?` }]; // why\n"
        "async function main() {\n  const m = await client.messages.create({ model: 'm', "
        "max_tokens: 1_000, messages, /* x */ "
        "temperature: 1.0, metadata: undefined, 'stop_sequences': ['\\n', \"\\u{1F98A}\",], });\n}\n"
    )
    result = imported(code)
    assert spelled(result.body) == {
        "model": "m", "max_tokens": "1000", "temperature": "1.0",
        "messages": [{"role": "user", "content": "How's\nit?"}], "stop_sequences": ["\n", "🦊"],
    }  # fmt: skip
    assert "sk-secret" not in repr(result)


def test_one_value_that_is_not_written_out_does_not_refuse_the_rest() -> None:
    result = imported(
        "client.messages.create(model=os.environ['M'], max_tokens=n(), system=open('a.txt').read(), stream=True)"
    )
    assert result.body == {"model": "{{M}}", "system": "{{a}}", "stream": True}
    assert any("system" in note and "attach" in note for note in result.notes)
    assert any("max_tokens" in note and "left out" in note for note in result.notes)
    result = imported("const a = await client.messages.create({model: process.env.M, max_tokens: 5, tools: pick()})")
    assert result.body == {"model": "{{M}}", "max_tokens": 5}
    assert any("tools" in note and "pick()" in note for note in result.notes)


def test_a_request_of_which_nothing_is_known_is_refused() -> None:
    assert "Nothing" in problem("client.messages.create(model=a, messages=b)").message
    assert "body" in problem("requests.post('https://a.example/v1/messages', json=payload)").message
    assert "body" in problem("await fetch('https://a.example/v1/messages', {method: 'POST', body: payload})").message
    assert problem("client.messages.create(**arguments)").message


@pytest.mark.parametrize(
    "text", ["", "   ", "hello world", "import os\n", "select 1;", "{", "[" * 5000, "(" * 5000, "x = " + "-" * 3000]
)
def test_text_that_is_no_request_is_a_problem(text: str) -> None:
    assert problem(text).message


def test_many_empty_lines_are_read_in_no_time() -> None:
    # A careless pattern would try every way to divide them up.
    assert problem("\n" * 20_000 + "x").message
