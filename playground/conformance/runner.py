"""Runs checks against one server: a few at a time, at a pace, up to a cap; each request once for all who need it.

Nothing here knows where results are kept or how requests are sent: `send` is a function, results come by a callback.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import (
    AnswerRefusedError,
    BusyError,
    InconclusiveError,
    NotSupportedError,
    ProtocolFaultError,
    Request,
    Result,
)
from playground.conformance.checks import BY_ID, FIRST
from playground.conformance.checks.model_checks import ONE
from playground.conformance.judging import path
from playground.conformance.plan import MOST_AT_ONCE, Plan, in_order, usd_of
from playground.exceptions import PlaygroundError
from playground.protocol.headers import retry_after_s

if TYPE_CHECKING:
    from playground.conformance.check import Check, Need
    from playground.conformance.http_exchange import Exchange

TRIES: Final = 3
TOO_MANY: Final = 429
_LONGEST_WAIT_S: Final = 30.0

Send = Callable[[Request], Awaitable["Exchange"]]

# What a model's description says of what a check needs.
_CAPABILITIES: Final[dict[Need, tuple[str, ...]]] = {
    "thinking": ("thinking", "supported"),
    "vision": ("image_input", "supported"),
    "pdf": ("pdf_input", "supported"),
    "structured": ("structured_outputs", "supported"),
}


@dataclass
class Totals:
    """The cost of a report so far. `usd` is None as long as no price is known."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal | None = None


class CapReachedError(PlaygroundError):
    """The next request could cost more than the report may."""


class StoppedError(PlaygroundError):
    """Somebody has stopped the report."""


