"""Access keys: list, issue, revoke."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.access_key_form import AccessKeyForm
from accounts.models import AccessKey
from accounts.requests import AuthenticatedHttpRequest


def relay_address(request: HttpRequest) -> str:
    """The base URL to give to a client, without a trailing slash."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def access_keys(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The user's keys and a form for a new one. The answer to that form is the only place where a key is ever shown."""
    form = AccessKeyForm(request.POST or None, owner=request.user)
    context: dict[str, object] = {"form": form, "base_url": relay_address(request)}
    if form.is_valid():
        context["new_key"], context["secret"] = form.issue()
        context["form"] = AccessKeyForm(owner=request.user)
    context["keys"] = AccessKey.objects.owned_by(request.user).select_related("connection")
    template = "accounts/_access_keys.html" if request.htmx else "accounts/access_keys.html"
    return render(request, template, context)


@require_POST
@login_required
def revoke_access_key(request: AuthenticatedHttpRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(AccessKey.objects.owned_by(request.user), pk=key_id)
    key.revoke()
    messages.success(request, f"Key {key.name} revoked.")
    return redirect("access-keys")
