"""Large requests on the real server: answered by worker processes, within limits, while the server serves others."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from playground.models import Draft, Run
from playground.protocol.json import json_text
from playground.workers import LARGE
from playground.workers.pool import workers

TOKEN = "t" * 32
A_LARGE_TEXT = "lorem ipsum " * (LARGE // 10)


@pytest.fixture
def client(live_url: str) -> Iterator[httpx.Client]:
    """A visitor's browser with the page open."""
    headers = {"x-csrftoken": TOKEN, "hx-request": "true"}
    with httpx.Client(base_url=live_url, headers=headers, cookies={"csrftoken": TOKEN}, timeout=60) as opened:
        opened.get("/")
        yield opened


@pytest.fixture(autouse=True)
def limits_come_back() -> Iterator[None]:
    before = workers.limits
    yield
    workers.limits = before


def request_with(content: Any, **members: Any) -> str:
    message = {"role": "user", "content": content}
    return json.dumps({"model": "sandbox-echo", "max_tokens": 64, "messages": [message], **members})


def edit(client: httpx.Client, text: str, **headers: str) -> httpx.Response:
    return client.post("/draft/edit", data={":json": text, ":mode": "json", ":overwrite": "anyway"}, headers=headers)


def answered_apart(act: Any) -> tuple[httpx.Response, int]:
    """What the act gives, and how many workers answered meanwhile."""
    before = workers.answered
    return act(), workers.answered - before


@pytest.mark.slow
def test_a_large_edit_is_kept_by_a_worker(client: httpx.Client) -> None:
    text = request_with(A_LARGE_TEXT)
    answer, apart = answered_apart(lambda: edit(client, text))
    assert (answer.status_code, apart) == (200, 1)
    assert 'data-version="1"' in answer.text
    assert Draft.objects.get().body_text == text


def test_a_small_edit_needs_no_worker(client: httpx.Client) -> None:
    answer, apart = answered_apart(lambda: edit(client, request_with("Hi")))
    assert (answer.status_code, apart) == (200, 0)


@pytest.mark.slow
def test_a_small_request_about_a_large_draft_is_handed_to_a_worker(client: httpx.Client) -> None:
    edit(client, request_with(A_LARGE_TEXT))
    page, apart = answered_apart(lambda: client.get("/", headers={"hx-request": "false"}))
    assert (page.status_code, apart) == (200, 1)
    changed, apart = answered_apart(
        lambda: client.post("/draft/edit", data={":version": "1", ":mode": "form", "max_tokens": "65"})
    )
    assert (changed.status_code, apart) == (200, 1)
    assert json_text.parse(Draft.objects.get().body_text)["max_tokens"] == 65


def test_a_large_request_is_sent_by_the_server_and_drawn_by_a_worker(client: httpx.Client, served: Any) -> None:
    fields = {":json": request_with(A_LARGE_TEXT), ":mode": "json", ":overwrite": "anyway", ":idempotency-key": "one"}
    answer, apart = answered_apart(lambda: client.post("/send", data=fields))
    assert (answer.status_code, apart) == (200, 1)
    run_id = re.search(r"/requests/([0-9a-f-]{36})/", answer.text)
    assert run_id, answer.text[:500]
    again = client.post("/send", data=fields)
    assert run_id[1] in again.text, "a double click must not start a second run"
    panel = client.get(f"/requests/{run_id[1]}/answer/")
    assert panel.status_code == 200
    page = client.get("/", headers={"hx-request": "false"})
    assert run_id[1] in page.text


def test_a_worker_is_stopped_at_its_limit_of_time_and_the_reader_is_told(client: httpx.Client) -> None:
    workers.limits = replace(workers.limits, wall_s=0.001)  # no machine draws the form in a millisecond
    before = workers.ended_early
    answer = edit(client, request_with(A_LARGE_TEXT))
    assert workers.ended_early == before + 1
    assert answer.status_code == 413
    assert "took longer than a request may take" in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    assert not Draft.objects.exists()


@pytest.mark.slow
def test_a_worker_is_stopped_at_its_limit_of_memory_and_the_reader_is_told(client: httpx.Client) -> None:
    workers.limits = replace(workers.limits, memory_bytes=24 * 2**20)
    answer = edit(client, request_with("a" * 20_000_000))
    assert answer.status_code == 413
    assert "is too complex" in answer.text
    client.cookies.set("theme", "dark")
    page = edit(client, request_with("a" * 20_000_000), **{"hx-request": "false"})
    assert page.status_code == 413
    assert '<html lang="en" data-theme="dark">' in page.text, "a page of its own keeps the theme"
    workers.limits = replace(workers.limits, memory_bytes=2**30)
    assert edit(client, request_with(A_LARGE_TEXT)).status_code == 200


def test_the_server_answers_others_while_a_worker_is_busy(client: httpx.Client, live_url: str) -> None:
    workers.limits = replace(workers.limits, wall_s=5)
    answers: list[httpx.Response] = []
    tools = [{"name": f"t{n}", "input_schema": {"type": "object"}, "input_examples": [{}]} for n in range(9_000)]
    heavy = threading.Thread(target=lambda: answers.append(edit(client, request_with("Go", tools=tools))))
    heavy.start()
    others = 0
    while not answers and others < 3:
        others += httpx.get(f"{live_url}healthz").status_code == 200
    heavy.join()
    assert others == 3
    assert answers[0].status_code in {200, 413}


@pytest.mark.slow
def test_another_template_is_started_when_it_is_gone(client: httpx.Client) -> None:
    assert edit(client, request_with(A_LARGE_TEXT)).status_code == 200
    process = workers._process
    assert process is not None
    process.kill()
    process.wait()
    assert edit(client, request_with(A_LARGE_TEXT + "more")).status_code == 200
    assert workers._process is not process


@pytest.mark.slow
def test_the_template_ends_when_the_server_stops(client: httpx.Client) -> None:
    edit(client, request_with(A_LARGE_TEXT))
    process = workers._process
    assert process is not None
    workers.stop()
    assert process.returncode == 0


@pytest.mark.slow
def test_a_comparison_of_a_large_request_is_drawn(client: httpx.Client) -> None:
    edit(client, request_with(A_LARGE_TEXT))
    version = Draft.objects.get().version
    fields = {":version": str(version), ":mode": "json", ":op": "column-start", ":path": "", ":kind": ""}
    assert client.post("/draft/change", data=fields).status_code == 200
    page = client.get("/", headers={"hx-request": "false"})
    assert page.status_code == 200


def test_a_form_is_not_parsed_on_the_event_loop(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twisted's own parser, which nobody needs, took seconds for a body of 25 MB."""
    from twisted.web import http

    parsed: list[bytes] = []
    original = http.parse_qs
    monkeypatch.setattr(http, "parse_qs", lambda text, *rest: parsed.append(text) or original(text, *rest))
    edit(client, request_with("Hi"))
    assert not [text for text in parsed if b"json" in text]


def test_visitors_have_no_run_in_the_database(client: httpx.Client) -> None:
    client.post("/send", data={":json": request_with(A_LARGE_TEXT), ":mode": "json", ":overwrite": "anyway"})
    assert not Run.objects.exists()
