"""Saved conversations: the list, one of them, and what is done with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from playground.answer.turns import Turn, draw_turns
from playground.attachments import attachment_store
from playground.attachments.references import resolve
from playground.conversations import (
    autosave,
    body_summary,
    branches,
    file_formats,
    version_diff,
    version_previews,
    versions,
)
from playground.drafts import editing, undo
from playground.identity import asking_page
from playground.identity.requests import HtmxHttpRequest
from playground.models import Attachment, Conversation, ConversationVersion, Run, ShareLink
from playground.protocol.foreign_text import storable
from playground.protocol.importers import ImportProblem
from playground.views import draft_parts
from playground.views.toasts import with_toast

if TYPE_CHECKING:
    from django.http import HttpRequest

PER_PAGE = 50
TURNS_AT_ONCE = 40
VERSIONS_SHOWN = 60
LONGEST_IMPORT = 8 * 2**20  # characters


def find(request: HttpRequest, conversation_id: UUID) -> Conversation:
    """The asker's own conversation; somebody else's, or a deleted one, is not there."""
    matches = (
        Conversation.objects.owned_by(request.user).select_related("head", "forked_from").filter(pk=conversation_id)
    )
    conversation = matches.first()
    if conversation is None:
        raise Http404("no such conversation")
    return conversation


def find_version(conversation: Conversation, version_id: str | UUID | None) -> ConversationVersion | None:
    """One of its versions; the head when none is asked for."""
    if not version_id:
        return conversation.head
    try:
        pk = UUID(str(version_id))
    except ValueError:
        raise Http404("no such version") from None
    version = conversation.versions.filter(pk=pk).first()
    if version is None:
        raise Http404("no such version")
    return version


# --- the list ---


@require_safe
def conversations(request: HtmxHttpRequest) -> HttpResponse:
    """The user's saved conversations, the last changed first; for htmx only the rows. Visitors are told what an account
    gives."""
    if not request.user.is_authenticated:
        return render(request, "playground/conversations/conversations_gate.html", status=200)
    matches = Conversation.objects.owned_by(request.user)
    if asked(request)["show"] == "deleted":
        matches = Conversation.objects.deleted_by(request.user)
    tags = sorted({tag for tags in matches.values_list("tags", flat=True) for tag in tags}, key=str.casefold)
    shown = filtered(matches, request)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": rows_of(page.object_list), "tags": tags, "asked": asked(request)}
    template = "playground/conversations/_rows.html" if request.htmx else "playground/conversations/conversations.html"
    return render(request, template, context | {"any": matches.exists(), "deleted": just_deleted(request)})


def just_deleted(request: HttpRequest) -> Conversation | None:
    """The conversation whose deletion can be undone from this page."""
    try:
        pk = UUID(request.GET.get("deleted", ""))
    except ValueError:
        return None
    return Conversation.objects.deleted_by(request.user).filter(pk=pk).first()


def asked(request: HttpRequest) -> dict[str, str]:
    """The filter as it stands in the address."""
    return {name: request.GET.get(name, "")[:200] for name in ("q", "tag", "show")}


def filtered(conversations: Any, request: HttpRequest) -> Any:
    choices = asked(request)
    if choices["show"] != "deleted":
        conversations = conversations.filter(archived_at__isnull=choices["show"] != "archived")
    if choices["show"] == "starred":
        conversations = conversations.filter(starred=True)
    if choices["show"] == "shared":
        open_shares = ShareLink.objects.owned_by(request.user).open_now()
        conversations = conversations.filter(share_links__in=open_shares).distinct()
    if choices["q"].strip():
        conversations = conversations.containing(choices["q"])
    if choices["tag"]:
        # Tags are kept as a JSON list; a page holds few conversations, so they are looked through here.
        having = [pk for pk, tags in conversations.values_list("pk", "tags") if choices["tag"] in tags]
        conversations = conversations.filter(pk__in=having)
    return conversations.defer("words").order_by("-starred", "-changed_at")


def rows_of(conversations: Any) -> list[dict[str, Any]]:
    """Each conversation with its number of runs and the state of its newest share."""
    ids = [conversation.pk for conversation in conversations]
    runs = dict(Conversation.objects.filter(pk__in=ids).annotate(count=Count("run_links")).values_list("pk", "count"))
    shares: dict[UUID, ShareLink] = {}
    for share in (
        ShareLink.objects.filter(Q(published_at__isnull=False), conversation__in=ids, revoked_at=None)
        .defer("packed_snapshot")
        .order_by("made_at")
    ):
        if share.conversation_id:
            shares[share.conversation_id] = share
    return [
        {"conversation": each, "runs": runs.get(each.pk, 0), "share": shares.get(each.pk)} for each in conversations
    ]


# --- one ---


@login_required
@require_safe
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """A conversation to read: turns with their branches, versions, runs and shares. It is edited in the playground."""
    shown = find(request, conversation_id)
    version = find_version(shown, request.GET.get("version"))
    body = body_summary.parse(version.body_text) if version else {}
    turns, hidden = shown_turns(request, body)
    context = {
        "conversation": shown,
        "version": version,
        "body": body,
        "turns": turns,
        "hidden": hidden,
        "branches": branches.branches(versions.pinned_of(shown), version.chain if version else []),
        "versions": version_previews.listed(shown, VERSIONS_SHOWN),
        "runs": runs_of(shown),
        "shares": ShareLink.objects.owned_by(request.user)
        .filter(conversation=shown, published_at__isnull=False)
        .defer("packed_snapshot")
        .order_by("-made_at"),
    }
    return render(request, "playground/conversations/conversation.html", context)


def shown_turns(request: HttpRequest, body: dict[str, Any]) -> tuple[list[Turn], int]:
    """The last turns with their pictures, and how many before them are not shown; `?all` shows them."""
    every = body_summary.said(body_summary.turns(body))
    start = 0 if "all" in request.GET else max(0, len(every) - TURNS_AT_ONCE)
    files = Attachment.objects.of(request)
    return draw_turns(resolve(every[start:], files.bytes_of), start), start


def runs_of(conversation: Conversation) -> list[Run]:
    ids = list(conversation.run_links.values_list("run_id", flat=True)[:100])
    return list(Run.objects.owned_by(conversation.owner).filter(pk__in=ids).newest_first())


@login_required
@require_safe
def difference(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The changes between two versions: `?old=…&new=…`; without `new` the newest."""
    shown = find(request, conversation_id)
    old, new = (find_version(shown, request.GET.get(name)) for name in ("old", "new"))
    if old is None or new is None:
        raise Http404("no such version")
    lines = version_diff.difference(old, new)
    context = {"conversation": shown, "old": old, "new": new, "lines": lines}
    return render(request, "playground/conversations/conversation_difference.html", context)


