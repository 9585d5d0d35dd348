"""Servers that others have written, each in an environment of its own; their reports stand in `golden/`.

Each finding in those files was looked at by hand, in the report and in the server's answer; `reviewed` says what was
seen. A difference is a change of that server's version or of a check: look which, write the file anew with
PLAYGROUND_WRITE_GOLDEN=folder (the whole report goes there), which keeps what was reviewed and has not changed, and
review the rest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),  # of 5 MB, on purpose
]
GOLDEN = Path(__file__).parent / "golden"
# Whether these pass goes by the machine's speed and not by the server.
UV = "uv==0.13.9"
KEY = "sk-playground-test-key"
NOT_COMPARED = {"http.hang_up", "stream.not_buffered"}


LITELLM_CONFIG = f"""\
model_list:
  - model_name: claude-sonnet-4-5
    litellm_params:
      model: openai/gpt-4o
      api_key: none
      mock_response: ready
general_settings:
  master_key: {KEY}
"""


@dataclass(frozen=True)
class RealServer:
    """`requirement` is what pip installs; `command` runs in a folder that holds `files`. `{port}` is filled in."""

    name: str
    version: str
    requirement: str
    command: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    ready: str
    model: str = "claude-sonnet-4-5"
    not_compared: str = "-"  # the area that asks servers elsewhere


SERVERS = (
    RealServer(
        "fakellm",
        "0.3.5",
        "fakellm==0.3.5",
        ("fakellm", "serve", "--port", "{port}"),
        (("fakellm.yaml", "version: 1\ndefaults:\n  fallback: deterministic_echo\nrules: []\n"),),
        "/v1/messages",
    ),
    RealServer(
        "mockllm",
        "0.0.8",
        "mockllm==0.0.8",
        ("mockllm", "start", "--responses", "responses.yml", "--port", "{port}"),
        (("responses.yml", 'responses:\n  "hello": "hi"\ndefaults:\n  unknown_response: "ready"\n'),),
        "/v1/messages",
    ),
    RealServer(
        "litellm",
        "1.108.7",
        "litellm[proxy]==1.108.7",
        ("litellm", "--config", "config.yaml", "--port", "{port}"),
        (("config.yaml", LITELLM_CONFIG),),
        "/health/liveliness",
        not_compared="count_tokens",
    ),
)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def install(server: RealServer, folder: Path) -> Path:
    """The folder of the environment's programs; skips where packages cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    # LiteLLM's proxy brings 120 packages: pip takes minutes for them, uv less than one.
    for command in (
        [folder / "bin/pip", "install", "-q", UV],
        [folder / "bin/uv", "pip", "install", "-q", "--python", folder / "bin/python", server.requirement],
    ):
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            reason = f"{server.requirement} cannot be installed here: {done.stderr[-300:].decode('utf-8', 'replace')}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return folder / "bin"


@contextmanager
def running(server: RealServer, folder: Path) -> Iterator[str]:
    programs = install(server, folder / "environment")
    for name, text in server.files:
        (folder / name).write_text(text)
    port = free_port()
    program, *arguments = (part.format(port=port) for part in server.command)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1",
                   "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # fmt: skip
    environment.pop("DATABASE_URL", None)
    process = subprocess.Popen(
        [programs / program, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}{server.ready}", process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            httpx.get(address, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"the server ended with status {process.returncode} before it answered")


def stable(message: str) -> str:
    """A finding's words without what differs from one answer to the next: ids, times, counts of milliseconds."""
    message = re.sub(r"\b(msg|req|toolu|call|chatcmpl)[-_][\w-]+", r"\1_…", message)
    message = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "…", message)
    return re.sub(r"\b\d+(?:\.\d+)? ?(ms|s)\b", r"… \1", message)[:300]


def told(server: RealServer, report: Any, before: Any) -> dict[str, Any]:
    """The report without what goes by the machine or by servers elsewhere. What was reviewed stays where the finding
    is the same."""
    judged = [
        each
        for each in report["results"]
        if each["id"] not in NOT_COMPARED and not each["id"].startswith(server.not_compared)
    ]
    reviewed = {(each["check"], each["status"], each["message"]): each["reviewed"] for each in before["findings"]}
    findings = []
    for each in judged:
        if each["status"] in ("passed", "skipped"):
            continue
        key = (each["id"], each["status"], stable(each.get("message", "")))
        findings.append(dict(zip(("check", "status", "message"), key, strict=True)) | {
            "level": each["level"], "reviewed": reviewed.get(key, ""),
        })  # fmt: skip
    named = {status: [each["id"] for each in judged if each["status"] == status] for status in ("passed", "skipped")}
    says = {name: value for name, value in report["server"].items() if name != "via"}
    return {"server": server.name, "version": server.version, "says_it_is": says, "edition": report["edition"],
            "findings": findings, **named}  # fmt: skip


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_real_server_has_the_report_that_was_read_by_hand(
    server: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    file = tmp_path / "report.json"
    with running(server, tmp_path) as url:
        call_command("check_endpoint", url, f"--model={server.model}", f"--json={file}", "--fail-on=never")
    golden = GOLDEN / f"{server.name}-{server.version}.json"
    before = json.loads(golden.read_text()) if golden.exists() else {"findings": []}
    report = told(server, json.loads(file.read_text()), before)
    if os.environ.get("PLAYGROUND_WRITE_GOLDEN"):
        golden.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        shutil.copy(file, Path(os.environ["PLAYGROUND_WRITE_GOLDEN"]) / f"{server.name}.json")
    assert report == before
