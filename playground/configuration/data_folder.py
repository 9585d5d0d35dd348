"""The folder that holds what the playground must not lose: its secrets, the SQLite database, uploaded files."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OURS = ("secret_key", "vault_key")  # a folder that holds one of these is the playground's own


def open_data_folder(path: Path) -> Path:
    """Make the folder, and what is in it, readable by its owner only, whatever the umask. One that exists already is
    mended. Raises SystemExit, in words, when there can be no folder."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()}
    except OSError as problem:
        raise SystemExit(f"cannot create the data folder {path} ({problem.strerror}). Set PLAYGROUND_DATA.") from None
    if not names or names & set(OURS):  # never somebody else's folder, such as /tmp
        _close_to_others(path, 0o700)
        for name in (*OURS, "files"):
            if name in names:
                _close_to_others(path / name, 0o700 if name == "files" else 0o600)
    return path


def protect_file(path: Path) -> None:
    """Make this file, or take it from others: SQLite gives the files beside its database (`-wal`, `-shm`) the
    database's own mode."""
    if path.exists():
        for ending in ("", "-wal", "-shm", "-journal"):
            _close_to_others(path.with_name(path.name + ending), 0o600)
    elif path.parent.is_dir():
        with suppress(OSError):  # a folder that cannot be written to is named by SQLite's own error
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def protect_tree(folder: Path) -> None:
    """Take all files below this folder from others."""
    for parent, _, names in os.walk(folder):
        _close_to_others(Path(parent), 0o700)
        for name in names:
            _close_to_others(Path(parent, name), 0o600)


def _close_to_others(path: Path, mode: int) -> None:
    with suppress(FileNotFoundError):
        now = path.lstat().st_mode
        if stat.S_ISLNK(now) or not now & 0o077:
            return
        try:
            path.chmod(mode)
        except OSError as problem:
            print(f"{path} can be read by others, and cannot be closed to them ({problem.strerror}).", file=sys.stderr)


@contextmanager
def one_at_a_time(lock_file: Path) -> Iterator[None]:
    """Hold a lock against other processes of this machine that would do the same in this folder."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def read_or_make_secret(path: Path) -> str:
    """Return the secret in this file; the first caller makes it.

    The file is complete before it has its name (a hard link, which fails if the name is taken), so of two first
    starts at once both get the same secret, and an interrupted one leaves none that is half written.
    An empty file is refused rather than replaced: what it encrypted would be lost.
    """
    if not path.exists():
        making = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(making, path)
        except FileExistsError:
            pass
        finally:
            making.unlink()
    secret = path.read_text().strip()
    if not secret:
        raise SystemExit(f"{path} is empty. Restore it from a backup: what it encrypted cannot be read without it.")
    return secret