# --- saving and opening ---


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save what is being written: a new version of its conversation, or a new conversation."""
    try:
        if ":version" in request.POST:  # from the page, with what was typed last
            editing.keep(request, editing.open_changed(request))
    except editing.ConflictError as conflict:
        return draft_parts.conflicting(request, conflict)
    draft = editing.current(request)
    is_new = draft.conversation_id is None
    saved = autosave.save(draft, request.user, request.POST.get(":title", ""))  # type: ignore[arg-type]
    words = f"Saved as “{saved.title[:80]}”" if is_new else "Saved as a version"
    return named(request, saved, words, is_stored=True)


def named(request: HttpRequest, conversation: Conversation, words: str, *, is_stored: bool = False) -> HttpResponse:
    """The playground with the conversation's name and address; the page itself stays."""
    address = reverse("conversation", args=[conversation.pk])
    if not request.headers.get("HX-Request"):
        return redirect(address)
    asking_page.ask_for(request, conversation.pk)
    form = editing.open_form(request)
    if is_stored:
        response = draft_parts.parts(request, form, [draft_parts.NAMED])
    else:
        response = render(request, draft_parts.NAMED.template, {"form": form})
    state = {"id": str(conversation.pk), "address": address, "title": conversation.title}
    response["HX-Trigger"] = json.dumps({"conversation:named": state, "page:toast": {"words": words}})
    return response


@login_required
@require_POST
def start_anew(request: HttpRequest) -> HttpResponse:
    """An empty request in place of the present one, which is saved if anything is in it."""
    draft, body = editing.current(request), new_body(request)
    with undo.replacing(draft, "an empty one"):
        said_aside(request, autosave.open_body(draft, body, {}))
    return with_toast(back(request, "playground"), {"words": "Request replaced by an empty one", "undo": True})


def new_body(request: HttpRequest) -> dict[str, Any]:
    model = body_summary.parse(editing.current(request).body_text).get("model")
    body: dict[str, Any] = {"model": model if isinstance(model, str) else "", "max_tokens": 1024, "stream": True}
    return body | {"messages": [{"role": "user", "content": ""}]}


