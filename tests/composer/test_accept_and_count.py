"""Accept follows the body until it is chosen, and says when the two disagree. A small count is less than a percent."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from playground.models import Draft
from playground.views.draft_models import Count
from tests.support.browser import expect
from tests.support.drafting import HELLO, begin, edit

if TYPE_CHECKING:
    from django.test import Client

DISAGREE = "stream is true: most servers go by that, not by Accept."
SSE = "text/event-stream"


def note(page: str) -> str:
    return " ".join(page.partition('id="accept-note"')[2].partition(">")[2].partition("<")[0].split())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stream", "accept", "said"),
    [
        (True, "", ""),
        (False, "", ""),
        (True, SSE, ""),
        (False, "application/json", ""),
        (True, "application/json", DISAGREE),
        (False, SSE, DISAGREE.replace("is true", "is not true")),
        (True, "text/plain", ""),
    ],
)
def test_the_form_says_when_the_chosen_accept_and_stream_disagree(
    client: Client, stream: bool, accept: str, said: str
) -> None:
    begin(client, HELLO | {"stream": stream})
    assert note(edit(client, **{":accept": accept}).content.decode()) == said
    page = client.get(reverse("playground")).content.decode()
    assert note(page) == said
    assert (f'value="{accept}" selected' in " ".join(page.split())) is bool(accept)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers", ["-H 'Accept: text/event-stream' -H 'accept: application/json'", "-H 'ACCEPT: text/plain'", ""]
)
def test_an_import_never_leaves_two_accept_headers(client: Client, headers: str) -> None:
    begin(client, HELLO)
    pasted = f'curl https://a.example/v1/messages {headers} -d \'{{"model": "m", "messages": []}}\''
    posted = {":version": str(Draft.objects.get().version), ":mode": "form", ":pasted": pasted}
    assert client.post(reverse("draft-import"), posted).status_code == 200
    assert [name for name, _ in Draft.objects.get().extra_headers if name.lower() == "accept"] == []
    snippet = client.get(reverse("draft-snippet")).content.decode().lower()
    assert snippet.count("accept:") <= 1


@pytest.mark.parametrize(
    ("tokens", "context", "share", "words"),
    [
        (18, 1_000_000, 1, "<1 %"),
        (9_999, 1_000_000, 1, "<1 %"),
        (10_000, 1_000_000, 1, "1 %"),
        (250_000, 1_000_000, 25, "25 %"),
        (2_000_000, 1_000_000, 100, "100 %"),
    ],
)
def test_the_share_of_the_context(tokens: int, context: int, share: int, words: str) -> None:
    count = Count(tokens, context, Decimal(0), Decimal(0))
    assert (count.share, count.share_words) == (share, words)


def test_without_a_known_context_there_is_no_share() -> None:
    assert Count(18, None).share is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_accept_that_nobody_chose_is_forgotten_by_the_migration() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("playground", "0015_saved_tools")])
    old: Any = executor.loader.project_state([("playground", "0015_saved_tools")]).apps
    drafts = old.get_model("playground", "Draft").objects
    for visitor, accept in (("one", SSE), ("two", "application/json")):
        drafts.create(visitor=visitor, accept=accept, body=json.dumps(HELLO).encode())
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert dict(Draft.objects.values_list("visitor", "accept")) == {"one": "", "two": "application/json"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.front_end
def test_accept_is_chosen_on_the_page(page: Any) -> None:
    page.goto("/")
    page.locator("[data-group=headers] > summary").click()
    accept = page.locator("#accept")
    expect(accept).to_have_value("")
    expect(page.locator("#said-headers")).to_contain_text("Accept auto")
    accept.select_option("application/json")
    expect(page.locator("#accept-note")).to_have_text(DISAGREE)
    expect(page.locator("#said-headers")).to_contain_text("Accept application/json")
    page.reload()
    expect(accept).to_have_value("application/json")


@pytest.mark.django_db
def test_the_head_of_a_message_tells_the_tokens_of_what_was_typed(client: Client) -> None:
    begin(client, HELLO)
    drawn = edit(client, **{"messages[0].content": "a word " * 100, "max_tokens": "200"}).content.decode()
    head = re.search(r'id="tokens-[^>]+hx-swap-oob="true">(.+?) tokens', drawn, re.DOTALL)
    assert head is not None
    assert re.sub(r"<[^>]+>", "", head[1]) == "~about 194"
    assert "tokens-" not in edit(client, max_tokens="300").content.decode()
