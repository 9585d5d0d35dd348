"""What operators see of runs and shares: figures, and a way to close a share. No content, no address."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from playground.models import Run, ShareLink

pytestmark = pytest.mark.django_db
CANARY = "CANARY-of-the-owner"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator", password="x"))
    return client


@pytest.fixture
def run(owner: User) -> Run:
    return Run.objects.create(owner=owner, started_at=timezone.now(), model="some-model", note=CANARY)


@pytest.fixture
def share(owner: User, run: Run) -> ShareLink:
    link = ShareLink(owner=owner, run=run, title="A title", published_at=timezone.now(), masked=[CANARY])
    link.snapshot = {"text": CANARY}
    link.give_address()
    link.set_passphrase(CANARY)
    link.save()
    return link


def test_runs_can_be_looked_at_and_show_figures_only(operator: Client, run: Run) -> None:
    for address in (
        reverse("admin:playground_run_changelist"),
        reverse("admin:playground_run_change", args=[run.pk]),
    ):
        page = operator.get(address).content.decode()
        assert "some-model" in page
        assert CANARY not in page


def test_shares_show_neither_their_content_nor_their_address(operator: Client, share: ShareLink) -> None:
    assert share.token_digest is not None
    for address in (
        reverse("admin:playground_sharelink_changelist"),
        reverse("admin:playground_sharelink_change", args=[share.pk]),
    ):
        page = operator.get(address).content.decode()
        assert share.hint in page
        assert CANARY not in page
        assert share.token_digest not in page
        assert share.passphrase not in page


def test_an_operator_takes_a_share_down(operator: Client, share: ShareLink) -> None:
    assert ShareLink.objects.get().is_open
    listing = reverse("admin:playground_sharelink_changelist")
    operator.post(listing, {"action": "take_down", "_selected_action": [share.pk]})
    assert ShareLink.objects.get().state == "taken down"


@pytest.mark.parametrize("page", ["run", "sharelink"])
def test_nothing_of_it_is_changed_there(operator: Client, run: Run, share: ShareLink, page: str) -> None:
    row = run if page == "run" else share
    assert operator.get(reverse(f"admin:playground_{page}_add")).status_code == 403
    assert operator.post(reverse(f"admin:playground_{page}_change", args=[row.pk]), {}).status_code == 403
    assert operator.post(reverse(f"admin:playground_{page}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
