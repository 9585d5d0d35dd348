"""Programs made of snippets, and the server they send to."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from playground.protocol.json import json_text
from playground.protocol.snippets import SnippetRequest, snippet
from tests.support.upstream import Handler

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "support" / "clients"
KEY = "not-a-real-key-0123456789"
PICTURE = bytes(range(256)) * 8
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
EVENTS = (
    {"type": "message_start", "message": {**ANSWER, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    # A line separator of Unicode inside the JSON does not end the line of an event.
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel\u2028lo there"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 1},
    },
    {"type": "message_stop"},
)
RECEIVED: list[tuple[str, dict[str, str], bytes]] = []


def answer(handler: Handler) -> None:
    """As the Messages API does, for a body that wants a stream and for one that does not."""
    path, headers, body = handler.server.requests[-1]
    RECEIVED.append((path, {name.lower(): value for name, value in headers.items()}, body))
    if re.search(rb'"stream":\s*true', body):
        text = "".join(f"event: {one['type']}\ndata: {json.dumps(one, ensure_ascii=False)}\n\n" for one in EVENTS)
        handler.send_body(200, "text/event-stream", text.encode())
    else:
        handler.send_json(200, ANSWER)


def needs(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        assert program not in os.environ.get("REQUIRED_RUNTIMES", "").split(), f"{program} must be installed here"
        pytest.skip(f"{program} is not installed: its snippets are not run here")
    return path


@cache
def _node_modules() -> Path | None:
    """The official Node client, fetched once and kept under var/; None where npm cannot fetch it in time."""
    kept = ROOT / "var" / "npm"
    modules = kept / "node_modules"
    if not (modules / "@anthropic-ai" / "sdk").exists():
        kept.mkdir(parents=True, exist_ok=True)
        command = [needs("npm"), "install", "--no-audit", "--no-fund", "--prefix", str(kept), "@anthropic-ai/sdk@1"]
        try:
            subprocess.run(command, capture_output=True, timeout=90, check=True)
        except subprocess.SubprocessError:
            shutil.rmtree(modules, ignore_errors=True)
            return None
    return modules


def node_client(folder: Path) -> None:
    """Put the official Node client where the snippet finds it."""
    needs("node")
    modules = _node_modules()
    if modules is None:
        pytest.skip("the official Node client cannot be fetched from npm here")
    (folder / "node_modules").symlink_to(modules)


def python_program(source: str, folder: Path) -> list[str]:
    (folder / "main.py").write_text(source)
    return [sys.executable, "main.py"]


def shell_program(source: str, folder: Path) -> list[str]:
    needs("curl")
    (folder / "main.sh").write_text(source)
    return ["sh", "main.sh"]


def node_program(source: str, folder: Path) -> list[str]:
    needs("node")
    (folder / "main.mjs").write_text(source)
    return ["node", "main.mjs"]


def node_client_program(source: str, folder: Path) -> list[str]:
    node_client(folder)
    return node_program(source, folder)


def ruby_program(source: str, folder: Path) -> list[str]:
    (folder / "main.rb").write_text(source)
    return [needs("ruby"), "main.rb"]


def php_program(source: str, folder: Path) -> list[str]:
    (folder / "main.php").write_text(source)
    return [needs("php"), "main.php"]


def php_client_program(source: str, folder: Path) -> list[str]:
    (folder / "vendor").mkdir()
    shutil.copy(CLIENTS / "php_client.php", folder / "vendor" / "autoload.php")
    return php_program(source, folder)


def go_program(source: str, folder: Path) -> list[str]:
    (folder / "main.go").write_text(source)
    return [needs("go"), "run", "main.go"]


def java_program(source: str, folder: Path) -> list[str]:
    (folder / "Main.java").write_text(source)
    return [needs("java"), "-XX:TieredStopAtLevel=1", "Main.java"]


def java_client_program(source: str, folder: Path) -> list[str]:
    classes = folder / "classes"
    command = [needs("javac"), "-d", str(classes), *map(str, (CLIENTS / "java").rglob("*.java"))]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    program, *options, source_file = java_program(source, folder)
    return [program, *options, "-classpath", str(classes), source_file]


PROGRAMS = {
    "shell": shell_program,
    "python": python_program,
    "python-httpx": python_program,
    "node": node_client_program,
    "node-fetch": node_program,
    "ruby": ruby_program,
    "php": php_program,
    "php-client": php_client_program,
    "go": go_program,
    "java": java_program,
    "java-client": java_client_program,
}
# Go and Java are compiled, and the official clients take seconds to load.
QUICK_TO_START = ["shell", "python-httpx", "node-fetch", "ruby", "php", "php-client"]
AGAIN = [*QUICK_TO_START, *(pytest.param(name, marks=pytest.mark.slow) for name in ("python", "node"))]
EVERY_PROGRAM = [pytest.param(name, marks=[] if name in QUICK_TO_START else [pytest.mark.slow]) for name in PROGRAMS]


def spelled(text: str | bytes) -> Any:
    """The JSON value with its numbers as text, so that 1 and 1.0 differ."""
    return json.loads(text, parse_int=str, parse_float=str)


def meant(body: Any) -> Any:
    return spelled(json_text.dump(body))


def run(language: str, request: SnippetRequest, folder: Path) -> tuple[str, dict[str, str], bytes, str]:
    """Run a snippet; return the path, headers and body that were received, and what was printed."""
    RECEIVED.clear()
    for file in request.files().values():
        (folder / file.name).write_bytes(PICTURE)
    command = PROGRAMS[language](snippet(language, request), folder)
    go_cache = str(ROOT / "var" / "go")
    settings = {
        request.key_variable: KEY,
        "X_GATEWAY_KEY": "gateway-secret",
        "GOCACHE": go_cache,
        "GOFLAGS": "-mod=mod",
    }
    environment = {**os.environ, **settings, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "GOPATH": go_cache}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    assert len(RECEIVED) == 1
    return *RECEIVED[0], done.stdout.decode("utf-8", "replace")
