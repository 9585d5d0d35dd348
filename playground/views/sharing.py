"""Sharing, for the owner: choose, look, publish, and look after the links."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from playground.models import Conversation, Run, ShareLink
from playground.models.room import NoRoomError
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices
from playground.views.conversations import find as find_conversation

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_READERS = 100


def find_share(request: HttpRequest, share_id: UUID) -> ShareLink:
    """The asker's own share."""
    share = ShareLink.objects.owned_by(request.user).select_related("conversation", "run").filter(pk=share_id).first()
    if share is None:
        raise Http404("no such link")
    return share


def find_own_run(request: HttpRequest, run_id: UUID) -> Run:
    run = Run.objects.owned_by(request.user).select_related("content").filter(pk=run_id).first()
    if run is None:
        raise Http404("no such run")
    return run


# --- before it is published ---


@login_required
@require_http_methods(["GET", "POST"])
def share_conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _share(request, find_conversation(request, conversation_id))


@login_required
@require_http_methods(["GET", "POST"])
def share_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _share(request, find_own_run(request, run_id))


def _share(request: HttpRequest, thing: Conversation | Run) -> HttpResponse:
    """The page to choose on. Its three buttons: look through it again, preview, publish."""
    if request.method == "GET":
        return render(request, "playground/share_new.html", choosing(request, thing, Choices()))
    choices = Choices.read(request.POST.getlist("part"), request.POST.getlist("mask"))
    do = request.POST.get("do", "check")
    if do == "preview":
        share = publishing.prepare(thing, request.user, choices)  # type: ignore[arg-type]
        return redirect("share-preview", share_id=share.pk)
    if do == "publish":
        return _publish(request, thing, choices)
    context = choosing(request, thing, choices)
    template = "playground/_share_findings.html" if request.htmx else "playground/share_new.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def choosing(request: HttpRequest, thing: Conversation | Run, choices: Choices) -> dict[str, Any]:
    is_conversation = isinstance(thing, Conversation)
    there = publishing.contents_of(thing)
    return {
        "thing": thing,
        "title": thing.title if isinstance(thing, Conversation) else str(thing),
        "home": reverse("conversation" if is_conversation else "run", args=[thing.pk]),
        "action": reverse("conversation-share" if is_conversation else "run-share", args=[thing.pk]),
        "parts": [
            {"part": part, "chosen": part.name in choices.parts, "there": there.get(part.name, "")}
            for part in parts.PARTS
            if is_conversation or part.name != "branches"
        ],
        "findings": [
            {"finding": one, "masked": one.text in choices.masked} for one in publishing.findings(thing, choices)
        ],
        "public_links": settings.PUBLIC_LINKS,
        "lasts": publishing.DEFAULT_LASTS,
    }


def _publish(request: HttpRequest, thing: Conversation | Run, choices: Choices) -> HttpResponse:
    audience, readers, unknown = _audience(request)
    public = settings.PUBLIC_LINKS and "public" in request.POST
    if unknown or not (public or audience != ShareLink.Audience.NONE):
        problem = f"There is no user {', '.join(unknown)} here." if unknown else "Choose who may read it."
        context = choosing(request, thing, choices) | {"problem": problem}
        return render(request, "playground/share_new.html", context, status=422)
    try:
        share = publishing.prepare(thing, request.user, choices)  # type: ignore[arg-type]
        problem = "It is too large to be shared: leave the files out." if publishing.is_too_large(share) else ""
    except NoRoomError as no_room:
        problem = str(no_room)
    if problem:
        context = choosing(request, thing, choices) | {"problem": problem}
        return render(request, "playground/share_new.html", context, status=422)
    token = publishing.publish(
        share,
        lasts=request.POST.get("lasts", publishing.DEFAULT_LASTS),
        until=_end_of_day(request.POST.get("until", "")),
        passphrase=request.POST.get("passphrase", ""),
        public=public,
    )
    _set_audience(share, audience, readers, may_fork="may_fork" in request.POST)
    return render(request, "playground/share_done.html", {"share": share, "address": _address(request, token)})


