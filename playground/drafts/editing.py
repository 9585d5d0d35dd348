"""The draft of whoever asks: opened as a form, changed by what the page posts, kept unless another tab was quicker.

Names of posted fields: a path of the body (`messages[0].content`) is a control of the form; what begins with a colon is
ours (`:version`, `:json`, `:anthropic-version`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import Connection
from playground import attachment_store, model_list, visitors
from playground.conversations import keeping, saving
from playground.forms import columns, tool_examples
from playground.forms.examples import HELLO
from playground.forms.headers import A_SECRET, LONGEST_NAME, MOST_HEADERS, problem_of, problem_of_betas
from playground.forms.overwriting import moved
from playground.forms.request_form import RequestForm
from playground.forms.variables import NAME
from playground.forms.whole_numbers import read_whole
from playground.models import Attachment, ConversationVersion, Draft
from playground.models.attachment import PREFIX
from playground.models.room import NoRoomError
from playground.protocol import body as edit
from playground.protocol import json_text
from playground.protocol.headers import is_secret, refused_default_header

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict

MOST_VARIABLE = 100_000  # characters of one variable's value
MOST_VARIABLES = 100


class ConflictError(Exception):
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
    """The draft of the user or browser; for a newcomer a greeting, which is stored with the first change."""
    draft = _stored(request)
    if draft is None:
        draft = Draft(body=json_text.dump(HELLO.make()).encode())
    if request.user.is_authenticated:
        draft.user, draft.visitor, draft.address = request.user, "", ""
    else:
        draft.user, draft.visitor, draft.address = None, request.visitor, visitors.counted_address(request)
    return draft


def _stored(request: HttpRequest) -> Draft | None:
    """In one query, since sending waits for it: with the connection, if its owner may still use it."""
    usable = Connection.objects.usable_by(request.user).filter(pk=OuterRef("connection"))
    drafts = Draft.objects.of(request).select_related("connection", "conversation").defer("conversation__words")
    draft = drafts.annotate(may_connect=Exists(usable)).first()
    if draft is not None and not draft.may_connect:
        draft.connection = None
    return draft


def open_form(request: HttpRequest, draft: Draft | None = None) -> RequestForm:
    form = _form_of(request, draft or current(request))
    look_up_attachments(request, form)
    return form


def _form_of(request: HttpRequest, draft: Draft) -> RequestForm:
    known = model_list.remembered(draft.connection)
    form = RequestForm(draft, upload_limit=upload_limit(request), models=known.models if known else [])
    form.open = set(request.POST.getlist(":open"))
    return form


def look_up_attachments(request: HttpRequest, form: RequestForm) -> None:
    ids = [reference.removeprefix(PREFIX) for reference in form.references]
    found = Attachment.objects.of(request).filter(pk__in=ids) if ids else ()
    form.attachments = {attachment.reference: attachment for attachment in found}


def owner_fields(request: HttpRequest) -> dict[str, Any]:
    """Whose a new file is: the signed-in user's, else this browser's."""
    if request.user.is_authenticated:
        return {"user": request.user, "visitor": ""}
    visitor = getattr(request, "visitor", None) or "-"
    return {"user": None, "visitor": visitor, "address": visitors.counted_address(request)}


def shelve_files(request: HttpRequest, form: RequestForm) -> None:
    """Take large base64 out of the text: from here on it is a file, and the body names it."""
    if not form.can_be_drawn or len(form.draft.body_text) < attachment_store.LARGE_BASE64:
        return
    body = attachment_store.shelve(form.body, **owner_fields(request))
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
    """What was typed into that may be something else by now, by what the page showed before (`:was`)."""
    try:
        was = json.loads(posted.get(":was", "{}"))
    except (ValueError, RecursionError):
        was = {}
    shown = {name: text for name, text in was.items() if isinstance(text, str)} if isinstance(was, dict) else {}
    found = [] if ":json" in posted else moved(form.body, [name for name in posted if not name.startswith(":")], shown)
    if any(field.startswith(":header ") for field in posted):
        now = {f":header {at}": value for at, (_, value) in enumerate(form.draft.extra_headers)}
        if {name: text for name, text in shown.items() if name.startswith(":header ")} != now:
            found.append("the extra headers")
    return found


def keep(request: HttpRequest, form: RequestForm) -> None:
    """Store the form's draft. Raises `ConflictError` when another request stored one meanwhile."""
    refuse_too_large(request, form)
    if not store(request, form):
        raise ConflictError(form)
    saving.autosave(form.draft)


def refuse_too_large(request: HttpRequest, form: RequestForm) -> None:
    if len(form.draft.body) + len(form.draft.columns) > most_body_bytes(request):
        raise TooLargeError(form)


