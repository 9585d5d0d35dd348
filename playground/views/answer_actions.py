"""What can be done with an answer: run again, compare, go on, answer its tools. Each makes new runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.models import Connection
from playground import attachment_store, dispatch, visitors
from playground.answer import going_on
from playground.answer.going_on import CannotGoOn
from playground.answer.runs import drawing_of
from playground.conversations import saving
from playground.engine.live_run import LiveRun
from playground.forms.attachments import resolve
from playground.forms.file_types import UnknownFileError, recognise
from playground.models import Attachment, Draft, Run, ToolMock
from playground.models.room import NoRoomError
from playground.protocol.headers import is_secret
from playground.protocol.tools import ToolResult
from playground.views import compare, drafts
from playground.views.answer import find_run
from playground.views.outgoing import head_start

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.answer.blocks import BlockDrawing
    from playground.answer.drawing import Drawing

MAX_COLUMNS = 4
MAX_IMAGE_BYTES = 5 * 2**20
STOP_TAKES_S = 5  # at most, until a stopped run has ended


@dataclass
class Origin:
    """An earlier run as the start of a new one."""

    run: LiveRun | Run
    request: HttpRequest
    raw: bytes
    version: str | None
    betas: list[str]
    connection_id: Any
    is_sandbox: bool
    connection_name: str

    def body(self) -> dict[str, Any]:
        return going_on.read_body(self.raw)

    @cached_property
    def drawing(self) -> Drawing:
        """Made when it is asked for: to run the same again needs none. Reads the database."""
        return drawing_of(self.run, self.request)

    @property
    def content(self) -> list[dict[str, Any]]:
        return self.drawing.figures.accumulator.message.get("content", [])


def _origin(request: HttpRequest, run_id: UUID) -> Origin:
    run = find_run(request, run_id)
    if isinstance(run, LiveRun):
        raw, headers = run.about.request_body, dict(run.about.request_headers)
        connection_id, base_url, name = run.about.connection_id, run.about.base_url, run.about.connection_name
    else:
        raw = run.request_body or b""
        headers = dict(run.stored_content.request_headers) if run.stored_content else {}
        connection_id, base_url, name = run.connection_id, run.base_url, run.connection_name
    lower = {key.lower(): value for key, value in headers.items() if not is_secret(key, value)}
    return Origin(
        run=run,
        request=request,
        raw=raw,
        version=lower.get("anthropic-version"),
        betas=[beta.strip() for beta in lower.get("anthropic-beta", "").split(",") if beta.strip()],
        connection_id=connection_id,
        is_sandbox=base_url.startswith("sandbox:"),
        connection_name=name,
    )


def _connection(request: HttpRequest, origin: Origin, chosen: str = "") -> Connection | None:
    """The connection to send to: the chosen one, else the one of the earlier run. None is the sandbox."""
    if chosen == "sandbox" or (not chosen and origin.is_sandbox):
        return None
    wanted: Any = chosen or origin.connection_id
    try:
        found = Connection.objects.usable_by(request.user).filter(pk=UUID(str(wanted))).first()
    except ValueError:
        found = None
    if found is None:
        raise CannotGoOn(f"The connection {origin.connection_name} is not there any more.")
    return found


async def _start(request: HttpRequest, origin: Origin, body: bytes, connection: Connection | None) -> LiveRun:
    if not body:
        raise CannotGoOn("The request body of this run was not kept.")
    owner = visitors.owner_of(request)
    assert owner is not None
    return await dispatch.start(
        body,
        owner=owner,
        user=request.user,  # type: ignore[arg-type]
        connection=connection,
        visitor_key=request.POST.get("key") or None,
        version=origin.version,
        betas=origin.betas,
        accept=request.POST.get("accept") or None,
        user_agent=request.headers.get("User-Agent", "")[:500],
        client_address=visitors.client_address(request),
    )


Change = Callable[[dict[str, Any]], dict[str, Any]]


async def _answer_with(
    request: HttpRequest,
    run_id: UUID,
    prepare: Callable[[Origin], Change | None],
    *,
    keep_draft: bool = False,
    afterwards: Callable[[], None] = lambda: None,
) -> HttpResponse:
    """Start a run with the changed body (no change: the very same bytes) and give its panel.

    `keep_draft` makes the same change to the request being written, so that the form goes along. What is written is
    written while the upstream is at work.
    """
    await request.auser()

    def prepared() -> tuple[Origin, Change | None, bytes, Connection | None]:
        origin = _origin(request, run_id)
        change = prepare(origin)
        body = origin.raw if change is None else _changed(request, origin, change)
        return origin, change, body, _connection(request, origin)

    def answered() -> HttpResponse:
        afterwards()
        compare.follow(request, run_id, run.id)
        response = render(request, "playground/_answer_panel.html", {"run": run})
        if keep_draft and change is not None and _change_draft(request, origin, change, run.id):
            response["HX-Trigger"] = "draft:changed"
        return response

    try:
        origin, change, body, connection = await sync_to_async(prepared)()
        run = await _start(request, origin, body, connection)
    except CannotGoOn as problem:
        return await _refused(request, str(problem), 400)
    except dispatch.Refused as refusal:
        return await _refused(request, refusal.reason, refusal.status)
    await head_start(run)
    return await sync_to_async(answered)()


def _changed(request: HttpRequest, origin: Origin, change: Change) -> bytes:
    """The body to send: the changed one, with the bytes of files that the change names."""
    return going_on.write_body(resolve(change(origin.body()), Attachment.objects.of(request).bytes_of))


async def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context = {"reason": reason, "status": status}
    return await sync_to_async(render)(request, "playground/_answer_refused.html", context)


def _change_draft(request: HttpRequest, origin: Origin, change: Change, run_id: UUID) -> bool:
    """Make the change to the draft too, if it still holds as many turns as were sent.

    The draft names uploaded files by their ids where the sent body has their bytes; so it is changed, not replaced.
    """
    draft = Draft.objects.of(request).first()
    # While columns are compared, the form is theirs together: what one of them goes on with stays in its column.
    if draft is None or draft.columns:
        return False
    try:
        kept = going_on.check_messages(going_on.read_body(bytes(draft.body)))
        if len(kept["messages"]) != len(origin.body()["messages"]):
            return False
        draft.body = going_on.write_body(change(kept))
    except CannotGoOn:
        return False
    try:
        if not draft.keep():
            return False
    except NoRoomError:
        return False
    saving.record_run(draft, run_id)
    return True


# --- The views ----------------------------------------------------------------------------------------------------


@require_POST
async def run_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The same body once more, byte for byte; `double_max_tokens` gives the answer twice the room."""

    def double(body: dict[str, Any]) -> dict[str, Any]:
        limit = body.get("max_tokens")
        if not isinstance(limit, int) or isinstance(limit, bool):
            raise CannotGoOn("The request has no max_tokens to raise.")
        return body | {"max_tokens": max(1, int(limit) * 2)}

    is_raised = bool(request.POST.get("double_max_tokens"))
    return await _answer_with(request, run_id, lambda _: double if is_raised else None, keep_draft=is_raised)


