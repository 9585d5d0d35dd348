"""Ask a connection for its models, and say in words what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Connection
from playground import dispatch
from playground.views.outgoing import within_limits

if TYPE_CHECKING:
    from playground.dispatch import Fetched

SHOWN_MODELS = 5
LONGEST_ID = 100
LONGEST_RESULT = 300
# Statuses of servers that speak the Messages API and have no list of models.
NO_LIST = {404, 405, 501}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found. `passed` is None when requests may work although the test could not tell."""

    passed: bool | None
    words: str
    models: list[str] = field(default_factory=list)


@require_POST
@login_required
async def connection_test(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Test a connection the user can use; answers with its card. Stored are our words, never the answer."""
    # Kept on the request: the page of a 404 is rendered in a thread that would open a database connection to ask again.
    user = request.user = await request.auser()
    connection = await database_sync_to_async(Connection.objects.usable_by(user).filter(pk=connection_id).first)()
    if connection is None:
        raise Http404
    finding = await look(request, connection)
    return HttpResponse(await database_sync_to_async(keep_and_show)(connection, finding))


async def look(request: HttpRequest, connection: Connection) -> Finding:
    began = time.monotonic()
    try:
        with within_limits(request):
            fetched = await dispatch.fetch_models(connection)
    except dispatch.Refused as refused:
        return Finding(passed=False, words=refused.reason)
    return read(fetched, round((time.monotonic() - began) * 1000), says_why=not connection.is_for_everyone)


def read(fetched: Fetched, took_ms: int, *, says_why: bool) -> Finding:
    """The finding of an answer. `says_why` off: the upstream's own words are left out, they are about the
    operator's account."""
    if fetched.status in NO_LIST:
        return Finding(passed=None, words=f"answers (HTTP {fetched.status}) but lists no models, {took_ms} ms")
    if fetched.failure is not None:
        is_theirs = fetched.failure.kind == "http_status"
        return Finding(passed=False, words=fetched.failure.message if says_why or not is_theirs else refusal(fetched))
    answer = fetched.json
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        return Finding(passed=None, words=f"answers, but not with a list of models, {took_ms} ms")
    models = dispatch.models_in(answer)
    more = "more than " if answer.get("has_more") is True else ""
    count = f"{more}{len(models)} model{'' if len(models) == 1 else 's'}"
    return Finding(passed=True, words=f"{count}, {took_ms} ms", models=names(models))


def refusal(fetched: Fetched) -> str:
    return f"refuses (HTTP {fetched.status})"


def names(models: list[dict[str, Any]]) -> list[str]:
    """The first few ids, each cut to a sane length, and how many more there are."""
    first = [model["id"][:LONGEST_ID] for model in models[:SHOWN_MODELS]]
    return [*first, f"and {len(models) - SHOWN_MODELS} more"] if len(models) > SHOWN_MODELS else first


def keep_and_show(connection: Connection, finding: Finding) -> str:
    words = "".join(character for character in finding.words if character.isprintable())[:LONGEST_RESULT]
    connection.tested_at, connection.test_passed, connection.test_result = timezone.now(), finding.passed, words
    connection.save(update_fields=["tested_at", "test_passed", "test_result"])
    context = {"connection": connection, "models": finding.models, "was_just_tested": True}
    return render_to_string("accounts/_connection_card.html", context)
