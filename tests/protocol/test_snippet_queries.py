"""Addresses with queries of any form: every snippet sends the query it was written from."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from playground.protocol.snippets import LANGUAGES, SnippetRequest, snippet
from tests.protocol.snippet_programs import AGAIN, QUICK_TO_START, run
from tests.support.examples import one_of_each

QUERIES = [
    "beta=true",
    "beta",
    "=x",
    "a=b&a=c",
    "a=1&&b=2&",
    "a=b+c%20d",
    "q=%E2%82%AC%2Fv1%2Fmessages",
    "next=/v1/messages?x=1",
    "a[]=1&b{x}=2",
    "a='b'&c=(d)*!~",
    'a="b"',
    "a=$HOME&b=$(id)&c=`id`",
    "a=%s&b=%d&c=%25",
    "a;b=c",
    "a=b:c@d,e|f^g",
    "class=1&def=2&a-b=3&__proto__=4",
    "a=" + "x" * 4_000,
]
BODY = {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}


def members(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


# In a contributor's run each query is tried in one language, in CI in every one.
IN_EACH_LANGUAGE = [
    pytest.param(language, query, marks=[] if at % len(QUICK_TO_START) == place else [pytest.mark.slow])
    for place, language in enumerate([*QUICK_TO_START, "python", "node"])
    for at, query in enumerate(QUERIES)
]


@pytest.mark.parametrize(("language", "query"), IN_EACH_LANGUAGE, ids=lambda text: text[:20])
def test_a_snippet_sends_the_query_it_was_written_from(
    language: str, query: str, upstream: str, tmp_path: Path
) -> None:
    path, _, body, _ = run(language, SnippetRequest(BODY, upstream, query=query), tmp_path)
    assert path.partition("?")[0] == "/v1/messages"
    assert members(path.partition("?")[2]) == members(query)
    assert body


@pytest.mark.parametrize("language", [language.id for language in LANGUAGES])
def test_no_language_puts_the_query_into_the_base_url(language: str) -> None:
    plain = snippet(language, SnippetRequest(BODY, "http://a.example"))
    for query in QUERIES:
        source = snippet(language, SnippetRequest(BODY, "http://a.example", query=query))
        assert source != plain, query
        assert source.count("/v1/messages") - query.count("/v1/messages") <= 1, query


@pytest.mark.parametrize("betas", [(), ("one-2025-01-01",)])
@pytest.mark.parametrize("query", one_of_each(["beta=true&x=1", "beta=true", "beta=true&beta=true"]))
@pytest.mark.parametrize("language", ["shell", *AGAIN[-2:]])
def test_a_query_that_the_official_clients_add_themselves_is_sent_once(
    language: str, query: str, betas: tuple[str, ...], upstream: str, tmp_path: Path
) -> None:
    path, headers, _, _ = run(language, SnippetRequest(BODY, upstream, betas=betas, query=query), tmp_path)
    assert members(path.partition("?")[2]) == members(query)
    assert headers.get("anthropic-beta") == (betas[0] if betas else None)
