"""A draft made into what is sent: variables filled in, files in place of their references, bytes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts.models import Connection
from accounts.vault import VaultError
from playground import dispatch
from playground.attachments.references import resolve
from playground.composer.header_problems import OF_THEIR_OWN, chosen_accept, own_headers
from playground.composer.variables import fill
from playground.dispatch.run_request import ClientInfo, RunRequest
from playground.identity import visitors
from playground.protocol.json import json_text

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from django.http import HttpRequest

    from playground.composer.request_form import RequestForm
    from playground.engine.live_run import LiveRun

HEAD_START_S = 0.01  # of a request, before anything is written
LONGEST_IDEMPOTENCY_KEY = 64  # characters; the page makes one up for each press of Send


@dataclass(frozen=True)
class PreparedRequest:
    """A form, and the request that it makes."""

    form: RequestForm
    request: RunRequest


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


def within_limits(request: HttpRequest) -> AbstractAsyncContextManager[None]:
    """Count a short question to an upstream, which is no run, against the limits of whoever asks. The user must be
    loaded. Raises `dispatch.Refused`."""
    is_visitor = not request.user.is_authenticated
    owner, address = visitors.owner_of(request) or "", visitors.client_address(request)
    return dispatch.within_rate_limit(owner, address, is_visitor=is_visitor)


def idempotency_key(request: HttpRequest) -> str | None:
    """Return the key that the page gives to this press of Send: a double click and a resend bring the same one."""
    return request.POST.get(":idempotency-key", "")[:LONGEST_IDEMPOTENCY_KEY] or None


def client_info(request: HttpRequest) -> ClientInfo:
    return ClientInfo(request.headers.get("User-Agent", ""), visitors.client_address(request))


def ready_to_send(request: HttpRequest, form: RequestForm) -> PreparedRequest:
    """Everything that a run needs. The key that was typed for this visit is in it, and is stored nowhere."""
    draft = form.draft
    style = request.POST.get(":auth-style")
    run_request = RunRequest(
        body=body_bytes(form),
        owner=visitors.owner_of(request) or "",
        user=request.user if request.user.is_authenticated else None,
        connection=draft.connection,
        credential=request.POST.get(":key", "").strip() or None,
        auth_style="bearer" if style == "bearer" else "x-api-key" if style == "x-api-key" else None,
        version=draft.anthropic_version or None,
        betas=tuple(draft.betas),
        accept=chosen_accept(draft.accept),
        headers=tuple((name, value) for name, value in draft.extra_headers if name not in OF_THEIR_OWN),
        client=client_info(request),
        idempotency_key=idempotency_key(request),
        keep_content=":figures-only" not in request.POST,
    )
    return PreparedRequest(form, run_request)


def own_headers_of(headers: list[tuple[str, str]], connection_id: Any, *, is_sandbox: bool) -> list[list[str]]:
    """Return an earlier request's headers beside the API's own. None where it is not known any more which of them its
    connection had added: they may be meant for that upstream alone."""
    connection = Connection.objects.filter(pk=connection_id).first() if connection_id else None
    try:
        return own_headers(headers, connection.headers()) if connection else own_headers(headers) if is_sandbox else []
    except VaultError:
        return []


async def head_start(run: LiveRun) -> None:
    """Let the request leave before the database's thread competes with it for the interpreter."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HEAD_START_S):
            while run.status is None and not run.is_over:
                await run.wait()
