"""A check's request as the engine sends it, and sending it without a database."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from playground.conformance.http_exchange import Exchange
from playground.engine.events import Streamed
from playground.engine.exchange import Limits, run
from playground.engine.upstream import SANDBOX, build

if TYPE_CHECKING:
    import httpx

    from playground.conformance.check import Request
    from playground.conformance.runner import Send
    from playground.engine.upstream import Outgoing, Upstream

WRONG_KEY: Final = "playground-wrong-key"
ANY_KEY: Final = "playground"  # for servers that want a key and take any
LIMITS: Final = Limits(first_byte_s=120.0, silence_s=60.0, total_s=300.0, response_bytes=16 * 2**20)
SANDBOX_FAILING_MODEL: Final = "sandbox-error-in-stream"
# Headers of an answer that checks read and a run does not keep.
JUDGED_HEADERS: Final = frozenset(
    {
        "connection",
        "cache-control",
        "access-control-allow-origin",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "x-powered-by",
        "x-litellm-version",
        "x-server-version",
        "x-version",
    }
)


def outgoing_for(request: Request, upstream: Upstream, model: str, failing_model: str = "") -> Outgoing:
    """The request to this server. Raises AddressRefused."""
    named = {name.lower(): value for name, value in request.headers}
    body = request.body_for(model, failing_model)
    made = build(
        upstream,
        request.path_for(model),
        body,
        method=request.method,
        version=request.version or "none",
        extra_headers=request.headers,
    )
    headers = dict(made.headers)
    if request.version is None:
        headers.pop("anthropic-version", None)
    headers |= {name: named[name] for name in ("accept-encoding", "content-type") if name in named}
    if request.credential != "usual":
        headers.pop("x-api-key", None)
        headers.pop("authorization", None)
        headers |= _credential(request, upstream)
    return replace(made, headers=tuple(headers.items()), is_chunked=request.chunked, kept_headers=JUDGED_HEADERS)


def _credential(request: Request, upstream: Upstream) -> dict[str, str]:
    key = upstream.credential or ANY_KEY
    match request.credential:
        case "wrong":
            is_bearer = upstream.auth_style == "bearer"
            return {"authorization": f"Bearer {WRONG_KEY}"} if is_bearer else {"x-api-key": WRONG_KEY}
        case "x-api-key":
            return {"x-api-key": key}
        case "bearer":
            return {"authorization": f"Bearer {key}"}
        case _:
            return {}


def sender(client: httpx.AsyncClient, upstream: Upstream, model: str, failing_model: str = "") -> Send:
    """Send through the engine and keep nothing."""

    async def send(request: Request) -> Exchange:
        outgoing = outgoing_for(request, upstream, model, failing_model)
        exchange = Exchange(request, outgoing.body, model=model)
        async with aclosing(run(outgoing, client, LIMITS)) as events:
            async for event in events:
                exchange.add(event)
                if is_enough(exchange, event):
                    exchange.hung_up = True
                    break
        return exchange

    return send


def is_enough(exchange: Exchange, event: object) -> bool:
    """Return whether the connection is to be closed now."""
    most = exchange.request.hang_up_after
    return most is not None and isinstance(event, Streamed) and exchange.event_count >= most


def failing_model_of(upstream: Upstream, named: str = "") -> str:
    """The model that breaks off its streams: as named, or the sandbox's own."""
    return named or (SANDBOX_FAILING_MODEL if upstream is SANDBOX else "")
