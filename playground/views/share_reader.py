"""A shared copy for its readers: at its secret address, inside the site, and as a preview. One page for all three.

Whatever is wrong with a link (never was, expired, revoked, deleted, its owner gone), the answer is the same 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from playground.answer.block_drawing import cut
from playground.answer.turns import draw_content
from playground.attachments import attachment_store
from playground.conversations import autosave, file_formats
from playground.drafts import editing, undo
from playground.identity import visitors
from playground.identity.requests import VisitorHttpRequest
from playground.models import ShareLink
from playground.protocol import snippets
from playground.protocol.json import json_text
from playground.protocol.snippets import SnippetRequest
from playground.rendering import markdown
from playground.sharing import frozen_turns, parts
from playground.sharing.allow_list import PARAMETERS
from playground.sharing.guess_limits import PASSPHRASE_WINDOW_S, count_wrong_passphrase, guesses, may_try_passphrase
from playground.sharing.standalone_page import style_text
from playground.views import share_report, share_session
from playground.views.conversations import as_file
from playground.views.toasts import with_toast

if TYPE_CHECKING:
    from django.http import HttpRequest

UNLOCKED_FOR_S = 12 * 3600
EVENTS_SHOWN = 2_000
TOOL_MEMBERS_SHOWN = ("tools", "tool_choice", "mcp_servers")
_signer = signing.TimestampSigner(salt="playground.share")


@dataclass(frozen=True)
class ShareAccess:
    """How somebody came in. `base` is the address of the copy's page; all others are below it."""

    share: ShareLink
    base: str
    is_preview: bool = False
    is_inside: bool = False

    @property
    def may_fork(self) -> bool:
        return not self.is_inside or self.share.readers_may_fork


def share_access(request: HttpRequest, token: str | None, share_id: UUID | None, mode: str) -> ShareAccess:
    if mode == "link":
        return ShareAccess(_behind(request, token or ""), reverse("share", args=[token]))
    if share_id is None or not request.user.is_authenticated:
        raise Http404("no such page")
    if mode == "preview":
        own = ShareLink.objects.owned_by(request.user).filter(revoked_at=None)
        share, base = own.filter(pk=share_id).first(), reverse("share-preview", args=[share_id])
    else:
        share, base = (
            ShareLink.objects.readable_by(request.user).filter(pk=share_id).first(),
            reverse("shared", args=[share_id]),
        )
    if share is None:
        raise Http404("no such page")
    return ShareAccess(share, base, is_preview=mode == "preview", is_inside=mode == "inside")


def _behind(request: HttpRequest, token: str) -> ShareLink:
    share = ShareLink.objects.behind(token)
    if share is None:
        guesses.count(visitors.counted_address(request), settings.SHARE_GUESSES_PER_MINUTE)
        raise Http404("no such page")
    return share


View = Callable[..., HttpResponse]


def for_readers(view: View) -> View:
    """Find the copy, ask for its passphrase if it has one, and keep the answer out of indexes, caches and referrers."""

    @wraps(view)
    def guarded(
        request: HttpRequest, *, mode: str, token: str | None = None, share_id: UUID | None = None, **rest: Any
    ) -> HttpResponse:
        address = visitors.counted_address(request)
        if mode == "link" and guesses.are_used_up(address, settings.SHARE_GUESSES_PER_MINUTE):
            response = HttpResponse("Too many attempts. Wait a minute.\n", status=429, content_type="text/plain")
            response["Retry-After"] = "60"
            return sealed(response)
        access = share_access(request, token, share_id, mode)
        if mode == "link" and access.share.passphrase and not _is_unlocked(request, access):
            return sealed(_ask_passphrase(request, access), has_form=True)
        return sealed(view(request, access, **rest), has_form=view.__name__ == "fork")

    return guarded


def sealed(response: HttpResponse, *, has_form: bool = False) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    # Without any referrer a browser posts a form with "Origin: null", which the check against forged requests refuses.
    response["Referrer-Policy"] = "same-origin" if has_form else "no-referrer"
    response["Cache-Control"] = "no-store, private"
    return response


# --- the passphrase


def _cookie(access: ShareAccess) -> str:
    return f"share_{access.share.pk.hex[:16]}"


def _is_unlocked(request: HttpRequest, access: ShareAccess) -> bool:
    try:
        value = _signer.unsign(request.COOKIES.get(_cookie(access), ""), max_age=UNLOCKED_FOR_S)
    except signing.BadSignature:
        return False
    return value == _proof(access)


