"""Checks whose a socket is, once for all sockets of a session that open, or are checked again, at about the same time.

Each look at the database takes milliseconds of the serving core. A crowd of pages that reconnect would spend seconds on
asking for the same session again and again.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from channels.auth import AuthMiddlewareStack
from django.conf import settings
from django.http import parse_cookie

from accounts import login_sessions
from playground.identity.asgi_types import Application, Receive, Scope, Send

if TYPE_CHECKING:
    from django.http import HttpRequest

SHARED_S: Final = 1.0  # so old may an answer be for a socket that opens
_MOST: Final = 10_000


class SharedAnswers:
    """Answers by key and event loop, while they are young. All are forgotten when a session ends."""

    def __init__(self) -> None:
        self._by_loop: WeakKeyDictionary[Any, dict[Any, tuple[float, asyncio.Future[Any]]]] = WeakKeyDictionary()
        self.times_forgotten = 0
        login_sessions.sessions_ended.connect(self._forget)

    def _forget(self, **_: Any) -> None:
        """Called in the thread of whatever ended the session."""
        self.times_forgotten += 1
        for loop in list(self._by_loop):
            self._by_loop[loop] = {}

    async def get(self, key: Any, max_age_s: float, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The answer that was asked for at most `max_age_s` ago, or a new one. Raises what `ask` raises."""
        loop = asyncio.get_running_loop()
        answers = self._of(loop)
        asked_at, task = answers.get(key, (-1.0, None))
        if task is None or loop.time() - asked_at > max_age_s or (task.done() and _failed(task)):
            # In a context of its own: others wait for it as well as who came first.
            task = loop.create_task(_awaited(ask), context=contextvars.Context())
            answers[key] = (loop.time(), task)
        return await asyncio.shield(task)

    def put(self, key: Any, answer: Any) -> None:
        """Take an answer that was found just now for something else."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        future.set_result(answer)
        self._of(loop)[key] = (loop.time(), future)

    def _of(self, loop: asyncio.AbstractEventLoop) -> dict[Any, tuple[float, asyncio.Future[Any]]]:
        answers = self._by_loop.setdefault(loop, {})
        if len(answers) >= _MOST:
            answers.clear()
        return answers


async def _awaited(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


def _failed(task: asyncio.Future[Any]) -> bool:
    return task.cancelled() or task.exception() is not None


answers = SharedAnswers()


async def still_stands(scope: Mapping[str, Any], max_age_s: float) -> bool:
    """`session_is_valid`, as it was found for any socket of the session at most so long ago."""
    key = ("stands", login_sessions.session_key(scope), getattr(scope.get("user"), "pk", None))
    return bool(await answers.get(key, max_age_s, lambda: login_sessions.session_is_valid(scope)))


class Asker:
    """Whoever asks for a page with a run in it is not looked up once more for the socket which that page opens.

    Made when the request comes: if a session ends before `remember` is called, nothing is remembered.
    """

    def __init__(self) -> None:
        self._times_forgotten = answers.times_forgotten

    def remember(self, request: HttpRequest) -> None:
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        is_same = request.session.session_key == cookie and answers.times_forgotten == self._times_forgotten
        if cookie and is_same and request.user.is_authenticated:
            user = copy.copy(request.user)  # the user itself: what stands for it in a request holds the request too
            answers.put(("user", cookie), {"user": user, "session": request.session, "cookies": request.COOKIES})


def with_user(application: Application) -> Application:
    """The application, told in the scope whose session it is: `user`, `session`, `cookies`, as `channels.auth` does."""

    async def take(scope: Any, _receive: Any, _send: Any) -> None:
        scope["found"].update({name: scope[name] for name in ("user", "session", "cookies")})

    look_up: Any = AuthMiddlewareStack(take)

    async def resolve(scope: Scope) -> Scope:
        resolved: Scope = {}
        await look_up({**scope, "found": resolved}, None, None)
        return resolved

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        cookies = _cookies(scope)
        cookie = cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is None:
            resolved = await resolve(scope)
        else:
            resolved = await answers.get(("user", cookie), SHARED_S, lambda: resolve(scope))
        await application({**scope, **resolved, "cookies": cookies}, receive, send)

    return serve


def _cookies(scope: Scope) -> dict[str, str]:
    line = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"), "")
    return dict(parse_cookie(line))
