"""The versions of a conversation, each with the message that changed in it."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from playground.conversations import autosave, version_previews
from playground.models import Conversation
from playground.protocol.json import json_text
from tests.conversations.test_conversations import body_of

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


def with_versions(owner: User, *versions: tuple[Any, ...]) -> Conversation:
    conversation = Conversation(owner=owner)
    for turns in versions:
        autosave.add_version(conversation, json_text.dump(body_of(*turns)), {}, pinned=True, note="sent")
    return conversation


def previews(conversation: Conversation) -> list[str]:
    """The newest first."""
    return [preview for _, preview in version_previews.listed(conversation, 60)]


def test_each_version_is_told_by_the_first_message_of_the_users_that_changed(owner: User) -> None:
    conversation = with_versions(
        owner,
        ("Weather in Oslo?",),
        ("Weather in Oslo?", "Rain.", "And in Bergen?"),
        ("Weather in Oslo?", "Rain.", "And in Bergen,\n on a Saturday?", "Rain.", "Thanks."),
        ("Weather in Tromsø?",),
    )
    assert previews(conversation) == [
        "Weather in Tromsø?", "And in Bergen, on a Saturday?", "And in Bergen?", "Weather in Oslo?",
    ]  # fmt: skip


def test_a_version_that_only_lost_messages_is_told_by_its_last_one(owner: User) -> None:
    conversation = with_versions(owner, ("One", "Yes", "Two", "Yes", "Three"), ("One", "Yes", "Two"), ("One", "Yes"))
    assert previews(conversation) == ["One", "Two", "One"]


def test_a_long_message_is_cut_and_one_without_text_is_passed_over(owner: User) -> None:
    image = [{"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}]
    conversation = with_versions(owner, ("word " * 1_000,), (image, "A cat.", "Which breed?"))
    newest, oldest = previews(conversation)
    assert newest == "Which breed?"
    assert len(oldest) <= version_previews.LONGEST + 1
    assert oldest.endswith("…")


def test_what_is_no_json_has_no_preview(owner: User) -> None:
    conversation = Conversation(owner=owner)
    autosave.add_version(conversation, '{"messages": [', {}, pinned=True)
    assert previews(conversation) == [""]


def test_large_bodies_are_not_read(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = with_versions(owner, ("First",), ("Second",), ("Third",))
    size = max(len(version.packed_body) for version in conversation.versions.all())
    monkeypatch.setattr(version_previews, "MOST_PACKED_AT_ONCE", 2 * size)
    assert previews(conversation) == ["Third", "Second", ""]
    monkeypatch.setattr(version_previews, "MOST_PACKED", 10)
    assert previews(conversation) == ["", "", ""]


def test_a_body_that_unpacks_to_much_more_than_it_looks_is_not_read_to_its_end(owner: User) -> None:
    conversation = with_versions(owner, ("First",))
    version = conversation.versions.get()
    version.packed_body = zlib.compress(json_text.dump(body_of("a" * 2 * version_previews.MOST_UNPACKED)).encode())
    assert len(version.packed_body) < version_previews.MOST_PACKED
    version.save()
    assert previews(conversation) == [""]


def test_the_page_of_a_conversation_shows_them_with_two_queries(client: Client, owner: User) -> None:
    conversation = with_versions(owner, *((f"Question {number}",) for number in range(9)))
    client.force_login(owner)
    page = client.get(reverse("conversation-read", args=[conversation.pk])).content.decode()
    assert re.findall(r'class="preview">(.*?)<', page) == [f"Question {number}" for number in reversed(range(9))]
    with CaptureQueriesContext(connection) as queries:
        version_previews.listed(conversation, 60)
    assert len(queries) == 2