def _proof(access: ShareAccess) -> str:
    """Changes with the passphrase, so that a new one locks everybody out again."""
    return signing.Signer(salt="playground.share.proof").signature(access.share.passphrase)


def _ask_passphrase(request: HttpRequest, access: ShareAccess) -> HttpResponse:
    wrong = False
    link, address = access.share.pk.hex, visitors.counted_address(request)
    if request.method == "POST" and "passphrase" in request.POST:
        if not may_try_passphrase(link, address):
            minutes = int(PASSPHRASE_WINDOW_S // 60)
            response = render(
                request, "playground/sharing/share_locked.html", {"base": access.base, "minutes": minutes}, status=429
            )
            response["Retry-After"] = str(int(PASSPHRASE_WINDOW_S))
            return response
        if access.share.opens_with(request.POST["passphrase"]):
            response = redirect(access.base)
            response.set_cookie(
                _cookie(access),
                _signer.sign(_proof(access)),
                max_age=UNLOCKED_FOR_S,
                path=access.base,
                httponly=True,
                samesite="Lax",
                secure=settings.BEHIND_HTTPS,
            )
            return response
        wrong = True
        guesses.count(address, settings.SHARE_GUESSES_PER_MINUTE)
        count_wrong_passphrase(link, address)
    return render(request, "playground/sharing/share_locked.html", {"base": access.base, "wrong": wrong}, status=403)


# --- the page


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers
def page(request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """The copy, to read. A POST brings the passphrase of a copy that is already open."""
    if request.method == "POST":
        return redirect(access.base)
    is_another = not access.is_preview and request.user.pk != access.share.owner_id
    # A browser whose time zone was not known yet asks once more, for the times alone.
    if is_another and request.method == "GET" and "X-Opened-Already" not in request.headers:
        access.share.count_opening()
    snapshot = access.share.snapshot
    if share_session.is_session(snapshot):
        context = share_session.page_context(access, snapshot)
        return render(request, "playground/sessions/session_shared.html", context)
    if share_report.is_report(snapshot):
        context = share_report.page_context(request, access, snapshot)
        return render(request, "playground/conformance/shared.html", context)
    return render(request, "playground/sharing/share.html", page_context(access))


session_steps = for_readers(share_session.steps)
session_charts = for_readers(share_session.graphs)
session_step = for_readers(share_session.step)
session_result = for_readers(share_session.result)
report_export = for_readers(share_report.export)
report_badge = share_report.cached_for_an_hour(for_readers(share_report.badge))


def conversation_in(access: ShareAccess) -> dict[str, Any]:
    """The copy of a conversation or a run; that of a session or a report has none of the pages that ask here."""
    snapshot = access.share.snapshot
    if share_session.is_session(snapshot) or share_report.is_report(snapshot):
        raise Http404("no conversation")
    return snapshot


def page_context(access: ShareAccess) -> dict[str, Any]:
    snapshot = conversation_in(access)
    body = snapshot["body"]
    return {
        "base": access.base,
        "share": access.share,
        "snapshot": snapshot,
        "body": body,
        "turns": frozen_turns.draw_snapshot(snapshot),
        "system": draw_content(body.get("system")),
        "parameters": [(name, json_text.dump(body[name], indent=None)) for name in PARAMETERS if name in body],
        "settings": snapshot.get("settings") or {},
        "tool_names": tool_names(body),
        "has_tools": any(name in body for name in TOOL_MEMBERS_SHOWN),
        "tools_html": markdown.highlight_code(
            cut(json_text.dump({name: body[name] for name in TOOL_MEMBERS_SHOWN if name in body})), "json"
        ),
        "left_out": [part.label for part in parts.PARTS if part.name in snapshot.get("left_out", [])],
        "languages": snippets.LANGUAGES,
        "may_fork": access.may_fork,
        "describes": "description" in snapshot.get("parts", []),
    }


def tool_names(body: dict[str, Any]) -> list[str]:
    tools = body["tools"] if isinstance(body.get("tools"), list) else []
    return [str(tool.get("name") or tool.get("type")) for tool in tools if isinstance(tool, dict)]


# --- copies


@require_safe
@for_readers
def as_json(_request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """The request, as far as it is shared."""
    return as_file(json_text.dump(conversation_in(access)["body"]) + "\n", "application/json", f"{_name(access)}.json")


@require_safe
@for_readers
def as_markdown(_request: HttpRequest, access: ShareAccess) -> HttpResponse:
    snapshot = conversation_in(access)
    body = whole_body(snapshot)
    return as_file(file_formats.to_markdown(snapshot["title"], body), "text/markdown", f"{_name(access)}.md")


def whole_body(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The body with the last answer as one more turn."""
    body = dict(snapshot["body"])
    turns = list(body.get("messages") or [])
    for answer in snapshot.get("answers", []):
        if answer["turn"] == len(turns) and answer["message"].get("content"):
            turns.append({"role": "assistant", "content": answer["message"]["content"]})
    return body | {"messages": turns}


@require_safe
@for_readers
def as_code(_request: HttpRequest, access: ShareAccess, language: str) -> HttpResponse:
    snapshot = conversation_in(access)
    chosen = snapshot.get("settings") or {}
    request = SnippetRequest(
        snapshot["body"],
        version=str(chosen.get("anthropic_version") or "2023-06-01"),
        betas=tuple(beta for beta in chosen.get("betas") or () if isinstance(beta, str)),
    )
    try:
        text = snippets.snippet(language, request)
    except KeyError:
        raise Http404("no such language") from None
    return as_file(text, "text/plain", f"{_name(access)}.{language}.txt")


@require_safe
@for_readers
def as_page_file(_request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """The page as one file that needs nothing else, for keeping."""
    if share_session.is_session(snapshot := access.share.snapshot):
        return as_file(share_session.page_file(snapshot), "text/html", f"{_name(access)}.html")
    if share_report.is_report(snapshot):
        return share_report.page_file(snapshot)
    context = page_context(access) | {"style": style_text(), "base": ""}
    html = render_to_string("playground/sharing/share_file.html", context)
    return as_file(html, "text/html", f"{_name(access)}.html")


@require_safe
@for_readers
def as_file_inside(_request: HttpRequest, access: ShareAccess, name: str) -> HttpResponse:
    """A document of a turn, to be kept: the browser never shows it as a page of ours."""
    data = frozen_turns.file_bytes(access.share.snapshot, name)
    if data is None:
        raise Http404("no such file")
    response = as_file("", "application/octet-stream", f"{_name(access)}{'.pdf' if data[:5] == b'%PDF-' else '.bin'}")
    response.content = data
    return response


def _name(access: ShareAccess) -> str:
    return slugify(access.share.title)[:60] or "conversation"


# --- the answer as it came


def find_answer(access: ShareAccess, turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
    snapshot = conversation_in(access)
    for answer in snapshot.get("answers", []):
        if answer["turn"] == turn and answer.get("events"):
            return snapshot, answer
    raise Http404("no such answer")


@require_safe
@for_readers
def replay(_request: HttpRequest, access: ShareAccess, turn: int) -> HttpResponse:
    """The drawing steps and their times, to see the answer arrive again."""
    snapshot, answer = find_answer(access, turn)
    return JsonResponse({"frames": frozen_turns.replay_frames(snapshot, answer)})


@require_safe
@for_readers
def events(request: HttpRequest, access: ShareAccess, turn: int) -> HttpResponse:
    """The events of an answer with their times."""
    snapshot, answer = find_answer(access, turn)
    context = {"base": access.base, "share": access.share, "snapshot": snapshot, "turn": turn}
    context |= {"events": answer["events"][:EVENTS_SHOWN], "count": len(answer["events"])}
    return render(request, "playground/sharing/share_events.html", context)


# --- fork

FORKED = {"words": "Request replaced by a copy of the shared one", "undo": True}


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers
def fork(request: HttpRequest, access: ShareAccess) -> HttpResponse:
    """Into the reader's own playground: a user gets a conversation, a visitor a draft."""
    if not access.may_fork:
        raise Http404("not to be forked")
    if request.method != "POST":
        return render(request, "playground/sharing/share_fork.html", {"base": access.base, "share": access.share})
    snapshot = conversation_in(access)
    body = attachment_store.extract_files({"max_tokens": 1024, **snapshot["body"]}, **editing.owner_fields(request))
    chosen = dict(snapshot.get("settings") or {})
    if not request.user.is_authenticated:
        draft = editing.current(request)
        with undo.replacing(draft, "a shared one"):
            autosave.open_body(draft, body, chosen)
        response = with_toast(redirect("playground"), FORKED)
        visitors.remember(response, cast("VisitorHttpRequest", request).visitor)  # pages of a share mark nobody else
        return response
    forked = autosave.create(request.user, body, chosen, snapshot["title"], "forked")
    forked.forked_from, forked.forked_at = access.share, access.share.published_at
    forked.save(update_fields=["forked_from", "forked_at"])
    return with_toast(redirect("conversation", forked.pk), {"words": f"Copied as “{forked.title[:80]}”"})
