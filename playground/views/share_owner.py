"""Sharing, for the owner: choose, look, publish, and look after the links."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.db.models.functions import Length
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import AgentSession, ConformanceReport, Run, ShareLink
from playground.models.storage_quota import StorageQuotaError
from playground.request_log.filters import start_of
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices, Shareable
from playground.sharing.scan import MOST_SECRETS, Finding, has_too_many
from playground.views.conversations import find as find_conversation
from playground.workers import hand_over_large

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_READERS = 100
# The page of a thing, and where it is shared.
ADDRESSES = {
    "conversation": ("conversation-read", "conversation-share"),
    "run": ("run", "run-share"),
    "session": ("session", "session-share"),
    "report": ("conformance-report", "conformance-share"),
}
TOO_MANY_SECRETS = (
    f"It holds {MOST_SECRETS} keys, tokens or passwords or more, too many to look through. Leave the parts out that "
    "hold them."
)
BYTES_OF_STEP = 4_096  # about so much of each request is read for a copy of its session


def find_share(request: HttpRequest, share_id: UUID) -> ShareLink:
    """The asker's own share."""
    share = (
        ShareLink.objects.owned_by(request.user)
        .select_related("conversation", "run", "session", "report")
        .filter(pk=share_id)
        .first()
    )
    if share is None:
        raise Http404("no such link")
    return share


def find_own_run(request: HttpRequest, run_id: UUID) -> Run:
    run = Run.objects.owned_by(request.user).select_related("content").filter(pk=run_id).first()
    if run is None or run.is_count:  # a token count says nothing that a copy could show
        raise Http404("no such run")
    return run


# --- before it is published ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share_conversation(request: AuthenticatedHttpRequest, conversation_id: UUID) -> HttpResponse:
    return _share(request, find_conversation(request, conversation_id))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share_run(request: AuthenticatedHttpRequest, run_id: UUID) -> HttpResponse:
    return _share(request, find_own_run(request, run_id))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share_session(request: AuthenticatedHttpRequest, session_id: UUID) -> HttpResponse:
    session = AgentSession.objects.owned_by(request.user).filter(pk=session_id).first()
    if session is None:
        raise Http404("no such session")
    hand_over_large(session.request_count * BYTES_OF_STEP)
    return _share(request, session)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share_report(request: AuthenticatedHttpRequest, report_id: UUID) -> HttpResponse:
    report = ConformanceReport.objects.owned_by(request.user).exclude(state="running").filter(pk=report_id).first()
    if report is None:
        raise Http404("no such report, or it is not complete")
    hand_over_large(report.results.aggregate(size=Sum(Length("data")))["size"] or 0)
    return _share(request, report)


def _share(request: AuthenticatedHttpRequest, thing: Shareable) -> HttpResponse:
    """The page to choose on. Its three buttons: look through it again, preview, publish."""
    if request.method != "POST":
        usual = Choices(parts.defaults(publishing.kind_of(thing)))
        return render(request, "playground/sharing/share_new.html", choosing(request, thing, usual))
    choices = choices_of(request)
    findings = publishing.findings(thing, choices)
    choices = choices.with_secrets_masked(findings)
    do = request.POST.get("do", "check")
    if do == "preview":
        share = publishing.prepare(thing, request.user, choices)
        return redirect("share-preview", share_id=share.pk)
    if do == "publish":
        return _publish(request, thing, choices, findings)
    context = choosing(request, thing, choices)
    template = "playground/sharing/_findings.html" if request.htmx else "playground/sharing/share_new.html"
    return render(request, template, context)


def choices_of(request: HttpRequest) -> Choices:
    posted = request.POST
    return Choices.read(*(posted.getlist(name) for name in ("part", "mask", "seen", "reveal")))