@require_POST
async def stop_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a run, for a page without a socket to it. 204 when it has ended, 202 when that takes longer."""
    await request.auser()
    run = await sync_to_async(find_run)(request, run_id)
    if isinstance(run, LiveRun):
        run.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TAKES_S):
                await run.ended()
        return HttpResponse(status=204 if run.is_over else 202)
    return HttpResponse(status=204)


@require_POST
async def compare_runs(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Up to four runs of one body beside each other, each with its own model, connection and parameters."""
    await request.auser()
    origin = await sync_to_async(_origin)(request, run_id)
    columns: list[dict[str, Any]] = []
    for column in request.POST.getlist("column")[:MAX_COLUMNS]:
        asked = {name: request.POST.get(f"{name}-{column}", "") for name in ("model", "temperature", "max_tokens")}
        changes = {name: text.strip() for name, text in asked.items() if text.strip()}
        title = ", ".join(value if name == "model" else f"{name} {value}" for name, value in changes.items())
        try:
            body = going_on.write_body(going_on.with_parameters(origin.body(), changes)) if changes else origin.raw
            chosen = request.POST.get(f"connection-{column}", "")
            run = await _start(request, origin, body, await sync_to_async(_connection)(request, origin, chosen))
            columns.append({"run": run, "title": title or "as sent"})
        except CannotGoOn as problem:
            columns.append({"reason": str(problem), "title": title})
        except dispatch.Refused as refusal:
            columns.append({"reason": refusal.reason, "title": title})
    if not columns:
        return await _refused(request, "No column was chosen.", 400)
    return await sync_to_async(render)(request, "playground/_answer_compare.html", {"columns": columns})


