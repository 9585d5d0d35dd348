#!/usr/bin/env python3
"""Run the playground's commands inside a virtual environment that this file keeps up to date.

Only the standard library is used above the re-exec, so `python3` and `pip` are all a machine needs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.sha256"
OLDEST = (3, 11)
IN_PARALLEL = ["-q", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


def stop(message: str) -> NoReturn:
    sys.exit(f"manage.py: {message}")


def lock_for(command: str) -> Path:
    """The tests' lock is a superset of the other, so whoever has run the tests never steps back."""
    tests_installed = STAMP.exists() and STAMP.read_text() == digest(HERE / "requirements-test.lock")
    return HERE / ("requirements-test.lock" if command == "test" or tests_installed else "requirements.lock")


def digest(lock: Path) -> str:
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{python} {hashlib.sha256(lock.read_bytes()).hexdigest()}\n"


def stands_aside() -> bool:
    """Whether the caller manages the environment: one is active, or we are told not to."""
    return bool(os.environ.get("PLAYGROUND_NO_VENV")) or sys.prefix != sys.base_prefix


@contextlib.contextmanager
def only_one_installer():
    """Two first starts at once would write over each other's packages; the second waits here."""
    try:
        handle = (HERE / ".venv.lock").open("w")
    except OSError as problem:
        stop(f"cannot write to {HERE} ({problem.strerror}). Make the folder writable, or activate an environment.")
    with handle:
        with contextlib.suppress(ImportError):  # Windows has no fcntl; there the race stays
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare(lock: Path) -> None:
    """Create or update `.venv`. The stamp is written last, so an interrupted start is repeated, not trusted."""
    import venv

    began = time.monotonic()
    print(f"Setting up {VENV.name}/ from {lock.name} (once; about half a minute) ...", file=sys.stderr, flush=True)
    STAMP.unlink(missing_ok=True)
    try:
        if not works():
            shutil.rmtree(VENV, ignore_errors=True)
            venv.create(VENV, with_pip=False, symlinks=os.name != "nt")
    except OSError as problem:
        stop(f"cannot create {VENV} ({problem.strerror}).")
    install(lock)
    STAMP.write_text(digest(lock))
    print(f"Ready after {time.monotonic() - began:.0f} s.", file=sys.stderr, flush=True)


def works() -> bool:
    """Whether `.venv` holds this very Python. A half-made or outlived one does not."""
    ask = [str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return False
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def install(lock: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        stop("pip is missing. Install it with your system's packages (python3-pip), then try again.")
    options = ["--require-hashes", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command = [*pip, "--python", str(PYTHON), "install", *options, "-r", str(lock)]
    started, shown, output = time.monotonic(), 0.0, []
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        for line in process.stdout or ():
            output.append(line)
            name = line.removeprefix("Collecting ").split("==")[0].strip()
            if line.startswith(("Collecting", "Installing")) and time.monotonic() - shown > 1:
                shown = time.monotonic()
                doing = f"fetching {name}" if line.startswith("Collecting") else "installing"
                print(f"  {time.monotonic() - started:3.0f} s  {doing}", file=sys.stderr, flush=True)
    if process.returncode:
        sys.stderr.writelines(output[-8:])
        stop(
            "installing the packages failed (the lines above are pip's). "
            "Without a network this cannot work the first time; with one, run the same command again: it goes on."
        )


def reexec_in_venv(command: str) -> None:
    lock = lock_for(command)
    if not (STAMP.exists() and STAMP.read_text() == digest(lock) and PYTHON.exists()):
        with only_one_installer():
            if not (STAMP.exists() and STAMP.read_text() == digest(lock)):
                prepare(lock)
    arguments = [str(PYTHON), str(HERE / "manage.py"), *sys.argv[1:]]
    if os.name == "nt":  # execv there returns to the shell at once
        sys.exit(subprocess.run(arguments, check=False).returncode)  # noqa: S603
    os.execv(PYTHON, arguments)  # noqa: S606


def chosen_tests(given: list[str]) -> list[str]:
    """pytest's arguments: everything but the slow tests, or what was given, where slow ones are asked for by name, with
    `-k`, or with `-m slow`."""
    asks_for_some = any(each.startswith(("-m", "-k")) or "::" in each for each in given)
    return given if asks_for_some else ["-m", "not slow", *(given or IN_PARALLEL)]


def keep_compiled() -> None:
    """Images of containers often set that nothing compiled is kept. The tests start hundreds of processes, each of
    which would compile every module again, for seconds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def main() -> None:
    if sys.version_info < OLDEST:
        stop("Python 3.11 or newer is needed, this is {}.{}.{}.".format(*sys.version_info))
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command == "test":
        keep_compiled()
    if command in {"--version", "version"}:
        from playground import __version__

        sys.exit(print(f"Messages Playground {__version__}"))
    if not stands_aside():
        reexec_in_venv(command)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    if command == "test":
        import pytest

        os.chdir(HERE)
        sys.exit(pytest.main(chosen_tests(sys.argv[2:])))  # in the order of tests/conftest.py
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
