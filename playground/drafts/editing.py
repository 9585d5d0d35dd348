"""The draft of whoever asks: opened as a form, changed by what the page posts, kept unless another tab was quicker.

Names of posted fields: a path of the body (`messages[0].content`) is a control of the form; what begins with a colon is
ours (`:version`, `:json`, `:anthropic-version`).
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import BinaryField, Case, When
from django.db.models.functions import Length
from django.http import Http404
from django.utils import timezone

from playground.attachments import attachment_store
from playground.composer import comparison_columns, model_list, tool_examples
from playground.composer.header_problems import problem_of
from playground.composer.request_examples import HELLO
from playground.composer.request_form import RequestForm
from playground.composer.variables import NAME
from playground.conversations import autosave, versions
from playground.drafts import undo
from playground.drafts.overwriting import moved
from playground.exceptions import PlaygroundError
from playground.identity import asking_page, visitors
from playground.models import Attachment, Conversation, ConversationVersion, Draft
from playground.models.attachment import PREFIX
from playground.models.storage_quota import StorageQuotaError
from playground.protocol import body as edit
from playground.protocol.foreign_text import without_controls
from playground.protocol.json import json_text
from playground.protocol.json.received_json import try_object
from playground.protocol.whole_numbers import read_whole
from playground.workers import LARGE, hand_over_large

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, QueryDict

    from playground.identity.requests import VisitorHttpRequest
    from playground.models.draft import DraftQuerySet

MOST_VARIABLE = 100_000  # characters of one variable's value
MOST_VARIABLES = 100
STORED_AGAIN_AFTER = timedelta(hours=1)


class ConflictError(PlaygroundError):
    """The draft was changed elsewhere since this page was drawn. Nothing was stored."""

    def __init__(self, form: RequestForm) -> None:
        super().__init__("the draft was changed elsewhere")
        self.form = form


class TooLargeError(ConflictError):
    """The body is larger than this reader may send, so it is not kept either; or there is no room for it, which the
    words say. Nothing was stored."""

    def __init__(self, form: RequestForm, words: str = "") -> None:
        super().__init__(form)
        self.words = words


class MovedError(ConflictError):
    """A place that was typed into may belong to another item of its list in the newer version. Nothing was stored."""

    def __init__(self, form: RequestForm, places: list[str]) -> None:
        super().__init__(form)
        self.places = places


def current(request: HttpRequest) -> Draft:
    """The draft of the page that asks; one that is not stored yet is stored with its first change.

    For the page of a conversation it holds the newest version, else, for a newcomer, a greeting.
    Raises `Http404` when the conversation is not there, or not the asker's.
    """
    draft, is_new = _stored(request), False
    if draft is None:
        draft, is_new = Draft(body=json_text.dump(HELLO.make()).encode()), True
    if request.user.is_authenticated:
        draft.user, draft.visitor, draft.address = request.user, "", ""
    else:
        draft.user, draft.visitor = None, cast("VisitorHttpRequest", request).visitor
        draft.address = visitors.counted_address(request)
    conversation_id = asking_page.open_conversation(request)
    if is_new and conversation_id is not None:
        autosave.begin(draft, _conversation(request, conversation_id))
        hand_over_large(len(draft.body))
    return draft


def _conversation(request: HttpRequest, conversation_id: UUID) -> Conversation:
    own = Conversation.objects.owned_by(request.user).select_related("head").defer("words")
    conversation = own.filter(pk=conversation_id).first()
    if conversation is None:
        raise Http404("no such conversation")
    return conversation


@cache
def _drafts(*, of_conversation: bool) -> DraftQuerySet:
    """With all that is asked of a draft. Made once: making it costs as much as asking the database."""
    drafts = Draft.objects.select_related("connection")
    return drafts.select_related("conversation").defer("conversation__words") if of_conversation else drafts


@cache
def _small_drafts(*, of_conversation: bool) -> Any:
    """The same, large ones without their bodies."""
    sized = _drafts(of_conversation=of_conversation).annotate(bytes=Length("body") + Length("columns"))
    small = Case(When(bytes__lt=LARGE, then="body"), output_field=BinaryField())
    return sized.annotate(small_body=small).defer("body")


def _stored(request: HttpRequest) -> Draft | None:
    """In one query, since sending waits for it: with the connection, if its owner may still use it. A large body is
    read where it is needed, by a worker: only to find out here how large it is would hold up every stream."""
    if getattr(request, "visitor_is_new", False) and not request.user.is_authenticated:
        return None
    of_conversation = asking_page.open_conversation(request) is not None
    # There is one at most: `first` would have them sorted.
    draft: Any = next(iter(_small_drafts(of_conversation=of_conversation).of(request)[:1]), None)
    if draft is not None and draft.small_body is None:
        hand_over_large(draft.bytes)
        draft = _drafts(of_conversation=of_conversation).of(request).first()
    elif draft is not None:
        draft.body = draft.small_body
    if draft is not None and draft.connection is not None and not draft.connection.is_usable_by(request.user):
        draft.connection = None
    stored: Draft | None = draft
    return stored


def open_form(request: HttpRequest, draft: Draft | None = None) -> RequestForm:
    form = _form_of(request, draft or current(request))
    look_up_attachments(request, form)
    return form


def apart(request: HttpRequest, form: RequestForm) -> RequestForm:
    """The form that another request is put into. A saved conversation keeps what it has, with what was typed just now:
    then it is the form of the request that is not saved, with the same destination and headers.

    Raises `ConflictError` like `keep`.
    """
    draft = form.draft
    if draft.conversation_id is None:
        return form
    keep(request, form)
    asking_page.ask_for(request, None)
    unsaved = current(request)
    other = _form_of(request, unsaved)
    for name in ("anthropic_version", "betas", "accept", "extra_headers", "connection"):
        setattr(unsaved, name, getattr(draft, name))
    look_up_attachments(request, other)
    return other


def _form_of(request: HttpRequest, draft: Draft) -> RequestForm:
    known = model_list.remembered(draft.connection)
    form = RequestForm(draft, upload_limit=upload_limit(request), models=known.models if known else [])
    form.open = set(request.POST.getlist(":open"))
    if "groups" in request.COOKIES:
        form.open_groups = request.COOKIES["groups"].split(".")
    form.before, form.act = undo.state_of(draft), undo.TYPING
    return form


def look_up_attachments(request: HttpRequest, form: RequestForm) -> None:
    ids = [reference.removeprefix(PREFIX) for reference in form.references]
    attachments = Attachment.objects.of(request).filter(pk__in=ids) if ids else ()
    form.attachments = {attachment.reference: attachment for attachment in attachments}


def owner_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the owner of a new file: the signed-in user, else this browser's visitor."""
    if request.user.is_authenticated:
        return {"user": request.user, "visitor": ""}
    visitor = getattr(request, "visitor", None) or "-"
    return {"user": None, "visitor": visitor, "address": visitors.counted_address(request)}


