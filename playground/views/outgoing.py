"""A draft made into what is sent: variables filled in, files in place of their references, bytes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playground import dispatch, visitors
from playground.forms.attachments import resolve
from playground.forms.variables import fill
from playground.protocol import json_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from django.http import HttpRequest

    from playground.engine.live_run import LiveRun
    from playground.forms.request_form import RequestForm

HEAD_START_S = 0.01  # of a request, before anything is written
LONGEST_PRESS = 64  # characters of the page's own number of a press of Send, kept as long as its run is


@dataclass(frozen=True)
class Ready:
    """The body's bytes, and what else `dispatch.start` takes."""

    form: RequestForm
    body: bytes
    options: dict[str, Any]


def filled_body(form: RequestForm) -> Any:
    """The body as it is sent. Files that are not the owner's stay references: they are looked up through the owner."""
    body = fill(form.body, form.draft.variables)
    if not form.attachments:
        return body

    def read(reference: str) -> bytes | None:
        attachment = form.attachments.get(reference)
        return None if attachment is None else attachment.read()

    return resolve(body, read)


def body_bytes(form: RequestForm) -> bytes:
    """The bytes to send; what is not JSON is sent as it was typed, since seeing the API's own error is a use."""
    if form.error is not None or not isinstance(form.body, dict):
        return form.draft.body_text.encode()
    return json_text.dump(filled_body(form), indent=None).encode()


def within_limits(request: HttpRequest) -> AbstractContextManager[None]:
    """For a question to an upstream that is no run. The user must be loaded. Raises `dispatch.Refused`."""
    is_visitor = not request.user.is_authenticated
    owner, address = visitors.owner_of(request) or "", visitors.client_address(request)
    return dispatch.short_questions(owner, address, is_visitor=is_visitor)


def press_of(request: HttpRequest) -> str | None:
    return request.POST.get(":press", "")[:LONGEST_PRESS] or None


def ready_to_send(request: HttpRequest, form: RequestForm) -> Ready:
    """Everything that a run needs. The key that was typed for this visit is in it, and is stored nowhere."""
    draft = form.draft
    key = request.POST.get(":key", "").strip() or None
    options: dict[str, Any] = {
        "owner": visitors.owner_of(request),
        "user": request.user if request.user.is_authenticated else None,
        "connection": draft.connection,
        "visitor_key": key,
        "version": draft.anthropic_version or None,
        "betas": tuple(draft.betas),
        "accept": draft.accept or None,
        "extra_headers": tuple((name, value) for name, value in draft.extra_headers),
        "user_agent": request.headers.get("User-Agent", ""),
        "client_address": visitors.client_address(request),
        "client_id": press_of(request),
        "keep_content": ":figures-only" not in request.POST,
    }
    style = request.POST.get(":auth-style")
    if draft.connection is not None and style in {"x-api-key", "bearer"} and style != draft.connection.auth_style:
        options["upstream"] = replace(dispatch.upstream_of(draft.connection, key), auth_style=style)
    return Ready(form, body_bytes(form), options)


async def head_start(run: LiveRun) -> None:
    """Let the request leave before the database's thread competes with it for the interpreter."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAD_START_S):
            while run.status is None and not run.is_over:
                await run.wait()
