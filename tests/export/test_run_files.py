"""Runs as files: whole, harmless, without secrets, and made while they are sent."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from django.db.models import QuerySet

from accounts.models import Connection
from playground.export import run_files
from playground.models import Draft, Run, RunContent
from tests.support import runs
from tests.support.har_schema import HAR

if TYPE_CHECKING:
    from django.test import AsyncClient, Client

    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
EVIL_BODIES = [
    b"",
    b"not JSON",
    b"\xff\xfe binary \x00",
    b'{"a": NaN}',
    b'{"a": 1, "a": 2}',
    '{"model": "\\ud800 \\u0000 ünï"}'.encode(),
    b'{"n": 123456789012345678901234567890.50}',
    b"[" * 3000,
]


@pytest.fixture
def reader(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


async def read(client: AsyncClient, user: User, address: str, data: dict[str, Any] | None = None) -> tuple[Any, bytes]:
    """Ask as this user and read a streamed answer to its end."""
    await client.aforce_login(user)
    response = await (client.get(address) if data is None else client.post(address, data))
    if response.streaming:
        return response, b"".join([piece async for piece in response])
    return response, response.content


# --- One run ---


def test_a_run_as_json_holds_everything_but_secrets(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner)
    told = json.loads(reader.get(f"/requests/{run.pk}/download/json/").content)
    assert told["request"]["body"] == json.loads(runs.body_of())
    assert ["x-api-key", "••••f3a9"] in told["request"]["headers"]
    assert told["response"]["message"] == run.message()
    assert [event["number"] for event in told["response"]["events"]] == list(range(1, run.event_count + 1))
    assert (told["state"], told["output_tokens"], told["cost_usd"]) == ("completed", 9, "0.000000")


def test_the_raw_answer_is_byte_for_byte_what_was_received(owner: User) -> None:
    data = runs.stream("one two three") + b"data: \xff\xfe\n\n"
    run = runs.store(runs.tell(runs.live_run(owner), data))
    assert b"".join(run.raw()) == data


async def test_it_is_sent_while_it_is_read(async_client: AsyncClient, owner: User) -> None:
    from asgiref.sync import sync_to_async

    run = await sync_to_async(runs.stored_run)(owner)
    response, data = await read(async_client, owner, f"/requests/{run.pk}/download/sse/")
    assert response.streaming
    assert data == runs.stream()


@pytest.mark.parametrize("body", EVIL_BODIES, ids=lambda body: repr(body[:20]))
def test_har_follows_its_schema_whatever_was_sent(reader: Client, owner: User, body: bytes) -> None:
    run = runs.store(runs.tell(runs.live_run(owner, body=body), b"data: \xff\n\n"))
    har = json.loads(reader.get(f"/requests/{run.pk}/download/har/").content)
    jsonschema.validate(har, HAR)
    assert "••••f3a9" in json.dumps(har, ensure_ascii=False)


def test_har_follows_its_schema_however_the_run_ended(reader: Client, owner: User) -> None:
    nothing = runs.live_run(owner, base_url="https://api.example.org/v1")
    nothing.publish([runs.told(b"")[0], runs.ended("failed", runs.Failure("connect", "nobody listens"), at_ms=3.0)])
    for run in (runs.failed_run(owner), runs.store(nothing)):
        Run.objects.filter(pk=run.pk).update(note="odd")
        har = json.loads(reader.get(f"/requests/{run.pk}/download/har/").content)
        jsonschema.validate(har, HAR)
    assert har["log"]["entries"][0]["request"]["url"] == "https://api.example.org/v1/messages"


def test_the_schema_would_notice_a_wrong_archive() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"log": {"version": "1.2", "creator": run_files.CREATOR, "entries": [{}]}}, HAR)


@pytest.mark.parametrize("body", EVIL_BODIES, ids=lambda body: repr(body[:20]))
def test_json_tells_any_body(reader: Client, owner: User, body: bytes) -> None:
    run = runs.store(runs.tell(runs.live_run(owner, body=body)))
    request = json.loads(reader.get(f"/requests/{run.pk}/download/json/").content, parse_constant=pytest.fail)[
        "request"
    ]
    assert {"body", "body_text", "body_base64"} & set(request)


@pytest.mark.parametrize("kind", ["json", "sse", "har", "request"])
def test_a_download_is_nothing_that_a_browser_shows(reader: Client, owner: User, kind: str) -> None:
    run = runs.stored_run(owner)
    response = reader.get(f"/requests/{run.pk}/download/{kind}/")
    assert response["Content-Disposition"].startswith('attachment; filename="run-')
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert response["Content-Type"].split(";")[0] in {"text/plain", "application/json"}


def test_content_that_is_not_kept_cannot_be_downloaded(reader: Client, owner: User) -> None:
    run = runs.stored_run(owner, keep_content=False)
    assert reader.get(f"/requests/{run.pk}/download/sse/").status_code == 404
    assert json.loads(reader.get(f"/requests/{run.pk}/download/json/").content)["content_kept"] is False


# --- Many ---


async def test_what_the_filter_finds_is_exported(async_client: AsyncClient, owner: User, stranger: User) -> None:
    from asgiref.sync import sync_to_async

    refused = await sync_to_async(runs.failed_run)(owner)
    await sync_to_async(runs.stored_run)(owner)
    await sync_to_async(runs.failed_run)(stranger)
    response, data = await read(async_client, owner, "/requests/export/?format=jsonl&status=5xx")
    assert response.streaming
    assert [json.loads(line)["id"] for line in data.splitlines()] == [str(refused.pk)]
    _, data = await read(async_client, owner, "/requests/export/?format=csv&q=sky")
    assert len(list(csv.DictReader(io.StringIO(data.decode())))) == 2


async def test_selected_runs_are_exported_and_only_ones_own(
    async_client: AsyncClient, owner: User, stranger: User
) -> None:
    from asgiref.sync import sync_to_async

    mine = [await sync_to_async(runs.stored_run)(owner) for _ in range(3)]
    theirs = await sync_to_async(runs.stored_run)(stranger)
    picked = [str(run.pk) for run in (*mine[:2], theirs)]
    _, data = await read(async_client, owner, "/requests/selection/", {"do": "jsonl", "run": picked})
    assert {json.loads(line)["id"] for line in data.splitlines()} == {str(run.pk) for run in mine[:2]}


def test_many_runs_are_read_in_steps_without_gap_or_double(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_files, "STEP", 3)
    stored = [runs.stored_run(owner) for _ in range(8)]
    lines = "".join(run_files.jsonl(Run.objects.owned_by(owner))).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [str(run.pk) for run in reversed(stored)]


def test_content_is_read_in_parts_that_fit_into_memory(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_files, "MOST_CONTENT", 1)
    monkeypatch.setattr(run_files, "PIECE", 1)
    stored = [runs.stored_run(owner, answer="word " * 200) for _ in range(3)]
    RunContent.objects.filter(run=stored[1]).delete()
    parts = []
    in_bulk = QuerySet.in_bulk

    def noted(rows: QuerySet, ids: list[Any]) -> dict[Any, Any]:
        parts.append(len(ids))
        return in_bulk(rows, ids)

    monkeypatch.setattr(QuerySet, "in_bulk", noted)
    lines = [json.loads(piece) for piece in run_files.jsonl(Run.objects.owned_by(owner))]
    assert [line["content_kept"] for line in lines] == [True, False, True]
    assert max(parts) <= 2  # one with content, and perhaps one without
    monkeypatch.setattr(run_files, "MOST_CONTENT", 10**6)
    parts.clear()
    list(run_files.jsonl(Run.objects.owned_by(owner)))
    assert parts == [3]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("x")'])
def test_no_cell_is_a_formula(owner: User, text: str) -> None:
    run = runs.stored_run(owner, model=text)
    Run.objects.filter(pk=run.pk).update(note=text)
    table = list(csv.DictReader(io.StringIO("".join(run_files.csv_text(Run.objects.owned_by(owner))), newline="")))
    assert table[0]["model"] == table[0]["note"] == f"'{text}"
    assert table[0]["output_tokens"] == "9"


@pytest.mark.parametrize("text", ['say "hi", you', "two\nlines", "plain", "1-2"])
def test_other_text_comes_through_as_it_is(owner: User, text: str) -> None:
    runs.stored_run(owner, model=text)
    table = list(csv.DictReader(io.StringIO("".join(run_files.csv_text(Run.objects.owned_by(owner))), newline="")))
    assert table[0]["model"] == text


async def test_the_progress_of_a_download_can_be_asked_by_its_owner_only(
    async_client: AsyncClient, owner: User, stranger: User
) -> None:
    from asgiref.sync import sync_to_async

    address = "/requests/export/progress/?token=t-1"
    await sync_to_async(runs.stored_run)(owner)
    assert b"Preparing" in (await read(async_client, owner, address))[1]
    await read(async_client, owner, "/requests/export/?format=csv&token=t-1")
    response, text = await read(async_client, owner, address)
    assert response.status_code == 286
    assert b"Exported 1 request." in b" ".join(text.split())
    assert b"Preparing" in (await read(async_client, stranger, address))[1]


def test_an_unknown_format_is_refused(reader: Client) -> None:
    assert reader.get("/requests/export/", {"format": "xlsx"}).status_code == 400


# --- The account ---


async def test_the_whole_account_comes_as_a_zip_without_secrets(
    async_client: AsyncClient, owner: User, stranger: User
) -> None:
    from asgiref.sync import sync_to_async

    def prepare() -> Run:
        connection = Connection(owner=owner, name="Mine", base_url="https://api.example.org")
        connection.set_credential("sk-canary-0123456789")
        connection.save()
        draft = Draft(user=owner)
        draft.body_text = '{"model": "draft-model"}'
        draft.save()
        runs.stored_run(stranger, "a stranger's question")
        return runs.stored_run(owner)

    run = await sync_to_async(prepare)()
    response, data = await read(async_client, owner, "/accounts/export/")
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "\n".join(texts.values())
    assert json.loads(texts["account.json"])["username"] == "owner"
    assert json.loads(texts["runs.jsonl"])["id"] == str(run.pk)
    assert "draft-model" in texts["drafts.jsonl"]
    assert "Mine" in texts["connections.json"]
    assert "canary" not in everything
    assert "stranger" not in everything
    assert owner.password not in everything


def test_a_visitor_has_no_account_to_export(client: Client) -> None:
    assert client.get("/accounts/export/").status_code == 302


def test_a_large_account_is_never_whole_in_memory(owner: User) -> None:
    from playground.export.account_export import zipped

    for _ in range(3):
        runs.stored_run(owner, answer="word " * 2000)
    pieces = list(zipped(owner))
    assert len(pieces) > 5
    assert len(b"".join(pieces)) > max(map(len, pieces))