def extract_draft_files(request: HttpRequest, form: RequestForm) -> None:
    """Take large base64 out of the text: from here on it is a file, and the body names it."""
    if not form.can_be_drawn or len(form.draft.body_text) < attachment_store.LARGE_BASE64:
        return
    body = attachment_store.extract_files(form.body, **owner_fields(request))
    if body != form.body:
        form.write(body)
        if not form.is_replaced:
            form.began = (form.draft.body_text, body)  # the same request, written differently
    look_up_attachments(request, form)


def most_body_bytes(request: HttpRequest) -> int:
    return settings.MAX_RUN_BODY_BYTES if request.user.is_authenticated else settings.VISITOR_MAX_BODY_BYTES


def upload_limit(request: HttpRequest) -> int:
    """The largest file in bytes: base64 makes four bytes out of three, and the rest of the body needs room too."""
    return most_body_bytes(request) * 3 // 4 - 64 * 1024


def open_changed(request: HttpRequest) -> RequestForm:
    """The form with what the page posts applied, not stored yet.

    Raises `ConflictError` when the page was drawn from another version, unless it says `:overwrite`: then its changes
    go on top of the newer version. `MovedError` asks whether they still belong there; `:overwrite` of "anyway" says so.
    """
    form = _form_of(request, current(request))
    if request.POST.get(":version", "") != str(form.draft.version):
        if ":overwrite" not in request.POST:
            raise ConflictError(form)
        if request.POST[":overwrite"] != "anyway" and (places := _moved_places(form, request.POST)):
            raise MovedError(form, places)
    apply_posted(form, request.POST)
    look_up_attachments(request, form)
    return form


def _moved_places(form: RequestForm, posted: QueryDict) -> list[str]:
    """Return the typed places that may mean something else by now, judged by what the page showed before (`:was`)."""
    was = try_object(posted.get(":was", "{}")) or {}
    shown = {name: text for name, text in was.items() if isinstance(text, str)}
    places = [] if ":json" in posted else moved(form.body, [name for name in posted if not name.startswith(":")], shown)
    if any(field.startswith(":header ") for field in posted):
        now = {f":header {at}": value for at, (_, value) in enumerate(form.draft.extra_headers)}
        if {name: text for name, text in shown.items() if name.startswith(":header ")} != now:
            places.append("the extra headers")
    return places


def keep(request: HttpRequest, form: RequestForm) -> None:
    """Store the form's draft. Raises `ConflictError` when another request stored one meanwhile."""
    refuse_too_large(request, form)
    if not store(request, form):
        raise ConflictError(form)
    autosave.autosave(form.draft)


