"""Prompt caching: what is written, what is read, for how long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_server import Sandbox

LONG = "The lamp on pier nine is lit at six. " * 120
MARK = {"type": "ephemeral"}


def system(ttl: str | None = None, text: str = LONG) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text, "cache_control": MARK | ({"ttl": ttl} if ttl else {})}]


async def counts(sandbox: Sandbox, asked: Any = "Hello", **members: Any) -> tuple[int, int, int]:
    """Tokens that were new, written to the cache, and read from it."""
    usage = (await sandbox.message(asked, **members))["usage"]
    return usage["input_tokens"], usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


async def test_the_first_request_writes_and_the_second_reads(sandbox: Sandbox) -> None:
    new, written, read = await counts(sandbox, system=system())
    assert (written > 512, read) == (True, 0)
    assert await counts(sandbox, system=system()) == (new, 0, written)
    assert await counts(sandbox, "Another question", system=system()) != (new, 0, 0)


@pytest.mark.parametrize(("ttl", "seconds"), [(None, 300), ("5m", 300), ("1h", 3_600)])
async def test_what_was_written_is_forgotten_after_its_time(sandbox: Sandbox, ttl: str | None, seconds: int) -> None:
    _, written, _ = await counts(sandbox, system=system(ttl))
    sandbox.clock.seconds += seconds - 1
    assert (await counts(sandbox, system=system(ttl)))[2] == written
    sandbox.clock.seconds += seconds + 1
    assert (await counts(sandbox, system=system(ttl)))[1:] == (written, 0)


async def test_the_two_times_to_live_are_counted_apart(sandbox: Sandbox) -> None:
    usage = (await sandbox.message("Hello", system=system("1h")))["usage"]
    written = usage["cache_creation_input_tokens"]
    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": written}


async def test_a_short_prefix_silently_is_not_cached(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert (await counts(sandbox, system=system(text="Be brief.")))[1:] == (0, 0)


async def test_nothing_is_cached_without_a_mark(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert (await counts(sandbox, system=LONG))[1:] == (0, 0)


async def test_a_changed_prefix_is_another_one(sandbox: Sandbox) -> None:
    await counts(sandbox, system=system())
    assert (await counts(sandbox, system=system(text="Now " + LONG)))[2] == 0
    assert (await counts(sandbox, system=system(), model="sandbox-tools"))[2] == 0


async def test_a_conversation_that_grows_reads_what_it_was_before(sandbox: Sandbox) -> None:
    first = [{"role": "user", "content": LONG}]
    _, written, _ = await counts(sandbox, first, cache_control=MARK)
    longer = [*first, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And then?"}]
    new, added, read = await counts(sandbox, longer, cache_control=MARK)
    assert (new, read) == (0, written)
    assert 0 < added < 30
