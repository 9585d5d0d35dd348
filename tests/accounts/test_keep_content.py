"""An account that keeps figures only keeps no content, whoever sends: its own setting counts for every request."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from accounts.models import AccessKey, User
from playground.dispatch import process
from playground.models import Run, RunContent

BODY = {"model": "sandbox-stories", "max_tokens": 20, "messages": [{"role": "user", "content": "CANARY-question"}]}


async def settle() -> None:
    await process.current().recorder.settle()


@pytest.mark.parametrize(
    ("of_account", "of_key", "is_kept"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_content_is_kept_when_the_account_and_the_key_both_allow_it(
    live_url: str, served: Any, owner: User, of_account: bool, of_key: bool, is_kept: bool
) -> None:
    User.objects.update(keep_content=of_account)
    _key, secret = AccessKey.objects.issue(owner=owner, name="x", keep_content=of_key)
    answer = httpx.post(live_url.rstrip("/") + "/v1/messages", json=BODY, headers={"x-api-key": secret})
    assert answer.status_code == 200
    asyncio.run_coroutine_threadsafe(settle(), served.server.loop).result(20)
    run = Run.objects.get()
    assert run.content_kept is is_kept
    assert (run.output_tokens or 0) > 0
    stored = [bytes(body) for body in RunContent.objects.values_list("request_body", flat=True)]
    assert any(b"CANARY-question" in body for body in stored) is is_kept
