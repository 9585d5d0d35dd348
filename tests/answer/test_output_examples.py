"""Output examples in the form and in the answer, and saved results that are images."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from playground.attachments import attachment_store
from playground.composer.request_examples import CHART_PNG
from playground.conversations import autosave, file_formats, versions
from playground.export import account_export
from playground.models import Attachment, Draft, ToolMock
from tests.answer.test_answer_actions import CALL, TOOLS, calling, post, request_of
from tests.support.drafting import begin, change, edit, stored

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "tools": TOOLS}
PNG = base64.b64decode(CHART_PNG)
FIELD = ":output-example tools[0]"


@pytest.fixture
async def owners_client(owner: Any) -> AsyncClient:
    found = AsyncClient()
    await found.aforce_login(owner)
    return found


async def panel(client: AsyncClient, run: Any) -> str:
    response = await client.get(f"/requests/{run.id}/answer/", headers={"hx-request": "true"})
    return str(response.content.decode())


# --- in the form


def test_an_example_is_kept_beside_the_request_and_never_in_it(client: Client) -> None:
    begin(client, BODY)
    edit(client, **{FIELD: '{"degrees": 18}'})
    draft = Draft.objects.get()
    assert draft.tool_examples == {"get_weather": '{"degrees": 18}'}
    assert "degrees" not in draft.body_text
    assert "degrees" not in client.get(reverse("draft-body")).content.decode()
    page = client.get(reverse("playground")).content.decode()
    assert "&quot;degrees&quot;: 18" in page
    change(client, "example-remove", "tools[0]", "tools[0]")
    assert Draft.objects.get().tool_examples == {}


def test_a_mistake_in_an_example_is_told_at_its_line(client: Client) -> None:
    begin(client, BODY)
    answer = edit(client, **{FIELD: '{\n "degrees": hot}'}).content.decode()
    assert f'data-path="{FIELD}" data-severity="warning"' in answer
    assert "at line 2" in answer
    assert Draft.objects.get().tool_examples == {"get_weather": '{\n "degrees": hot}'}


def test_an_example_follows_its_tools_new_name(client: Client) -> None:
    begin(client, BODY)
    edit(client, **{FIELD: "1"})
    edit(client, **{"tools[0].name": "weather"})
    assert Draft.objects.get().tool_examples == {"weather": "1"}


def test_examples_go_along_with_a_conversation_and_through_its_export(client: Client, owner: Any) -> None:
    draft = stored(BODY, user=owner, tool_examples={"get_weather": "1"})
    conversation = autosave.save(draft, owner)
    incoming = file_formats.from_text(file_formats.to_json(conversation))
    assert isinstance(incoming, file_formats.ImportedConversation)
    assert incoming.versions[0][1]["tool_examples"] == {"get_weather": "1"}
    autosave.open_body(draft, {"model": "m"}, {"tool_examples": {}})
    autosave.open_version(draft, conversation, conversation.head)  # type: ignore[arg-type]
    assert Draft.objects.get().tool_examples == {"get_weather": "1"}


def test_an_example_written_on_one_branch_is_there_on_the_other(client: Client) -> None:
    begin(client, BODY)
    versions.sent(Draft.objects.get())
    edit(client, **{"messages[0].content": "y", FIELD: "1"})
    branch = Draft.objects.get().versions.get()
    posted = {":version": Draft.objects.get().version, ":mode": "form", ":branch": str(branch.pk)}
    assert client.post(reverse("draft-branch"), posted).status_code == 200
    assert Draft.objects.get().tool_examples == {"get_weather": "1"}


# --- in the answer


async def test_the_example_makes_the_form_for_the_result_and_does_not_answer(owners_client: Any, owner: Any) -> None:
    example = json.dumps({"city": "Rome", "code": "007", "rain": True})
    await Draft.objects.acreate(user=owner, body=b"{}", tool_examples={"get_weather": example})
    run = calling(owner, CALL)
    html = await panel(owners_client, run)
    assert 'name="field-0-code" value="007"' in html
    assert "data-answers-itself" not in html
    posted = {"way-0-results": "form", "field-0-city": "1", "kind-0-city": "string", "field-0-rain": "false"}
    content = request_of(await post(owners_client, run, "results", **posted))["messages"][-1]["content"][0]["content"]
    assert json.loads(content) == {"city": "1", "rain": False}


async def test_a_saved_result_comes_before_the_example(owners_client: Any, owner: Any) -> None:
    await Draft.objects.acreate(user=owner, body=b"{}", tool_examples={"get_weather": '{"city": "Rome"}'})
    await ToolMock.objects.acreate(user=owner, tool_name="get_weather", result="Sunny")
    html = await panel(owners_client, calling(owner, CALL))
    assert ">Sunny</textarea>" in html
    assert "data-answers-itself" in html


async def test_a_saved_image_is_sent_again_by_itself(owners_client: Any, owner: Any) -> None:
    upload = SimpleUploadedFile("chart.png", PNG)
    await post(
        owners_client,
        calling(owner, CALL),
        "results",
        **{"way-0-results": "image", "image-0": upload, "remember-0": "on"},
    )
    file = await Attachment.objects.aget()
    mock = await ToolMock.objects.aget()
    assert mock.image == file.reference
    again = calling(owner, {**CALL, "id": "toolu_9"})
    html = await panel(owners_client, again)
    assert "data-answers-itself" in html
    assert f'<option value="{file.reference}" selected>chart.png</option>' in " ".join(html.split())
    assert reverse("attachment", args=[file.pk]) in html
    # What the form sends by itself: the way and the chosen file, no upload.
    posted = {"way-0-results": "image", "image-file-0": file.reference, "remember-0": "on", "was-saved-0": "1"}
    sent = request_of(await post(owners_client, again, "results", **posted))
    source = sent["messages"][-1]["content"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": CHART_PNG}


async def test_the_draft_names_the_image_that_was_sent(owners_client: Any, owner: Any) -> None:
    run = calling(owner, CALL)
    sent_body = json.loads(run.about.request_body)
    draft = await Draft.objects.acreate(user=owner, body=json.dumps(sent_body).encode())
    await post(owners_client, run, "results", **{"way-0-results": "image", "image-0": SimpleUploadedFile("x.png", PNG)})
    await draft.arefresh_from_db()
    assert (await Attachment.objects.aget()).reference in draft.body_text
    assert CHART_PNG not in draft.body_text


async def test_nobody_sends_an_image_of_somebody_else(owners_client: Any, owner: Any, stranger: Any) -> None:
    from asgiref.sync import sync_to_async

    file = await sync_to_async(attachment_store.store)(PNG, "x.png", user=stranger, visitor="")
    posted = {"way-0-results": "image", "image-file-0": file.reference}
    assert b"This image was deleted" in (await post(owners_client, calling(owner, CALL), "results", **posted)).content


async def test_no_image_at_all_is_no_result(owners_client: Any, owner: Any) -> None:
    refused = await post(
        owners_client, calling(owner, CALL), "results", **{"way-0-results": "image", "image-file-0": ""}
    )
    assert b"no result yet" in refused.content


async def test_a_saved_image_whose_file_is_gone_answers_nothing(owners_client: Any, owner: Any) -> None:
    gone = f"attachment:{'0' * 8}-0000-0000-0000-{'0' * 12}"
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": gone}}
    await ToolMock.objects.acreate(user=owner, tool_name="get_weather", result=[block])
    assert "data-answers-itself" not in await panel(owners_client, calling(owner, CALL))


def test_the_file_of_a_saved_result_is_not_swept_and_old_results_of_visitors_are(owner: Any) -> None:
    file = attachment_store.store(PNG, "x.png", user=owner, visitor="")
    source = {"type": "base64", "media_type": "image/png", "data": file.reference}
    ToolMock.objects.create(user=owner, tool_name="t", result=[{"type": "image", "source": source}])
    ToolMock.objects.create(user=None, visitor="v", tool_name="t", result="x")
    later = timezone.now() + attachment_store.KEPT_UNUSED * 400
    assert attachment_store.sweep(later) == 0
    assert [mock.visitor for mock in ToolMock.objects.all()] == [""]


def test_saved_results_are_in_the_export_of_the_account(owner: Any) -> None:
    ToolMock.objects.create(user=owner, tool_name="get_weather", result="canary result")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(account_export.zipped(owner))))
    assert json.loads(archive.read("tool_results.jsonl"))["result"] == "canary result"
