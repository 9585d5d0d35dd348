"""A session behind a link: what was left out is in no answer of any kind, and what is masked is nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.models import ShareLink
from playground.protocol.json import json_text
from playground.recording.session_loading import load
from playground.session_log.page import SessionPage
from playground.session_log.shared_session import page_of
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices
from playground.sharing.session_copy import of_session, whole_words
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession, work
from tests.support.elements import Elements
from tests.support.sharing_rig import FAKE_KEY

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_guesses_yet")]

PICTURE = {"type": "base64", "media_type": "image/png", "data": "Y2FuYXJ5cGljdHVyZQ=="}
CANARIES = {
    "system": ["canarysystem"],
    "tools": ["canarytool"],
    "tool_results": ["canaryresult"],
    "thinking": ["canarythought"],
    "attachments": ["Y2FuYXJ5cGljdHVyZQ"],
    "parameters": ["canaryparameter"],
    "turns": ["canaryaside"],
    "name": ["canaryowner"],
}
ALWAYS = ["visiblequestion", "visiblefile.py"]


@pytest.fixture
def rich(owner: User) -> StoredSession:
    """A word of its own in each part; the marks move and the prompt changes once, so that there is a miss."""
    owner.username = "canaryowner"
    owner.save()
    session = StoredSession(owner, client_id="canaryclient")
    agent = Agent(session, "visiblequestion")
    agent.system[1]["text"] = "canarysystem one"
    agent.tools[0]["name"] = "canarytool"
    agent.messages[0]["content"].insert(0, {"type": "image", "source": PICTURE})
    call = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "visiblefile.py"}}
    agent.ask([{"type": "thinking", "thinking": "canarythought", "signature": "x"}, call])
    agent.results("canaryresult " * 200)
    agent.ask([{"type": "text", "text": "a word first " + "and on " * 60 + "canaryaside"}])
    agent.results()
    agent.system[1]["text"] = "canarysystem two"
    agent.ask()
    agent.results()
    agent.extra = {"speed": "canaryparameter"}
    session.server.forget_everything()
    agent.ask()
    return session


def published(session: StoredSession, *names: str, masked: tuple[str, ...] = ()) -> tuple[ShareLink, str]:
    share = publishing.prepare(session.stored, session.owner, Choices(parts.chosen(names), masked))
    token = publishing.publish(share, lasts="month", until=None, passphrase="", public=True)
    assert token
    return share, token


def everything(client: Client, base: str, count: int) -> str:
    addresses = ["", "page.html", "steps/", *(f"steps/{number}/" for number in range(1, count + 1))]
    answers = [client.get(base + address) for address in addresses]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.content.decode() for answer in answers)


@pytest.mark.parametrize("left_out", [*CANARIES, ""])
def test_a_part_left_out_is_in_no_answer_of_any_kind(client: Client, rich: StoredSession, left_out: str) -> None:
    share, token = published(rich, *(parts.NAMES - {left_out}))
    seen = everything(client, f"/s/{token}/", len(rich.steps)) + json_text.dump(share.snapshot)
    for canary in CANARIES.get(left_out, ()):
        assert canary not in seen
    for words in ALWAYS:
        assert words in seen
    if left_out != "turns":  # what was said goes with it, whatever it was
        assert [
            canary for part in CANARIES if part != left_out for canary in CANARIES[part] if canary not in seen
        ] == []


def test_what_belongs_to_the_owner_is_never_in_it(client: Client, rich: StoredSession) -> None:
    share, token = published(rich, *parts.NAMES)
    seen = everything(client, f"/s/{token}/", len(rich.steps)) + json_text.dump(share.snapshot)
    for word in ("canaryclient", "laptop", "Anthropic", str(rich.stored.pk), str(rich.steps[0].id)):
        assert word not in seen
    hashes = {key.hex() for key in rich.blocks}
    assert not any(key in seen for key in hashes)


def test_without_figures_there_are_neither_times_nor_tokens_nor_costs(client: Client, rich: StoredSession) -> None:
    share, token = published(rich, *(parts.NAMES - {"figures"}))
    assert not {"started_s", "read_tokens", "cost_usd", "phases"} & set(share.snapshot["steps"][0])
    page = client.get(f"/s/{token}/").content.decode()
    assert "Cache misses" not in page
    assert "Timeline" not in page
    assert "visiblefile.py" in page


def test_readers_see_the_steps_misses_and_figures_that_the_owner_sees(client: Client, owner: User) -> None:
    session = work(owner)
    _, token = published(session, *parts.defaults("session"), "system")
    own = SessionPage(load(session.stored))
    copy = page_of(of_session(session.stored, parts.NAMES, []))
    assert [(row.words, row.thread, row.cost, row.duration, row.retry_of) for row in copy.rows] == [
        (row.words, row.thread, row.cost, row.duration, row.retry_of) for row in own.rows
    ]
    assert [(each.miss.cause, each.miss.path, each.cost, each.step_number) for each in copy.misses] == [
        (each.miss.cause, each.miss.path, each.cost, each.step_number) for each in own.misses
    ]
    assert [(each.step_number, each.cost) for each in copy.heaviest] == [
        (each.step_number, each.cost) for each in own.heaviest
    ]
    assert copy.tokens == own.tokens
    page = client.get(f"/s/{token}/").content.decode()
    assert page.index("css/tokens") < page.index("css/session"), "the sheet that names the layers comes first"
    for words in ("system prompt changed", "history compacted", "What filled the context", "explore"):
        assert words in page
    number = next(each.step_number for each in own.misses if each.miss.cause == "system_changed")
    assert "system[1].text, character 9" in client.get(f"/s/{token}/steps/{number}/").content.decode()


def test_each_step_of_a_copy_has_what_was_new_in_it(client: Client, owner: User) -> None:
    session = work(owner)
    _, token = published(session, *parts.NAMES)
    client.force_login(owner)
    for number in range(1, len(session.steps) + 1):
        own = client.get(reverse("session-step", args=[session.stored.pk, number])).content.decode()
        copy = client.get(f"/s/{token}/steps/{number}/").content.decode()
        assert said_in(copy) == said_in(own), number


def said_in(html: str) -> list[str]:
    """Roles and texts of what is new, without the prompt's head."""
    return re.findall(r'data-role="(\w+)"|<pre[^>]*>(?:<code>)?([^<]*)', html.partition('<div class="new-block"')[2])  # type: ignore[return-value]


