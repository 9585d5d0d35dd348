"""Texts of others, in every place where they appear: a real browser runs none of them and asks nobody for anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.base import ContentFile

from accounts.models import Connection, User
from playground.conversations import autosave
from playground.models import Attachment, Draft
from playground.protocol.stream import sse
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices
from tests.guarantees.stage import PNG
from tests.support.hostile_texts import HOSTILE
from tests.support.runs import failed_run, live_run, store, tell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
# Half a pair cannot be typed into a column of text; it stands in bodies and answers.
ALL = "\n\n".join(HOSTILE)
IN_COLUMNS = ALL.encode("utf-8", "replace").decode().replace("\x00", "")
SHORT = "<img src=/foreign.png onerror='window.hit=1'><b hx-get=/foreign hx-trigger=load id=main>x</b>"


def hostile_body() -> bytes:
    image = {"type": "image", "source": {"type": "url", "url": f"https://foreign.example/{SHORT}"}}
    blocks = [{"type": "text", "text": ALL}, image, {"type": SHORT, "text": ALL}]
    call = {"type": "tool_use", "id": SHORT, "name": SHORT, "input": {SHORT: ALL}}
    result = {"type": "tool_result", "tool_use_id": SHORT, "content": ALL}
    turns = [
        {"role": "user", "content": blocks},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": ALL, "signature": SHORT}, call]},
        {"role": "user", "content": [result]},
    ]
    schema = {"type": "object", "properties": {SHORT: {"title": ALL}}}
    tool = {"name": SHORT, "description": ALL, "input_schema": schema}
    body = {"model": SHORT, "max_tokens": 9, "stream": True, "system": ALL, "messages": turns, "tools": [tool]}
    return json.dumps(body | {SHORT: ALL, "metadata": {"user_id": ALL}, "stop_sequences": [SHORT]}).encode()


def hostile_answer() -> bytes:
    """Every kind of block, with the texts in all of their members."""
    source = {"type": "web_search_result_location", "url": "javascript:window.hit=1", "title": SHORT, "cited_text": ALL}
    result = {
        "type": "web_search_result",
        "url": 'https://foreign.example/"onclick=',
        "title": SHORT,
        "page_age": SHORT,
    }
    blocks = [
        {"type": "text", "text": ALL, "citations": [source]},
        {"type": "thinking", "thinking": ALL, "signature": SHORT},
        {"type": "tool_use", "id": SHORT, "name": SHORT, "input": {SHORT: ALL}},
        {"type": "server_tool_use", "id": SHORT, "name": SHORT, "input": {"query": ALL}},
        {"type": "web_search_tool_result", "tool_use_id": SHORT, "content": [result]},
        {"type": SHORT, "x": ALL},
    ]
    message = {"id": SHORT, "type": "message", "role": "assistant", "model": SHORT, "content": []}
    events = [{"type": "message_start", "message": message | {"usage": {"input_tokens": 1, "output_tokens": 1}}}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": SHORT}, "usage": {"output_tokens": 3}})
    events.append({"type": "message_stop"})
    return b"".join(sse.encode(event["type"], json.dumps(event)) for event in [*events, {"type": "x"}])


@pytest.fixture
def addresses(owner: User, settings: Any, tmp_path: Any) -> list[str]:
    """Pages of an owner whose every word is hostile."""
    settings.MEDIA_ROOT = tmp_path / "files"
    connection = Connection(owner=owner, name=SHORT[:80], base_url="https://foreign.example", test_result=SHORT)
    connection.set_credential("sk-no-secret-here")
    connection.set_headers([("x-team", SHORT)])
    connection.save()
    told = {"model": SHORT, "user_agent": IN_COLUMNS, "connection_name": SHORT, "access_key_name": SHORT}
    headers = (("x-own", SHORT), (SHORT, SHORT))
    run = store(tell(live_run(owner, body=hostile_body(), request_headers=headers, **told), hostile_answer()))
    run.note = IN_COLUMNS
    run.save()
    failed = failed_run(owner, **told)
    failed.failure_message, failed.failure_detail = IN_COLUMNS, {"type": SHORT, "message": ALL, "request_id": SHORT}
    failed.save()
    conversation = autosave.create(owner, json.loads(hostile_body()), {}, SHORT)
    conversation.tags = [SHORT]
    conversation.save()
    conversation.run_links.create(run_id=run.pk, version=conversation.versions.first())
    share = publishing.prepare(conversation, owner, Choices(frozenset(part.name for part in parts.PARTS)))
    token = publishing.publish(share, lasts="never", until=None, passphrase="", public=True)
    file = Attachment(user=owner, name=SHORT, media_type="image/png", size=len(PNG), sha256="0" * 64)
    file.file.save(file.pk.hex, ContentFile(PNG), save=False)
    file.save()
    Draft(user=owner, body=hostile_body(), connection=connection, betas=[SHORT], extra_headers=[[SHORT, SHORT]]).keep()
    return [
        "/", "/?as=json", "/requests/", "/requests/?group=conversation", f"/requests/{run.pk}/",
        f"/requests/{failed.pk}/", f"/requests/compare/?a={run.pk}&b={failed.pk}", "/conversations/",
        f"/conversations/{conversation.pk}/", f"/conversations/{conversation.pk}/read/",
        f"/conversations/{conversation.pk}/share/", "/shares/", f"/s/{token}/",
        "/connections/", f"/connections/{connection.pk}/", "/keys/", "/accounts/",
    ]  # fmt: skip


@pytest.mark.slow
def test_no_text_of_others_runs_asks_or_swaps_anything(
    addresses: list[str], new_page: Any, log_in: Any, owner: User, live_url: str
) -> None:
    page = new_page()
    log_in(page, owner)
    asked: list[str] = []
    page._thread.call(lambda: page._target.on("request", lambda request: asked.append(request.url)))
    for address in addresses:
        response = page.goto(address)
        assert response.status == 200, address
        for tab in page.get_by_role("tab").all():
            tab.dispatch_event("click")
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        page.wait_for_timeout(200)
        assert page.evaluate("window.hit") is None, address
        assert page.locator("#main").count() == 1, address
        assert page.url.split("?")[0].split("#")[0] == f"{live_url.rstrip('/')}{address.split('?')[0]}", "it went away"
        dangerous = "[onerror], [onload], [onclick], [srcdoc], iframe, object, embed, base, [http-equiv=refresh]"
        assert page.locator(dangerous).count() == 0, address
        assert page.locator('[href^="javascript:" i], [href^="data:" i], [href^="vbscript:" i]').count() == 0, address
    own = live_url.rstrip("/")
    assert [url for url in asked if not url.startswith((own, own.replace("http", "ws"), "data:", "blob:"))] == []
    assert [url for url in asked if "foreign" in url.removeprefix(own)] == []
    assert page.goto("/accounts/").status == 200, "still logged in"
    # Tabs pressed one right after the other are in each other's way, and say so.
    new_page.noise[:] = [line for line in new_page.noise if "409" not in line]