@login_required
@require_POST
def open_conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Go on with a conversation in the playground, from one of its versions if one is named."""
    opened = find(request, conversation_id)
    version = find_version(opened, request.POST.get("version"))
    response = back(request, "conversation", opened.pk)
    if version is None or version.pk == opened.head_id:
        return response
    asking_page.ask_for(request, opened.pk)
    draft = editing.current(request)
    with undo.replacing(draft, "an earlier version"):
        autosave.open_version(draft, opened, version)
    return with_toast(response, {"words": "Went back to an earlier version", "undo": True})


def said_aside(request: HttpRequest, aside: Conversation | None) -> None:
    if aside is not None:
        messages.info(request, f"Your previous request was saved as “{aside.title}”.")


def back(request: HttpRequest, name: str, *arguments: Any) -> HttpResponse:
    """Go to a page; htmx is told to load it whole."""
    return go_to(request, reverse(name, args=arguments))


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


# --- changing ---


@login_required
@require_POST
def change(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Title, tags, star and archive: whichever are posted."""
    changed = find(request, conversation_id)
    if title := request.POST.get("title", "").strip():
        changed.title, changed.title_is_own = storable(title, 200), True
    if "tags" in request.POST:
        changed.tags = autosave.read_tags(request.POST["tags"])
    if "starred" in request.POST:
        changed.starred = request.POST["starred"] == "1"
    if "archived" in request.POST:
        changed.archived_at = timezone.now() if request.POST["archived"] == "1" else None
    changed.index_words(body_summary.texts(body_summary.parse(changed.head.body_text) if changed.head else {}))
    changed.save(update_fields=["title", "title_is_own", "tags", "starred", "archived_at", "words"])
    if request.POST.get("from") == "playground":
        return named(request, changed, f"Renamed to “{changed.title[:80]}”")
    if request.POST.get("from") == "list":
        return back(request, "conversations")
    return back(request, "conversation-read", changed.pk)


@login_required
@require_POST
def duplicate(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return back(request, "conversation-read", autosave.duplicate(find(request, conversation_id)).pk)


@login_required
@require_POST
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Out of sight at once, with all its links; gone for good after a day."""
    deleted = find(request, conversation_id)
    deleted.deleted_at = timezone.now()
    deleted.save(update_fields=["deleted_at"])
    return go_to(request, f"{reverse('conversations')}?deleted={deleted.pk}")


@login_required
@require_POST
def undelete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    deleted = Conversation.objects.deleted_by(request.user).filter(pk=conversation_id)
    if not deleted.update(deleted_at=None):
        raise Http404("no such conversation")
    return back(request, "conversation-read", conversation_id)


# --- in and out ---


@login_required
@require_safe
def export(request: HttpRequest, conversation_id: UUID, form: str) -> HttpResponse:
    """The conversation as a file: our JSON with all kept versions, or Markdown of the newest."""
    exported = find(request, conversation_id)
    if form == "json":
        text, kind, ending = file_formats.to_json(exported), "application/json", "json"
    elif form == "markdown":
        body = body_summary.parse(exported.head.body_text) if exported.head else {}
        text, kind, ending = file_formats.to_markdown(exported.title, body), "text/markdown", "md"
    else:
        raise Http404("no such form")
    return as_file(text, kind, f"{slugify(exported.title)[:60] or 'conversation'}.{ending}")


def as_file(text: str, kind: str, name: str) -> HttpResponse:
    """Foreign text for download: never shown by the browser as a page of ours."""
    response = HttpResponse(text.encode("utf-8", "replace"), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_POST
def import_conversation(request: HttpRequest) -> HttpResponse:
    """A conversation from a file or from pasted text."""
    upload = request.FILES.get("file")
    text = upload.read(LONGEST_IMPORT + 1).decode("utf-8", "replace") if upload else request.POST.get("text", "")
    if len(text) > LONGEST_IMPORT:
        imported: Any = ImportProblem("The file is larger than 8 MB.")
    else:
        imported = file_formats.from_text(text)
    if isinstance(imported, ImportProblem):
        context = {"problem": imported, "text": text if len(text) < 100_000 else ""}
        return render(request, "playground/conversations/conversation_import.html", context, status=422)
    owner = editing.owner_fields(request)
    imported.versions = [
        (attachment_store.extract_files(body, **owner), chosen, note) for body, chosen, note in imported.versions
    ]
    made = autosave.create_from(request.user, imported)  # type: ignore[arg-type]
    for note in imported.notes:
        messages.info(request, note)
    return back(request, "conversation-read", made.pk)


@login_required
@require_safe
def import_form(request: HttpRequest) -> HttpResponse:
    return render(request, "playground/conversations/conversation_import.html")