def choosing(request: HttpRequest, thing: Shareable, choices: Choices) -> dict[str, Any]:
    kind = publishing.kind_of(thing)
    there = publishing.contents_of(thing)
    return {
        "thing": thing,
        "kind": kind,
        "title": str(thing) if isinstance(thing, Run | ConformanceReport) else thing.title or "Session",
        "home": reverse(ADDRESSES[kind][0], args=[thing.pk]),
        "action": reverse(ADDRESSES[kind][1], args=[thing.pk]),
        "may_be_forked": kind in ("conversation", "run"),
        "parts": [
            {"part": part, "chosen": part.name in choices.parts, "there": there.get(part.name, "")}
            for part in parts.PARTS
            if kind in part.of and (part.name in there or part.of == parts.EVERYTHING)
        ],
        "findings": [{"finding": one, "masked": choices.masks(one)} for one in publishing.findings(thing, choices)],
        "public_links": settings.PUBLIC_LINKS,
        "options": _options(request),
    }


def _options(request: HttpRequest) -> dict[str, Any]:
    """Return who may read it and for how long: as chosen before, when the page is shown again."""
    if request.method != "POST":
        return {"public": True, "may_fork": True, "lasts": publishing.DEFAULT_LASTS}
    texts = ("passphrase", "audience", "readers", "lasts", "until")
    ticks = ("public", "may_fork")
    return {name: request.POST.get(name, "") for name in texts} | {name: name in request.POST for name in ticks}


def _publish(
    request: AuthenticatedHttpRequest, thing: Shareable, choices: Choices, findings: list[Finding]
) -> HttpResponse:
    def not_yet(**why: Any) -> HttpResponse:
        context = choosing(request, thing, choices) | why
        return render(request, "playground/sharing/share_new.html", context, status=422)

    if has_too_many(findings):
        return not_yet(problem=TOO_MANY_SECRETS)
    if to_confirm := choices.to_confirm(findings):
        return not_yet(to_confirm=to_confirm)
    audience, readers, unknown = _audience(request)
    public = settings.PUBLIC_LINKS and "public" in request.POST
    if unknown or not (public or audience != ShareLink.Audience.NONE):
        return not_yet(problem=f"No such user: {', '.join(unknown)}." if unknown else "Choose who may read it.")
    try:
        share = publishing.prepare(thing, request.user, choices)
    except StorageQuotaError as no_room:
        return not_yet(problem=str(no_room))
    if publishing.is_too_large(share):
        return not_yet(problem="This is too large to share: exclude the files.")
    token = publishing.publish(
        share,
        lasts=request.POST.get("lasts", publishing.DEFAULT_LASTS),
        until=_end_of_day(request.POST.get("until", "")),
        passphrase=request.POST.get("passphrase", ""),
        public=public,
    )
    _set_audience(share, audience, readers, may_fork="may_fork" in request.POST)
    return render(request, "playground/sharing/share_done.html", {"share": share, "address": _address(request, token)})


def _address(request: HttpRequest, token: str | None) -> str:
    if token is None:
        return ""
    path = reverse("share", args=[token])
    return (
        settings.PUBLIC_URL.removesuffix(settings.PUBLIC_PATH) + path
        if settings.PUBLIC_URL
        else request.build_absolute_uri(path)
    )


def _end_of_day(text: str) -> datetime | None:
    """The last moment of a day written as in `<input type="date">`; a day in the past ends at once."""
    try:
        return start_of(date.fromisoformat(text) + timedelta(days=1))
    except (ValueError, OverflowError):
        return None


def _audience(request: HttpRequest) -> tuple[str, list[Any], list[str]]:
    """Return who inside the site may read it, and which names nobody here has."""
    audience = request.POST.get("audience", "none")
    if audience not in ShareLink.Audience.values:
        audience = "none"
    if audience != ShareLink.Audience.NAMED:
        return audience, [], []
    names = list(dict.fromkeys(request.POST.get("readers", "").replace(",", " ").split()))[:MOST_READERS]
    readers = list(
        get_user_model()
        .objects.filter(username__in=names, is_active=True)
        .exclude(username=request.user.get_username())
    )
    known = {user.get_username() for user in readers}
    unknown = [name for name in names if name not in known and name != request.user.get_username()]
    return audience, readers, unknown if names else ["whose name is empty"]


def _set_audience(share: ShareLink, audience: str, readers: list[Any], *, may_fork: bool) -> None:
    share.audience, share.readers_may_fork = audience, may_fork
    share.save(update_fields=["audience", "readers_may_fork"])
    share.readers.set(readers)


