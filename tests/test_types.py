"""Types are checked everywhere, strictly. No module is excused."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
MOST_EXCUSED_LINES = 0  # of modules with `ignore_errors`: none is left, and none comes back


def excused_modules() -> list[str]:
    return [name for override in MYPY["overrides"] if override.get("ignore_errors") for name in override["module"]]


def file_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lines_in(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_mypy_checks_all_packages_strictly_with_djangos_plugin() -> None:
    assert MYPY["strict"] is True
    assert MYPY["packages"] == ["playground", "accounts"]
    assert MYPY["plugins"] == ["mypy_django_plugin.main"]
    assert "exclude" not in MYPY


def test_excused_modules_are_named_one_by_one_and_exist() -> None:
    assert [name for name in excused_modules() if "*" in name or not file_of(name).is_file()] == []


def test_the_list_of_excused_modules_never_grows() -> None:
    assert sum(lines_in(file_of(name)) for name in excused_modules()) <= MOST_EXCUSED_LINES
