"""The documentation is read by tests, so that it stays true."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines()]


def test_the_readmes_table_names_every_setting_and_no_other() -> None:
    sources = [ROOT / "playground/settings.py", ROOT / "manage.py", ROOT / "tests/browser.py"]
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
