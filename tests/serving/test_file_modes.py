"""What is in the data folder is its owner's alone, whatever the umask."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from playground.configuration.data_folder import open_data_folder, protect_file, protect_tree
from tests.serving.rig import manage


def modes(folder: Path) -> dict[str, int]:
    """What others may do with anything in this folder; empty when nothing."""
    paths = [folder, *folder.rglob("*")]
    return {path.name: mode for path in paths if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077}


def test_a_server_started_with_an_open_umask_leaves_nothing_readable(used_folder: Any) -> None:
    assert {"playground.sqlite3", "playground.sqlite3-wal"} <= set(used_folder.modes)
    assert {name: mode for name, mode in used_folder.modes.items() if mode & 0o077} == {}


@pytest.mark.slow
def test_so_do_the_commands_that_make_the_database(tmp_path: Path) -> None:
    manage(tmp_path / "var", "migrate")
    assert modes(tmp_path / "var") == {}


@pytest.mark.slow
def test_an_existing_folder_is_mended_at_the_start(serve: Any, tmp_path: Path) -> None:
    manage(tmp_path / "var", "migrate")
    inside = tmp_path / "var/files/attachments/ab"
    inside.mkdir(parents=True)
    (inside / "cd").write_bytes(b"x")
    for path in [tmp_path / "var", *(tmp_path / "var").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    serve().url()
    assert modes(tmp_path / "var") == {}


def test_uploaded_files_are_their_owners_alone(tmp_path: Path, settings: Any) -> None:
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    settings.MEDIA_ROOT = tmp_path / "files"
    storages["default"].save("attachments/ab/cd", ContentFile(b"x" * 3_000_000))
    protect_tree(tmp_path / "files")
    assert modes(tmp_path / "files") == {}


def test_somebody_elses_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("not ours")
    open_data_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_the_files_beside_a_database_are_mended_too(tmp_path: Path, ending: str) -> None:
    (tmp_path / "db.sqlite3").touch()
    (tmp_path / f"db.sqlite3{ending}").touch()
    (tmp_path / f"db.sqlite3{ending}").chmod(0o666)
    protect_file(tmp_path / "db.sqlite3")
    assert stat.S_IMODE((tmp_path / f"db.sqlite3{ending}").stat().st_mode) == 0o600
