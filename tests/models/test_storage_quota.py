"""How much a user's conversations may take, what goes first, and what is said when nothing more can go."""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from playground.conversations import autosave
from playground.models import Conversation, ConversationVersion, Draft, ShareLink, storage_quota
from playground.models import draft as draft_model
from playground.models.storage_quota import StorageQuotaError
from tests.support.drafting import HELLO, begin, edit, page_headers, page_of, stored
from tests.support.markup import markup

pytestmark = pytest.mark.django_db
SIZE = 4_000


def body_of(seed: int) -> dict[str, Any]:
    """A body that does not become smaller by packing."""
    return HELLO | {"system": random.Random(seed).randbytes(SIZE).hex()}


def typed(conversation: Conversation, seed: int, *, pinned: bool = False, note: str = "") -> ConversationVersion:
    """A further version, as if the last one had been made long ago."""
    ConversationVersion.objects.update(made_at="2020-01-01T00:00Z")
    conversation.refresh_from_db()
    text = str(body_of(seed))
    return autosave.add_version(conversation, text, {}, pinned=pinned, note=note)


def test_the_oldest_of_what_nobody_saved_by_hand_goes_first(owner: Any, settings: Any) -> None:
    conversation = autosave.create(owner, body_of(0), {})
    sent = typed(conversation, 1, pinned=True, note="sent")
    first, second = typed(conversation, 2), typed(conversation, 3)
    settings.MAX_VERSION_BYTES_PER_USER = storage_quota.bytes_of_versions(owner.pk) + 100
    newest = typed(conversation, 4)
    left = set(conversation.versions.values_list("pk", flat=True))
    assert left == {conversation.versions.get(note="saved").pk, sent.pk, second.pk, newest.pk}
    assert first.pk not in left
    typed(conversation, 5)
    typed(conversation, 6)
    assert set(conversation.versions.filter(pinned=True).values_list("note", flat=True)) == {"saved", "sent"}
    for seed in (7, 8, 9):
        typed(conversation, seed, pinned=True, note="saved")
    assert not conversation.versions.filter(pk=sent.pk).exists()
    with pytest.raises(StorageQuotaError):
        typed(conversation, 10)
    assert conversation.versions.filter(note="saved").count() == 4


def test_other_peoples_conversations_do_not_count(owner: Any, stranger: Any, settings: Any) -> None:
    autosave.create(stranger, body_of(0), {})
    settings.MAX_VERSION_BYTES_PER_USER = 2 * SIZE
    autosave.create(owner, body_of(1), {})


def test_deleted_conversations_make_room_before_their_day_is_over(owner: Any, settings: Any) -> None:
    deleted = autosave.create(owner, body_of(0), {})
    Conversation.objects.update(deleted_at="2026-01-01T00:00Z")
    settings.MAX_VERSION_BYTES_PER_USER = storage_quota.bytes_of_versions(owner.pk) + 100
    autosave.create(owner, body_of(1), {})
    assert not Conversation.objects.filter(pk=deleted.pk).exists()


def test_saving_without_room_says_so_and_keeps_what_is_being_written(client: Any, owner: Any, settings: Any) -> None:
    settings.MAX_VERSION_BYTES_PER_USER = 1_000
    client.force_login(owner)
    begin(client, body_of(0))
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(reverse("conversation-save"), headers=headers)
        assert answer.status_code in {204, 302}
        page = client.get(answer.headers.get("HX-Redirect") or answer.headers["Location"]).content.decode()
        assert "Your conversations may use" in page
    assert not Conversation.objects.exists()
    assert body_of(0)["system"] in Draft.objects.get().body_text


def test_without_room_writing_goes_on_in_the_draft(client: Any, owner: Any, settings: Any) -> None:
    client.force_login(owner)
    begin(client, HELLO)
    client.post(reverse("conversation-save"))
    settings.MAX_VERSION_BYTES_PER_USER = 1_000
    text = body_of(0)["system"]
    answer = edit(client, system=text)
    assert answer.status_code == 200
    assert text in Draft.objects.get().body_text
    assert text not in Conversation.objects.get().head.body_text


NOT_SAVED = "Not saved to its conversation: your storage is full."


def note(page: Any) -> str:
    """What stands where the page says that the draft is kept."""
    return " ".join(page.content.decode().partition('id="saved-note"')[2].partition("Delete some")[0].split())


