"""Actions on an answer: run again, compare, continue, answer its tools. Each makes new runs."""

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
from playground import dispatch
from playground.answer import continuation
from playground.answer.continuation import CannotContinue
from playground.answer.run_view import drawing_of
from playground.attachments.references import resolve
from playground.composer.header_problems import chosen_accept
from playground.conversations import autosave
from playground.dispatch.run_request import RunRequest
from playground.drafts.outgoing import client_info, head_start, own_headers_of
from playground.engine.live_run import LiveRun
from playground.identity import visitors
from playground.models import Attachment, Draft, Run
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.endpoints import Endpoint, endpoint_named
from playground.protocol.headers import beta_names, is_masked, sendable_query
from playground.request_log import request_body
from playground.sandbox.address import is_sandbox_url
from playground.views import draft_comparison
from playground.views.answer_page import find_run

if TYPE_CHECKING:
    from django.http import HttpRequest

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
    own_headers: list[list[str]]  # beside the API's own, and those that a connection adds
    version: str | None
    betas: list[str]
    query: str
    content_encoding: str | None  # of a body that was compressed and could not be read
    connection_id: Any
    is_sandbox: bool
    connection_name: str
    endpoint: Endpoint
    left_out: str = ""  # of the answer, when it goes back: a sentence for the reader

    def body(self) -> dict[str, Any]:
        return continuation.read_body(self.raw)

    @cached_property
    def drawing(self) -> Drawing:
        """Made when it is asked for: to run the same again needs none. Reads the database."""
        return drawing_of(self.run, self.request)

    @property
    def content(self) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = self.drawing.figures.accumulator.message.get("content", [])
        return content

    @property
    def stop_reason(self) -> str | None:
        return self.drawing.figures.accumulator.stop_reason

    def say_what_is_left_out(self) -> None:
        self.left_out = continuation.left_out(self.content, self.stop_reason)


def origin_of(request: HttpRequest, run_id: UUID) -> Origin:
    run = find_run(request, run_id)
    if isinstance(run, LiveRun):
        raw, headers = run.about.request_body, list(run.about.request_headers)
        connection_id, base_url, name = run.about.connection_id, run.about.base_url, run.about.connection_name
        query, endpoint = run.about.query, run.about.endpoint
    else:
        raw = run.request_body or b""
        headers = [(name, value) for name, value in run.stored_content.request_headers] if run.stored_content else []
        connection_id, base_url, name = run.connection_id, run.base_url, run.connection_name
        query = run.stored_content.request_query if run.stored_content else ""
        endpoint = endpoint_named(run.endpoint)
    lower = {name.lower(): value for name, value in headers if not is_masked(value)}
    is_sandbox = is_sandbox_url(base_url)
    return Origin(
        run=run,
        request=request,
        raw=raw,
        own_headers=own_headers_of(headers, connection_id, is_sandbox=is_sandbox),
        version=lower.get("anthropic-version"),
        betas=beta_names(lower.get("anthropic-beta", "")),
        query=sendable_query(query),
        content_encoding=lower.get("content-encoding"),
        connection_id=connection_id,
        is_sandbox=is_sandbox,
        connection_name=name,
        endpoint=endpoint,
    )


def _connection(request: HttpRequest, origin: Origin, chosen: str = "") -> Connection | None:
    """The connection to send to: the chosen one, else the one of the earlier run. None is the sandbox."""
    if chosen == "sandbox" or (not chosen and origin.is_sandbox):
        return None
    connection_id: Any = chosen or origin.connection_id
    try:
        connection = Connection.objects.usable_by(request.user).filter(pk=UUID(str(connection_id))).first()
    except ValueError:
        connection = None
    if connection is None:
        raise CannotContinue(f"The connection {origin.connection_name} was deleted.")
    return connection


async def _start(request: HttpRequest, origin: Origin, body: bytes, connection: Connection | None) -> LiveRun:
    if not body:
        raise CannotContinue("The body of this request was not stored.")
    owner = visitors.owner_of(request)
    assert owner is not None
    run_request = RunRequest(
        body=body,
        owner=owner,
        user=request.user if request.user.is_authenticated else None,
        connection=connection,
        credential=request.POST.get("key") or None,
        version=origin.version,
        betas=tuple(origin.betas),
        accept=chosen_accept(request.POST.get("accept", "")),
        headers=(*((name, value) for name, value in origin.own_headers), *_encoding_of(origin, body)),
        query=origin.query,
        endpoint=origin.endpoint,
        client=client_info(request),
    )
    return await dispatch.start(run_request)


def _encoding_of(origin: Origin, body: bytes) -> list[tuple[str, str]]:
    """Compressed bytes that were stored as they are, because they could not be read, need the header that names how."""
    is_stored_as_sent = body == origin.raw and request_body.parse(body) is None
    return [("content-encoding", origin.content_encoding)] if origin.content_encoding and is_stored_as_sent else []