@dataclass
class Runner:
    """One report in the making. `run` it once; `stop` it at any time. `done` are results from before a restart."""

    plan: Plan
    send: Send
    on_result: Callable[[Result], None]
    on_start: Callable[[Check, int], None] = lambda _check, _try: None
    done: Mapping[str, Result] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    server: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._results: dict[str, Result] = dict(self.done)
        self._settled: dict[str, asyncio.Event] = {}
        self._asked: dict[tuple[Request, int], asyncio.Task[Exchange]] = {}
        self._gate = asyncio.Semaphore(max(1, min(self.plan.at_once, MOST_AT_ONCE)))
        self._next_at = 0.0
        self._reserved = Decimal(0)
        self._reserved_tokens = 0
        self._stopped = False
        self._abandoned = ""
        self._unable: set[Need] = set()

    def stop(self) -> None:
        """Send no more. What is under way ends, the rest is skipped."""
        self._stopped = True

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    async def run(self) -> None:
        """Check everything; each check has a result afterwards."""
        self._settled = {check.id: asyncio.Event() for check in self.plan.checks}
        for name in self._results.keys() & self._settled.keys():
            self._settled[name].set()
        todo = [check for check in in_order(self.plan.checks) if check.id not in self._results]
        first, rest = [each for each in todo if each.id == FIRST], [each for each in todo if each.id != FIRST]
        for check in first:
            await self._check(check)
        if not self._abandoned and not self._stopped and rest:
            await self._learn_capabilities()
        queue = iter(rest)
        workers = [self._work(queue) for _ in range(max(1, min(self.plan.at_once, MOST_AT_ONCE)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for task in self._asked.values():
                task.cancel()

    async def _work(self, queue: Iterable[Check]) -> None:
        # Dependencies stand before what depends on them, so whoever waits here waits for somebody who is at work.
        for check in queue:
            await self._check(check)

    async def _learn_capabilities(self) -> None:
        """Read the model's own description: what it cannot do is not asked of it."""
        try:
            exchange = await self._ask(ONE, 1)
        except (CapReachedError, StoppedError):
            return
        capabilities = path(exchange.json, "capabilities") if exchange.status == 200 else None
        self._unable = {need for need, names in _CAPABILITIES.items() if path(capabilities, *names) is False}

    async def _check(self, check: Check) -> None:
        for needed in check.depends:
            if needed in self._settled:
                await self._settled[needed].wait()
        result = self._reason_to_skip(check) or await self._try_up_to_three_times(check)
        self._results[check.id] = result
        self._settled[check.id].set()
        self.on_result(result)

    def _reason_to_skip(self, check: Check) -> Result | None:
        if self._stopped:
            return Result(check.id, "skipped", "The report was stopped.", tries=0)
        if self._abandoned:
            return Result(check.id, "skipped", self._abandoned, tries=0)
        if "failing_model" in check.needs and not self.plan.failing_model:
            words = "No model is known that fails in mid-stream."
            return Result(check.id, "skipped", words, tries=0)
        if unable := next((need for need in check.needs if need in self._unable), None):
            return Result(check.id, "skipped", f"The model's description says that it has no {unable}.", tries=0)
        for needed in check.depends:
            before = self._results.get(needed)
            if before is not None and before.status != "passed":
                title = BY_ID[needed].title
                words = f"Depends on “{title}”, which {_OUTCOMES[before.status]}."
                return Result(check.id, "skipped", words, tries=0, details={"depends_on": needed})
        return None

    async def _try_up_to_three_times(self, check: Check) -> Result:
        result = Result(check.id, "skipped")
        for number in range(1, TRIES + 1):
            self.on_start(check, number)
            exchanges: list[Exchange] = []
            try:
                await self._take_steps(check, exchanges, number)
                check.judge(*exchanges)
                return _result(check, "passed", "", exchanges, number)
            except NotSupportedError as words:
                return _result(check, "unsupported", str(words), exchanges, number)
            except AnswerRefusedError as refusal:
                status = "unsupported" if check.optional else "failed"
                result = _result(check, status, str(refusal), exchanges, number)
                self._give_up_where_nothing_can_work(check, exchanges)
                return result
            except InconclusiveError as words:
                result = _result(check, "inconclusive", str(words), exchanges, number)
            except BusyError as words:
                return _result(check, "inconclusive", f"The server was busy. {words}", exchanges, number)
            except ProtocolFaultError as fault:
                result = _result(check, "failed", fault.message, exchanges, number, fault)
                self._give_up_where_nothing_can_work(check, exchanges)
                return result
            except (CapReachedError, StoppedError) as words:
                return Result(check.id, "skipped", str(words), tries=number - 1)
        return result

    def _give_up_where_nothing_can_work(self, check: Check, exchanges: list[Exchange]) -> None:
        """End the report when nobody answers or the key is refused: one finding, and not one for each check."""
        if check.id != FIRST or not exchanges:
            return
        last = exchanges[-1]
        if last.status is None:
            self._abandoned = "The server was not reached."
        elif last.status in (401, 403):
            self._abandoned = "The key was refused."

    async def _take_steps(self, check: Check, exchanges: list[Exchange], number: int) -> None:
        for step in check.steps:
            made = step if isinstance(step, Request) else step(exchanges)
            if isinstance(made, Request):
                exchanges.append(await self._ask(made, number))
            else:
                exchanges.append(made)

    async def _ask(self, request: Request, number: int) -> Exchange:
        """The answer to a request; the same one for all who ask in the same try."""
        key = (request, number)
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_task(self._send_up_to_three_times(request))
        return await asyncio.shield(self._asked[key])

    async def _send_up_to_three_times(self, request: Request) -> Exchange:
        """Again when there was no answer, HTTP 5xx or no time: that may be over soon.

        Servers close the connection after an HTTP 500, and what is just being sent on it gets no answer: an answer
        says more than none, so the last one counts."""
        answered = None
        for number in range(1, TRIES + 1):
            exchange = await self._send(request)
            if exchange.status is not None:
                answered = exchange
                if exchange.status < 500 and exchange.status != TOO_MANY:
                    return exchange
            if number < TRIES:
                await self.sleep(_wait_s(exchange, number))
        return answered or exchange

    async def _send(self, request: Request) -> Exchange:
        async with self._gate:
            await self._keep_pace()
            if self._stopped:
                raise StoppedError("The report was stopped.")
            reserved = self._reserve(request)
            self.totals.requests += 1
            try:
                exchange = await self.send(request)
            finally:
                self._reserved -= reserved[0]
                self._reserved_tokens -= reserved[1]
            self._count(exchange)
            return exchange

    async def _keep_pace(self) -> None:
        if self.plan.pace is None:
            return
        now = time.monotonic()
        at, self._next_at = max(now, self._next_at), max(now, self._next_at) + 60.0 / self.plan.pace
        if at > now:
            await self.sleep(at - now)

    def _reserve(self, request: Request) -> tuple[Decimal, int]:
        into, out = request.expected_tokens()
        usd = usd_of(self.plan.model, {"input_tokens": into, "output_tokens": out})
        if usd is not None:
            spent = (self.totals.usd or Decimal(0)) + self._reserved
            if self.plan.cap_usd is not None and spent + usd > self.plan.cap_usd:
                raise CapReachedError(f"The cap of ${self.plan.cap_usd} would be passed.")
        elif self.plan.cap_tokens is not None:
            spent_tokens = self.totals.input_tokens + self.totals.output_tokens + self._reserved_tokens
            if spent_tokens + into + out > self.plan.cap_tokens:
                raise CapReachedError(f"The cap of {self.plan.cap_tokens:,} tokens would be passed.")
        self._reserved += usd or 0
        self._reserved_tokens += into + out
        return usd or Decimal(0), into + out

    def _count(self, exchange: Exchange) -> None:
        usage = {name: value for name, value in exchange.spent.items() if value is not None}
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"):
            self.totals.input_tokens += usage[name] if isinstance(usage.get(name), int) else 0
        self.totals.output_tokens += usage["output_tokens"] if isinstance(usage.get("output_tokens"), int) else 0
        usd = usd_of(exchange.answered_by or self.plan.model, usage) if usage else None
        if usd is None and usage:
            usd = usd_of(self.plan.model, usage)
        if usd is not None:
            self.totals.usd = (self.totals.usd or Decimal(0)) + usd
        for name in SOFTWARE_HEADERS:
            if value := exchange.headers.get(name):
                self.server.setdefault(name, value[:200])
        owner = path(exchange.json, "data", 0, "owned_by") if exchange.method == "GET" else None
        if isinstance(owner, str) and owner:
            self.server.setdefault("owned_by", owner[:200])


SOFTWARE_HEADERS: Final = ("server", "via", "x-powered-by", "x-litellm-version", "x-server-version", "x-version")
_OUTCOMES: Final = {
    "failed": "failed",
    "unsupported": "is not supported",
    "inconclusive": "was inconclusive",
    "skipped": "was skipped",
}


def _wait_s(exchange: Exchange, number: int) -> float:
    retry_s = retry_after_s(exchange.headers)
    return min(_LONGEST_WAIT_S, retry_s if retry_s is not None else float(number))


def _result(
    check: Check,
    status: Any,
    message: str,
    exchanges: list[Exchange],
    tries: int,
    fault: ProtocolFaultError | None = None,
) -> Result:
    step = fault.step if fault is not None else -1
    place = step if step >= 0 else len(exchanges) - 1
    evidence = None
    if status != "passed" and exchanges:
        judged = exchanges[min(place, len(exchanges) - 1)]
        evidence = judged.evidence(fault.event if fault else None, fault.member if fault else "")
    return Result(
        check.id,
        status,
        message,
        tries,
        evidence,
        tuple(exchange.sent() for exchange in exchanges) if status != "passed" else (),
        tuple(exchange.run_id for exchange in exchanges if exchange.run_id),
        max(0, place),
    )