def _address(request: HttpRequest, token: str | None) -> str:
    if token is None:
        return ""
    path = reverse("share", args=[token])
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _end_of_day(text: str) -> datetime | None:
    """The last moment of a day written as in `<input type="date">`; a day in the past ends at once."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return datetime.combine(day.date(), time.min, UTC) + timedelta(days=1)


def _audience(request: HttpRequest) -> tuple[str, list[Any], list[str]]:
    """Who inside the site may read it, and which names nobody here has."""
    audience = request.POST.get("audience", "none")
    if audience not in ShareLink.Audience.values:
        audience = "none"
    if audience != ShareLink.Audience.NAMED:
        return audience, [], []
    names = list(dict.fromkeys(request.POST.get("readers", "").replace(",", " ").split()))[:MOST_READERS]
    found = list(get_user_model().objects.filter(username__in=names, is_active=True).exclude(pk=request.user.pk))
    known = {user.get_username() for user in found}
    unknown = [name for name in names if name not in known and name != request.user.get_username()]
    return audience, found, unknown if names else ["whose name is empty"]


def _set_audience(share: ShareLink, audience: str, readers: list[Any], *, may_fork: bool) -> None:
    share.audience, share.readers_may_fork = audience, may_fork
    share.save(update_fields=["audience", "readers_may_fork"])
    share.readers.set(readers)


# --- afterwards ---


@login_required
@require_GET
def shares(request: HttpRequest) -> HttpResponse:
    """All links of the user, and what others share with them inside the site."""
    own = ShareLink.objects.owned_by(request.user).filter(published_at__isnull=False)
    context = {
        "shares": own.select_related("conversation").defer("packed_snapshot").order_by("-made_at")[:500],
        "shared_with_me": ShareLink.objects.readable_by(request.user)
        .select_related("owner")
        .defer("packed_snapshot")
        .order_by("-published_at")[:200],
    }
    return render(request, "playground/shares.html", context)


@login_required
@require_POST
def change_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """One of: update the copy, a new address, another expiry, revoke."""
    share = find_share(request, share_id)
    do = request.POST.get("do")
    if share.state in ("revoked", "taken down"):
        messages.warning(request, "This link is closed for good.")
    elif do == "revoke":
        share.revoke()
        messages.success(request, "The link is revoked; its copy is gone.")
    elif do == "update":
        return _update(request, share)
    elif do == "address" and settings.PUBLIC_LINKS:
        token = share.give_address()
        share.save(update_fields=["token_digest", "hint"])
        return render(request, "playground/share_done.html", {"share": share, "address": _address(request, token)})
    elif do == "expiry":
        publishing.set_expiry(share, request.POST.get("lasts", ""), _end_of_day(request.POST.get("until", "")))
        share.save(update_fields=["expires_at"])
        messages.success(request, "The expiry was changed.")
    return redirect(_home(share))


def _update(request: HttpRequest, share: ShareLink) -> HttpResponse:
    fresh = publishing.update(share)
    if fresh:
        context = {"share": share, "findings": fresh, "home": _home(share)}
        return render(request, "playground/share_update.html", context, status=409)
    messages.success(request, "The copy was updated; its address is the same.")
    return redirect(_home(share))


@login_required
@require_POST
def update_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """Update the copy after looking at what is new in it; what is ticked is masked from now on."""
    share = find_share(request, share_id)
    thing = share.conversation or share.run
    if not share.is_open or thing is None:
        raise Http404("nothing to update")
    masked = [*share.masked, *Choices.read([], request.POST.getlist("mask")).masked]
    publishing.fill(share, thing, Choices(parts.chosen(share.parts), tuple(dict.fromkeys(masked))))
    share.published_at = publishing.timezone.now()
    share.save()
    messages.success(request, "The copy was updated; its address is the same.")
    return redirect(_home(share))


def _home(share: ShareLink) -> str:
    if share.conversation_id:
        return reverse("conversation", args=[share.conversation_id]) + "#links"
    return reverse("shares")
