"""Connections: list, add, change, delete. Testing one needs the engine, so that view is the playground's."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.connection_form import ConnectionForm, HeaderRow
from accounts.models import Connection
from accounts.requests import AuthenticatedHttpRequest


@require_safe
@login_required
def connections(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The upstreams this user can send to: their own, the operator's, the sandbox."""
    usable = Connection.objects.usable_by(request.user)
    return render(request, "accounts/connections.html", {"connections": usable})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_connection(request: AuthenticatedHttpRequest) -> HttpResponse:
    return edit(request, ConnectionForm(request.POST or None, owner=request.user))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_connection(request: AuthenticatedHttpRequest, connection_id: UUID) -> HttpResponse:
    connection = get_object_or_404(Connection.objects.owned_by(request.user), pk=connection_id)
    return edit(request, ConnectionForm(request.POST or None, instance=connection, owner=request.user))


def edit(request: HttpRequest, form: ConnectionForm) -> HttpResponse:
    if form.is_valid():
        connection = form.save()
        messages.success(request, f"{connection.name} saved. Press Test to check that it responds.")
        return redirect("connections")
    return render(request, "accounts/connection_form.html", {"form": form, "connection": form.instance})


@require_safe
@login_required
def header_row(request: AuthenticatedHttpRequest) -> HttpResponse:
    """One more empty row for the default headers."""
    return render(request, "accounts/_header_row.html", {"row": HeaderRow()})


@require_POST
@login_required
def delete_connection(request: AuthenticatedHttpRequest, connection_id: UUID) -> HttpResponse:
    """Delete a connection and the access keys that point at it. What was sent through it stays in the log."""
    connection = get_object_or_404(Connection.objects.owned_by(request.user), pk=connection_id)
    connection.delete()
    messages.success(request, f"{connection.name} deleted.")
    return redirect("connections")
