"""A report behind a link: what was chosen, for as long as was chosen, without keys."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from playground.conformance.check import Result
from playground.conformance.plan import Plan, chosen
from playground.models import ConformanceReport, ShareLink
from playground.reports import storing
from tests.conformance.test_report_pages import finished, words_of

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


SECRET = "sk-" + "a1b2c3d4" * 3


def share(client: Client, report: ConformanceReport, *parts: str, **choices: Any) -> str:
    """The address that a copy with these parts was given."""
    form = {"do": "publish", "public": "1", "lasts": "week", "part": list(parts)} | choices
    response = client.post(f"/conformance/{report.pk}/share/", form)
    found = re.search(r'id="share-address"[^>]*value="http://testserver(/s/[^"]+/)"', response.content.decode())
    assert found, words_of(response.content.decode())[-3000:]
    return found[1]


def failing(owner: User, said: str = "role is gone") -> ConformanceReport:
    from playground.conformance.check import Evidence, Sent

    sent = Sent("POST", "https://secret-host.example/v1/messages", (), '{"text": "the very question"}', 29)
    evidence = Evidence(200, "application/json", body='{"text": "the very answer"}')
    result = Result("answer.role", "failed", said, 1, evidence, (sent,), ("0" * 32,))
    report = finished(owner, result)
    report.base_url, report.connection_name = "https://secret-host.example", "our server"
    report.save()
    return report


def test_a_shared_report_shows_what_was_chosen(client: Client, owner: User) -> None:
    report = failing(owner)
    client.force_login(owner)
    bare = share(client, report)
    evidence = share(client, report, "evidence")
    whole = share(client, report, "evidence", "server")
    client.logout()
    page = client.get(bare).content.decode()
    assert "role is gone" in page
    for hidden in ("secret-host", "our server", "the very question", "the very answer", "/requests/"):
        assert hidden not in page
    assert "the very question" not in client.get(f"{bare}export/json/").content.decode()
    page = client.get(evidence).content.decode()
    assert "the very question" in page
    assert "secret-host" not in page
    page = client.get(whole).content.decode()
    assert "the very answer" in page
    assert "How compatible is our server?" in page
    assert "https://secret-host.example" in page


def test_readers_see_the_colours_that_the_owner_sees(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = client.get(share(client, failing(owner))).content.decode()
    sheets = re.findall(r'rel="stylesheet"\s+href="[^"]*/css/(\w+)', page)
    assert sheets[0] == "tokens", "the sheet that names the layers in their order comes first"
    assert "conformance" in sheets


def test_a_shared_report_has_its_files_and_its_badge(client: Client, owner: User) -> None:
    report = failing(owner)
    client.force_login(owner)
    address = share(client, report)
    client.logout()
    for kind in ("json", "junit", "markdown", "html", "badge"):
        assert client.get(f"{address}export/{kind}/").status_code == 200
    assert b"<link" not in client.get(f"{address}page.html").content
    badge = client.get(f"{address}badge.svg")
    ElementTree.fromstring(badge.content)
    assert badge["Cache-Control"] == "public, max-age=3600"
    assert client.get(f"{address}request.json").status_code == 404


def test_a_shared_report_is_in_the_list_expires_and_is_revoked(client: Client, owner: User, settings: Any) -> None:
    report = failing(owner)
    client.force_login(owner)
    address = share(client, report)
    link = ShareLink.objects.get(report=report)
    assert link.expires_at is not None
    assert f"/conformance/{report.pk}/" in client.get("/shares/").content.decode()
    settings.PUBLIC_LINKS = False
    assert client.get(address).status_code == 404
    settings.PUBLIC_LINKS = True
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(address).status_code == 404
    client.post(f"/shares/{link.pk}/change/", {"do": "expiry", "lasts": "never"})
    assert client.get(address).status_code == 200
    client.post(f"/shares/{link.pk}/change/", {"do": "revoke"})
    assert client.get(address).status_code == 404
    assert client.get(f"{address}badge.svg").status_code == 404


def test_a_key_in_a_report_is_masked_unless_the_owner_says_so_twice(client: Client, owner: User) -> None:
    report = failing(owner, f"It said {SECRET}")
    client.force_login(owner)
    page = client.get(f"/conformance/{report.pk}/share/").content.decode()
    assert "check answer.role" in page
    masked = share(client, report)
    assert SECRET not in client.get(masked).content.decode()
    once = {"do": "publish", "public": "1", "lasts": "week", "seen": [SECRET]}
    response = client.post(f"/conformance/{report.pk}/share/", once)
    assert response.status_code == 422
    assert "readers would see 1 secret" in words_of(response.content.decode())
    shown = share(client, report, seen=[SECRET], reveal=[SECRET])
    assert SECRET in client.get(shown).content.decode()


def test_a_report_in_the_making_is_not_shared(client: Client, owner: User, stranger: User) -> None:
    running_one = storing.create(owner, None, Plan("sandbox-stories", chosen(["answer"])))
    client.force_login(owner)
    assert client.get(f"/conformance/{running_one.pk}/share/").status_code == 404
    client.force_login(stranger)
    assert client.get(f"/conformance/{failing(owner).pk}/share/").status_code == 404
