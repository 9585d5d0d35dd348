"""The messages between a worker and the server beside the request: questions to the server, and requests handed on."""

from __future__ import annotations

import functools
import inspect
import socket
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from playground.exceptions import PlaygroundError

P = ParamSpec("P")
R = TypeVar("R")
LARGE = 64 * 1024  # bytes of input; from here on a worker reads it

# What the template forks besides workers: each begins with one end of a socket, whose other end the server has.
services: dict[bytes, Callable[[socket.socket], None]] = {}

# The functions that a worker may have called in the server, by their names.
server_functions: dict[str, Callable[..., Any]] = {}
_ask_server: Callable[[str, tuple[Any, ...], dict[str, Any]], Any] | None = None


class HandOverError(PlaygroundError):
    """This request belongs into a worker. Nothing has been changed yet, so it can begin there from the start."""


class NotHereError(PlaygroundError):
    """A worker cannot do this; the server answers the request itself. Nothing has been changed yet."""


@dataclass
class Handling:
    """How one request is being answered. `may_hand_over`: there are workers, and it is not decided yet."""

    may_hand_over: bool
    is_handed_over: bool = False


handling: ContextVar[Handling | None] = ContextVar("handling", default=None)


def is_worker() -> bool:
    """Return whether this is one of the processes that answer large requests."""
    return _ask_server is not None


def become_worker(ask: Callable[[str, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Make this process ask the server, by calling `ask`, for what only the server knows."""
    global _ask_server
    _ask_server = ask


def hand_over_large(size: int) -> None:
    """Go on in a worker if so many bytes have to be read. Call this before anything is changed.

    Raises `HandOverError`, which the middleware makes the hand-over of; does nothing in a worker.
    """
    here = handling.get()
    if size >= LARGE and here is not None and here.may_hand_over:
        raise HandOverError


def in_server(function: Callable[P, R]) -> Callable[P, R]:
    """A function that always runs in the server's process, on its event loop; it must be quick and not block.

    What it takes, returns and raises must be picklable. A coroutine function stays one.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    server_functions[name] = function

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if _ask_server is None:
            return function(*args, **kwargs)
        answer: R = _ask_server(name, args, kwargs)
        return answer

    @functools.wraps(function)
    async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
        if _ask_server is None:
            return await function(*args, **kwargs)  # type: ignore[misc]
        return _ask_server(name, args, kwargs)

    return call_async if inspect.iscoroutinefunction(function) else call  # type: ignore[return-value]


async def answer_question(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Exception | None]:
    """Return or raise, for a worker, what a server function does."""
    try:
        result = server_functions[name](*args, **kwargs)
        return (await result if isinstance(result, Awaitable) else result), None
    except Exception as problem:
        return None, problem
