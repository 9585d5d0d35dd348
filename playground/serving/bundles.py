"""One file for all that a page imports: what a browser would ask for file by file, it gets at once.

The entries below `static/entries/` say what a page loads, as style sheets and modules do: by imports. Where static
files are not collected, a browser follows those itself. Collecting puts each imported file where it was named, which
works because only the forms of import and export that our own files have are known, and any other is an error.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from playground.exceptions import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str], str]

ENTRIES = "entries/"
_STYLES = re.compile(r'^@import\b(?: "(?P<url>[^":]+)";$)?.*\n?', re.MULTILINE)
_IMPORT = re.compile(r'^import\b(?: (?:\{ (?P<names>[\w, ]+) \} from )?"(?P<url>\.[^"]+\.js)"$)?.*\n?', re.MULTILINE)
_EXPORT = re.compile(
    r"^export\b(?P<kept> (?:(?:async )?function|class|const) (?P<name>\w+)(?=[ (]))?.*?$", re.MULTILINE
)
# What means something else, or nothing, inside of a function of another file.
_UNMOVABLE = re.compile(r"\bimport\.meta\b|\bimport\(|^(?:for )?await\b", re.MULTILINE)


class BundleError(PlaygroundError, ValueError):
    """A file that cannot be put into another one."""


def bundled(name: str, read: Read) -> str:
    """The text of an entry with all that it imports; `read` gives a file's text by its name."""
    return _styles(name, read) if name.endswith(".css") else _Modules(read).all_of(name)


def _styles(name: str, read: Read) -> str:
    text = read(name)
    if re.search(r"\burl\((?!['\"]?data:)", text):
        raise BundleError(f"{name} names another file, whose place would change")

    def put_in(match: re.Match[str]) -> str:
        if match["url"] is None:
            raise BundleError(f"{name}: no known form of import: {match[0].strip()}")
        return _styles(_beside(name, match["url"]), read)

    return _STYLES.sub(put_in, text)


class _Modules:
    """Modules in the order in which a browser runs them, each once, in a function that returns what it exports."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.names: dict[str, str] = {}
        self.exported: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.texts: list[str] = []

    def all_of(self, name: str) -> str:
        self.add(name)
        return "\n".join(self.texts)

    def add(self, name: str) -> str:
        """Put a module behind those that it imports; the name that its exports have."""
        if name in self.open:
            raise BundleError(f"modules import each other: {' '.join(self.open)}")
        if name not in self.names:
            self.open.append(name)
            self.texts.append(self._in_a_function(name))
            self.open.remove(name)
        return self.names[name]

    def _in_a_function(self, name: str) -> str:
        text = self.read(name)
        if (unmovable := _UNMOVABLE.search(text)) is not None:
            raise BundleError(f"{name}: cannot be put into another file: {unmovable[0]}")
        exported = self.exported[name] = []

        def take(match: re.Match[str]) -> str:
            if match["url"] is None:
                raise BundleError(f"{name}: no known form of import: {match[0].strip()}")
            source = _beside(name, match["url"])
            given = self.add(source)
            names = [each.strip() for each in (match["names"] or "").split(",") if each]
            if not {each.split()[0] for each in names} <= set(self.exported[source]):
                raise BundleError(f"{name}: not all of this is exported: {match[0].strip()}")
            return f"const {{ {', '.join(names).replace(' as ', ': ')} }} = {given}\n" if names else ""

        def keep(match: re.Match[str]) -> str:
            if match["kept"] is None:
                raise BundleError(f"{name}: no known form of export: {match[0].strip()}")
            exported.append(match["name"])
            return match[0].removeprefix("export ")

        text = _EXPORT.sub(keep, _IMPORT.sub(take, text))
        self.names[name] = f"$module{len(self.names)}"
        return f"const {self.names[name]} = (() => {{\n{text}\nreturn {{ {', '.join(exported)} }}\n}})()\n"


def _beside(name: str, url: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), url))