@require_POST
async def answer_continue(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Let the model go on where it stopped."""

    def prepare(origin: Origin) -> Change:
        reason = origin.drawing.figures.accumulator.stop_reason
        return lambda body: going_on.continued(body, origin.content, reason)

    return await _answer_with(request, run_id, prepare, keep_draft=True)


@require_POST
async def send_results(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Answer the calls of an answer: its turn and one turn with all results are added, and the body runs again."""
    answers: list[tuple[BlockDrawing, ToolResult | None]] = []

    def prepare(origin: Origin) -> Change:
        calls = [drawn for drawn in origin.drawing.blocks if drawn.type == "tool_use"]
        found = [_result(request, drawn.block.index, drawn.id) for drawn in calls]
        results = [result for result in found if result is not None]
        if len(results) < len(calls) and not request.POST.get("anyway"):
            raise CannotGoOn("Some calls have no result yet. Every call needs one, or choose to send without.")
        answers.extend(zip(calls, found, strict=True))
        return lambda body: going_on.with_results(body, origin.content, results)

    def remember() -> None:
        for drawn, result in answers:
            _remember(request, drawn, result)

    return await _answer_with(request, run_id, prepare, keep_draft=True, afterwards=remember)


def _remember(request: HttpRequest, drawn: BlockDrawing, result: ToolResult | None) -> None:
    """Save a result that is to answer this tool from now on, or forget the one that was."""
    index = drawn.block.index
    if result is not None and request.POST.get(f"remember-{index}"):
        tool_input = drawn.block.value.get("input") if request.POST.get(f"only-{index}") else None
        mocks = ToolMock.objects.all()
        mocks.keep(request, drawn.name, tool_input, result.content, result.is_error)
    elif request.POST.get(f"was-saved-{index}") and not request.POST.get(f"remember-{index}"):
        ToolMock.objects.of(request).forget(drawn.name)


def _result(request: HttpRequest, index: int, tool_use_id: str) -> ToolResult | None:
    """One call's result as the form gives it; None when nothing was filled in."""
    is_error = bool(request.POST.get(f"is_error-{index}"))
    way = request.POST.get(f"way-{index}", "text")
    if way == "image":
        content = _image(request, request.FILES.get(f"image-{index}"), request.POST.get(f"image-file-{index}", ""))
    elif way == "form":
        content = _from_fields(request, index)
    else:
        content = request.POST.get(f"{way}-{index}" if way == "json" else f"text-{index}", "").strip() or None
    if content is None and not is_error:
        return None
    return ToolResult(tool_use_id, content if content is not None else "", is_error=is_error)


def _from_fields(request: HttpRequest, index: int) -> str | None:
    """The fields as a JSON object. A text that is JSON keeps its type, unless the example has a string there."""
    prefix = f"field-{index}-"
    found: dict[str, Any] = {}
    for name, text in request.POST.items():
        if name.startswith(prefix):
            member = name.removeprefix(prefix)
            try:
                found[member] = text if f"kind-{index}-{member}" in request.POST else json.loads(text)
            except (ValueError, RecursionError):
                found[member] = text
    return json.dumps(found, ensure_ascii=False) if found else None


def _image(request: HttpRequest, upload: Any, chosen: str) -> list[dict[str, Any]] | None:
    """An image as a result: the uploaded file, else the chosen one. It is kept as a file, which the result names.

    The type counts by the bytes, not by the file's name.
    """
    if upload is None:
        files = Attachment.objects.of(request).filter(media_type__startswith="image/")
        file = next((file for file in files if file.reference == chosen), None) if chosen else None
        if chosen and file is None:
            raise CannotGoOn("This image is no longer here.")
        if file is None:
            return None
        files.touch([file.reference])
        return [_image_block(file.media_type, file.reference)]
    if upload.size > MAX_IMAGE_BYTES:
        raise CannotGoOn(f"The image is larger than {MAX_IMAGE_BYTES // 2**20} MiB.")
    data = upload.read()
    try:
        media_type = recognise(data).media_type
    except UnknownFileError:
        media_type = ""
    if not media_type.startswith("image/"):
        raise CannotGoOn("The file is no PNG, JPEG, GIF or WebP image.")
    try:
        stored = attachment_store.store(data, upload.name or "", **drafts.owner_fields(request))
    except NoRoomError as problem:
        raise CannotGoOn(str(problem)) from None
    return [_image_block(media_type, stored.reference)]


def _image_block(media_type: str, reference: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": reference}}


@require_POST
def answer_to_draft(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Add the answer as a turn to the request being written, and an empty user turn after it."""
    origin = _origin(request, run_id)
    draft = Draft.objects.of(request).first()
    try:
        base = going_on.read_body(bytes(draft.body)) if draft is not None and draft.body else origin.body()
        changed = going_on.write_body(going_on.with_answer(base, origin.content))
    except CannotGoOn as problem:
        return HttpResponse(str(problem), status=409, content_type="text/plain; charset=utf-8")
    if draft is None:
        draft = Draft(**drafts.owner_fields(request))
    draft.body = changed
    if not draft.keep():
        return HttpResponse("The request was changed elsewhere meanwhile.", status=409, content_type="text/plain")
    return HttpResponse(status=204, headers={"HX-Trigger": "draft:changed"})
