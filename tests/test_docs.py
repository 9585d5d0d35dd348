"""The documentation is read by tests, so that it stays true."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.test_layers import LAYERS

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines()]


def test_the_readmes_table_names_every_setting_and_no_other() -> None:
    sources = [ROOT / "playground/settings.py", ROOT / "manage.py", ROOT / "tests/support/browser.py"]
    read = set().union(*(re.findall(r"\bPLAYGROUND_[A-Z_]+[A-Z]", path.read_text()) for path in sources))
    documented = set(re.findall(r"^\| `(PLAYGROUND_[A-Z_]+)` \|", README.read_text(), re.MULTILINE))
    assert documented == read


def test_settings_are_read_from_the_environment_in_one_place() -> None:
    for path in tracked_files():
        if path.parts[len(ROOT.parts)] in {"playground", "accounts"} and path.suffix == ".py":
            asked = re.findall(r"(?:os\.environ|getenv|env\.\w+)\W+\"(PLAYGROUND_\w+)", path.read_text())
            assert not asked or path.name == "settings.py", f"{path} reads {asked}"


def test_every_link_and_picture_of_the_readme_is_there() -> None:
    targets = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", README.read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target.split("#")[0]).exists()] == []


def test_the_locks_pin_with_hashes_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        assert re.findall(r"(?:https?://|--index-url|--extra-index-url|--find-links)\S*", text) == []
        pins = re.findall(r"^\S+==\S+.*$", text, re.MULTILINE)
        assert pins
        assert all(pin.endswith("\\") for pin in pins), "a pin without a hash"


def test_the_tests_lock_is_a_superset_of_the_other() -> None:
    pins = [set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS]
    assert pins[0] <= pins[1]


LOCKS = ("requirements.lock", "requirements-test.lock")


def test_no_third_party_file_lies_in_the_repository() -> None:
    static = [path for path in tracked_files() if path.parts[len(ROOT.parts)] == "static"]
    assert static
    assert [path for path in static if ".min." in path.name or path.suffix in {".woff", ".woff2", ".ttf"}] == []


INSIDE = (ROOT / "playground" / "README.md").read_text()


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The names in the first cell of each row of the table under a heading."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `")]


def test_the_table_of_rooms_says_what_the_test_of_layers_holds() -> None:
    layers = [{name.removeprefix("playground.") for name in layer} for layer in LAYERS]
    assert [set(row) for row in rows_of(INSIDE, "Rooms")] == layers


def test_the_readmes_rooms_exist_and_stand_in_the_order_of_imports() -> None:
    order = {name.replace(".", "/"): number for number, layer in enumerate(LAYERS) for name in layer}
    rows = rows_of(README.read_text(), "How the code is laid out")
    numbers = [order[row[0].rstrip("/")] for row in rows if row[0].startswith("playground/")]
    assert len(numbers) > 8
    assert numbers == sorted(numbers)
    assert [room for row in rows for room in row if not (ROOT / room.rstrip("/")).exists() and "/" in room] == []


def test_the_glossary_has_at_most_a_dozen_words() -> None:
    section = INSIDE.split("\n## Words\n")[1].split("\n## ")[0]
    words = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert 0 < len(words) <= 12


def test_every_exception_that_leaves_its_module_stands_in_the_tree_of_errors() -> None:
    names = set()
    for path in tracked_files():
        if path.suffix == ".py" and path.parts[len(ROOT.parts)] in {"playground", "accounts"}:
            for node in ast.walk(ast.parse(path.read_text())):
                bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
                if isinstance(node, ast.ClassDef) and any(re.search(r"(Error|Exception)$", base) for base in bases):
                    names |= {node.name} - {node.name if node.name.startswith("_") else ""}
    tree = INSIDE.split("\n## Errors\n")[1].split("\n## ")[0]
    assert names
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", tree)) == []


def test_the_close_codes_stand_in_the_protocols_readme() -> None:
    from playground.sockets import close_codes

    text = (ROOT / "playground" / "sockets" / "README.md").read_text()
    named = {name: int(code) for code, name in re.findall(r"^\| (\d{4}) \| `(\w+)`", text, re.MULTILINE)}
    assert len(named) == 5
    assert {name: getattr(close_codes, name) for name in named} == named


def exceptions_defined_in(package: str) -> dict[str, list[str]]:
    """Names of the classes whose own name, or a base's, says that they are raised; with the names of their bases."""
    classes: dict[str, list[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    built_in = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)}

    def is_raised(name: str) -> bool:
        return name in built_in or any(map(is_raised, classes.get(name, [])))

    return {name: bases for name, bases in classes.items() if is_raised(name)}


@pytest.mark.parametrize(("package", "root"), [("playground", "PlaygroundError"), ("accounts", "AccountsError")])
def test_every_exception_descends_from_one_and_is_drawn(package: str, root: str) -> None:
    defined = exceptions_defined_in(package)
    del defined[root]
    assert len(defined) > 2

    def descends(name: str) -> bool:
        return name == root or any(map(descends, defined.get(name, [])))

    assert [name for name in defined if not descends(name)] == []
    tree = INSIDE.partition("## Errors")[2].partition("\n## ")[0]
    drawn = set(re.findall(r"\w+", tree))
    assert [name for name in defined if not name.startswith("_") and name not in drawn] == []


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "tests" / "bench").glob("[!_]*.py")))
def test_every_bench_finds_what_it_imports(name: str) -> None:
    tree = ast.parse((ROOT / "tests" / "bench" / f"{name}.py").read_text())
    ours = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    for node in ours:
        if str(node.module).split(".")[0] in {"tests", "playground", "accounts"}:
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")
