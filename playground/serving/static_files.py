"""Static files: collected once with a hash in each name, joined, compressed, and served before Django.

`serve` collects them into the data folder when one of them has changed, in about two seconds. Without that (in tests,
behind another server) they come from where they lie, under their plain names.
"""

from __future__ import annotations

import hashlib
import shutil
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder, get_finders
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

from playground.identity.asgi_types import Scope
from playground.serving import bundles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from whitenoise.responders import StaticFile

_MARK = "collected.sha256"
_ACE = "django_ace/ace/"
# What our pages load of two large packages: of the editor's 660 files those for JSON, of htmx one version.
_USED = {
    "django_ace": (
        *(_ACE + name for name in ("ace.js", "ext-searchbox.js", "mode-json.js", "worker-json.js", "css/")),
        *(f"{_ACE}theme-{name}.js" for name in ("github_dark", "github_light_default")),
    ),
    "django_htmx": ("django_htmx/htmx-2.", "django_htmx/django-htmx.js"),
}


class UsedFilesFinder(AppDirectoriesFinder):
    """The packages' files that a page can ask for."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        for path, storage in super().list(ignore_patterns):
            if path.startswith(_USED.get(path.partition("/")[0], "")):
                yield path, storage


class HashedFilesStorage(CompressedManifestStaticFilesStorage):
    """Names with a hash of the file's content, in the imports of modules too; plain names for what is not collected."""

    manifest_strict = False
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        # Django's own patterns for modules want a semicolon at the end of an import.
        (
            "*.js",
            (
                (
                    r"""(?m)^(?P<matched>(?P<head>import\s*|(?:import|export)\b[^"'`;]*\bfrom\s*)"(?P<url>\.[^"]+)")""",
                    '%(head)s"%(url)s"',
                ),
                (r"""(?P<matched>\bimport\("(?P<url>\.[^"]+)"\))""", 'import("%(url)s")'),
            ),
        ),
    )

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Any:
        """Hash and compress the files; of the entries their bundles."""
        joined = InMemoryStorage()

        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read().decode())

        for name in [each for each in paths if each.startswith(bundles.ENTRIES)]:
            joined.save(name, ContentFile(bundles.bundled(name, read)))
            paths = paths | {name: (joined, name)}
        return super().post_process(paths, dry_run=dry_run, **options)

    def stored_name(self, name: str) -> str:
        stored: str = self.hashed_files.get(self.hash_key(self.clean_name(name)), name)
        return stored


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, but it reads the file: handed an open one, ASGI's handler reads it whole all the same, and warns."""

    def add_cache_headers(self, headers: Any, path: str, url: str) -> None:
        """The editor loads its parts by their plain names, which change with its version only."""
        super().add_cache_headers(headers, path, url)
        if _ACE in url and not self.immutable_file_test(path, url):
            headers["Cache-Control"] = "max-age=86400, public"

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        status, headers, content = _read(static_file, request.method or "GET", request.META)
        response = HttpResponse(content, status=status)
        del response["content-type"]
        for name, value in headers:
            response[name] = value
        return response


def _read(static_file: StaticFile, method: str, meta: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    answer = static_file.get_response(method, meta)
    content = b""
    if answer.file is not None:
        with answer.file:
            content = answer.file.read()
    return int(answer.status), list(answer.headers), content


@lru_cache(maxsize=1)
def _served_files() -> StaticFilesMiddleware:
    return StaticFilesMiddleware(lambda _request: None)  # looks for all files once


def look_up_files() -> None:
    """Before there are requests: the first one, and every stream beside it, would wait for half a second."""
    _served_files()


def answer_static_file(scope: Scope) -> list[dict[str, Any]] | None:
    """The messages that answer a request for a static file; None when it is for none."""
    if scope["method"] not in {"GET", "HEAD"} or settings.DEBUG:
        return None  # while debugging, Django's middleware looks for the file each time
    static_file = _served_files().files.get(scope["path"])
    if static_file is None:
        return None
    named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in named}
    status, headers, content = _read(static_file, scope["method"], meta)
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return [
        {"type": "http.response.start", "status": status, "headers": [*pairs, *_always()]},
        {"type": "http.response.body", "body": content},
    ]


def _always() -> list[tuple[bytes, bytes]]:
    headers = [(b"x-content-type-options", b"nosniff")]
    if settings.SECURE_HSTS_SECONDS:  # in Django's words: browsers keep what they were told last
        value = f"max-age={settings.SECURE_HSTS_SECONDS}"
        value += "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        value += "; preload" if settings.SECURE_HSTS_PRELOAD else ""
        headers.append((b"strict-transport-security", value.encode()))
    return headers


def collect() -> None:
    """Collect and compress the static files into `STATIC_ROOT`, if they are not there as they are now."""
    assert settings.STATIC_ROOT is not None  # only tests have none
    root = Path(settings.STATIC_ROOT)
    mark = root / _MARK
    fingerprint = _fingerprint()
    if mark.exists() and mark.read_text() == fingerprint:
        return
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True, mode=0o700)
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(fingerprint)  # last: an interrupted start collects again


def _fingerprint() -> str:
    """Changes with every file and with what makes the names."""
    digest = hashlib.sha256(f"{django.__version__} {version('whitenoise')}".encode())
    digest.update(Path(bundles.__file__).read_bytes())
    for path, full in sorted(_files()):
        about = Path(full).stat()
        digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files() -> Iterator[tuple[str, str]]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            yield path, storage.path(path)
