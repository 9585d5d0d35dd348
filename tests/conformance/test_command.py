"""`manage.py check_endpoint`: files, exit status, mistakes in the command, stored connections.

No server runs, and for an address no database is asked."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Connection
from playground.conformance.plan import Plan, chosen
from playground.models import ConformanceReport, ConformanceRun, Run
from playground.reports import running, storing
from tests.conformance.gappy_server import GappyServer
from tests.support.upstream import KEY, Handler, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User


def check_endpoint(*arguments: str, **options: Any) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("check_endpoint", *arguments, stdout=out, stderr=err, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def answer_plainly(handler: Handler) -> None:
    """A server that gives one JSON answer, without a request-id, whatever it is asked."""
    handler.send_json(200, {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "second-1", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": "ready"}],
        "usage": {"input_tokens": 9, "output_tokens": 1},
    })  # fmt: skip


def test_the_sandbox_passes_and_its_report_is_written(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("report.xml", "report.json", "report.md", "badge.svg")]
    named = [f"--{kind}={path}" for kind, path in zip(("junit", "json", "markdown", "badge"), files, strict=True)]
    status, out, _ = check_endpoint("sandbox", "--model=sandbox-stories", *named)
    assert status == 0
    assert "0 fail" in out
    assert ElementTree.parse(files[0]).getroot().get("failures") == "0"
    assert json.loads(files[1].read_text())["passed"] > 200
    assert files[2].read_text().startswith("# Conformance of sandbox")
    assert ElementTree.parse(files[3]).getroot().tag.endswith("svg")


@pytest.mark.slow
def test_a_failed_must_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    status, out, err = check_endpoint(nobody(), "--model=m", "--areas=models")
    assert status == 1
    assert "FAIL  must   answer.message" in err
    assert "0 of 1 pass" in out


def test_the_status_goes_by_the_most_severe_level_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Upstream(answer_plainly)
    monkeypatch.setenv("MY_KEY", KEY)
    arguments = (upstream.url, "--model=second-1", "--areas=answer", "--key-env=MY_KEY")
    try:
        assert check_endpoint(*arguments)[0] == 0
        assert check_endpoint(*arguments, "--fail-on=should")[0] == 3  # both answers have one id
        assert check_endpoint(*arguments, "--fail-on=never")[0] == 0
    finally:
        upstream.close()
    assert all(headers["x-api-key"] == KEY for _, headers, _ in upstream.requests)


def test_the_key_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = Upstream(answer_plainly)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    try:
        status, out, err = check_endpoint(
            upstream.url, "--model=second-1", "--areas=answer", "--key-stdin", "--auth=bearer"
        )
    finally:
        upstream.close()
    assert status == 0
    assert upstream.requests[0][1]["authorization"] == f"Bearer {KEY}"
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://example.com", "--model=m"], "The address must look like https://host"),
        (["https://example.com", "--model=m", "--cap-usd=1"], "use --cap-tokens"),
        (["https://example.com", "--model=m", "--areas=tools,nonsense"], "no such area: nonsense"),
        (["https://example.com", "--model=m", "--cap-usd=much"], "is not an amount of dollars"),
        (["https://example.com", "--model=m", "--pace=0"], "is not a number above 0"),
    ],
)
def test_a_mistake_in_the_command_is_told(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        check_endpoint(*arguments)


@pytest.fixture
def stored(owner: User) -> Iterator[Connection]:
    """A connection to a server on loopback, which the site itself would not call."""
    server = GappyServer()
    connection = Connection(owner=owner, name="gappy", base_url=server.url)
    connection.set_credential(KEY)
    connection.save()
    yield connection
    server.close()


@pytest.mark.django_db(transaction=True)
def test_a_stored_connection_has_its_report_and_its_runs_in_the_log(stored: Connection, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    status, out, err = check_endpoint("gappy", "--model=sandbox-stories", "--areas=answer,stream", f"--json={file}")
    report = ConformanceReport.objects.get()
    runs = list(Run.objects.all())
    assert (report.owner, report.connection, report.state) == (stored.owner, stored, "done")
    assert f"/conformance/{report.pk}/" in err
    assert "FAIL  must   stream.no_done" in err
    assert status == 1
    assert json.loads(file.read_text())["requests"] == len(runs) == report.requests > 5
    assert {run.pk for run in runs} == set(ConformanceRun.objects.values_list("run_id", flat=True))
    assert {(run.source, run.connection_id, run.is_final) for run in runs} == {("check", stored.pk, True)}
    assert any(run.events() for run in runs)
    assert storing.load(report).results["stream.no_done"].run_ids
    assert KEY not in out + err + file.read_text()


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_checked_once_at_a_time(stored: Connection, owner: User) -> None:
    busy = storing.create(owner, stored, Plan("m", chosen(["answer"])))
    with pytest.raises(CommandError, match=str(busy.pk)):
        check_endpoint("gappy", "--model=sandbox-stories", "--areas=answer")
    ConformanceReport.objects.update(beat_at=timezone.now() - timedelta(minutes=1))  # its command was killed
    assert check_endpoint("gappy", "--model=sandbox-stories", "--areas=answer")[0] in (0, 1)
    assert sorted(ConformanceReport.objects.values_list("state", flat=True)) == ["done", "stopped"]


@pytest.mark.django_db(transaction=True)
def test_a_report_of_the_sites_connection_needs_an_owner(stored: Connection, owner: User) -> None:
    Connection.objects.all().delete()
    Connection.objects.create(owner=None, name="gappy", base_url=stored.base_url)
    arguments = ("gappy", "--model=sandbox-stories", "--areas=answer")
    with pytest.raises(CommandError, match="say with --owner whose the report is"):
        check_endpoint(*arguments)
    with pytest.raises(CommandError, match="There is no user called nobody"):
        check_endpoint(*arguments, "--owner=nobody")
    check_endpoint(*arguments, f"--owner={owner.username}")
    assert ConformanceReport.objects.get().owner == owner


@pytest.mark.django_db(transaction=True)
def test_an_interrupt_keeps_what_the_report_has(stored: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = running._Running._keep

    def keep_and_interrupt(making: Any, result: Any) -> None:
        kept(making, result)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(running._Running, "_keep", keep_and_interrupt)
    check_endpoint("gappy", "--model=sandbox-stories", "--areas=answer,stream,tools")
    report = ConformanceReport.objects.get()
    tally = storing.load(report).tally()
    assert report.state == "stopped"
    assert (tally.waiting, tally.passed > 0, tally.skipped > 10) == (0, True, True)


@pytest.mark.django_db
def test_an_unknown_connection_is_told() -> None:
    with pytest.raises(CommandError, match="There is no connection called nowhere"):
        check_endpoint("nowhere", "--model=m")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        check_endpoint("sandbox", "--model=sandbox-stories", "--areas=answer", f"--json={tmp_path}/none/report.json")
