"""Token counts in the log: their lines, the filter that leaves them out, their own page, and their files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.urls import reverse

from playground import dispatch
from playground.cluster.codec import about_from_json, about_to_json
from playground.engine.events import Failure
from playground.engine.live_run import RunMetadata
from playground.export import run_files
from playground.identity.visitors import owner_of_user
from playground.metrics.prometheus import REGISTRY, _count
from playground.models import Run
from playground.recording import recovery
from playground.recording.run_writer import RunWriter
from playground.request_log.filters import Filter
from playground.request_log.rows import live_columns
from tests.support import runs
from tests.support.markup import markup

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User
    from playground.engine.live_run import LiveRun

pytestmark = pytest.mark.django_db
BODY = {"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "How long is the sky?"}]}
ANSWER = b'{"input_tokens": 1234}'


def live_count(owner: User, **about: Any) -> LiveRun:
    about = {
        "endpoint": "count_tokens", "source": "relay", "stream": False, "body": json.dumps(BODY).encode()
    } | about  # fmt: skip
    return runs.live_run(owner, **about)


def count(owner: User, answer: bytes = ANSWER, **about: Any) -> Run:
    return runs.store(runs.tell(live_count(owner, **about), answer, status=200))


def shown(client: Client, **query: str) -> list[str]:
    return re.findall(r'data-run-id="([0-9a-f-]{36})"', client.get("/requests/", query).content.decode())


def test_a_line_says_that_it_is_a_count_and_what_was_counted(reader: Client, owner: User) -> None:
    count(owner)
    text = markup(reader.get("/requests/"))
    assert '<span class="tag">count_tokens</span>' in text
    assert "1,234 <small>counted</small>" in text
    assert "<small>in</small>" not in text


def test_a_message_has_no_chip(reader: Client, owner: User) -> None:
    runs.stored_run(owner)
    assert '<span class="tag">' not in markup(reader.get("/requests/rows/"))


@pytest.mark.parametrize("words", ["", "sky"])
def test_the_filter_leaves_counts_out_or_shows_them_alone(reader: Client, owner: User, words: str) -> None:
    message, counted = runs.stored_run(owner), count(owner)
    both = [str(counted.pk), str(message.pk)]
    assert shown(reader, q=words) == both
    assert shown(reader, q=words, endpoint="messages") == both[1:]
    assert shown(reader, q=words, endpoint="count_tokens") == both[:1]
    assert shown(reader, q=words, endpoint="count_tokens", status="4xx") == []
    assert "endpoint is not valid: models" in markup(reader.get("/requests/", {"endpoint": "models"}))


def test_a_run_that_goes_on_is_filtered_alike(owner: User) -> None:
    columns = live_columns(live_count(owner))
    assert Filter(endpoint="count_tokens").matches(columns)
    assert not Filter(endpoint="messages").matches(columns)
    assert not Filter(endpoint="count_tokens").matches(live_columns(runs.live_run(owner)))


def test_a_live_run_has_the_columns_of_the_stored_one(owner: User) -> None:
    live = runs.tell(live_count(owner), ANSWER)
    columns, stored = live_columns(live), runs.store(live)
    for name in ("endpoint", "counted_tokens", "input_tokens", "cost_usd", "tokens_clamped", "first_token_ms"):
        assert columns[name] == getattr(stored, name), name


def test_its_page_shows_the_request_and_the_count(reader: Client, owner: User) -> None:
    run = count(owner)
    text = markup(reader.get(f"/requests/{run.pk}/"))
    for words in ("How long is the sky?", "Token count:", "1,234", "tokens counted", "count_tokens", "Run again"):
        assert words in text
    for absent in (
        "stop_reason",
        "Add to conversation",
        "Run again with",
        "Compare with…",
        "The response has no content",
        "Share…",
    ):
        assert absent not in text
    assert "sandbox://playground/v1/messages/count_tokens" in text


def test_a_page_without_content_still_says_the_count(reader: Client, owner: User) -> None:
    text = markup(reader.get(f"/requests/{count(owner, keep_content=False).pk}/"))
    assert "Content was not stored" in text
    assert "1,234" in text


@pytest.mark.parametrize(
    ("answer", "failure", "words"),
    [
        (b"[1]", Failure("not_a_count", "HTTP 200 came with a JSON list."), "The response is not a token count"),
        (b"", Failure("timeout", "No first byte."), "Timed out"),
    ],
)
def test_a_count_that_failed_says_why(reader: Client, owner: User, answer: bytes, failure: Failure, words: str) -> None:
    live = live_count(owner)
    live.publish([*runs.told(answer), runs.ended("failed", failure)])
    text = markup(reader.get(f"/requests/{runs.store(live).pk}/"))
    assert words in text
    assert "Token count:" not in text


def test_code_and_files_name_the_endpoint(reader: Client, owner: User) -> None:
    run = count(owner, base_url="https://api.example.com/v1")
    address = "https://api.example.com/v1/messages/count_tokens"
    codes = {
        name: reader.get(f"/requests/{run.pk}/code/", {"language": name}).content.decode()
        for name in ("shell", "python", "python-httpx", "go", "java", "csharp", "ruby", "php", "node-fetch")
    }
    assert all("/v1/messages/count_tokens" in code for code in codes.values())
    assert address in codes["shell"]
    assert codes["python"] == codes["shell"], "the official client's call creates a message"
    har = run_files.as_har(Run.objects.get(pk=run.pk))["log"]["entries"][0]
    assert (har["request"]["url"], har["response"]["content"]["text"]) == (address, ANSWER.decode())
    told = run_files.as_json(Run.objects.get(pk=run.pk))
    assert (told["endpoint"], told["counted_tokens"], told["input_tokens"]) == ("count_tokens", 1234, None)
    assert (told["request"]["url"], told["response"]["body"]) == (address, {"input_tokens": 1234})


def test_its_request_opens_in_the_playground(reader: Client, owner: User) -> None:
    run = count(owner)
    response = reader.post(reverse("open-run", args=[run.pk]), follow=True)
    assert "How long is the sky?" in markup(response)


def test_two_counts_can_be_compared(reader: Client, owner: User) -> None:
    one, other = count(owner), count(owner, b'{"input_tokens": 7}')
    assert reader.get("/requests/compare/", {"a": one.pk, "b": other.pk}).status_code == 200


def test_a_count_has_no_share(reader: Client, owner: User) -> None:
    assert reader.get(reverse("run-share", args=[count(owner).pk])).status_code == 404


def test_a_count_that_a_stop_cut_off_is_closed_as_one(owner: User) -> None:
    live = live_count(owner)
    live.publish(runs.told(ANSWER))
    writer = RunWriter(live, 2**24)
    writer.collect()
    writer.write()
    assert recovery.close_interrupted() == 1
    run = Run.objects.get()
    assert (run.endpoint, run.state, run.cost_usd, run.input_tokens) == ("count_tokens", "interrupted", None, None)


def test_counts_leave_the_histograms_alone(owner: User) -> None:
    def told(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = [told(f"playground_{name}_seconds_count") for name in ("run", "first_token")]
    counted = told("playground_runs_total", state="completed", source="relay", endpoint="count_tokens")
    _count(runs.tell(live_count(owner), ANSWER))
    assert [told(f"playground_{name}_seconds_count") for name in ("run", "first_token")] == before
    assert told("playground_runs_total", state="completed", source="relay", endpoint="count_tokens") == counted + 1


def test_what_processes_tell_each_other_names_the_endpoint_only_where_it_is_another() -> None:
    about = RunMetadata(endpoint="count_tokens", request_body=b"{}")
    assert about_from_json(about_to_json(about).encode(), b"{}") == about
    assert "endpoint" not in about_to_json(RunMetadata())
    assert about_from_json(about_to_json(RunMetadata()).encode(), b"").endpoint == "messages"


@pytest.mark.django_db(transaction=True)
async def test_running_again_counts_again(async_client: Any, owner: User) -> None:
    run = await sync_to_async(count)(owner, body=json.dumps(BODY | {"model": "sandbox-stories"}).encode())
    await async_client.aforce_login(owner)
    response = await async_client.post(reverse("run-again", args=[run.pk]), headers={"HX-Request": "true"})
    assert response.status_code == 200
    [again] = [each for each in dispatch.get_live().of_owner(owner_of_user(owner.pk)) if each.id != run.pk]
    ended = await again.ended()
    assert (again.about.endpoint, ended.state) == ("count_tokens", "completed")
    assert json.loads(again.body())["input_tokens"] > 0
