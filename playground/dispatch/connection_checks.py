"""Checks which parts of the Messages API a connection has: the list of models, the count of tokens, a message.

The first two cost nothing. A message may cost a token, so it is sent only when somebody asks for it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.dispatch import launch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from accounts.models import Connection
    from playground.dispatch.launch import Fetched

# Statuses of servers that have other parts of the API and not this one.
ABSENT = {404, 405, 501}
_GREETING = [{"role": "user", "content": "Hi"}]


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the API. `works` is None when it is not there, or when the answer does not tell.

    `status` is None when no answer came at all.
    """

    name: str
    works: bool | None
    words: str
    status: int | None = None
    models: list[dict[str, Any]] = field(default_factory=list)


async def check_list(connection: Connection, *, says_why: bool) -> Check:
    """`says_why` off: the upstream's own words are left out, they are about the operator's account."""
    fetched, took = await _timed(launch.fetch_models(connection))
    if fetched.failure is not None and fetched.status not in ABSENT:
        return Check("models", works=False, words=_why(fetched, says_why), status=fetched.status)
    answer = fetched.json
    if fetched.status in ABSENT or not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        words = f"not found (HTTP {fetched.status})" if fetched.status in ABSENT else "did not return a list"
        return Check("models", works=None, words=words, status=fetched.status)
    models = launch.models_in(answer)
    more = "more than " if answer.get("has_more") is True else ""
    words = f"{more}{len(models)} model{'' if len(models) == 1 else 's'}, {took}"
    return Check("models", works=True, words=words, status=fetched.status, models=models)


async def check_count(connection: Connection, model: str, *, says_why: bool) -> Check:
    """Count the tokens of one word. An error in the API's own shape means that the endpoint is there."""
    body = json.dumps({"model": model, "messages": _GREETING}).encode()
    fetched, took = await _timed(launch.count_tokens(connection, body))
    answer = fetched.json
    works: bool | None = None
    if fetched.status == 200 and isinstance(answer, dict) and isinstance(answer.get("input_tokens"), int):
        return Check("token count", works=True, words=f"works, {took}", status=200)
    if fetched.status in ABSENT and not is_api_error(answer):
        words = f"not found (HTTP {fetched.status})"
    elif fetched.status in {*ABSENT, 400} and is_api_error(answer):
        words = f"refused for {model[:60]} (HTTP {fetched.status})"  # the API is there; this model or body is not taken
    elif fetched.failure is not None:
        works, words = False, _why(fetched, says_why)
    else:
        words = "did not return a count"
    return Check("token count", works=works, words=words, status=fetched.status)


async def check_message(connection: Connection, model: str, *, says_why: bool) -> Check:
    """Send one message of one word, to be answered with one token."""
    body = json.dumps({"model": model, "max_tokens": 1, "messages": _GREETING}).encode()
    fetched, took = await _timed(launch.send_message(connection, body))
    answer = fetched.json
    if fetched.failure is not None:
        return Check("message", works=False, words=_why(fetched, says_why), status=fetched.status)
    if isinstance(answer, dict) and isinstance(answer.get("content"), list):
        return Check("message", works=True, words=f"works with {model[:60]}, {took}", status=fetched.status)
    is_chat = isinstance(answer, dict) and "choices" in answer
    words = "returned a chat completion: this is OpenAI's API" if is_chat else "did not return a message"
    return Check("message", works=False, words=words, status=fetched.status)


def verdict(checks: Sequence[Check]) -> bool | None:
    """Return whether requests will work, by the last of the checks, which says most; None when only a message could
    tell."""
    return checks[-1].works


def is_api_error(answer: Any) -> bool:
    """Return whether this is an error in the Messages API's own shape."""
    return isinstance(answer, dict) and answer.get("type") == "error" and isinstance(answer.get("error"), dict)


async def _timed(asking: Awaitable[Fetched]) -> tuple[Fetched, str]:
    began = time.monotonic()
    fetched = await asking
    return fetched, f"{round((time.monotonic() - began) * 1000)} ms"


def _why(fetched: Fetched, says_why: bool) -> str:
    assert fetched.failure is not None
    is_theirs = fetched.failure.kind == "http_status"
    return fetched.failure.message if says_why or not is_theirs else f"refused (HTTP {fetched.status})"
