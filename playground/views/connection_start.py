"""Leads from a connection to its first answer: a new one is tested when it is saved, and one that answers is chosen
with a model of its own, as any is from the list of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Connection
from accounts.views.connections import add_connection
from playground.composer import model_list
from playground.composer.model_list import ModelList
from playground.dispatch.connection_checks import Check
from playground.dispatch.launch import Refused
from playground.drafts import editing, request_changes
from playground.drafts.outgoing import within_limits
from playground.identity import asking_page
from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import Conversation
from playground.views.connection_test import USUAL_MODEL, keep_and_show, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
async def add_and_use(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The form for a new connection. Once saved it is tested; one that answers is what the playground sends to."""
    user: Any = await request.auser()
    request.user = user
    known = await database_sync_to_async(_own_ids)(request)
    response = await database_sync_to_async(add_connection)(request)
    if response.status_code != 302 or request.method != "POST":
        return response
    connection = await database_sync_to_async(_new_one)(request, known)
    if connection is None:
        return response
    try:
        async with within_limits(request):
            checks = await look(connection, USUAL_MODEL, with_message=False)
    except Refused as refused:
        checks = [Check("request", works=False, words=refused.reason)]
    return await database_sync_to_async(_opened)(request, connection, checks)


@login_required
@require_POST
def use(request: AuthenticatedHttpRequest, connection_id: UUID | None = None) -> HttpResponse:
    """Make a connection, or the sandbox, the one that the playground sends to, and open the playground."""
    connection = None
    if connection_id is not None:
        connection = Connection.objects.usable_by(request.user).filter(pk=connection_id).first()
        if connection is None:
            raise Http404
    name = connection.name if connection else "the sandbox"
    listed = model_list.remembered(connection)
    try:
        model = _choose(request, connection, [str(each["id"]) for each in listed.models] if listed else [])
    except editing.ConflictError:
        messages.warning(request, f"Your request was changed in another tab. Choose {name} in the connection menu.")
    else:
        messages.success(request, f"Requests are sent to {name}." + (f" Model: {model}." if model else ""))
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("playground")})


def _own_ids(request: AuthenticatedHttpRequest) -> set[UUID]:
    if not request.user.is_authenticated:
        return set()
    return set(Connection.objects.owned_by(request.user).values_list("pk", flat=True))


def _new_one(request: AuthenticatedHttpRequest, known: set[UUID]) -> Connection | None:
    return Connection.objects.owned_by(request.user).exclude(pk__in=known).first()


def _opened(request: HttpRequest, connection: Connection, checks: Sequence[Check]) -> HttpResponse:
    """Keep what the test found, and lead on: to the playground, or to the connections when nothing answers."""
    list(messages.get_messages(request))  # the form's own word, "Press Test": it was tested just now
    keep_and_show(connection, checks, USUAL_MODEL)
    if connection.test_passed is False:
        messages.error(request, f"{connection.name} saved, but the test failed: {connection.test_result}")
        return redirect("connections")
    home = _home(request)
    ids = [str(model["id"]) for model in checks[0].models]
    if checks[0].models:
        model_list.remember(connection, ModelList(checks[0].models))
    try:
        model = _choose(request, connection, ids)
    except editing.ConflictError:
        messages.warning(request, f"{connection.name} saved. Choose it in the connection menu.")
        return home
    chosen = f" Model: {model}." if model else ""
    messages.success(request, f"Connected to {connection.name}: {connection.test_result}.{chosen}")
    return home


def _home(request: HttpRequest) -> HttpResponse:
    """The way back to the page that asked for a connection, which is the one to use it."""
    try:
        conversation_id = UUID(request.GET.get("conversation", ""))
    except ValueError:
        return redirect("playground")
    if not Conversation.objects.owned_by(request.user).filter(pk=conversation_id).exists():
        return redirect("playground")
    asking_page.ask_for(request, conversation_id)
    return redirect("conversation", conversation_id)


def _choose(request: HttpRequest, connection: Connection | None, ids: list[str]) -> str:
    """Make the connection the one that the draft is sent to, with a model that it has. Returns the model."""
    form = editing.open_form(request)
    request_changes.connect(request, form, str(connection.pk) if connection else "")
    if ids and form.model not in ids and form.can_be_drawn:
        form.write(form.body | {"model": ids[0]})
    editing.keep(request, form)
    return form.model
