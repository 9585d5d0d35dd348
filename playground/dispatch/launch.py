"""The one door to the engine: a body, a connection and the settings become a live run with a recorder attached."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings

from accounts.models.connection import SANDBOX as SANDBOX_NAME
from accounts.vault import VaultError
from playground import process
from playground.engine.events import Answered, Ended, Failure, Received
from playground.engine.live import LiveRun, LiveRuns, Quota, RunAbout, Stopping, TooMany
from playground.engine.run import run_in_batches
from playground.engine.upstream import SANDBOX, AddressRefused, Outgoing, Upstream, build
from playground.protocol.errors import type_of_status
from playground.visitors import network_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from accounts.models import AccessKey, Connection, User

MESSAGES = "/v1/messages"
_FETCHES_PER_RUN = 5
_LARGE = 256 * 1024  # bytes of JSON that are parsed off the event loop


class Refused(Exception):  # noqa: N818 - reads as what it is
    """The run was not started and nothing was sent. `type` is the API's error type; `status` an HTTP status."""

    def __init__(self, reason: str, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.type = type_of_status(status)
        self.retry_after_s = retry_after_s


def get_live() -> LiveRuns:
    """The runs in progress in this process."""
    return process.current().live


def upstream_of(connection: Connection | None, typed_key: str | None = None) -> Upstream:
    """The connection with its secrets; None is the sandbox. `typed_key` stands in for the stored credential.

    Raises Refused when the secrets cannot be read.
    """
    if connection is None:
        return SANDBOX
    try:
        credential, headers = connection.secrets()
    except VaultError:
        raise Refused(f"The stored credential of {connection.name} cannot be read.", 500) from None
    return Upstream(
        name=connection.name,
        base_url=connection.base_url,
        auth_style="bearer" if connection.auth_style == "bearer" else "x-api-key",
        credential=typed_key or credential or None,
        default_headers=dict(headers),
        version=connection.anthropic_version,
        is_shared=connection.is_for_everyone and not typed_key,
    )


async def start(
    body: bytes,
    *,
    owner: str,
    user: User | None,
    connection: Connection | None,
    visitor_key: str | None = None,
    version: str | None = None,
    betas: Iterable[str] = (),
    accept: str | None = None,
    extra_headers: Iterable[tuple[str, str]] = (),
    source: Literal["playground", "relay"] = "playground",
    user_agent: str = "",
    client_address: str = "",
    access_key: AccessKey | None = None,
    keep_content: bool = True,
    client_id: str | None = None,
    conversation_id: Any = None,
    upstream: Upstream | None = None,
    path: str = MESSAGES,
) -> LiveRun:
    """Send the body, exactly as it is, and return the run that tells what comes of it.

    `visitor_key` is a credential typed for this run only: it lives in the run's request and nowhere else. Whether the
    user may use the connection is the caller's look-up (`Connection.objects.usable_by`). `upstream` spares reading the
    connection's secrets again. Content is kept unless `keep_content` or the user's own setting says otherwise.
    Raises Refused; then nothing was sent.
    """
    is_visitor = user is None or not user.is_authenticated
    here = process.current()
    if is_visitor and len(body) > settings.VISITOR_MAX_BODY_BYTES:
        raise Refused(f"Without an account a request has at most {settings.VISITOR_MAX_BODY_BYTES:,} bytes.", 413)
    if not is_visitor and here.recorder.failing:
        raise Refused("Requests cannot be stored at the moment, so none is sent. Try again in a while.", 503)
    upstream = upstream or upstream_of(connection, visitor_key)
    outgoing = _build(upstream, path, body, version=version, betas=betas, accept=accept, extra_headers=extra_headers)
    model, stream = await glance(body)
    about = RunAbout(
        model=model,
        source=source,
        stream=stream,
        connection_id=None if connection is None else connection.pk,
        connection_name=SANDBOX_NAME if connection is None else connection.name,
        base_url=upstream.base_url,
        user_agent=user_agent,
        client_address=client_address,
        request_body=body,
        request_headers=outgoing.masked_headers(),
        version=version or upstream.version,
        betas=tuple(betas),
        user_id=None if is_visitor else user.pk,  # type: ignore[union-attr]
        access_key_id=None if access_key is None else access_key.pk,
        access_key_name="" if access_key is None else access_key.name,
        keep_content=keep_content and (is_visitor or user.keep_content),  # type: ignore[union-attr]
        conversation_id=conversation_id,
        client_id=client_id,
    )
    try:
        return here.live.start(
            outgoing,
            here.client(),
            owner=owner,
            about=about,
            limits=process.limits(),
            quotas=quotas(owner, access_key, client_address, is_visitor=is_visitor),
            pause=here.pacer.pause,
            on_start=here.recorder.attach,
        )
    except TooMany as refusal:
        raise Refused(refusal.message, 429, refusal.retry_after_s) from None
    except Stopping:
        raise Refused("This server is restarting. Try again in a moment.", 503, 5.0) from None


def quotas(
    owner: str, access_key: AccessKey | None, client_address: str, *, is_visitor: bool
) -> list[tuple[str, Quota]]:
    """Whose limits count for a run: the address of a visitor, who could have any number of cookies; else the user's,
    and the access key's own."""
    if is_visitor:
        visitors = Quota(settings.VISITOR_RUNS_PER_MINUTE or None, settings.VISITOR_RUNS_AT_ONCE or None)
        return [(f"address:{network_of(client_address)}", visitors)]
    counted = [(owner, Quota(settings.RUNS_PER_MINUTE or None, settings.RUNS_AT_ONCE or None))]
    if access_key is not None and access_key.requests_per_minute:
        counted.append((f"key:{access_key.pk}", Quota(access_key.requests_per_minute, None)))
    return counted


async def glance(body: bytes) -> tuple[str, bool]:
    """The body's model and whether it asks for a stream, as far as it can be read. Never raises."""
    parsed = _parse(body) if len(body) < _LARGE else await asyncio.to_thread(_parse, body)
    if not isinstance(parsed, dict):
        return "", False
    model = parsed.get("model")
    return (model if isinstance(model, str) else ""), parsed.get("stream") is True


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """A short answer that is no run: models, a token count. `failure` is None when it is a good JSON answer;
    `is_cut`: there should be more of it."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = dataclasses.field(repr=False)
    failure: Failure | None
    is_cut: bool = False

    @property
    def json(self) -> Any:
        """The body as JSON, None when it is not."""
        return _parse(self.body)


async def fetch(outgoing: Outgoing) -> Fetched:
    """Send a request through the same client, guard and limits as a run, and store nothing. Never raises."""
    here = process.current()
    limits = dataclasses.replace(process.limits(), first_byte_s=60.0, total_s=120.0, response_bytes=8 * 2**20)
    status, headers, pieces, failure, is_cut = None, (), [], None, False
    async for batch in run_in_batches(outgoing, here.client(), limits):
        for event in batch:
            if isinstance(event, Answered):
                status, headers = event.status, event.headers
            elif isinstance(event, Received):
                pieces.append(event.data)
            elif isinstance(event, Ended):
                failure, is_cut = event.failure, event.is_cut
    return Fetched(status, headers, b"".join(pieces), failure, is_cut)


async def fetch_for_key(
    upstream: Upstream,
    access_key: AccessKey,
    path: str,
    body: bytes = b"",
    *,
    version: str | None = None,
    extra_headers: Iterable[tuple[str, str]] = (),
) -> Fetched:
    """The same for a client of the relay, within the limits of its user. Raises Refused."""
    method = "POST" if body else "GET"
    outgoing = _build(upstream, path, body, method=method, version=version, extra_headers=extra_headers)
    with short_questions(f"user:{access_key.owner_id}", "", is_visitor=False, access_key=access_key):
        return await fetch(outgoing)


@contextmanager
def short_questions(
    owner: str, client_address: str, *, is_visitor: bool, access_key: AccessKey | None = None
) -> Iterator[None]:
    """Ask something within the limits of whoever asks. Raises Refused.

    Agents count tokens before each turn, and it costs nobody anything: more of these than of runs.
    """
    counted = [
        (f"fetch:{whose}", Quota(quota.per_minute and quota.per_minute * _FETCHES_PER_RUN, quota.at_once))
        for whose, quota in quotas(owner, access_key, client_address, is_visitor=is_visitor)
    ]
    try:
        with process.current().live.admitted(counted, "token counts and model lists"):
            yield
    except TooMany as refusal:
        raise Refused(refusal.message, 429, refusal.retry_after_s) from None


async def fetch_models(
    connection: Connection | None, *, typed_key: str | None = None, version: str | None = None
) -> Fetched:
    """`GET /v1/models`. Raises Refused when the request cannot be made."""
    path = "/v1/models?limit=1000"
    return await fetch(_build(upstream_of(connection, typed_key), path, method="GET", version=version))


async def count_tokens(
    connection: Connection | None,
    body: bytes,
    *,
    typed_key: str | None = None,
    version: str | None = None,
    betas: Iterable[str] = (),
) -> Fetched:
    """`POST /v1/messages/count_tokens`. Raises Refused when the request cannot be made."""
    path = f"{MESSAGES}/count_tokens"
    return await fetch(_build(upstream_of(connection, typed_key), path, body, version=version, betas=betas))


def models_in(answer: Any) -> list[dict[str, Any]]:
    """The model objects in a list answer, the API's or OpenAI's: both have `data`, with an `id` each."""
    listed = answer.get("data") if isinstance(answer, dict) else None
    return [model for model in listed or [] if isinstance(model, dict) and isinstance(model.get("id"), str)]


def _build(upstream: Upstream, path: str, body: bytes = b"", **options: Any) -> Outgoing:
    try:
        return build(upstream, path, body, **options)
    except AddressRefused as refusal:
        raise Refused(f"{upstream.name}: {refusal}", 400) from None


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
