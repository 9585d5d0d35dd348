"""Files of requests: recognised by their bytes, kept once, seen by their owner alone, sent as base64."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from playground.attachments import attachment_store
from playground.attachments.file_types import UnknownFileError, recognise
from playground.attachments.references import references
from playground.composer.request_examples import CHART_PNG, PAGE_PDF
from playground.conversations import autosave
from playground.models import Attachment, Draft, storage_quota

pytestmark = pytest.mark.django_db
PNG = base64.b64decode(CHART_PNG)
PDF = base64.b64decode(PAGE_PDF)
GIF = b"GIF89a\x0a\x00\x05\x00" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x30\x00\x40" + bytes(20)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x1f\x00\x00\x0f\x00\x00"


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(client: Any, data: bytes, name: str = "chart.png", kind: str = "image/png") -> Any:
    client.get("/")
    return client.post(reverse("attachments"), {"file": SimpleUploadedFile(name, data, kind)})


@pytest.mark.parametrize(
    ("data", "media_type", "width", "height"),
    [
        (PNG, "image/png", 96, 64),
        (PNG[:16] + b"\xff" * 8 + PNG[24:], "image/png", 2**31 - 1, 2**31 - 1),  # a column can hold no more
        (GIF, "image/gif", 10, 5),
        (JPEG, "image/jpeg", 64, 48),
        (WEBP, "image/webp", 32, 16),
        (PDF, "application/pdf", None, None),
        ("Größe".encode(), "text/plain", None, None),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, media_type: str, width: int | None, height: int | None) -> None:
    recognised = recognise(data)
    assert (recognised.media_type, recognised.width, recognised.height) == (media_type, width, height)


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"PK\x03\x04\x00\x00", b"\xff\xfe\x00bad", b"MZ\x90\x00\xff"])
def test_what_the_api_does_not_take_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFileError):
        recognise(data)


@pytest.mark.parametrize("cut", range(2, 30))
def test_a_header_that_breaks_off_is_no_reason_to_fail(cut: int) -> None:
    for data in (PNG, JPEG, GIF, WEBP):
        with contextlib.suppress(UnknownFileError):
            recognise(data[:cut])


def test_the_name_and_the_stated_type_decide_nothing(client: Any) -> None:
    response = upload(client, PNG, "../../evil.svg", "image/svg+xml")
    assert response.json()["media_type"] == "image/png"
    assert ".." not in Attachment.objects.get().file.name


def test_a_script_with_the_name_of_an_image_is_kept_as_text_and_never_shown_inline(client: Any) -> None:
    upload(client, b"<svg onload=alert(1)>", "cat.svg", "image/svg+xml")
    response = client.get(reverse("attachment", args=[Attachment.objects.get().pk]))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response["Content-Security-Policy"]


def test_the_same_file_is_kept_once(client: Any) -> None:
    first, second = upload(client, PNG).json(), upload(client, PNG, "again.png").json()
    assert first["reference"] == second["reference"]


def test_a_file_is_there_for_its_owner_and_for_nobody_else(client: Any, owner: Any, stranger: Any) -> None:
    client.force_login(owner)
    upload(client, PNG)
    address = reverse("attachment", args=[Attachment.objects.get().pk])
    response = client.get(address)
    assert response.content == PNG
    assert "no-store" in response["Cache-Control"]  # or the next who sits at this computer finds it
    client.force_login(stranger)
    client.cookies.pop("visitor")
    assert client.get(address).status_code == 404
    client.logout()
    client.cookies.clear()
    assert client.get(address).status_code == 404


def test_a_file_above_the_limit_is_refused_with_the_limit(client: Any, settings: Any) -> None:
    settings.VISITOR_MAX_BODY_BYTES = 65 * 1024
    response = upload(client, PNG + bytes(4000))
    assert response.status_code == 413
    assert "at most" in response.json()["problem"]


def body_with(source: Any) -> Any:
    block = {"type": "image", "source": source}
    return {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [block]}]}


def test_how_much_is_kept_has_an_end(client: Any, owner: Any, settings: Any) -> None:
    settings.MAX_ATTACHMENT_BYTES_PER_USER = len(PNG)
    client.force_login(owner)
    assert upload(client, PNG).status_code == 200
    refused = upload(client, PDF, "page.pdf")
    assert refused.status_code == 413
    assert "page.pdf: Your files may use" in refused.json()["problem"]
    assert upload(client, PNG).status_code == 200  # it is there already


def test_how_much_is_kept_of_a_visitor_has_an_end(client: Any, settings: Any) -> None:
    settings.MAX_ATTACHMENT_BYTES_PER_VISITOR = len(PNG)
    assert upload(client, PNG).status_code == 200
    refused = upload(client, PDF)
    assert refused.status_code == 413
    assert "Without an account" in refused.json()["problem"]


def test_new_cookies_make_no_more_room_for_an_address(settings: Any) -> None:
    settings.MAX_VISITOR_BYTES_PER_ADDRESS = len(PNG) + 10
    first, second, elsewhere = (Client(REMOTE_ADDR=f"203.0.113.{last}") for last in (1, 1, 2))
    assert upload(first, PNG).status_code == 200
    refused = upload(second, PDF)
    assert refused.status_code == 413
    assert "from your address" in refused.json()["problem"]
    assert upload(elsewhere, PNG).status_code == 200


def test_drafts_of_visitors_count_for_their_address_too(settings: Any) -> None:
    settings.MAX_VISITOR_BYTES_PER_ADDRESS = 2 * storage_quota.SMALLEST_DRAFT
    browsers = [Client(REMOTE_ADDR="2001:db8:1:2::1"), Client(REMOTE_ADDR="2001:db8:1:2::9")]
    for browser in browsers[:1]:
        assert edit(browser, max_tokens="9").status_code == 200
    assert edit(browsers[1], system="x" * 2 * storage_quota.SMALLEST_DRAFT).status_code == 413
    refused = edit(browsers[1], system="x" * 2 * storage_quota.SMALLEST_DRAFT)
    assert "There is no storage left for this request" in refused.content.decode()
    assert Draft.objects.get().address == "2001:db8:1:2::"
    assert edit(Client(REMOTE_ADDR="2001:db8:1:3::1"), max_tokens="9").status_code == 200


def edit(client: Any, **values: str) -> Any:
    client.get("/")
    return client.post(reverse("edit"), {":version": "0", ":mode": "form", **values})


def attach(client: Any, path: str, reference: str) -> Any:
    version = Draft.objects.get().version if Draft.objects.exists() else 0
    posted = {":version": version, ":mode": "form", ":op": "attach", ":path": path, ":kind": reference}
    return client.post(reverse("change"), posted)


def test_a_dropped_file_becomes_a_block_before_the_text_and_is_sent_as_base64(client: Any) -> None:
    attach(client, "messages[0].content", upload(client, PNG).json()["reference"])
    content = json.loads(Draft.objects.get().body_text)["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "text"]
    assert content[0]["source"]["data"].startswith("attachment:")
    sent = json.loads(client.get(reverse("draft-body")).content)
    assert base64.b64decode(sent["messages"][0]["content"][0]["source"]["data"]) == PNG


def test_a_text_file_is_sent_as_text(client: Any) -> None:
    attach(client, "messages[0].content", upload(client, "Größe".encode(), "a.txt", "text/plain").json()["reference"])
    sent = json.loads(client.get(reverse("draft-body")).content)
    assert sent["messages"][0]["content"][0]["source"] == {"type": "text", "media_type": "text/plain", "data": "Größe"}


def test_somebody_elses_file_cannot_be_put_into_a_body_or_sent(client: Any, owner: Any, stranger: Any) -> None:
    theirs = attachment_store.store(PNG, "theirs.png", user=stranger, visitor="")
    client.force_login(owner)
    client.get("/")
    attach(client, "messages[0].content", theirs.reference)
    source = {"type": "base64", "media_type": "image/png", "data": theirs.reference}
    body = body_with(source)
    client.post(reverse("edit"), {":version": Draft.objects.get().version, ":mode": "json", ":json": json.dumps(body)})
    sent = client.get(reverse("draft-body")).content.decode()
    assert theirs.reference in sent
    assert CHART_PNG not in sent


def test_large_base64_in_a_pasted_body_becomes_a_file_and_comes_back_letter_for_letter(client: Any) -> None:
    data = base64.b64encode(PNG + bytes(40_000)).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    body = body_with(source)
    client.get("/")
    client.post(reverse("draft-import"), {":version": "0", ":mode": "form", ":pasted": json.dumps(body)})
    assert len(Draft.objects.get().body_text) < 1000
    assert json.loads(client.get(reverse("draft-body")).content) == body


def test_a_file_that_nothing_refers_to_is_swept_after_a_day(client: Any) -> None:
    kept = upload(client, PNG).json()["reference"]
    attach(client, "messages[0].content", kept)
    upload(client, PDF, "old.pdf")
    assert attachment_store.sweep() == 0
    tomorrow = timezone.now() + dt.timedelta(days=2)
    assert attachment_store.sweep(tomorrow) == 1
    assert Attachment.objects.get().reference == kept
    assert references(json.loads(Draft.objects.get().body_text)) == {kept}


def long_ago() -> None:
    Attachment.objects.update(used_at=timezone.now() - dt.timedelta(days=9))


def test_a_file_that_a_draft_begins_to_use_during_a_sweep_stays(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = upload(client, PNG).json()["reference"]
    long_ago()
    used_by = attachment_store._used_by

    def used_before_it_is_attached(*owner: Any) -> set[str]:
        found = used_by(*owner)
        attach(client, "messages[0].content", reference)
        return found

    monkeypatch.setattr(attachment_store, "_used_by", used_before_it_is_attached)
    assert attachment_store.sweep() == 0
    assert Attachment.objects.get().reference == reference


def test_a_file_stays_for_a_day_after_it_was_last_used_or_uploaded_again(client: Any) -> None:
    reference = upload(client, PNG).json()["reference"]
    long_ago()
    upload(client, PNG)
    assert attachment_store.sweep() == 0
    long_ago()
    attach(client, "messages[0].content", reference)
    body = {"model": "m", "max_tokens": 1, "messages": []}
    client.post(reverse("edit"), {":version": "1", ":mode": "json", ":json": json.dumps(body)})
    assert reference not in Draft.objects.get().body_text
    assert attachment_store.sweep() == 0  # the change can be undone
    long_ago()
    assert attachment_store.sweep() == 1


def test_a_reference_that_is_typed_counts_as_use(client: Any) -> None:
    reference = upload(client, PNG).json()["reference"]
    long_ago()
    body = body_with({"type": "base64", "media_type": "image/png", "data": reference})
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(body)})
    assert Attachment.objects.get().used_at > timezone.now() - dt.timedelta(days=1)


def test_a_sweep_keeps_the_files_of_versions_and_unpacks_none(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = attachment_store.store(PNG, "kept.png", user=owner, visitor="")
    attachment_store.store(PDF, "left.pdf", user=owner, visitor="")
    autosave.create(owner, body_with({"type": "base64", "media_type": "image/png", "data": kept.reference}), {})
    long_ago()
    monkeypatch.setattr("playground.models.conversation.zlib.decompress", None)
    assert attachment_store.sweep() == 1
    assert Attachment.objects.get() == kept


def test_the_bytes_go_with_the_account(owner: Any, django_capture_on_commit_callbacks: Any) -> None:
    stored = attachment_store.store(PNG, "mine.png", user=owner, visitor="")
    with django_capture_on_commit_callbacks(execute=True):
        owner.delete()
    assert not stored.file.storage.exists(stored.file.name)
