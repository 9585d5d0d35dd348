"""The snippets of every language whose runtime is here send exactly the body that is meant. C#, for which there is none
here, is compared with text that was reviewed."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from playground.protocol.json import json_text
from playground.protocol.snippets import LANGUAGES, AttachedFile, SnippetRequest, languages_for, snippet
from tests.protocol.snippet_programs import AGAIN, EVERY_PROGRAM, KEY, PICTURE, meant, run, spelled

GOLDEN = Path(__file__).parent / "golden"
PICTURE_TEXT = base64.b64encode(PICTURE).decode()

NASTY = (
    "quotes \" ' ` \"\"\" ''' \\\" \\' \\` ends \\\\\nnew\r\nlines\ttabs $HOME ${HOME} $(id) `id` #{1+1} #$0 %s\n"
    " %d {{name}} JSON\nJSON;\nEOF\n*/ // -- <?php ?> </script> \\n \\u0041 "
    "\\x41 \\$ \\{ @file !history \x00\x01\x1b\x7f\x85 "
    "\u2028\u2029 \u202eabc \ufeff é 漢字 🦊 👩\u200d🚀 \U000e0041 \\u{1F98A} ~^&|<>;*?[]"
)
PLAIN = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1024,
    "system": NASTY,
    "messages": [
        {"role": "user", "content": NASTY},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE_TEXT}},
                {"type": "text", "text": "", "cache_control": None},
            ],
        },
    ],
    "tools": [
        {"name": "f", "input_schema": {"type": "object", "properties": {NASTY: {"enum": [True, False, None, -1, []]}}}}
    ],
    "temperature": 0.5,
    "unknown member": {"a b": [], "class": {}, "__proto__": {"x": 1}},
}
# Not to be written with the values of Python or JavaScript: a half surrogate, and spellings that both would change.
HARD = json_text.parse(
    '{"model":"m","max_tokens":123456789012345678901234567890,"temperature":1.0,"top_p":1E-7,"a":-0,"b":0.10,"c":1e400,'
    '"messages":[{"role":"user","content":"half \\ud83e of a fox, ` ${x} \\\\ \\"\\"\\" \\u0000"}],"2":1,"1":2}'
)


@pytest.mark.parametrize("language", EVERY_PROGRAM)
def test_a_streaming_snippet_sends_the_body_and_reads_the_events(language: str, upstream: str, tmp_path: Path) -> None:
    request = SnippetRequest({**PLAIN, "stream": True}, base_url=upstream)
    path, headers, body, printed = run(language, request, tmp_path)
    assert path == "/v1/messages"
    assert spelled(body) == meant(request.body)
    assert headers["x-api-key"] == KEY
    assert "authorization" not in headers
    assert headers["anthropic-version"] == "2023-06-01"
    assert "lo there" in printed


@pytest.mark.parametrize("language", AGAIN)
def test_numbers_keep_their_spelling_and_half_surrogates_arrive(language: str, upstream: str, tmp_path: Path) -> None:
    extra = (("x-gateway-key", "••••cret"), ("x-team", 'it\'s "$5" \\'))
    request = SnippetRequest(HARD, upstream + "/v1", "bearer", "2026-10-21", ("b-1", "b-2"), extra_headers=extra)
    _, headers, body, printed = run(language, request, tmp_path)
    assert spelled(body) == meant(HARD)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in headers
    assert headers["anthropic-version"] == "2026-10-21"
    assert headers["anthropic-beta"] == "b-1,b-2"
    assert headers["content-type"] == "application/json"
    assert headers["x-gateway-key"] == "gateway-secret"
    assert headers["x-team"] == 'it\'s "$5" \\'
    assert "Hello" in printed


@pytest.mark.parametrize("body", [PLAIN, HARD])
@pytest.mark.parametrize("language", AGAIN)
def test_the_query_of_the_address_is_sent(language: str, body: Any, upstream: str, tmp_path: Path) -> None:
    request = SnippetRequest(body, upstream, query="beta=true&a=b%20c")
    path, _, received, _ = run(language, request, tmp_path)
    assert path.partition("?")[0] == "/v1/messages"
    assert parse_qsl(path.partition("?")[2]) == [("beta", "true"), ("a", "b c")]
    assert spelled(received) == meant(body)


@pytest.mark.parametrize("language", AGAIN)
def test_a_snippet_for_this_server_names_its_access_key(language: str, upstream: str, tmp_path: Path) -> None:
    request = SnippetRequest({**PLAIN, "stream": True}, upstream, calls_playground=True)
    source = snippet(language, request)
    assert "PLAYGROUND_KEY" in source
    assert "ANTHROPIC_API_KEY" not in source
    _, headers, received, printed = run(language, request, tmp_path)
    assert KEY in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))
    assert spelled(received) == meant(request.body)
    assert "lo there" in printed


@pytest.mark.parametrize("language", ["shell", "python-httpx"])
def test_a_snippet_that_counts_tokens_goes_to_the_other_address(language: str, upstream: str, tmp_path: Path) -> None:
    assert language in [each.id for each in languages_for("count_tokens")]
    request = SnippetRequest(PLAIN, upstream, query="beta=true", endpoint="count_tokens")
    path, _, received, _ = run(language, request, tmp_path)
    assert path == "/v1/messages/count_tokens?beta=true"
    assert spelled(received) == meant(PLAIN)


def test_no_official_clients_call_that_creates_a_message_is_offered_for_a_count() -> None:
    assert not [each.id for each in languages_for("count_tokens") if "official" in each.label]
    assert languages_for("messages") == LANGUAGES


@pytest.mark.parametrize("language", [language.id for language in LANGUAGES])
def test_every_language_writes_the_query_once(language: str) -> None:
    source = snippet(language, SnippetRequest(PLAIN, "http://a.example", query="beta=true"))
    assert "http://a.example/v1/messages?beta=true/v1" not in source
    assert source.count("beta") == 1


@pytest.mark.slow
def test_java_splits_a_body_that_is_too_long_for_one_constant(upstream: str, tmp_path: Path) -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": 'long "text"\n  \\ é ' * 8000}]}
    assert spelled(run("java", SnippetRequest(body, upstream), tmp_path)[2]) == meant(body)


@pytest.mark.parametrize(("language", "golden"), [("csharp", "snippet.cs"), ("csharp-client", "snippet_client.cs")])
def test_the_snippets_in_csharp_are_the_reviewed_ones(language: str, golden: str) -> None:
    extra = (("x-gateway-key", "••••cret"), ("x-team", 'a "b" \\'))
    request = SnippetRequest({**PLAIN, "stream": True}, betas=("b-1",), extra_headers=extra)
    assert snippet(language, request) == (GOLDEN / golden).read_text()


def test_a_plain_request_in_csharp_is_the_reviewed_one() -> None:
    messages = [{"role": "user", "content": 'Say "Hi"'}, {"role": "assistant", "content": "Hi"}]
    body = {"model": "m", "max_tokens": 8, "messages": messages, "system": "Brief.", "temperature": 0.5}
    request = SnippetRequest({**body, "stop_sequences": ["END"]}, "http://a.example", "bearer", calls_playground=True)
    assert snippet("csharp-client", request) == (GOLDEN / "snippet_client_plain.cs").read_text()


@pytest.mark.parametrize("language", [language.id for language in LANGUAGES])
def test_no_secret_is_ever_written(language: str) -> None:
    secrets = (
        ("authorization", "Bearer secret-word-1"),
        ("x-api-key", "secret-word-2"),
        ("x-own-token", "secret-word-3"),
    )
    source = snippet(language, SnippetRequest(PLAIN, extra_headers=secrets))
    assert "secret-word" not in source
    assert "X_OWN_TOKEN" in source
    if language not in ("python", "node"):  # the official clients find their key by themselves
        assert "ANTHROPIC_API_KEY" in source


@pytest.mark.parametrize("language", [language.id for language in LANGUAGES])
def test_source_text_holds_no_invisible_characters(language: str) -> None:
    source = snippet(language, SnippetRequest(PLAIN))
    assert not [c for c in source if not c.isprintable() and c not in "\n\t\u200d"]


def test_large_base64_is_read_from_a_file_with_the_attachments_name() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "attachment:7"}}
    body = {"messages": [{"role": "user", "content": [image, image]}]}
    request = SnippetRequest(body, attachments={"attachment:7": AttachedFile("my photo.jpg", "image/jpeg")})
    assert [file.name for file in request.files().values()] == ["my-photo.jpg"]
    assert "attachment:7" not in snippet("python", request)
    assert "my-photo.jpg" in snippet("shell", request)


def test_text_that_looks_like_the_mark_of_a_file_is_left_alone(upstream: str, tmp_path: Path) -> None:
    body = {**PLAIN, "system": "BASE64-OF-1-image-1.png"}
    assert spelled(run("php", SnippetRequest(body, upstream), tmp_path)[2]) == meant(body)


@pytest.mark.parametrize(
    "base", ["https://a.example", "https://a.example/", "https://a.example/v1", "https://a.example/v1/"]
)
def test_a_base_url_may_end_in_the_version(base: str) -> None:
    assert SnippetRequest({}, base_url=base).url == "https://a.example/v1/messages"
