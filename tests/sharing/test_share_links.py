"""The doors of a share: addresses that die alike, passphrases, readers inside the site, forks, who may do what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from playground.conversations import body_summary
from playground.models import Conversation, Draft, ShareLink
from playground.sharing import guess_limits as counted
from playground.sharing import parts, publishing
from playground.sharing.guess_limits import GuessLimit
from tests.support.sharing_rig import (
    BELOW,
    everything,
    published,
    rich_conversation,
    rich_run,
)

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_guesses_yet")]


# --- addresses


def test_the_token_is_long_shown_once_and_stored_only_as_a_hash(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = rich_conversation(owner)
    page = client.post(
        reverse("conversation-share", args=[conversation.pk]), {"do": "publish", "public": "1"}
    ).content.decode()
    token = page.split("/s/")[1].split("/")[0]
    assert len(token) == 43
    share = ShareLink.objects.get()
    stored = repr({field.name: getattr(share, field.name) for field in share._meta.concrete_fields})
    assert token not in stored
    for name in ("shares", "conversations"):
        assert token not in client.get(reverse(name)).content.decode()
    assert share.expires_at - share.published_at == timedelta(days=30)


def kill_by_expiry(share: ShareLink) -> None:
    ShareLink.objects.update(expires_at=timezone.now())


def kill_by_revoking(share: ShareLink) -> None:
    share.revoke()


def kill_by_deleting(share: ShareLink) -> None:
    Conversation.objects.update(deleted_at=timezone.now())


def kill_by_deactivating(share: ShareLink) -> None:
    get_user_model().objects.update(is_active=False)


def kill_by_taking_down(share: ShareLink) -> None:
    ShareLink.objects.update(taken_down_at=timezone.now())


def kill_by_new_address(share: ShareLink) -> None:
    share.give_address()
    share.save()


def kill_by_deleting_the_account(share: ShareLink) -> None:
    share.owner.delete()


KILLS = [
    kill_by_expiry,
    kill_by_revoking,
    kill_by_deleting,
    kill_by_deactivating,
    kill_by_taking_down,
    kill_by_new_address,
    kill_by_deleting_the_account,
]


@pytest.mark.parametrize("kill", KILLS)
def test_all_addresses_of_a_dead_link_give_the_404_of_one_that_never_was(
    client: Client, owner: User, kill: Any
) -> None:
    share, token = published(rich_conversation(owner), *parts.NAMES)
    everything(client, f"/s/{token}/")
    kill(share)

    def shape(base: str, below: str) -> tuple[int, str, list[tuple[str, str]]]:
        response = client.get(base + below)
        text = response.content.decode().replace(base, "/s/T/")
        varies = {"X-Request-Id", "Content-Security-Policy", "Set-Cookie"}
        headers = sorted((name, value) for name, value in response.headers.items() if name not in varies)
        return response.status_code, without_nonces(text), headers

    for below in BELOW:
        assert shape(f"/s/{token}/", below) == shape("/s/never-was/", below)
        assert client.get(f"/s/{token}/{below}").status_code == 404
    assert client.post(f"/s/{token}/fork/").status_code == 404


def without_nonces(text: str) -> str:
    import re

    return re.sub(r'nonce="[^"]*"|csrf[^>]*|X-CSRFToken[^}]*', "", text, flags=re.IGNORECASE)


def test_revoking_throws_away_what_was_behind_the_link(owner: User) -> None:
    share, _ = published(rich_conversation(owner), *parts.NAMES)
    share.revoke()
    share.refresh_from_db()
    assert share.snapshot == {}


def test_pages_of_a_share_are_for_nobodys_index_cache_or_referrer(client: Client, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES)
    for below in BELOW:
        response = client.get(f"/s/{token}/{below}")
        assert "noindex" in response["X-Robots-Tag"]
        assert response["Referrer-Policy"] == ("same-origin" if below == "fork/" else "no-referrer")
        assert "no-store" in response["Cache-Control"]
        if below != "fork/":
            assert not response.cookies
    for below in ("request.json", "text.md", "page.html", "code/shell/"):
        response = client.get(f"/s/{token}/{below}")
        assert response["Content-Disposition"].startswith("attachment")
        assert "sandbox" in response["Content-Security-Policy"]


def test_openings_are_counted_for_others_than_the_owner(client: Client, owner: User) -> None:
    share, token = published(rich_conversation(owner))
    client.get(f"/s/{token}/")
    client.get(f"/s/{token}/request.json")
    client.force_login(owner)
    client.get(f"/s/{token}/")
    share.refresh_from_db()
    assert share.opened_count == 1
    assert share.last_opened_at is not None


def test_public_links_can_be_switched_off_by_the_operator(client: Client, owner: User, settings: Any) -> None:
    _, token = published(rich_conversation(owner))
    settings.PUBLIC_LINKS = False
    assert client.get(f"/s/{token}/").status_code == 404


def test_guesses_are_limited_per_address(client: Client, owner: User, settings: Any) -> None:
    settings.SHARE_GUESSES_PER_MINUTE = 5
    _, token = published(rich_conversation(owner))
    for number in range(5):
        assert client.get(f"/s/wrong{number}/").status_code == 404
    assert client.get(f"/s/{token}/").status_code == 429
    assert client.get(f"/s/{token}/", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_guesses_are_forgiven_after_a_minute() -> None:
    now = [0.0]
    counted = GuessLimit(lambda: now[0])
    for _ in range(3):
        counted.count("a")
    assert counted.are_used_up("a", 3)
    assert not counted.are_used_up("b", 3)
    now[0] = 61.0
    assert not counted.are_used_up("a", 3)


# --- passphrase


def try_passphrase(client: Client, token: str, passphrase: str, address: str) -> int:
    return client.post(f"/s/{token}/", {"passphrase": passphrase}, REMOTE_ADDR=address).status_code


def test_one_address_may_try_only_so_many_passphrases_of_a_link(client: Client, owner: User) -> None:
    _, token = published(rich_conversation(owner), passphrase="open sesame")
    for _ in range(counted.MOST_PASSPHRASES):
        assert try_passphrase(client, token, "wrong", "203.0.113.1") == 403
    refused = client.post(f"/s/{token}/", {"passphrase": "open sesame"}, REMOTE_ADDR="203.0.113.1")
    assert refused.status_code == 429
    assert "Try again in 15 minutes" in " ".join(refused.content.decode().split())
    assert refused["Retry-After"] == "900"
    assert refused["X-Robots-Tag"].startswith("noindex")
    assert try_passphrase(client, token, "open sesame", "203.0.113.2") == 302


def test_many_addresses_together_may_try_only_so_many_passphrases_of_a_link(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "MOST_PASSPHRASES_OF_LINK", 5)
    conversation = rich_conversation(owner)
    (_, first), (_, second) = (published(conversation, passphrase="open sesame") for _ in range(2))
    for number in range(5):
        assert try_passphrase(client, first, "wrong", f"203.0.113.{number}") == 403
    assert try_passphrase(client, first, "open sesame", "203.0.113.99") == 429
    assert try_passphrase(client, second, "open sesame", "203.0.113.99") == 302


def test_wrong_passphrases_are_forgiven_after_the_window() -> None:
    now = [0.0]
    wrong = GuessLimit(lambda: now[0], window_s=900)
    wrong.count("link")
    now[0] = 899.0
    assert wrong.are_used_up("link", 1)
    now[0] = 900.0
    assert not wrong.are_used_up("link", 1)


def test_a_passphrase_guards_every_address(client: Client, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES, passphrase="open sesame")
    base = f"/s/{token}/"
    for below in BELOW:
        response = client.get(base + below)
        assert response.status_code == 403
        assert "visiblequestion" not in response.content.decode()
        assert "A title" not in response.content.decode()
    assert client.post(base, {"passphrase": "wrong"}).status_code == 403
    assert client.post(base, {"passphrase": "open sesame"}).status_code == 302
    assert "visiblequestion" in everything(client, base)


# --- preview, readers inside the site


def main_of(html: str, base: str) -> str:
    return without_nonces(html.split("<body>")[1]).replace(base, "/BASE/")


def test_the_preview_is_what_a_fresh_browser_sees(client: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)  # each copy says when it was made
    conversation = rich_conversation(owner)
    client.force_login(owner)
    chosen = {"part": ["tools", "replay", "figures"], "do": "preview"}
    preview = client.post(reverse("conversation-share", args=[conversation.pk]), chosen, follow=True)
    base = preview.redirect_chain[-1][0]
    done = client.post(reverse("conversation-share", args=[conversation.pk]), chosen | {"do": "publish", "public": "1"})
    token = done.content.decode().split("/s/")[1].split("/")[0]
    client.logout()
    seen = client.get(f"/s/{token}/").content.decode()
    assert main_of(preview.content.decode(), base) == main_of(seen, f"/s/{token}/")
    assert client.get(base).status_code == 404


def test_named_readers_find_it_inside_the_site_and_others_do_not(client: Client, owner: User, stranger: User) -> None:
    other = get_user_model().objects.create_user("other", "other@example.org", "x")
    conversation = rich_conversation(owner)
    client.force_login(owner)
    chosen = {"do": "publish", "audience": "named", "readers": "stranger"}
    assert client.post(reverse("conversation-share", args=[conversation.pk]), chosen).status_code == 200
    share = ShareLink.objects.get()
    assert share.token_digest is None
    base = reverse("shared", args=[share.pk])
    assert client.get(base).status_code == 404  # the owner has the preview
    client.force_login(stranger)
    assert "visiblequestion" in client.get(base).content.decode()
    assert client.get(base + "fork/").status_code == 404  # to read only
    assert "A title" in client.get(reverse("shares")).content.decode()
    client.force_login(other)
    assert client.get(base).status_code == 404
    client.logout()
    assert client.get(base).status_code == 404


def test_a_name_that_nobody_has_is_said(client: Client, owner: User) -> None:
    client.force_login(owner)
    chosen = {"do": "publish", "audience": "named", "readers": "nobody-here"}
    response = client.post(reverse("conversation-share", args=[rich_conversation(owner).pk]), chosen)
    assert response.status_code == 422
    assert "nobody-here" in response.content.decode()
    assert not ShareLink.objects.filter(published_at__isnull=False).exists()


# --- fork


def test_a_user_forks_into_a_conversation_of_their_own(client: Client, owner: User, stranger: User) -> None:
    share, token = published(rich_conversation(owner), "system")
    client.force_login(stranger)
    opened = client.post(f"/s/{token}/fork/", follow=True)
    forked = Conversation.objects.get(owner=stranger)
    assert opened.redirect_chain == [(reverse("conversation", args=[forked.pk]), 302)]
    body = body_summary.parse(forked.head.body_text)
    assert body["system"][0]["text"] == "canarysystem"
    assert "tools" not in body
    assert "canarysystem" in opened.content.decode()
    assert not forked.original_changed
    ShareLink.objects.filter(pk=share.pk).update(published_at=timezone.now() + timedelta(seconds=5))
    assert Conversation.objects.get(pk=forked.pk).original_changed


def test_a_visitor_forks_into_a_draft_that_their_browser_finds_again(client: Client, owner: User) -> None:
    _, token = published(rich_conversation(owner))
    response = client.post(f"/s/{token}/fork/", follow=True)
    assert response.status_code == 200
    draft = Draft.objects.get(user=None)
    assert "visiblequestion" in draft.body_text
    assert "visiblequestion" in client.get("/").content.decode()


# --- access of the owner's pages

OWNERS = [("share-change", "post"), ("share-update", "post"), ("share-preview", "get")]


@pytest.mark.parametrize(("name", "method"), OWNERS)
def test_somebody_elses_link_is_not_there(client: Client, owner: User, stranger: User, name: str, method: str) -> None:
    share, token = published(rich_conversation(owner))
    client.force_login(stranger)
    response = getattr(client, method)(reverse(name, args=[share.pk]), {"do": "revoke"})
    assert response.status_code == 404
    assert client.get(f"/s/{token}/").status_code == 200


def test_somebody_elses_run_cannot_be_shared(client: Client, owner: User, stranger: User) -> None:
    run = rich_run(owner)
    client.force_login(stranger)
    assert client.post(reverse("run-share", args=[run.pk]), {"do": "publish", "public": "1"}).status_code == 404


def test_publishing_needs_somebody_who_may_read(client: Client, owner: User) -> None:
    client.force_login(owner)
    response = client.post(reverse("conversation-share", args=[rich_conversation(owner).pk]), {"do": "publish"})
    assert response.status_code == 422


def test_expiry_can_be_chosen(owner: User) -> None:
    conversation = rich_conversation(owner)
    assert published(conversation, lasts="never")[0].expires_at is None
    until = timezone.now() + timedelta(days=3)
    assert published(conversation, lasts="date", until=until)[0].expires_at == until
    nonsense = published(conversation, lasts="nonsense")[0]
    assert nonsense.expires_at - nonsense.published_at < timedelta(days=31)
    assert publishing.LASTS["month"] == timedelta(days=30)