def test_a_secret_is_masked_wherever_it_stands_unless_the_owner_says_twice(client: Client, owner: User) -> None:
    session = StoredSession(owner)
    agent = Agent(session, f"The key is {FAKE_KEY} and no other")
    command = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": f"export KEY={FAKE_KEY}"}}
    agent.ask([command])
    agent.results(f"api_key: {FAKE_KEY}")
    agent.ask()
    client.force_login(owner)
    address = reverse("session-share", args=[session.stored.pk])
    choose = Elements(client.get(address).content.decode()).tags
    assert [box["value"] for _, box in choose if box.get("name") == "mask" and "checked" in box] == [FAKE_KEY]
    client.post(address, {"do": "publish", "public": "1", "part": list(parts.NAMES), "lasts": "day"})
    share = ShareLink.objects.get()
    assert FAKE_KEY not in json_text.dump(share.snapshot)
    assert "•••••" in share.snapshot["steps"][0]["calls"][0][1]
    share.delete()
    asked = {"do": "publish", "public": "1", "part": list(parts.NAMES), "lasts": "day", "seen": [FAKE_KEY]}
    once = client.post(address, asked)
    assert once.status_code == 422
    assert not ShareLink.objects.filter(published_at__isnull=False).exists()
    client.post(address, asked | {"reveal": [FAKE_KEY]})
    assert FAKE_KEY in json_text.dump(ShareLink.objects.get(published_at__isnull=False).snapshot)


def test_a_label_that_was_cut_ends_with_a_whole_word() -> None:
    assert whole_words("curl -H sk-ant-0123…") == "curl -H…"
    assert whole_words("/home/anna/secre…") == "/home/anna/…"
    assert whole_words("complete words") == "complete words"


def test_a_link_to_a_session_expires_is_listed_and_is_revoked(client: Client, rich: StoredSession) -> None:
    share, token = published(rich, *parts.defaults("session"))
    client.force_login(rich.owner)
    home = client.get(reverse("session", args=[rich.stored.pk])).content.decode()
    assert share.hint in home
    assert reverse("session", args=[rich.stored.pk]) in client.get(reverse("shares")).content.decode()
    client.post(reverse("share-change", args=[share.pk]), {"do": "expiry", "lasts": "date", "until": "2020-01-01"})
    assert client.get(f"/s/{token}/").status_code == 404
    client.post(reverse("share-change", args=[share.pk]), {"do": "expiry", "lasts": "week"})
    assert client.get(f"/s/{token}/").status_code == 200
    client.post(reverse("share-change", args=[share.pk]), {"do": "revoke"})
    share.refresh_from_db()
    for address in ("", "steps/", "steps/1/", "page.html"):
        assert client.get(f"/s/{token}/{address}").status_code == 404
    assert share.snapshot == {}


def test_the_copy_stays_as_it_was_until_it_is_updated(client: Client, owner: User) -> None:
    session = StoredSession(owner)
    agent = Agent(session)
    agent.turns(2)
    share, token = published(session, *parts.defaults("session"))
    agent.ask([{"type": "text", "text": "laterwords"}])
    assert "laterwords" not in client.get(f"/s/{token}/").content.decode()
    client.force_login(owner)
    client.post(reverse("share-change", args=[share.pk]), {"do": "update"})
    assert "laterwords" in client.get(f"/s/{token}/").content.decode()


def test_pages_of_a_conversation_are_not_there_for_a_session_nor_the_other_way_round(
    client: Client, rich: StoredSession
) -> None:
    _, token = published(rich, *parts.NAMES)
    for address in ("request.json", "text.md", "code/curl/", "replay/0/", "events/0/", "files/x/", "fork/"):
        answer = client.post(f"/s/{token}/{address}") if address == "fork/" else client.get(f"/s/{token}/{address}")
        assert answer.status_code == 404, address


def test_a_session_of_somebody_else_cannot_be_shared(client: Client, rich: StoredSession, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get(reverse("session-share", args=[rich.stored.pk])).status_code == 404


def test_deleting_the_session_closes_its_links(client: Client, rich: StoredSession) -> None:
    _, token = published(rich, *parts.defaults("session"))
    client.force_login(rich.owner)
    client.post(reverse("session-delete", args=[rich.stored.pk]))
    assert client.get(f"/s/{token}/").status_code == 404


def test_a_copy_is_made_of_few_bodies(rich: StoredSession, django_assert_max_num_queries: Any) -> None:
    session = StoredSession(rich.owner, "long")
    session.server.now += 9_000
    Agent(session).turns(40)
    with django_assert_max_num_queries(7):
        copy = of_session(session.stored, parts.NAMES, [])
    assert all(step["is_kept"] and step["answer"] for step in copy["steps"])
    assert [len(step["new"]) for step in copy["steps"]] == [1, *[2] * 39]