Change = Callable[[dict[str, Any]], dict[str, Any]]


async def answer_with(
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

    def prepared() -> tuple[Origin, Change | None, bytes, Connection | None]:
        origin = origin_of(request, run_id)
        change = prepare(origin)
        body = origin.raw if change is None else _changed(request, origin, change)
        return origin, change, body, _connection(request, origin)

    def answered() -> HttpResponse:
        afterwards()
        draft_comparison.follow(request, run_id, run.id)
        response = render(request, "playground/answer/_panel.html", {"run": run})
        is_changed = keep_draft and change is not None and _change_draft(request, origin, change, run.id)
        return _telling(response, is_changed=is_changed, words=origin.left_out)

    try:
        origin, change, body, connection = await sync_to_async(prepared)()
        run = await _start(request, origin, body, connection)
    except CannotContinue as problem:
        return await _refused(request, str(problem), 400)
    except dispatch.Refused as refusal:
        return await _refused(request, refusal.reason, refusal.status)
    await head_start(run)
    return await sync_to_async(answered)()


def _telling(response: HttpResponse, *, is_changed: bool, words: str = "") -> HttpResponse:
    """The response with what the page is to know: that its draft changed, and words for the reader."""
    events = {"draft:changed": None} if is_changed else {}
    if words:
        response["HX-Trigger"] = json.dumps({**events, "page:said": words})
    elif is_changed:
        response["HX-Trigger"] = "draft:changed"
    return response


def _changed(request: HttpRequest, origin: Origin, change: Change) -> bytes:
    """The body to send: the changed one, with the bytes of files that the change names."""
    return continuation.write_body(resolve(change(origin.body()), Attachment.objects.of(request).bytes_of))


async def _refused(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    context = {"reason": reason, "status": status}
    return await sync_to_async(render)(request, "playground/answer/_refused.html", context)


def _change_draft(request: HttpRequest, origin: Origin, change: Change, run_id: UUID) -> bool:
    """Make the change to the draft too, if it still holds as many turns as were sent.

    The draft names uploaded files by their ids where the sent body has their bytes; so it is changed, not replaced.
    """
    draft = Draft.objects.of(request).first()
    # While columns are compared, the form is theirs together: what one of them goes on with stays in its column.
    if draft is None or draft.columns:
        return False
    try:
        kept = continuation.check_messages(continuation.read_body(bytes(draft.body)))
        if len(kept["messages"]) != len(origin.body()["messages"]):
            return False
        draft.body = continuation.write_body(change(kept))
    except CannotContinue:
        return False
    try:
        if not draft.keep():
            return False
    except StorageQuotaError:
        return False
    autosave.record_run(draft, run_id)
    return True


# --- The views ----------------------------------------------------------------------------------------------------


@require_POST
async def run_again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send the same body once more, byte for byte; `double_max_tokens` gives the answer twice the room."""

    def double(body: dict[str, Any]) -> dict[str, Any]:
        limit = body.get("max_tokens")
        if not isinstance(limit, int) or isinstance(limit, bool):
            raise CannotContinue("The request has no max_tokens to raise.")
        return body | {"max_tokens": max(1, int(limit) * 2)}

    is_raised = bool(request.POST.get("double_max_tokens"))
    return await answer_with(request, run_id, lambda _: double if is_raised else None, keep_draft=is_raised)


@require_POST
async def stop_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a run, for a page without a socket to it. 204 when it has ended, 202 when that takes longer."""
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
    origin = await sync_to_async(origin_of)(request, run_id)
    columns: list[dict[str, Any]] = []
    for column in request.POST.getlist("column")[:MAX_COLUMNS]:
        typed = {name: request.POST.get(f"{name}-{column}", "") for name in ("model", "temperature", "max_tokens")}
        changes = {name: text.strip() for name, text in typed.items() if text.strip()}
        title = ", ".join(value if name == "model" else f"{name} {value}" for name, value in changes.items())
        try:
            body = (
                continuation.write_body(continuation.with_parameters(origin.body(), changes)) if changes else origin.raw
            )
            chosen = request.POST.get(f"connection-{column}", "")
            run = await _start(request, origin, body, await sync_to_async(_connection)(request, origin, chosen))
            columns.append({"run": run, "title": title or "as sent"})
        except CannotContinue as problem:
            columns.append({"reason": str(problem), "title": title})
        except dispatch.Refused as refusal:
            columns.append({"reason": refusal.reason, "title": title})
    if not columns:
        return await _refused(request, "No column was chosen.", 400)
    return await sync_to_async(render)(request, "playground/answer/_compare.html", {"columns": columns})


@require_POST
async def answer_continue(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Let the model go on where it stopped."""

    def prepare(origin: Origin) -> Change:
        origin.say_what_is_left_out()
        return lambda body: continuation.continued(body, origin.content, origin.stop_reason)

    return await answer_with(request, run_id, prepare, keep_draft=True)
