"""The secrets of a first start: made once, whole, readable by their owner only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.configuration.data_folder import open_data_folder, read_or_make_secret


def test_the_folder_and_its_secrets_belong_to_their_owner_only(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path / "var")
    read_or_make_secret(folder / "secret_key")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600


def test_many_first_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: read_or_make_secret(tmp_path / "key"), range(64)))
    assert len(secrets) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_empty_secret_is_refused_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    with pytest.raises(SystemExit, match="Restore it from a backup"):
        read_or_make_secret(tmp_path / "key")
    assert (tmp_path / "key").read_text() == ""


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="Set PLAYGROUND_DATA"):
        open_data_folder(tmp_path / "file" / "var")
