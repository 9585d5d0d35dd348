"""A report that is made by a command and not by the server: stored, in the log and shown like any other."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.db.models import Q

from accounts.models import Connection, User
from playground.dispatch import process
from playground.engine.guard import Rules
from playground.engine.upstream import make_client
from playground.exceptions import PlaygroundError
from playground.models import ConformanceReport
from playground.reports import running, storing
from playground.sandbox.transport import SandboxTransport

if TYPE_CHECKING:
    import httpx

    from playground.conformance.check import Result
    from playground.conformance.plan import Plan

# Whoever has the shell of this machine may call what the machine may call.
ANYWHERE = Rules.parse(("0.0.0.0/0", "::/0"), allow_loopback=True)


class CannotBeginError(PlaygroundError, ValueError):
    """A report cannot begin; the message is a sentence that says why."""


def unguarded_client() -> httpx.AsyncClient:
    return make_client(ANYWHERE, sandbox=SandboxTransport(speed=math.inf))


def find_connection(name: str, owner: str) -> Connection:
    """The one connection of this name; `owner` is a user's name, or empty. Raises CannotBeginError."""
    connections = Connection.objects.filter(name=name)
    if owner:
        connections = connections.filter(Q(owner__username=owner) | Q(owner=None))
    try:
        several = list(connections.select_related("owner")[:2])
    except DatabaseError as problem:
        raise CannotBeginError(f"The connections cannot be read: {problem}") from None
    if not several:
        raise CannotBeginError(f"There is no connection called {name}. An address begins with http:// or https://.")
    if len(several) > 1:
        raise CannotBeginError(f"Several connections are called {name}: say whose with --owner.")
    return several[0]


def begin(connection: Connection, owner: str, plan: Plan) -> ConformanceReport:
    """A new report of the connection's owner; of a connection of the site, of the user named. Raises
    CannotBeginError."""
    user = connection.owner or User.objects.filter(username=owner).first()
    if user is None:
        raise CannotBeginError(
            f"There is no user called {owner}." if owner
            else f"{connection.name} belongs to the whole site: say with --owner whose the report is."
        )  # fmt: skip
    busy = storing.busy_with(user, connection)
    if busy is not None and not storing.end_cut_off(busy):
        raise CannotBeginError(f"{connection.name} is being checked already, as report {busy.pk}.")
    return storing.create(user, connection, plan)


async def run_to_end(report: ConformanceReport, on_result: Callable[[Result], None]) -> None:
    """Make the report; an interrupt ends it with what it has. All that was sent is stored afterwards."""
    here = process.current()
    loop = asyncio.get_running_loop()
    async with unguarded_client() as client:
        work = running.start(report.pk, client=client, on_result=on_result)
        with suppress(RuntimeError, ValueError, NotImplementedError):  # not the main thread: the caller interrupts
            loop.add_signal_handler(signal.SIGINT, running.stop, report.pk)
        try:
            await work
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            await here.recorder.stop()
            await here.close()