def refuse_too_large(request: HttpRequest, form: RequestForm) -> None:
    if len(form.draft.body) + len(form.draft.columns) > most_body_bytes(request):
        raise TooLargeError(form)


def is_as_stored(request: HttpRequest, form: RequestForm) -> bool:
    """Return whether the page shows the draft as it is stored, and what it posts changes nothing: nearly every press of
    Try It! comes after what was typed. A draft that was not stored for long, or names files, is stored again all the
    same, which keeps them from being tidied away."""
    draft = form.draft
    is_shown = not draft._state.adding and request.POST.get(":version") == str(draft.version)
    is_lasting = timezone.now() - draft.saved_at < STORED_AGAIN_AFTER and not draft.references()
    is_plain = not form.is_replaced and not form.unreadable
    return is_shown and is_lasting and is_plain and form.before == undo.state_of(draft)


def store(request: HttpRequest, form: RequestForm) -> bool:
    """The draft alone. False: another request stored one meanwhile."""
    try:
        is_kept = form.draft.keep()
    except StorageQuotaError as problem:
        raise TooLargeError(form, str(problem)) from None
    if is_kept:
        _keep_branches(form)
        _make_undoable(form)
    return is_kept


def _make_undoable(form: RequestForm) -> None:
    if form.act:
        undo.record(form.draft, form.before, form.act)
    form.before = undo.state_of(form.draft)


def _keep_branches(form: RequestForm) -> None:
    """Keep what this change takes out of the body, so that it can be returned to."""
    old_text, old = form.began
    if form.is_replaced:
        versions.replaced(form.draft, old_text, old, form.body)
        return
    whole_text, whole, index = form.cut or ("", form.body, 0)
    versions.before_edit(form.draft, old_text, old, whole if isinstance(whole, dict) else {})
    if form.cut:
        versions.before_cut(form.draft, whole_text, whole, index)


def switch(request: HttpRequest, form: RequestForm, version: ConversationVersion) -> None:
    """Another branch in the form's place. Raises `ConflictError` like `keep`, and then nothing was stored."""
    old_text, old = form.began
    with transaction.atomic():
        versions.before_edit(form.draft, old_text, old, form.body if isinstance(form.body, dict) else {})
        autosave.switch(form.draft, version)
        if not form.draft.keep():
            raise ConflictError(form)
        form.act = "Change of branch"
        _make_undoable(form)
    form.read()
    form.open, form.unreadable = set(), []
    look_up_attachments(request, form)
    autosave.autosave(form.draft)


def apply_posted(form: RequestForm, posted: QueryDict) -> None:
    """Take over the controls that were changed: of the body, the JSON editor, the headers and the variables."""
    texts = {name: value for name, value in posted.items() if isinstance(value, str)}
    if ":json" in texts:
        form.draft.body_text = texts[":json"].replace("\r\n", "\n")
        form.read()
    edits = [(name, value) for name, value in texts.items() if not name.startswith(":")]
    if edits and form.can_be_drawn:
        body, form.unreadable = edit.apply(form.body, edits)
        if body is not form.body:
            form.write(body)
    _apply_headers(form, texts)
    _apply_variables(form.draft, texts)
    kept = tool_examples.renamed(form.draft.tool_examples, form.began[1], form.body)
    form.draft.tool_examples = tool_examples.typed(kept, form.body, posted)
    comparison_columns.take_posted(form.draft, form.body, texts.items())


def _apply_variables(draft: Draft, posted: dict[str, str]) -> None:
    values = dict(draft.variables)
    for field, value in posted.items():
        name = field.removeprefix(":variable ")
        if name != field and NAME.fullmatch(name) and (name in values or len(values) < MOST_VARIABLES):
            values[name] = value[:MOST_VARIABLE]
    draft.variables = values


def _apply_headers(form: RequestForm, posted: dict[str, str]) -> None:
    draft = form.draft
    if ":anthropic-version" in posted:
        draft.anthropic_version = _header_value(posted[":anthropic-version"], 64)
    if ":accept" in posted:
        draft.accept = _header_value(posted[":accept"], 128)
    headers = [list(pair) for pair in draft.extra_headers]
    for field, typed in posted.items():
        index = read_whole(field.removeprefix(":header ")) if field.startswith(":header ") else None
        if index is None or index >= len(headers):
            continue
        value = typed.strip(" \t")
        if problem := problem_of(index, headers[index][0], value):
            form.unreadable.append(problem)
        else:
            headers[index][1] = value
    draft.extra_headers = headers


def _header_value(typed: str, most: int) -> str:
    """Return as much of this as a header can hold: no control characters, which PostgreSQL would not take either."""
    return without_controls(typed).strip()[:most]
