"""What a person has to hold in mind at once stays small: files, functions, classes, lines of templates."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_METHODS = 25
MOST_TEMPLATE_CHARACTERS = 120


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    files = [path for package in ("playground", "accounts") for path in sorted((ROOT / package).rglob("*.py"))]
    return [(path, ast.parse(path.read_text())) for path in files if "migrations" not in path.parts]


def test_no_file_is_longer_than_ten_screens() -> None:
    scripts = sorted((ROOT / "static" / "js").rglob("*.js"))
    tests = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "pasted" not in path.parts]
    long = [
        f"{path.relative_to(ROOT)}: {count}"
        for path in [path for path, _ in trees()] + scripts + tests
        if (count := len(path.read_text().splitlines())) > MOST_FILE_LINES
    ]
    assert long == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_FUNCTION_LINES
    ]
    assert long == []


def test_a_class_with_many_methods_says_why() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body) > MOST_METHODS
        and not re.search(r"\bmany (members|methods)\b", ast.get_docstring(node) or "")
    ]
    assert silent == []


def test_no_line_of_a_template_is_longer_than_one_of_the_code() -> None:
    lines = [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in (ROOT / "templates").rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
    ]
    assert len(lines) > 1000
    assert [place for place, line in lines if len(line) > MOST_TEMPLATE_CHARACTERS] == []