def test_the_page_says_that_a_conversation_cannot_follow_until_it_can_again(
    client: Any, owner: Any, settings: Any
) -> None:
    client.force_login(owner)
    begin(client, HELLO)
    client.post(reverse("conversation-save"))
    own = reverse("conversation", args=[Conversation.objects.get().pk])
    assert NOT_SAVED not in note(edit(client, max_tokens="7"))
    settings.MAX_VERSION_BYTES_PER_USER = 1_000
    text = body_of(0)["system"]
    first, again = edit(client, system=text), edit(client, system=f"{text} and more")
    assert [NOT_SAVED in note(page) for page in (first, again, client.get(own))] == [True, True, True]
    assert [f'data-said="{NOT_SAVED}"' in page.content.decode() for page in (first, again)] == [True, False]
    assert reverse("conversations") in first.content.decode()
    settings.MAX_VERSION_BYTES_PER_USER = 100_000
    assert NOT_SAVED not in note(edit(client, max_tokens="8"))
    assert NOT_SAVED not in note(client.get(own))
    assert text in Conversation.objects.get().head.body_text


def test_what_is_sent_says_so_too(owner: Any, settings: Any) -> None:
    draft = stored(HELLO, user=owner)
    autosave.save(draft, owner)
    settings.MAX_VERSION_BYTES_PER_USER = 1_000
    draft.body_text = json.dumps(body_of(0))
    assert draft.keep()
    autosave.record_run(draft, uuid4())
    assert Draft.objects.get().is_behind
    draft.conversation = None
    settings.MAX_VERSION_BYTES_PER_USER = 0
    autosave.save(draft, owner)
    assert not Draft.objects.get().is_behind


def test_what_could_not_be_saved_is_not_pushed_out_by_another_conversation(
    client: Any, owner: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(owner)
    other = autosave.create(owner, HELLO, {}, title="Other")
    begin(client, HELLO)
    client.post(reverse("conversation-save"))
    settings.MAX_VERSION_BYTES_PER_USER = 1_000
    text = body_of(0)["system"]
    edit(client, system=text)
    behind = Draft.objects.get()
    monkeypatch.setattr(draft_model, "MOST_OPEN", 1)
    assert client.get(reverse("conversation", args=[other.pk])).status_code == 200
    changed = {":version": "0", ":mode": "form", "max_tokens": "7"}
    assert client.post(reverse("edit"), changed, headers={"X-Conversation": str(other.pk)}).status_code == 200
    assert Draft.objects.count() == 2
    assert text in page_of(client, behind)
    settings.MAX_VERSION_BYTES_PER_USER = 0
    again = {":version": behind.version, ":mode": "form", "max_tokens": "8"}
    client.post(reverse("edit"), again, headers=page_headers(behind))
    assert not Draft.objects.get(pk=behind.pk).is_behind
    assert any(text in version.body_text for version in ConversationVersion.objects.all())


def test_the_account_page_says_how_much_is_kept(client: Any, owner: Any, settings: Any) -> None:
    settings.MAX_ATTACHMENT_BYTES_PER_USER = 0
    autosave.create(owner, body_of(0), {})
    client.force_login(owner)
    page = markup(client.get(reverse("account")))
    assert "Requests: 0 bytes of 2.0 GB" in page
    assert "Files: 0 bytes<" in page
    assert "of 256.0 MB" in page
    assert "Conversations: 0 bytes" not in page


def test_shared_copies_have_room_until_there_is_none_and_revoking_makes_some(
    client: Client, owner: Any, settings: Any
) -> None:
    client.force_login(owner)
    first, second = autosave.create(owner, body_of(1), {}), autosave.create(owner, body_of(2), {})
    choices = {"do": "publish", "public": "1", "part": ["system"]}
    assert client.post(reverse("conversation-share", args=[first.pk]), choices).status_code == 200
    settings.MAX_SHARE_BYTES_PER_USER = storage_quota.bytes_of_copies(owner.pk) + SIZE
    refused = client.post(reverse("conversation-share", args=[second.pk]), choices)
    assert refused.status_code == 422
    assert "Revoke links that nobody needs" in refused.content.decode()
    assert ShareLink.objects.count() == 1
    ShareLink.objects.get().revoke()
    assert client.post(reverse("conversation-share", args=[second.pk]), choices).status_code == 200
