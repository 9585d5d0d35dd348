"""A check's request as a run of the log: the one place where reports meet the dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from playground.conformance.direct_sender import LIMITS, is_enough, outgoing_for
from playground.conformance.http_exchange import Exchange
from playground.dispatch import process
from playground.engine.live import Stopping
from playground.engine.live_run import RunMetadata
from playground.engine.rate_limit import Quota, RateLimited
from playground.engine.run_spec import RunSpec
from playground.exceptions import PlaygroundError
from playground.identity.visitors import owner_of_user

if TYPE_CHECKING:
    import httpx

    from playground.conformance.check import Request
    from playground.engine.live_run import LiveRun
    from playground.engine.upstream import Outgoing, Upstream

AT_ONCE = 4  # one more than a report sends, for the one that is just ending


class ServerStoppingError(PlaygroundError):
    """This server takes no new runs: the report goes on after its restart."""


@dataclass(frozen=True)
class RunSender:
    """Sends for one report. `on_run` is told the id of each run before its first event."""

    report_id: UUID
    owner_id: int
    keep_content: bool
    upstream: Upstream
    connection_id: UUID | None
    connection_name: str
    model: str
    failing_model: str
    on_run: Callable[[UUID], None]
    client: httpx.AsyncClient | None = None  # by default the server's own

    async def __call__(self, request: Request) -> Exchange:
        outgoing = outgoing_for(request, self.upstream, self.model, self.failing_model)
        live = await self._start(request, outgoing)
        exchange = Exchange(request, outgoing.body, model=self.model, run_id=str(live.id))
        async with aclosing(live.follow()) as events:
            async for event in events:
                exchange.add(event)
                if not exchange.hung_up and is_enough(exchange, event):
                    exchange.hung_up = True
                    live.stop("client_left")
        failure = exchange.ended.failure if exchange.ended else None
        if failure is not None and failure.kind == "server_stopping":
            raise ServerStoppingError  # says nothing of the server that is checked
        return exchange

    async def _start(self, request: Request, outgoing: Outgoing) -> LiveRun:
        here = process.current()
        about = RunMetadata(
            model=self.model,
            source="check",
            stream=request.streams,
            connection_id=self.connection_id,
            connection_name=self.connection_name,
            base_url=self.upstream.base_url,
            user_agent="messages-playground conformance report",
            request_body=outgoing.body,
            request_headers=outgoing.masked_headers(),
            version=request.version or "",
            user_id=self.owner_id,
            keep_content=self.keep_content,
        )

        def attach(live: LiveRun) -> None:
            here.recorder.attach(live)
            self.on_run(live.id)

        spec = RunSpec(
            outgoing=outgoing,
            client=self.client or here.client(),
            owner=owner_of_user(self.owner_id),
            about=about,
            limits=LIMITS,
            # A quota of the report's own: it has a pace, and must not use up its owner's.
            quotas=[(f"report:{self.report_id}", Quota(None, AT_ONCE))],
            on_start=attach,
        )
        while True:
            try:
                return await here.live.astart(spec)
            except RateLimited as refusal:
                await asyncio.sleep(refusal.retry_after_s or 0.05)
            except Stopping:
                raise ServerStoppingError from None
