"""The list of one's conversations: found, filtered, deleted and brought back, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from playground.models import Conversation
from tests.conversations.test_conversations import listed, saved

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_list_finds_words_of_titles_and_turns(client: Client, owner: User) -> None:
    client.force_login(owner)
    saved(owner, "The café in Zürich", title="Coffee")
    saved(owner, "Rayleigh scattering", title="Sky")
    assert "Coffee" in listed(client, q="cafe zur")
    assert "Sky" not in listed(client, q="cafe")
    assert "Sky" in listed(client, q='"rayleigh scattering"')
    assert "Sky" not in listed(client, q="sky -scattering")
    assert "No conversations match" in listed(client, q="absent")


def test_stars_tags_and_the_archive_are_filters(client: Client, owner: User) -> None:
    client.force_login(owner)
    first, second = saved(owner, "first"), saved(owner, "second")
    client.post(reverse("conversation-change", args=[first.pk]), {"tags": "red, blue ,red", "starred": "1"})
    client.post(reverse("conversation-change", args=[second.pk]), {"archived": "1", "title": "Put away"})
    first.refresh_from_db()
    assert first.tags == ["red", "blue"]
    assert "first" in listed(client, tag="blue")
    assert "first" in listed(client, show="starred")
    assert "Put away" not in listed(client)
    assert "Put away" in listed(client, show="archived")
    assert "first" in listed(client, q="blue")


def test_deleting_can_be_undone_for_a_day(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, "gone?")
    page = client.post(reverse("conversation-delete", args=[conversation.pk]), follow=True)
    assert "Undo" in page.content.decode()
    assert client.get(reverse("conversation", args=[conversation.pk])).status_code == 404
    assert not Conversation.objects.beyond_recall().exists()
    client.post(reverse("conversation-undelete", args=[conversation.pk]))
    assert client.get(reverse("conversation", args=[conversation.pk])).status_code == 200
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(days=2))
    assert Conversation.objects.beyond_recall().count() == 1


def test_a_duplicate_stands_alone(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, "hello")
    client.post(reverse("conversation-duplicate", args=[conversation.pk]))
    copied = Conversation.objects.get(title="Copy of hello")
    assert copied.head.body_text == conversation.head.body_text
    assert copied.head != conversation.head


ADDRESSES = [
    ("get", "conversation", ()),
    ("post", "conversation-change", ()),
    ("post", "conversation-open", ()),
    ("post", "conversation-duplicate", ()),
    ("post", "conversation-delete", ()),
    ("post", "conversation-undelete", ()),
    ("get", "conversation-difference", ()),
    ("get", "conversation-export", ("json",)),
    ("get", "conversation-share", ()),
    ("post", "conversation-share", ()),
]


@pytest.mark.parametrize(("method", "name", "more"), ADDRESSES)
def test_somebody_elses_conversation_is_not_there(
    client: Client, owner: User, stranger: User, method: str, name: str, more: tuple[str, ...]
) -> None:
    conversation = saved(owner, "private")
    address = reverse(name, args=[conversation.pk, *more])
    assert getattr(client, method)(address).status_code == 302  # to the log-in page
    client.force_login(stranger)
    assert getattr(client, method)(address).status_code == 404
    conversation.refresh_from_db()
    assert conversation.deleted_at is None


@pytest.mark.parametrize(
    "name", ["conversation-open", "conversation-delete", "conversation-duplicate", "conversation-change"]
)
def test_looking_changes_nothing(client: Client, owner: User, name: str) -> None:
    client.force_login(owner)
    assert client.get(reverse(name, args=[saved(owner, "x").pk])).status_code == 405


def test_visitors_are_told_what_an_account_gives(client: Client) -> None:
    page = client.get(reverse("conversations"))
    assert page.status_code == 200
    assert "Log in to save" in page.content.decode()


def test_the_sweep_removes_what_nobody_can_bring_back(owner: User) -> None:
    from playground.conversations import cleanup
    from playground.sharing import publishing

    kept, gone = saved(owner, "kept"), saved(owner, "gone")
    Conversation.objects.filter(pk=gone.pk).update(deleted_at=timezone.now() - timedelta(days=2))
    prepared = publishing.prepare(kept, owner, publishing.Choices())
    published = publishing.prepare(saved(owner, "published"), owner, publishing.Choices())
    publishing.publish(published, lasts="day", until=None, passphrase="", public=True)
    assert cleanup.sweep() == 1
    assert Conversation.objects.filter(owner=owner).count() == 2
    assert cleanup.sweep(timezone.now() + timedelta(days=2)) == 1
    assert not type(prepared).objects.filter(pk=prepared.pk).exists()
    assert cleanup.sweep(timezone.now() + timedelta(days=40)) == 1
    published.refresh_from_db()
    assert published.snapshot == {}
