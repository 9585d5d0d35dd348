"""Tells whether the process lives, and whether it can serve.

`answer_alive` answers before Django, so that a probe costs next to nothing; the view stands behind other servers.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from playground.dispatch import process
from playground.identity.asgi_types import Scope

_OK = b"ok\n"
_HEADERS = [
    (b"content-type", b"text/plain"),
    (b"content-length", b"3"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all: who gets no answer restarts it. Asks nothing else."""
    return HttpResponse(_OK, content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 while runs can be started and are stored, else 503 with the reason: who balances load sends nobody here.

    Without Redis a process still serves, so that is said, and no reason.
    """
    here = process.current()
    problem = _database_problem() or here.recorder.problem
    message = problem or ("ok" if here.live.problem is None else f"ok, but {here.live.problem}")
    return HttpResponse(f"{message}\n", status=503 if problem else 200, content_type="text/plain")


def _database_problem() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return "the database does not answer"
    return None


def answer_alive(scope: Scope) -> list[dict[str, Any]]:
    """The messages that say so, for any host's name: probes ask by address."""
    is_safe = scope["method"] in {"GET", "HEAD"}
    headers = _HEADERS if is_safe else [(b"allow", b"GET, HEAD"), (b"content-length", b"0")]
    body = _OK if scope["method"] == "GET" else b""
    return [
        {"type": "http.response.start", "status": 200 if is_safe else 405, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]