def store(request: HttpRequest, form: RequestForm) -> bool:
    """The draft alone. False: another request stored one meanwhile."""
    try:
        is_kept = form.draft.keep()
    except NoRoomError as problem:
        raise TooLargeError(form, str(problem)) from None
    if is_kept:
        _keep_branches(form)
    return is_kept


def _keep_branches(form: RequestForm) -> None:
    """What this change takes out of the body stays to be returned to."""
    old_text, old = form.began
    if form.is_replaced:
        keeping.replaced(form.draft, old_text, old, form.body)
        return
    whole_text, whole, index = form.cut or ("", form.body, 0)
    keeping.before_edit(form.draft, old_text, old, whole if isinstance(whole, dict) else {})
    if form.cut:
        keeping.before_cut(form.draft, whole_text, whole, index)


def switch(request: HttpRequest, form: RequestForm, version: ConversationVersion) -> None:
    """Another branch in the form's place. Raises `ConflictError` like `keep`, and then nothing was stored."""
    old_text, old = form.began
    with transaction.atomic():
        keeping.before_edit(form.draft, old_text, old, form.body if isinstance(form.body, dict) else {})
        saving.switch(form.draft, version)
        if not form.draft.keep():
            raise ConflictError(form)
    form.read()
    form.open, form.unreadable = set(), []
    look_up_attachments(request, form)
    saving.autosave(form.draft)


def apply_posted(form: RequestForm, posted: QueryDict) -> None:
    """Take over the controls that were changed: of the body, the JSON editor, the headers and the variables."""
    if ":json" in posted:
        form.draft.body_text = posted[":json"].replace("\r\n", "\n")
        form.read()
    edits = [(name, value) for name, value in posted.items() if not name.startswith(":")]
    if edits and form.can_be_drawn:
        body, form.unreadable = edit.apply(form.body, edits)
        if body is not form.body:
            form.write(body)
    _apply_headers(form, posted)
    _apply_variables(form.draft, posted)
    kept = tool_examples.renamed(form.draft.tool_examples, form.began[1], form.body)
    form.draft.tool_examples = tool_examples.typed(kept, form.body, posted)
    columns.take_posted(form.draft, form.body, posted.items())


def _apply_variables(draft: Draft, posted: QueryDict) -> None:
    values = dict(draft.variables)
    for field, value in posted.items():
        name = field.removeprefix(":variable ")
        if name != field and NAME.fullmatch(name) and (name in values or len(values) < MOST_VARIABLES):
            values[name] = value[:MOST_VARIABLE]
    draft.variables = values


def _apply_headers(form: RequestForm, posted: QueryDict) -> None:
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
    """What a header can hold of this: no control characters, which PostgreSQL would not take either."""
    return "".join(character for character in typed if character.isprintable()).strip()[:most]


# --- Changes of the request's headers and destination ---------------------------------------------------------------


def change_request(request: HttpRequest, form: RequestForm, op: str, what: str) -> str | None:
    """One change that is not of the body. Returns what is wrong with it, in words; None when it was made."""
    draft = form.draft
    if op == "connection":
        return _connect(request, form, what)
    if op == "beta-add":
        names = [name.strip() for name in what.split(",") if name.strip()]
        betas = list(dict.fromkeys([*draft.betas, *names]))
        if problem := problem_of_betas(betas):
            return problem
        draft.betas = betas
    elif op == "beta-remove":
        draft.betas = [name for name in draft.betas if name != what]
    elif op == "header-add":
        return _add_header(draft, what)
    elif op == "example-remove":
        form.draft.tool_examples = tool_examples.typed(
            draft.tool_examples, form.body, {f"{tool_examples.PREFIX}{what}": ""}
        )
    elif op == "header-remove":
        draft.extra_headers = [pair for at, pair in enumerate(draft.extra_headers) if at != read_whole(what)]
    return None


def _add_header(draft: Draft, name: str) -> str | None:
    name = name.strip().lower()
    if name in {"anthropic-version", "anthropic-beta", "accept", "content-type"}:
        return f"{name} has a place of its own."
    if is_secret(name):
        return f"{name}: {A_SECRET}"
    if problem := refused_default_header(name, ""):
        return problem
    if len(name) > LONGEST_NAME:
        return f"A header's name has at most {LONGEST_NAME} characters."
    if len(draft.extra_headers) >= MOST_HEADERS:
        return f"A request has at most {MOST_HEADERS} extra headers."
    draft.extra_headers = [*draft.extra_headers, [name, ""]]
    return None


def _connect(request: HttpRequest, form: RequestForm, key: str) -> str | None:
    connection = None
    if key:
        usable: Any = Connection.objects.usable_by(request.user)
        connection = next((each for each in usable if str(each.pk) == key), None)
        if connection is None:
            return "This connection is no longer there."
    form.draft.connection = connection
    if connection is not None:
        form.draft.anthropic_version = connection.anthropic_version
    form.go_to(connection)
    return None
