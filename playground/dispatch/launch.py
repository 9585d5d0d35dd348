"""The only entry to the engine: a body, a connection and the settings become a live run with a recorder attached."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.models.connection import SANDBOX as SANDBOX_NAME
from accounts.vault import VaultError
from playground.dispatch import process
from playground.dispatch.run_request import ClientInfo as ClientInfo
from playground.dispatch.run_request import RunRequest as RunRequest
from playground.engine.events import Answered, Ended, Failure, Received
from playground.engine.exchange import Limits, run_in_batches
from playground.engine.live import Stopping, reference_to
from playground.engine.live_run import LiveRun, RunMetadata
from playground.engine.rate_limit import Quota, RateLimited
from playground.engine.run_registry import RunReference as RunReference
from playground.engine.run_registry import RunRegistry
from playground.engine.run_spec import RunSpec
from playground.engine.upstream import SANDBOX, AddressRefused, HeaderUnsendable, Outgoing, Upstream, build
from playground.exceptions import PlaygroundError
from playground.identity.visitors import network_of, owner_of_user
from playground.protocol.endpoints import COUNT_TOKENS, MESSAGES, path_of
from playground.protocol.errors import type_of_status
from playground.protocol.headers import masked_query
from playground.protocol.json.received_json import try_loads
from playground.protocol.json.scanning import outer_members
from playground.workers import NotHereError, in_server, is_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from accounts.models import AccessKey, Connection
    from playground.engine.events import RunEvent

_FETCHES_PER_RUN = 5
_FETCHES = "token counts and model lists"
_LARGE = 64 * 1024  # bytes of JSON that are not parsed, which would hold up every stream, but looked through
_READ_OF_LARGE = frozenset({"model", "stream"})


class Refused(PlaygroundError):
    """The run was not started and nothing was sent. `type` is the API's error type; `status` an HTTP status."""

    def __init__(self, reason: str, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.type = type_of_status(status)
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[type, tuple[str, int, float | None]]:
        return type(self), (self.reason, self.status, self.retry_after_s)


def get_live() -> RunRegistry:
    """The runs in progress in this process. Raises `NotHereError` in a worker, which has none: the server answers."""
    if is_worker():
        raise NotHereError
    return process.current().live


def page_runs(owner: str) -> list[RunReference]:
    """The runs that this owner has sent from the page and that are still live, newest first."""
    return [run for run in _references(owner) if run.source == "playground"]


@in_server
def _references(owner: str) -> list[RunReference]:
    return process.current().live.references_of(owner)


@in_server
async def start_in_server(request: RunRequest) -> RunReference:
    """`start` for a worker: the server starts the run, and the worker gets to know which it is."""
    return reference_to(await start(request))


def upstream_of(connection: Connection | None, typed_key: str | None = None) -> Upstream:
    """The connection with its secrets; None is the sandbox. `typed_key` stands in for the stored credential.

    Raises Refused when the secrets cannot be read.
    """
    if connection is None:
        return SANDBOX
    try:
        credential, headers = connection.secrets()
        public = frozenset(header.name for header in connection.marked_headers() if not header.is_secret)
    except VaultError:
        raise Refused(f"The stored credential of {connection.name} could not be read.", 500) from None
    return Upstream(
        name=connection.name,
        base_url=connection.base_url,
        auth_style="bearer" if connection.auth_style == "bearer" else "x-api-key",
        credential=typed_key or credential or None,
        default_headers=dict(headers),
        version=connection.anthropic_version,
        is_shared=connection.is_for_everyone and not typed_key,
        public_headers=public,
    )


async def start(request: RunRequest) -> LiveRun:
    """Send the body, exactly as it is, and return the run that tells what comes of it.

    Raises Refused; then nothing was sent.
    """
    here = process.current()
    if request.is_of_visitor and len(request.body) > settings.VISITOR_MAX_BODY_BYTES:
        raise Refused(f"Without an account a request has at most {settings.VISITOR_MAX_BODY_BYTES:,} bytes.", 413)
    if not request.is_of_visitor and here.recorder.failing:
        raise Refused("Requests cannot be stored right now, so nothing was sent. Try again later.", 503, 5)
    upstream = request.upstream or upstream_of(request.connection, request.credential)
    if request.auth_style is not None and upstream is not SANDBOX:
        upstream = dataclasses.replace(upstream, auth_style=request.auth_style)
    model, stream = await model_and_stream(request.stored_body)
    outgoing = _build(
        upstream,
        path_of(request.endpoint, request.query),
        request.body,
        version=request.version,
        betas=request.betas,
        accept=request.accept,
        streams=stream and not request.is_count,
        extra_headers=request.headers,
    )
    about = _about(request, upstream, outgoing, model=model, stream=stream)
    try:
        return await here.live.astart(_spec_of(request, outgoing, about))
    except RateLimited as refusal:
        raise Refused(refusal.message, 429, refusal.retry_after_s) from None
    except Stopping:
        raise Refused("This server is restarting. Try again in a moment.", 503, 5.0) from None


def _spec_of(request: RunRequest, outgoing: Outgoing, about: RunMetadata) -> RunSpec:
    here = process.current()
    counted = quotas(request.owner, request.access_key, request.client.address, is_visitor=request.is_of_visitor)
    spec = RunSpec(
        outgoing=outgoing,
        client=here.client(),
        owner=request.owner,
        about=about,
        limits=process.limits(),
        quotas=counted,
        pause=here.read_batcher.pause if request.source == "relay" else here.read_batcher.pause_for_pages,
        on_start=here.attach,
    )
    if request.is_count:  # a short question, with limits and quotas of its own
        return dataclasses.replace(spec, limits=_short_limits(), quotas=_of_fetches(counted), noun=_FETCHES)
    return spec


def _about(request: RunRequest, upstream: Upstream, outgoing: Outgoing, *, model: str, stream: bool) -> RunMetadata:
    """Return what the run itself knows of its request: plain values, without any secret."""
    connection, key = request.connection, request.access_key
    return RunMetadata(
        model=model,
        source=request.source,
        endpoint=request.endpoint,
        stream=stream and not request.is_count,
        connection_id=None if connection is None else connection.pk,
        connection_name=SANDBOX_NAME if connection is None else connection.name,
        base_url=upstream.base_url,
        query=masked_query(request.query),
        user_agent=request.client.user_agent,
        client_address=request.client.address,
        request_body=request.stored_body,
        request_headers=outgoing.masked_headers(),
        version=request.version or upstream.version,
        betas=request.betas,
        user_id=None if request.user is None or request.is_of_visitor else request.user.pk,
        access_key_id=None if key is None else key.pk,
        access_key_name="" if key is None else key.name,
        keep_content=request.keeps_content,
        idempotency_key=request.idempotency_key,
    )


def quotas(
    owner: str, access_key: AccessKey | None, client_address: str, *, is_visitor: bool
) -> list[tuple[str, Quota]]:
    """Return the limits that count for a run: a visitor's address, since a visitor could have any number of cookies;
    else the user's own, and the access key's."""
    if is_visitor:
        visitors = Quota(settings.VISITOR_RUNS_PER_MINUTE or None, settings.VISITOR_RUNS_AT_ONCE or None)
        return [(f"address:{network_of(client_address)}", visitors)]
    counted = [(owner, Quota(settings.RUNS_PER_MINUTE or None, settings.RUNS_AT_ONCE or None))]
    if access_key is not None and access_key.requests_per_minute:
        counted.append((f"key:{access_key.pk}", Quota(access_key.requests_per_minute, None)))
    return counted


async def model_and_stream(body: bytes) -> tuple[str, bool]:
    """The body's model and whether it asks for a stream, as far as it can be read. Never raises."""
    if len(body) < _LARGE:
        members = try_loads(body)
    elif json.detect_encoding(body) == "utf-8":
        members = await asyncio.to_thread(outer_members, body, _READ_OF_LARGE)
    else:
        members = await asyncio.to_thread(try_loads, body)
    if not isinstance(members, dict):
        return "", False
    model = members.get("model")
    return (model if isinstance(model, str) else ""), members.get("stream") is True


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """A short answer that is wanted whole: models, a token count. `failure` is None when it is a good JSON answer;
    `is_cut`: there should be more of it."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = dataclasses.field(repr=False)
    failure: Failure | None
    is_cut: bool = False

    @property
    def json(self) -> Any:
        """The body as JSON, None when it is not."""
        return try_loads(self.body)


async def fetch(outgoing: Outgoing) -> Fetched:
    """Send a request through the same client, guard and limits as a run, and store nothing. Never raises."""
    return await _gathered(run_in_batches(outgoing, process.current().client(), _short_limits(), expected="object"))


async def answer_of(run: LiveRun) -> Fetched:
    """The answer of a run, once it is there."""
    return await _gathered(run.gather())


async def _gathered(batches: AsyncIterator[Sequence[RunEvent]]) -> Fetched:
    headers: tuple[tuple[str, str], ...] = ()
    status, pieces, failure, is_cut = None, [], None, False
    async for batch in batches:
        for event in batch:
            if isinstance(event, Answered):
                status, headers = event.status, event.headers
            elif isinstance(event, Received):
                pieces.append(event.data)
            elif isinstance(event, Ended):
                failure, is_cut = event.failure, event.is_cut
    return Fetched(status, headers, b"".join(pieces), failure, is_cut)


def _short_limits() -> Limits:
    return dataclasses.replace(process.limits(), first_byte_s=60.0, total_s=120.0, response_bytes=8 * 2**20)


async def fetch_for_key(
    upstream: Upstream,
    access_key: AccessKey,
    path: str,
    *,
    version: str | None = None,
    extra_headers: Iterable[tuple[str, str]] = (),
) -> Fetched:
    """Fetch for a client of the relay, within the limits of its user. Raises Refused."""
    outgoing = _build(upstream, path, method="GET", version=version, extra_headers=extra_headers)
    async with within_rate_limit(owner_of_user(access_key.owner_id), "", is_visitor=False, access_key=access_key):
        return await fetch(outgoing)


@asynccontextmanager
async def within_rate_limit(
    owner: str, client_address: str, *, is_visitor: bool, access_key: AccessKey | None = None
) -> AsyncIterator[None]:
    """Count a short question to an upstream against the limits of its owner. Raises Refused."""
    counted = _of_fetches(quotas(owner, access_key, client_address, is_visitor=is_visitor))
    try:
        async with process.current().live.admitted(counted, _FETCHES):
            yield
    except RateLimited as refusal:
        raise Refused(refusal.message, 429, refusal.retry_after_s) from None


def _of_fetches(counted: Iterable[tuple[str, Quota]]) -> list[tuple[str, Quota]]:
    """Return the limits of short questions. Agents count tokens before each turn, and it costs nobody anything: more of
    these than of messages."""
    return [
        (f"fetch:{whose}", Quota(quota.per_minute and quota.per_minute * _FETCHES_PER_RUN, quota.at_once))
        for whose, quota in counted
    ]


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
    return await fetch(_build(upstream_of(connection, typed_key), COUNT_TOKENS, body, version=version, betas=betas))


async def send_message(connection: Connection | None, body: bytes) -> Fetched:
    """`POST /v1/messages` as a short question that makes no run. Raises Refused when the request cannot be made."""
    return await fetch(_build(upstream_of(connection), MESSAGES, body))


def models_in(answer: Any) -> list[dict[str, Any]]:
    """The model objects in a list answer, the API's or OpenAI's: both have `data`, with an `id` each."""
    listed = answer.get("data") if isinstance(answer, dict) else None
    return [model for model in listed or [] if isinstance(model, dict) and isinstance(model.get("id"), str)]


def _build(upstream: Upstream, path: str, body: bytes = b"", **options: Any) -> Outgoing:
    try:
        return build(upstream, path, body, **options)
    except (AddressRefused, HeaderUnsendable) as refusal:
        raise Refused(f"{upstream.name}: {refusal}", 400) from None
