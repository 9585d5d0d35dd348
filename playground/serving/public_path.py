"""Puts the site below a path of its host: `PLAYGROUND_PUBLIC_URL=https://example.org/playground`.

The proxy in front may pass the path on as it is, or take the prefix off: both arrive.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import set_script_prefix

from playground.identity.asgi_types import Scope


def local_path(path: str) -> str:
    """The path inside the site."""
    prefix: str = settings.PUBLIC_PATH
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/"
    return path


def inside(scope: Scope) -> dict[str, Any]:
    """The scope for an application that knows no prefix. Addresses it makes with `reverse` have it all the same."""
    if settings.PUBLIC_PATH:
        set_script_prefix(settings.PUBLIC_PATH)
    return {**scope, "path": local_path(scope["path"]), "root_path": ""}


def for_django(scope: Scope) -> dict[str, Any]:
    """The scope for Django, which takes `FORCE_SCRIPT_NAME` off the path again. A client cannot name another root, as
    Daphne would let it."""
    return {**scope, "path": settings.PUBLIC_PATH + local_path(scope["path"]), "root_path": settings.PUBLIC_PATH}
