"""The folder that holds what the playground must not lose: its secrets, the SQLite database, uploaded files."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def open_data_folder(path: Path) -> Path:
    """Make the folder readable by its owner only. Raises SystemExit, in words, when that cannot be done."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise SystemExit(f"cannot create the data folder {path} ({problem.strerror}). Set PLAYGROUND_DATA.") from None
    return path


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
