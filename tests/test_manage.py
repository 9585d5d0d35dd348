"""`manage.py` sets up its own environment: from nothing, half-way, after a change, and says why when it cannot."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys._base_executable  # the one outside our own virtual environment
NOTHING_TO_INSTALL = "# an empty lock\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "manage.py", tmp_path)
    for name in ("requirements.lock", "requirements-test.lock"):
        (tmp_path / name).write_text(NOTHING_TO_INSTALL + f"# {name}\n")
    return tmp_path


def call(folder: Path, **environment: str) -> str:
    """Run `manage.py check` there and return what it wrote; Django is not in that environment, so it ends early."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLAYGROUND", "VIRTUAL"))}
    command = [PYTHON, "manage.py", "check"]
    done = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False)
    return done.stderr


def is_set_up(written: str) -> bool:
    return "Ready after" in written and "No module named 'django'" in written


def test_the_first_call_makes_the_environment_and_the_second_uses_it(folder: Path) -> None:
    assert is_set_up(call(folder))
    assert "Setting up" not in call(folder)


def test_a_call_that_was_interrupted_half_way_is_repeated(folder: Path) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").write_text("not a program")
    (folder / ".venv/bin/python").chmod(0o755)
    assert is_set_up(call(folder))


@pytest.mark.slow
def test_a_changed_lock_updates_the_environment(folder: Path) -> None:
    call(folder)
    (folder / "requirements.lock").write_text("# another empty lock\n")
    assert is_set_up(call(folder))


@pytest.mark.slow
def test_no_network_is_said_in_words_and_the_next_call_recovers(folder: Path) -> None:
    (folder / "requirements.lock").write_text(f"surely-not-there==1.0 --hash=sha256:{'0' * 64}\n")
    written = call(folder, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert "Without a network this cannot work the first time" in written
    assert "Traceback" not in written
    (folder / "requirements.lock").write_text(NOTHING_TO_INSTALL)
    assert is_set_up(call(folder))


def test_a_folder_that_cannot_be_written_to_is_named(folder: Path) -> None:
    (folder / ".venv.lock").mkdir()  # stands for a read-only folder: root may write to those
    written = call(folder)
    assert f"cannot write to {folder}" in written
    assert "Traceback" not in written


def test_it_stands_aside_when_told_to(folder: Path) -> None:
    assert "Setting up" not in call(folder, PLAYGROUND_NO_VENV="1")
    assert not (folder / ".venv").exists()


def test_an_older_python_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    version = namedtuple("version", "major minor micro releaselevel serial")(3, 10, 4, "final", 0)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed, this is 3\.10\.4"):
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")


@pytest.mark.parametrize(
    "given", [["-m", "slow"], ["-m", "", "tests/relay"], ["-k", "word"], ["tests/test_names.py::test_one"]]
)
def test_slow_tests_run_where_they_are_asked_for(given: list[str]) -> None:
    assert runpy.run_path(str(ROOT / "manage.py"))["chosen_tests"](given) == given


@pytest.mark.parametrize("given", [[], ["tests/relay"], ["tests/relay", "-x", "-n", "2"]])
def test_slow_tests_are_left_out_otherwise(given: list[str]) -> None:
    chosen = runpy.run_path(str(ROOT / "manage.py"))["chosen_tests"](given)
    assert chosen[:2] == ["-m", "not slow"]
    assert chosen[-len(given) :] == given or not given


def test_the_tests_compile_each_module_once_whatever_the_environment_says() -> None:
    said = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PLAYGROUND_NO_VENV": "1"}
    code = (
        "import os, runpy, sys; sys.argv = ['manage.py', 'test', '--version']\n"
        "try: runpy.run_path('manage.py', run_name='__main__')\n"
        "except SystemExit: print(sys.dont_write_bytecode, 'PYTHONDONTWRITEBYTECODE' in os.environ)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=said, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False False\n")