# --- afterwards ---


@login_required
@require_safe
def shares(request: AuthenticatedHttpRequest) -> HttpResponse:
    """All links of the user, and what others share with them inside the site."""
    own = ShareLink.objects.owned_by(request.user).filter(published_at__isnull=False)
    context = {
        "shares": own.select_related("conversation").defer("packed_snapshot").order_by("-made_at")[:500],
        "shared_with_me": ShareLink.objects.readable_by(request.user)
        .select_related("owner")
        .defer("packed_snapshot")
        .order_by("-published_at")[:200],
    }
    return render(request, "playground/sharing/shares.html", context)


@login_required
@require_POST
def change_share(request: AuthenticatedHttpRequest, share_id: UUID) -> HttpResponse:
    """One of: update the copy, a new address, another expiry, revoke."""
    share = find_share(request, share_id)
    do = request.POST.get("do")
    if share.state in ("revoked", "taken down"):
        messages.warning(request, "This link was revoked.")
    elif do == "revoke":
        share.revoke()
        messages.success(request, "Link revoked. Its copy was deleted.")
    elif do == "update":
        return _update(request, share)
    elif do == "address" and settings.PUBLIC_LINKS:
        token = share.give_address()
        share.save(update_fields=["token_digest", "hint"])
        return render(
            request, "playground/sharing/share_done.html", {"share": share, "address": _address(request, token)}
        )
    elif do == "expiry":
        publishing.set_expiry(share, request.POST.get("lasts", ""), _end_of_day(request.POST.get("until", "")))
        share.save(update_fields=["expires_at"])
        messages.success(request, "Expiry changed.")
    return redirect(_home(share))


def _update(request: HttpRequest, share: ShareLink) -> HttpResponse:
    fresh = publishing.update(share)
    if fresh:
        return _look_again(request, share, fresh, Choices(), [])
    messages.success(request, "Copy updated. The link is the same.")
    return redirect(_home(share))


def _look_again(
    request: HttpRequest, share: ShareLink, fresh: list[Finding], choices: Choices, to_confirm: list[Finding]
) -> HttpResponse:
    """Show the findings of a shared thing's new state that were not looked at before: ticked, unless they were
    unticked."""
    findings = [{"finding": one, "masked": choices.masks(one) or one.text not in choices.seen} for one in fresh]
    context = {"share": share, "findings": findings, "to_confirm": to_confirm, "home": _home(share)}
    return render(request, "playground/sharing/share_update.html", context, status=409)


@login_required
@require_POST
def update_share(request: AuthenticatedHttpRequest, share_id: UUID) -> HttpResponse:
    """Update the copy after looking at what is new in it; what is ticked is masked from now on.

    A secret that is unticked needs a second word, as it does before the first publication.
    """
    share = find_share(request, share_id)
    thing = share.thing
    if not share.is_open or thing is None:
        raise Http404("nothing to update")
    posted = choices_of(request)
    choices = replace(posted, parts=parts.chosen(share.parts), masked=(*share.masked, *posted.masked))
    findings = publishing.findings(thing, choices)
    if has_too_many(findings):
        messages.error(request, TOO_MANY_SECRETS)
        return redirect(_home(share))
    shared_already = publishing.readable_in(share)
    choices = replace(choices, seen=choices.seen | shared_already, revealed=choices.revealed | shared_already)
    choices = choices.with_secrets_masked(findings)
    if to_confirm := choices.to_confirm(findings):
        fresh = [one for one in findings if one.text not in shared_already and one.text not in share.masked]
        return _look_again(request, share, fresh, choices, to_confirm)
    publishing.fill(share, thing, choices)
    share.published_at = timezone.now()
    share.save()
    messages.success(request, "Copy updated. The link is the same.")
    return redirect(_home(share))


def _home(share: ShareLink) -> str:
    if share.conversation_id:
        return reverse("conversation-read", args=[share.conversation_id]) + "#links"
    if share.session_id:
        return reverse("session", args=[share.session_id]) + "#links"
    return reverse("shares")
