"""The official TypeScript client works against the relay, unchanged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import AccessKey, User

SDK = "@anthropic-ai/sdk@1.12.0"
SCRIPT = Path(__file__).with_name("relay_client.mjs")


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """A folder with the client in it, installed once."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("npm is not installed: the TypeScript client cannot be left out in CI.")
        pytest.skip("npm is not installed: the TypeScript client is left out.")
    folder = Path(settings.DATA_DIR) / "node" / SDK.rpartition("@")[2]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        done = subprocess.run([npm, "install", *options, SDK], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            if os.environ.get("CI"):
                pytest.fail(f"npm could not install the TypeScript client: {done.stderr[-400:]}")
            pytest.skip("npm could not install the TypeScript client (no network?): it is left out.")
        (folder / "installed").touch()
    return folder


@pytest.fixture
def seen(node_folder: Path, live_url: str, owner: User) -> dict:
    """What the client saw of the relay."""
    secret = AccessKey.objects.issue(owner=owner, name="node")[1]
    command = ["node", str(SCRIPT), live_url, secret]
    done = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_typescript_client_creates_streams_counts_lists_and_raises(seen: dict) -> None:
    assert seen["created"]
    assert seen["types"][0] == "message_start"
    assert seen["types"][-1] == "message_stop"
    assert seen["streamed"]
    assert seen["tool"] == "get_weather"
    assert seen["counted"] > 0
    assert "sandbox-stories" in seen["models"]
    assert seen["unknown"]
    assert seen["limited"]
    assert "ended early" in seen["broken"]
