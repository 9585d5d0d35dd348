"""Sign up, log in, log out."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_client_ip_address, get_cool_off
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.account_forms import LoginForm, SignUpForm

# Ours alone: the lock-out's backend comes first in the settings, but only the model's can load a user.
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
HOUR_S = 3600

log_in = LoginView.as_view(
    template_name="accounts/login.html", authentication_form=LoginForm, redirect_authenticated_user=True
)
log_out = LogoutView.as_view()


def next_page(request: HttpRequest) -> str:
    """Return the page to open after signing up: the form's `next` if that is an address of this site, else the
    playground."""
    next_address = request.POST.get("next", request.GET.get("next", ""))
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(next_address, allowed_hosts=hosts, require_https=request.is_secure())
    # A word without a slash would be taken for the name of a page.
    return next_address if is_ours and next_address.startswith("/") else reverse("playground")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new account, signed in at once. 403 where the operator has closed signing up."""
    if request.user.is_authenticated:
        return redirect(next_page(request))
    if not settings.SIGN_UP_OPEN:
        return render(request, "accounts/sign_up_closed.html", status=403)
    form = SignUpForm(request.POST or None)
    status = 200
    if form.is_valid():
        if may_sign_up(request):
            login(request, form.save(), backend=MODEL_BACKEND)
            return redirect(next_page(request))
        form.add_error(None, "Too many accounts were created from your address. Try again in an hour.")
        status = 429
    return render(request, "accounts/sign_up.html", {"form": form, "next": request.GET.get("next", "")}, status=status)


def may_sign_up(request: HttpRequest) -> bool:
    """Return whether one more account may be made from this address, counted over all processes. Without this, no limit
    of an account would hold: anybody could have as many accounts as they like."""
    most = settings.SIGN_UPS_PER_HOUR
    key = f"sign-ups:{get_client_ip_address(request)}"
    cache = caches["shared"]
    made = cache.get(key, 0)
    if most and made >= most:
        return False
    cache.set(key, made + 1, HOUR_S)
    return True


def locked_out(request: HttpRequest, _response: Any = None, _credentials: Any = None) -> HttpResponse:
    """Shown instead of any page that asked for a password, after too many wrong ones. It ends by itself."""
    cool_off_s = int(get_cool_off(request).total_seconds())
    response = render(request, "accounts/locked_out.html", {"minutes": -(-cool_off_s // 60)}, status=429)
    response.headers["Retry-After"] = str(cool_off_s)
    return response
