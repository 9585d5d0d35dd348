"""Snippets of a draft with files: base64 is read from a file, a text document stands there as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.attachments import attachment_store
from playground.models import Draft
from playground.protocol.json import json_text

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files_in_a_folder_of_the_test(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_text_document_is_written_out_and_a_pdf_is_read(client: Client, owner: User) -> None:
    text = attachment_store.store(b"words of the document", "notes.txt", user=owner, visitor="")
    pdf = attachment_store.store(b"%PDF-1.7 " + b"x" * 2000, "report.pdf", user=owner, visitor="")
    sources = [
        {"type": "text", "media_type": "text/plain", "data": text.reference},
        {"type": "base64", "media_type": "application/pdf", "data": pdf.reference},
    ]
    content = [{"type": "document", "source": source} for source in sources]
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]}
    assert Draft(user=owner, body=json_text.dump(body).encode()).keep()
    client.force_login(owner)
    page = client.get("/").content.decode()
    snippet = page.split('id="snippet-code"')[1].split("</code>")[0]
    assert "words of the document" in snippet
    assert "report.pdf" in snippet
    assert "attachment:" not in snippet
