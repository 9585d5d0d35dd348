"""Ask a connection what of the Messages API it has, and say in words what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import Connection
from playground.dispatch.connection_checks import Check, check_count, check_list, check_message, verdict
from playground.dispatch.launch import Refused
from playground.drafts.outgoing import within_limits
from playground.models import Run
from playground.protocol.foreign_text import without_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_MODELS = 5
LONGEST_ID = 100
LONGEST_RESULT = 300
USUAL_MODEL = "claude-haiku-4-5"  # asked about where neither a list nor an earlier request names another


@require_POST
@login_required
async def connection_test(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Test a connection the user can use; answers with its card. Stored are our words, never the answer.

    With `message` a short message is sent to `model`, which may cost a token; else nothing that costs.
    """
    # Kept on the request: the page of a 404 is rendered in a thread that would open a database connection to ask again.
    user = request.user = await request.auser()
    connection = await database_sync_to_async(Connection.objects.usable_by(user).filter(pk=connection_id).first)()
    if connection is None:
        raise Http404
    usual = request.POST.get("model", "").strip() or await database_sync_to_async(last_model)(user, connection)
    try:
        async with within_limits(request):
            checks = await look(connection, usual, with_message="message" in request.POST)
    except Refused as refused:
        checks = [Check("request", works=False, words=refused.reason)]
    return HttpResponse(await database_sync_to_async(keep_and_show)(connection, checks, usual))


def last_model(user: Any, connection: Connection) -> str:
    """The model that was asked for last through this connection."""
    runs = Run.objects.owned_by(user).filter(connection=connection).exclude(model="").newest_first()
    return runs.values_list("model", flat=True).first() or USUAL_MODEL


async def look(connection: Connection, model: str, *, with_message: bool) -> list[Check]:
    says_why = not connection.is_for_everyone
    if with_message:
        return [await check_message(connection, model, says_why=says_why)]
    listed = await check_list(connection, says_why=says_why)
    if listed.status is None:  # nobody answers
        return [listed]
    return [listed, await check_count(connection, first_model(listed) or model, says_why=says_why)]


def first_model(listed: Check) -> str:
    return listed.models[0]["id"] if listed.models else ""


def names(models: list[dict[str, Any]]) -> list[str]:
    """The first few ids, each cut to a sane length, and how many more there are."""
    first = [model["id"][:LONGEST_ID] for model in models[:SHOWN_MODELS]]
    return [*first, f"and {len(models) - SHOWN_MODELS} more"] if len(models) > SHOWN_MODELS else first


def in_words(check: Check) -> str:
    """What came of a check, with its name unless the words speak for themselves."""
    return check.words if check.models or check.status is None else f"{check.name}: {check.words}"


def keep_and_show(connection: Connection, checks: Sequence[Check], model: str) -> str:
    summary = "; ".join(in_words(check) for check in checks)
    words = without_controls(summary)[:LONGEST_RESULT]
    connection.tested_at, connection.test_passed, connection.test_result = timezone.now(), verdict(checks), words
    connection.save(update_fields=["tested_at", "test_passed", "test_result"])
    context = {
        "connection": connection,
        "checks": checks,
        "models": names(checks[0].models),
        "model": first_model(checks[0]) or model,
        "may_try_message": checks[0].status is not None,
        "was_just_tested": True,
    }
    return render_to_string("accounts/_connection_card.html", context)
