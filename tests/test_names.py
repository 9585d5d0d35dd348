"""A module's name says what is in it, so no two that hold different things have the same one."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What Django, or pytest, looks for by this name in each app or folder; each is of one kind wherever it stands.
CONVENTIONAL = {
    "__init__",
    "admin",
    "apps",
    "base",  # of a database engine
    "checks",  # Django's system checks
    "conftest",
    "exceptions",
    "middleware",
    "requests",  # HttpRequest as type checkers see it behind our middleware
    "urls",
}


@pytest.mark.parametrize("packages", [("playground", "accounts"), ("tests",)], ids=["code", "tests"])
def test_no_two_modules_have_one_name(packages: tuple[str, ...]) -> None:
    places = defaultdict(list)
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        if path.stem not in CONVENTIONAL and not {"migrations", "pasted"} & set(path.parts):
            places[path.stem].append(str(path.relative_to(ROOT)))
    assert len(places) > 100
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
