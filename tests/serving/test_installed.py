"""An installed playground: a wheel in an environment of its own, far from the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from playground import __version__
from tests.serving.rig import ROOT, get


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "-w", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


def pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_wheel_in_a_clean_environment_serves(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env/bin/python")
    pip(python, "install", "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    pip(python, "install", "--no-deps", str(wheel))
    command = str(tmp_path / "env/bin/messages-playground")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    about: dict[str, Any] = {"cwd": tmp_path, "env": environment, "text": True}
    told = subprocess.run([command, "--version"], capture_output=True, check=True, **about).stdout
    assert told == f"Messages Playground {__version__}\n"
    with subprocess.Popen([command, "serve", "--port", "0"], stdout=subprocess.PIPE, **about) as process:
        try:
            line = next(line for line in process.stdout or () if "http://" in line)
            url = re.search(r"http://\S+", line)
            assert url is not None
            page = get(url[0])
            names = re.findall(r'(?:src|href)="/(static/[^"]+)"', page.text)
            assert page.status_code == 200
            assert names
            assert {get(url[0] + name).status_code for name in names} == {200}
        finally:
            process.terminate()
    assert (tmp_path / "home/.local/share/messages-playground/playground.sqlite3").exists()


@pytest.mark.slow
def test_the_wheel_holds_all_that_a_page_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tracked = subprocess.run(
        ["git", "ls-files", "templates", "static"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {f"playground/_assets/{name}" for name in tracked.stdout.split()} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "manage.py", ".")) or "__pycache__" in name]


def test_the_version_is_the_products_everywhere() -> None:
    import tomllib

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    for command in (["manage.py", "--version"], ["manage.py", "serve", "--version"], ["-m", "playground", "--version"]):
        told = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert told == f"Messages Playground {__version__}\n"
