"""Access keys of the relay: what they allow, how often, and that a revoked one is refused at once."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from accounts import vault
from accounts.models import AccessKey, User
from playground.dispatch.launch import Refused
from playground.models import Run
from playground.relay import access
from tests.support.raw_upstream import serving
from tests.support.relay_rig import BODY, JSON, Relay, answering, settle


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "other"}',
        b'{"model": "allowed", "model": "other"}',
        b'{"model": "allowed", "Model": "other"}',
        b'{"model": ["allowed"]}',
        b"{}",
        b"{broken",
        b'[["model", "allowed"]]',
        b'{"model": "allowed", "fallbacks": [{"model": "allowed"}, {"model": "other"}]}',
        b'{"model": "allowed", "fallbacks": [{"model": "allowed", "model": "other"}]}',
        b'{"model": "allowed", "fallbacks": [{}]}',
        b'{"model": "allowed", "fallbacks": "default"}',
    ],
)
@pytest.mark.parametrize("path", ["v1/messages", "v1/messages/count_tokens"])
async def test_a_key_for_some_models_asks_for_no_other(relay: Relay, body: bytes, path: str) -> None:
    async with serving(answering(b"{}", JSON)) as upstream:
        answer = await (await relay.to(upstream, models=["allowed"])).post(body, path)
        assert upstream.exchanges == []
        assert answer.status_code in {400, 403}
        fine = b'{"model": "allowed", "metadata": {"model": "x"}, "fallbacks": [{"model": "allowed"}]}'
        assert (await relay.post(fine, path)).status_code == 200


async def test_a_keys_rate_is_limited(relay: Relay) -> None:
    await relay.to(None, requests_per_minute=1)
    assert (await relay.post(BODY)).status_code == 200
    answer = await relay.post(BODY)
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(answer.headers["retry-after"]) <= 60


async def test_a_keys_rate_limits_its_short_questions_too(relay: Relay) -> None:
    await relay.to(None, requests_per_minute=1)
    counted = {name: value for name, value in BODY.items() if name != "max_tokens"}
    statuses = [(await relay.post(counted, "v1/messages/count_tokens")).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    answer = await relay.post(BODY, "v1/messages/count_tokens")
    assert "5 token counts and model lists per minute" in answer.json()["error"]["message"]


async def test_a_keys_tokens_a_day_are_limited(relay: Relay) -> None:
    await relay.to(None, tokens_per_day=10)
    assert (await relay.post(BODY)).status_code == 200
    answer = await relay.post(BODY)
    assert answer.status_code == 429
    assert "10 tokens a day" in answer.json()["error"]["message"]


async def test_a_revoked_key_is_refused_on_the_next_request(relay: Relay) -> None:
    await relay.to(None)
    assert (await relay.post(BODY)).status_code == 200
    key = await database_sync_to_async(AccessKey.objects.get)()
    await database_sync_to_async(key.revoke)()
    assert (await relay.post(BODY)).status_code == 401


async def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(
    owner: User, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    secret = (await database_sync_to_async(AccessKey.objects.issue)(owner=owner, name="key"))[1]
    look_up = access._look_up

    def look_up_and_revoke(*asked: str) -> access.Admission:
        found = look_up(*asked)
        AccessKey.objects.get().revoke()
        return found

    monkeypatch.setattr(access, "_look_up", look_up_and_revoke)
    await access.keys.admit(secret, "127.0.0.1")  # it was valid when it was read
    with pytest.raises(Refused, match="not valid"):
        await access.keys.admit(secret, "127.0.0.1")


async def test_a_change_inside_a_transaction_counts_from_its_end_on(owner: User, transactional_db: None) -> None:
    secret = (await database_sync_to_async(AccessKey.objects.issue)(owner=owner, name="key"))[1]

    def revoke_slowly() -> None:
        with transaction.atomic():
            AccessKey.objects.get().revoke()
            # Somebody asks before the end, and sees the key as it still is.
            access.keys._admissions[vault.digest(secret)] = found

    found = await access.keys.admit(secret, "127.0.0.1")
    await database_sync_to_async(revoke_slowly)()
    with pytest.raises(Refused, match="not valid"):
        await access.keys.admit(secret, "127.0.0.1")


async def test_a_deactivated_users_keys_are_refused_on_the_next_request(relay: Relay) -> None:
    await relay.to(None)
    assert (await relay.post(BODY)).status_code == 200
    relay.owner.is_active = False
    await database_sync_to_async(relay.owner.save)()
    assert (await relay.post(BODY)).status_code == 401


async def test_an_expired_key_is_refused(relay: Relay) -> None:
    await relay.to(None, expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert (await relay.post(BODY)).status_code == 401


async def test_a_known_key_is_not_looked_up_for_each_request(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    await relay.to(None)
    await relay.post(BODY)

    def fail(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(access, "_look_up", fail)
    assert (await relay.post(BODY)).status_code == 200


async def test_many_requests_at_once_look_a_key_up_once(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    await relay.to(None)
    looked_up, look_up = [], access._look_up

    def count(*asked: str) -> access.Admission:
        looked_up.append(asked)
        return look_up(*asked)

    monkeypatch.setattr(access, "_look_up", count)
    admitted = await asyncio.gather(*(access.keys.admit(relay.secret, "127.0.0.1") for _ in range(20)))
    assert len(looked_up) == 1
    assert {admission.key.pk for admission in admitted} == {admitted[0].key.pk}


async def test_a_refusal_reaches_all_who_waited_for_it(relay: Relay) -> None:
    asked = (access.keys.admit("sk-mp-nobody-has-this-key", "127.0.0.1") for _ in range(3))
    refusals = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(refusal) for refusal in refusals] == [Refused] * 3


async def test_use_of_a_key_is_noted(relay: Relay) -> None:
    await relay.to(None)
    await relay.post(BODY)
    key = await database_sync_to_async(AccessKey.objects.get)()
    assert key.last_used_at is not None
    assert key.last_used_from == "127.0.0.1"


async def test_a_key_that_keeps_no_content_leaves_figures_only(relay: Relay) -> None:
    await relay.to(None, keep_content=False)
    await relay.post(BODY)
    there = asyncio.run_coroutine_threadsafe(settle(), relay.served.server.loop)
    await asyncio.wrap_future(there)
    run = await database_sync_to_async(Run.objects.get)()
    assert not run.content_kept
    assert run.output_tokens
    assert not await database_sync_to_async(lambda: hasattr(run, "content"))()
