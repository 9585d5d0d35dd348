"""The account's own page: password, what is kept, leaving."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.people import DeleteAccountForm, KeepContentForm, PasswordChangeForm
from accounts.leaving import delete_with_everything, what_goes
from accounts.models import User


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/account.html", {"keep_form": KeepContentForm(instance=request.user)})


@require_POST
@login_required
def keep_content(request: HttpRequest) -> HttpResponse:
    """Switch on or off whether new requests are kept whole."""
    form = KeepContentForm(request.POST, instance=request.user)
    if form.is_valid():
        form.save()
        kept = "New requests are kept whole." if request.user.keep_content else "Of new requests only figures are kept."
        messages.success(request, kept)
    return redirect("account")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password. This session stays, every other one ends, sockets included."""
    form = PasswordChangeForm(request, request.POST or None)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, "The password is changed. Everywhere else you have been logged out.")
        return redirect("account")
    return render(request, "accounts/change_password.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_account(request: HttpRequest) -> HttpResponse:
    """Say what will go, ask for the password, delete the user and all that is theirs."""
    form = DeleteAccountForm(request, request.POST or None)
    if form.is_valid():
        user = User.objects.get(pk=request.user.pk)
        logout(request)
        delete_with_everything(user)
        messages.success(request, "Your account and everything in it is deleted.")
        return redirect("playground")
    return render(request, "accounts/delete_account.html", {"form": form, "what_goes": what_goes(request.user)})
