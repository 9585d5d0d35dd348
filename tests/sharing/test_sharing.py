"""Copies: what was left out is in no answer of any kind, what is masked is nowhere, the rest is as it was."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.conversations import autosave
from playground.models import ShareLink
from playground.protocol.json import json_text
from playground.sharing import parts, publishing
from playground.sharing.masking import MASK, mask_text
from playground.sharing.scan import MOST_SECRETS
from tests.support.elements import Elements
from tests.support.sharing_rig import (
    ALWAYS,
    CANARIES,
    FAKE_KEY,
    NEVER,
    everything,
    published,
    rich_body,
    rich_conversation,
    rich_run,
)

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_guesses_yet")]


# --- what is in it


@pytest.mark.parametrize("left_out", CANARIES)
def test_a_part_left_out_is_in_no_answer_of_any_kind(client: Client, owner: User, left_out: str) -> None:
    share, token = published(rich_conversation(owner), *(parts.NAMES - {left_out}))
    seen = everything(client, f"/s/{token}/") + json_text.dump(share.snapshot)
    for canary in CANARIES[left_out]:
        assert canary not in seen
    for words in ALWAYS:
        assert words in seen
    others = [canary for part in CANARIES if part != left_out for canary in CANARIES[part]]
    lost = {"canarycited"} if left_out == "tool_results" else set()  # a citation goes with either
    assert [canary for canary in others if canary not in seen] == sorted(lost)


def test_what_belongs_to_the_owner_is_never_in_it(client: Client, owner: User) -> None:
    share, token = published(rich_conversation(owner), *parts.NAMES)
    seen = everything(client, f"/s/{token}/") + json_text.dump(share.snapshot)
    assert [word for word in NEVER if word in seen] == []


def test_with_nothing_chosen_only_the_turns_are_left(client: Client, owner: User) -> None:
    share, token = published(rich_conversation(owner))
    seen = everything(client, f"/s/{token}/") + json_text.dump(share.snapshot)
    assert [canary for each in CANARIES.values() for canary in each if canary in seen] == []
    assert "40302010" not in seen.replace(",", "")
    assert "max_tokens" not in json_text.dump(share.snapshot)
    assert client.get(f"/s/{token}/replay/3/").status_code == 404
    assert "visibleending" in seen


def test_a_link_preview_says_nothing_unless_the_owner_wants(client: Client, owner: User) -> None:
    conversation = rich_conversation(owner)
    _, token = published(conversation)
    head = client.get(f"/s/{token}/").content.decode().split("</head>")[0]
    assert 'og:title" content="A shared conversation"' in head
    _, token = published(conversation, "description")
    assert 'og:title" content="A title"' in client.get(f"/s/{token}/").content.decode()


def test_the_copy_is_frozen_until_it_is_updated(client: Client, owner: User) -> None:
    conversation = rich_conversation(owner)
    share, token = published(conversation)
    autosave.add_version(
        conversation, json_text.dump({"messages": [{"role": "user", "content": "laterwords"}]}), {}, pinned=True
    )
    assert "laterwords" not in everything(client, f"/s/{token}/")
    client.force_login(owner)
    client.post(reverse("share-change", args=[share.pk]), {"do": "update"})
    assert "laterwords" in client.get(f"/s/{token}/").content.decode()


def test_an_update_that_brings_in_a_key_is_stopped_first(client: Client, owner: User) -> None:
    conversation = rich_conversation(owner)
    share, token = published(conversation)
    secret = FAKE_KEY
    body = {"messages": [{"role": "user", "content": f"my key is {secret}"}]}
    autosave.add_version(conversation, json_text.dump(body), {}, pinned=True)
    client.force_login(owner)
    response = client.post(reverse("share-change", args=[share.pk]), {"do": "update"})
    assert response.status_code == 409
    assert secret not in client.get(f"/s/{token}/").content.decode()
    client.post(reverse("share-update", args=[share.pk]), {"mask": [secret]})
    page = client.get(f"/s/{token}/").content.decode()
    assert "my key is" in page
    assert secret not in page


def test_an_answer_that_the_owner_changed_is_shared_as_changed(client: Client, owner: User) -> None:
    conversation = rich_conversation(owner)
    body = rich_body()
    body["messages"].append({"role": "assistant", "content": "what the owner made of it"})
    autosave.add_version(conversation, json_text.dump(body), {}, pinned=True)
    _, token = published(conversation, *parts.NAMES)
    seen = everything(client, f"/s/{token}/")
    assert "what the owner made of it" in seen
    assert "visibleending" not in seen


def test_a_run_is_shared_with_the_same_choices(client: Client, owner: User) -> None:
    run = rich_run(owner)
    client.force_login(owner)
    page = client.post(
        reverse("run-share", args=[run.pk]), {"do": "publish", "public": "1", "part": ["replay", "figures"]}
    )
    token = page.content.decode().split("/s/")[1].split("/")[0]
    client.logout()
    seen = everything(client, f"/s/{token}/")
    assert "visibleending" in seen
    assert "canarysystem" not in seen
    assert "canaryreasoning" not in seen


def test_a_pdf_can_be_taken_along_unless_it_was_left_out(client: Client, owner: User) -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF-1.7 words").decode()}
    content = [{"type": "document", "title": "Report", "source": pdf}]
    conversation = autosave.create(owner, {"messages": [{"role": "user", "content": content}]}, {})
    _, token = published(conversation, "attachments")
    page = client.get(f"/s/{token}/").content.decode()
    address = page.split(f'href="/s/{token}/files/')[1].split('"')[0]
    response = client.get(f"/s/{token}/files/{address}")
    assert response.content == b"%PDF-1.7 words"
    assert response["Content-Disposition"].endswith('.pdf"')
    _, without = published(conversation)
    assert client.get(f"/s/{without}/files/{address}").status_code == 404


# --- masking and scanning


def test_what_is_masked_is_nowhere_even_where_two_events_share_it(client: Client, owner: User) -> None:
    secret = "sk-secret0123456789abcdef"
    share, token = published(rich_conversation(owner), *parts.NAMES, masked=(secret, "Paris"))
    seen = everything(client, f"/s/{token}/")
    assert secret not in seen
    assert "Paris" not in seen
    texts = [json.loads(data).get("delta", {}).get("text", "") for *_, data in share.snapshot["answers"][0]["events"]]
    assert "".join(texts) == f"the visibleending is {MASK} here"


def test_a_secret_across_pieces_is_masked_in_the_first_and_gone_from_the_others() -> None:
    assert mask_text(["my sec", "ret is", " secret."], ["secret"]) == [f"my {MASK}", " is", f" {MASK}."]
    assert mask_text(["a", "b", "c"], ["abc"]) == [MASK, "", ""]
    assert mask_text(["nothing"], ["abc"]) == ["nothing"]


def test_the_page_to_choose_on_says_what_there_is_of_each_part(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = client.get(reverse("conversation-share", args=[rich_conversation(owner).pk])).content.decode()
    for words in ("12 characters", "lookup", "2 results", "2 blocks", "2 files", "1 response", "1 other version"):
        assert words in page


def test_only_what_there_is_can_be_chosen(client: Client, owner: User) -> None:
    client.force_login(owner)
    plain = autosave.create(owner, {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}, {})
    page = client.get(reverse("conversation-share", args=[plain.pk])).content.decode()
    offered = re.findall(r'name="part" value="(\w+)"', page)
    assert offered == ["parameters", "name", "description"]


def test_what_readers_did_not_come_for_is_switched_off_at_first(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = client.get(reverse("conversation-share", args=[rich_conversation(owner).pk])).content.decode()
    offered = re.findall(r'name="part" value="(\w+)"( checked)?', " ".join(page.split()))
    assert {name for name, checked in offered if not checked} == {
        "system",
        "thinking",
        "figures",
        "branches",
        "name",
        "description",
    }


def test_what_is_too_large_for_a_page_is_not_published(client: Client, owner: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(publishing, "LARGEST_COPY", 100)
    client.force_login(owner)
    address = reverse("conversation-share", args=[rich_conversation(owner).pk])
    assert client.post(address, {"do": "publish", "public": "1"}).status_code == 422
    assert not ShareLink.objects.filter(published_at__isnull=False).exists()


def test_the_page_to_choose_on_offers_to_mask(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = autosave.create(owner, {"messages": [{"role": "user", "content": "write to ann@example.org"}]}, {})
    page = client.get(reverse("conversation-share", args=[conversation.pk])).content.decode()
    assert "ann@example.org" in page
    choices = {"do": "publish", "public": "1", "mask": ["ann@example.org"]}
    done = client.post(reverse("conversation-share", args=[conversation.pk]), choices).content.decode()
    token = done.split("/s/")[1].split("/")[0]
    assert "ann@example.org" not in client.get(f"/s/{token}/").content.decode()


# --- a second word for secrets


SECRET_WORDS = f"my key is {FAKE_KEY}, mail ann@example.org, and password: hunter2hunter2"


def share_page(client: Client, owner: User, words: str = SECRET_WORDS) -> str:
    client.force_login(owner)
    conversation = autosave.create(owner, {"messages": [{"role": "user", "content": words}]}, {})
    return reverse("conversation-share", args=[conversation.pk])


def read_by_anyone(client: Client, page: Any) -> str:
    token = page.content.decode().split("/s/")[1].split("/")[0]
    client.logout()
    return client.get(f"/s/{token}/").content.decode()


def test_a_secret_that_the_scan_found_is_masked_unless_the_owner_unticks_it(client: Client, owner: User) -> None:
    address = share_page(client, owner)
    switches = [more for tag, more in Elements(client.get(address).content.decode()).tags if more.get("name") == "mask"]
    assert {str(each["value"]): "checked" in each for each in switches} == {
        FAKE_KEY: True,
        "hunter2hunter2": True,
        "ann@example.org": False,
    }
    text = read_by_anyone(client, client.post(address, {"do": "publish", "public": "1"}))
    assert FAKE_KEY not in text
    assert "hunter2hunter2" not in text
    assert "ann@example.org" in text


def key(number: int) -> str:
    return f"sk-test-{number:030}"


def test_every_key_is_masked_behind_however_many_addresses(client: Client, owner: User) -> None:
    words = " ".join([*(f"ann{number}@example.org" for number in range(150)), *map(key, range(150))])
    text = read_by_anyone(client, client.post(share_page(client, owner, words), {"do": "publish", "public": "1"}))
    assert "ann149@example.org" in text
    assert "sk-test" not in text


def test_more_keys_than_are_looked_for_are_not_published(client: Client, owner: User) -> None:
    words = " ".join(map(key, range(MOST_SECRETS + 1)))
    answer = client.post(share_page(client, owner, words), {"do": "publish", "public": "1"})
    assert answer.status_code == 422
    assert "too many to look through" in answer.content.decode()
    assert not ShareLink.objects.filter(published_at__isnull=False).exists()


def test_a_secret_in_a_part_that_was_added_later_is_masked_too(client: Client, owner: User) -> None:
    client.force_login(owner)
    body = {"system": f"use {FAKE_KEY}", "messages": [{"role": "user", "content": "Hi"}]}
    address = reverse("conversation-share", args=[autosave.create(owner, body, {}).pk])
    assert FAKE_KEY not in client.get(address).content.decode()
    text = read_by_anyone(client, client.post(address, {"do": "publish", "public": "1", "part": ["system"]}))
    assert "use" in text
    assert FAKE_KEY not in text


def test_publishing_a_secret_takes_a_second_word(client: Client, owner: User) -> None:
    address = share_page(client, owner)
    chosen = {"do": "publish", "public": "1", "seen": [FAKE_KEY, "hunter2hunter2"], "mask": ["hunter2hunter2"]}
    chosen |= {"passphrase": "open sesame please", "lasts": "day", "audience": "everyone"}
    for _ in range(2):  # the same button again is no second word
        asked = client.post(address, chosen)
        assert asked.status_code == 422
        assert not ShareLink.objects.filter(published_at__isnull=False).exists()
    page = asked.content.decode()
    elements = Elements(page).tags
    assert [more["value"] for _, more in elements if more.get("name") == "reveal"] == [FAKE_KEY]
    assert 'value="open sesame please"' in page  # what else was chosen is not lost
    assert [more["value"] for tag, more in elements if tag == "option" and "selected" in more] == ["everyone", "day"]
    client.post(address, {**chosen, "reveal": ["hunter2hunter2"]})  # a word about another one
    assert not ShareLink.objects.filter(published_at__isnull=False).exists()
    del chosen["passphrase"]
    text = read_by_anyone(client, client.post(address, {**chosen, "reveal": [FAKE_KEY]}))
    assert FAKE_KEY in text
    assert "hunter2hunter2" not in text


def test_a_preview_shows_what_readers_would_get(client: Client, owner: User) -> None:
    address = share_page(client, owner)
    page = client.post(address, {"do": "preview"}, follow=True)
    assert FAKE_KEY not in page.content.decode()


def test_an_update_asks_twice_for_a_new_secret(client: Client, owner: User) -> None:
    conversation = rich_conversation(owner)
    share, token = published(conversation)
    body = {"messages": [{"role": "user", "content": SECRET_WORDS}]}
    autosave.add_version(conversation, json_text.dump(body), {}, pinned=True)
    client.force_login(owner)
    address = reverse("share-update", args=[share.pk])
    assert client.post(address, {"seen": [FAKE_KEY, "hunter2hunter2"]}).status_code == 409
    assert FAKE_KEY not in client.get(f"/s/{token}/").content.decode()
    client.post(address, {"seen": [FAKE_KEY, "hunter2hunter2"], "mask": ["hunter2hunter2"], "reveal": [FAKE_KEY]})
    text = client.get(f"/s/{token}/").content.decode()
    assert FAKE_KEY in text
    assert "hunter2hunter2" not in text
    client.post(reverse("share-change", args=[share.pk]), {"do": "update"})  # it was said of this one already
    assert FAKE_KEY in client.get(f"/s/{token}/").content.decode()


# --- replay


def test_the_replay_keeps_order_and_times(client: Client, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.defaults("conversation"))
    frames = client.get(f"/s/{token}/replay/3/").json()["frames"]
    times = [frame["at"] for frame in frames]
    assert times == sorted(times)
    assert len(set(times)) > 1
    rows = client.get(f"/s/{token}/events/3/").content.decode()
    assert rows.index("content_block_start") < rows.index("content_block_delta") < rows.index("message_stop")


# --- files


def test_a_copy_holds_the_bytes_of_the_owners_files_and_of_nobody_elses(
    client: Client, owner: User, stranger: User, settings: Any, tmp_path: Any
) -> None:
    from playground.attachments import attachment_store

    settings.MEDIA_ROOT = tmp_path
    own = attachment_store.store(b"own words of the document", "own.txt", user=owner, visitor="")
    foreign = attachment_store.store(b"foreign words", "foreign.txt", user=stranger, visitor="")
    content = [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": each.reference}}
        for each in (own, foreign)
    ]
    conversation = autosave.create(owner, {"messages": [{"role": "user", "content": content}]}, {})
    _, token = published(conversation, "attachments")
    attachment_store.Attachment.objects.all().delete()
    seen = client.get(f"/s/{token}/").content.decode()
    assert "own words of the document" in seen
    assert "foreign words" not in seen
