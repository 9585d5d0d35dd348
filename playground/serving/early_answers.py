"""Answers without Django: whether the process is alive, and static files.

Our own server asks before it makes an application for the request, at a tenth of Django's cost; the ASGI application
asks again, for other servers.
"""

from __future__ import annotations

from typing import Any

from playground.identity.asgi_types import Scope
from playground.serving.static_files import answer_static_file
from playground.views.health import answer_alive


def early_answer(scope: Scope) -> list[dict[str, Any]] | None:
    """The messages of the answer, or None. Needs `method`, `headers` and `path`, the one inside the site."""
    return answer_alive(scope) if scope["path"] == "/healthz" else answer_static_file(scope)
