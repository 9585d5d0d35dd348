"""Settings from environment variables: read with their kind and bounds, and refused in one sentence each.

An empty value counts as none, as compose files and systemd units write it. Values are echoed in the sentences, except
those that may hold a secret.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from environs import Env, EnvError

if TYPE_CHECKING:
    import builtins  # in the class, `str` and `int` are readers
    from collections.abc import Callable, Iterable

PREFIX = "PLAYGROUND_"
T = TypeVar("T")
_MOST_S = 10_000_000.0  # about four months: more would overflow timers
_MOST_INT = 2**53
_NEAR = 0.6  # see difflib.get_close_matches


class Environment:
    """Each reader returns the value, or the default when there is none or when it is wrong; `problems` has what is
    wrong, a sentence each, so that one start names all of it. `names` are those that were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.problems: list[str] = []
        self._env = Env()

    def str(
        self, name: builtins.str, default: builtins.str = "", *, one_of: Iterable[builtins.str] = ()
    ) -> builtins.str:
        text = self._text(name)
        if text and (choices := list(one_of)) and text not in choices:
            return self._wrong(name, f"one of {', '.join(choices)}", default)
        return text or default

    def bool(self, name: builtins.str, default: builtins.bool) -> builtins.bool:
        return bool(self._read(name, default, self._env.bool, "1 or 0"))

    def flag_of_extra(self, name: builtins.str, extra: builtins.str, package: builtins.str) -> builtins.bool:
        """A switch, off by default, for what needs the packages of an extra."""
        is_wanted = self.bool(name, False)
        if is_wanted and not _is_installed(package):
            self.problems.append(f"{name} needs more packages: pip install 'messages-playground[{extra}]'.")
        return is_wanted

    def int(
        self, name: builtins.str, default: builtins.int, *, least: builtins.int = 0, most: builtins.int = _MOST_INT
    ) -> builtins.int:
        value = self._read(name, default, self._env.int, f"a whole number, {least} or more")
        if value < least:
            return self._wrong(name, f"a whole number, {least} or more", default)
        return value if value <= most else self._wrong(name, f"a whole number, at most {most:,}", default)

    def float(
        self,
        name: builtins.str,
        default: builtins.float,
        *,
        may_be_infinite: builtins.bool = False,
        may_be_zero: builtins.bool = False,
    ) -> builtins.float:
        """A number above 0: seconds, or a factor."""
        expected = f"a number {'not below' if may_be_zero else 'above'} 0{', or inf' if may_be_infinite else ''}"
        value = self._read(name, default, lambda name: float(self._text(name)), expected)
        if math.isnan(value) or value < 0 or (value == 0 and not may_be_zero):
            return self._wrong(name, expected, default)
        if value > _MOST_S and not may_be_infinite:
            return self._wrong(name, f"a number, at most {_MOST_S:,.0f}", default)
        return value

    def list(
        self,
        name: builtins.str,
        default: Iterable[builtins.str] = (),
        *,
        of: Callable[[builtins.str], object] | None = None,
    ) -> builtins.list[builtins.str]:
        """Comma-separated. `of` raises ValueError, in words, for an entry that is wrong."""
        entries = [entry.strip() for entry in self._text(name).split(",") if entry.strip()]
        for entry in entries:
            try:
                if of is not None:
                    of(entry)
            except ValueError as problem:
                self.problems.append(f"{name} has an entry that cannot be used: {problem}.")
                return list(default)
        return entries or list(default)

    def url(self, name: builtins.str) -> builtins.str:
        """An address of http or https, perhaps with a path, without a slash at its end."""
        text = self._text(name).rstrip("/")
        if text and not is_site_address(text):
            return self._wrong(name, "an address such as https://playground.example or https://example.org/tools", "")
        return text

    def redis(self, name: builtins.str) -> builtins.str:
        text = self._text(name)
        try:
            parts = urlsplit(text)
            is_known = not text or (parts.scheme in {"redis", "rediss", "unix"} and bool(parts.hostname or parts.path))
            _ = parts.port
        except ValueError:
            is_known = False
        if not is_known:  # without the value: it may hold a password
            self.problems.append(f"{name} must be redis://user:password@host:port/number, or rediss://… for TLS.")
        return text if is_known else ""

    def database(self, name: builtins.str, default: builtins.str) -> dict[builtins.str, Any]:
        expected = "postgres://user:password@host/name, or sqlite:/// and a path"
        try:
            database: dict[str, Any] = self._env.dj_db_url(name, default) if self._text(name) else self._parsed(default)
            is_known = database.get("ENGINE") in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}
            is_known = is_known and database.get("NAME") not in {"", None, ":memory:"}
        except (EnvError, ValueError):
            is_known = False
        if is_known:
            return database
        self.problems.append(f"{name} must be {expected}.")  # without the value: it may hold a password
        return self._parsed(default)

    def unknown_names(self) -> builtins.list[tuple[builtins.str, builtins.str | None]]:
        """Variables with our prefix that are no settings, each with the name that is most like it."""
        present = {name for name in os.environ if name.startswith(PREFIX)}
        near = {name: difflib.get_close_matches(name, self.names, n=1, cutoff=_NEAR) for name in present - self.names}
        return [(name, matches[0] if matches else None) for name, matches in sorted(near.items())]

    def refuse_problems(self) -> None:
        """Raises SystemExit with all that is wrong, a sentence a line."""
        if self.problems:
            raise SystemExit("\n".join(self.problems))

    def _text(self, name: builtins.str) -> builtins.str:
        self.names.add(name)
        return os.environ.get(name, "").strip()

    def _read(self, name: builtins.str, default: T, read: Callable[[builtins.str], T], expected: builtins.str) -> T:
        if not self._text(name):
            return default
        try:
            return read(name)
        except (EnvError, ValueError, OverflowError):
            return self._wrong(name, expected, default)

    def _wrong(self, name: builtins.str, expected: builtins.str, default: T) -> T:
        value = os.environ.get(name, "").strip()
        self.problems.append(f"{name} is {_shown(value)}, but must be {expected}.")
        return default

    def _parsed(self, url: builtins.str) -> dict[builtins.str, Any]:
        import dj_database_url

        return dict(dj_database_url.parse(url))


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of a package it is in
        return False


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:60] + "…")


def is_site_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username is not None or re.search(r"\s|//", parts.path))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain


def origin(text: str) -> str:
    """Raises ValueError unless this is an origin: scheme, host and perhaps a port."""
    if not is_site_address(text) or urlsplit(text).path:
        raise ValueError(f"{_shown(text)} is not an origin such as https://playground.example")
    return text


def origin_or_any(text: str) -> str:
    return text if text == "*" else origin(text)


def trusted_origin(text: str) -> str:
    """Return the origin as Django takes it: `https://*.example.org` stands for all names below."""
    origin(text.replace("://*.", "://", 1))
    return text


def host(text: str) -> str:
    """Raises ValueError unless this is a host's name as Django's ALLOWED_HOSTS takes it."""
    if text == "*" or re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]", text):
        return text
    raise ValueError(f"{_shown(text)} is not a host name (write it without scheme, port and path)")
