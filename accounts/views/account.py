"""The account's own page: password, what is kept, leaving."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.account_forms import DeleteAccountForm, KeepContentForm, PasswordChangeForm
from accounts.leaving import delete_with_everything, deletion_summary
from accounts.models import User
from accounts.requests import AuthenticatedHttpRequest


@require_safe
@login_required
def account(request: AuthenticatedHttpRequest) -> HttpResponse:
    return render(request, "accounts/account.html", {"keep_form": KeepContentForm(instance=request.user)})


@require_POST
@login_required
def keep_content(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Switch on or off whether new requests are kept whole."""
    form = KeepContentForm(request.POST, instance=request.user)
    if form.is_valid():
        form.save()
        kept = (
            "The content of new requests will be stored."
            if request.user.keep_content
            else "Only times, tokens and cost of new requests will be stored."
        )
        messages.success(request, kept)
    return redirect("account")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_password(request: AuthenticatedHttpRequest) -> HttpResponse:
    """A new password. This session stays, every other one ends, sockets included."""
    form = PasswordChangeForm(request, request.POST or None)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, "Password changed. You have been logged out everywhere else.")
        return redirect("account")
    return render(request, "accounts/change_password.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_account(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Say what will go, ask for the password, delete the user and all that is theirs."""
    form = DeleteAccountForm(request, request.POST or None)
    if form.is_valid():
        user = User.objects.get(pk=request.user.pk)
        logout(request)
        delete_with_everything(user)
        messages.success(request, "Your account and everything in it were deleted.")
        return redirect("playground")
    return render(
        request, "accounts/delete_account.html", {"form": form, "deletion_summary": deletion_summary(request.user)}
    )
