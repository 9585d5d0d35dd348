"""Access keys as the relay needs them: found without the database for a few seconds after the last look.

A change made in this process (revoke, a new credential, a deactivated user) counts from the next request on, because
saving tells the cache; so does one that another process of the site announces. One made in the database itself, or by a
command where one process serves the site alone, counts after `LIFE_S`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from channels.db import database_sync_to_async
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from accounts import vault
from accounts.models import AccessKey, Connection, User
from playground.cluster import announcements
from playground.dispatch.launch import Refused, upstream_of
from playground.metrics.figures import token_counts
from playground.models import Run
from playground.models.run import first_id_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from playground.engine.live_run import LiveRun
    from playground.engine.upstream import Upstream

LIFE_S: Final = 5.0
_MOST_CACHED: Final = 10_000
_MOST_PRESENTED: Final = 4
_TOUCH_EVERY: Final = dt.timedelta(minutes=1)


@dataclass
class Admission:
    """A valid key, with all that a request made with it needs. `tokens_today` is None where no limit asks for it."""

    key: AccessKey
    upstream: Upstream
    tokens_today: int | None
    looked_up_at: float

    def check(self) -> None:
        """Raises Refused when the key has used up its tokens."""
        limit = self.key.tokens_per_day
        if limit and self.tokens_today is not None and self.tokens_today >= limit:
            raise Refused(f"This access key may use {limit:,} tokens a day, and has.", 429, _seconds_to_midnight())

    def spend(self, run: LiveRun) -> None:
        """Count what a run has used, until the next look at the database counts it with the others."""
        if self.tokens_today is not None:
            tokens = token_counts(run.usage)
            self.tokens_today += (tokens["input_tokens"] or 0) + (tokens["output_tokens"] or 0)


def presented_keys(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """The keys in `x-api-key` and `Authorization: Bearer`, each once: SDK 1.x sends the first, 2.x the second, and
    some clients both, one of them for somebody else."""
    keys: dict[str, None] = {}
    for name, value in headers:
        text = value.decode("latin-1").strip()
        if name == b"x-api-key" and text:
            keys[text] = None
        elif name == b"authorization" and text[:7].lower() == "bearer " and text[7:].strip():
            keys[text[7:].strip()] = None
    return list(keys)


class KeyCache:
    """Digest of a secret to its admission. Secrets themselves are not kept."""

    def __init__(self) -> None:
        self._admissions: dict[str, Admission] = {}
        self._forgotten = 0  # how often: a look-up that was under way meanwhile is not to be remembered
        self._looking: dict[tuple[Any, ...], asyncio.Task[Admission]] = {}

    async def admit_one_of(self, secrets: Sequence[str], address: str) -> Admission:
        """The one valid key among these; keys of other services, and those that are not valid any more, are passed
        over. Raises Refused when there is none, or more than one."""
        if not secrets:
            words = "No access key: send one as x-api-key or as Authorization: Bearer. Create one under Access keys."
            raise Refused(words, 401)
        ours = [secret for secret in secrets if secret.startswith(vault.ACCESS_KEY_PREFIX)]
        if len(ours) > _MOST_PRESENTED:
            raise Refused("Too many access keys in one request: send one.", 401)
        valid: list[Admission] = []
        refusal = Refused("This access key is not valid.", 401)
        for secret in ours:
            try:
                valid.append(await self._find(secret, address))
            except Refused as refused:
                if refused.status != 401:
                    raise
                refusal = refused
        if not valid:
            raise refusal
        if len(valid) > 1:
            raise Refused("Two different access keys in one request: send one.", 401)
        valid[0].check()
        return valid[0]

    async def admit(self, secret: str, address: str) -> Admission:
        """Raises Refused unless the key is valid at this moment."""
        admission = await self._find(secret, address)
        admission.check()
        return admission

    async def _find(self, secret: str, address: str) -> Admission:
        digest = vault.digest(secret)
        admission = self._admissions.get(digest)
        if admission is None or time.monotonic() - admission.looked_up_at > LIFE_S:
            admission = await asyncio.shield(self._look_up_once(digest, secret, address))
        if admission.key.is_expired:
            raise Refused("This access key has expired.", 401)
        return admission

    def _look_up_once(self, digest: str, secret: str, address: str) -> asyncio.Task[Admission]:
        """The look-up that is under way for this key, or a new one: of many requests at once, one asks the database.
        One that began before the last change is not joined."""
        loop = asyncio.get_running_loop()
        which = (digest, self._forgotten, loop)
        task = self._looking.get(which)
        if task is None:
            self._admissions.pop(digest, None)
            task = self._looking[which] = loop.create_task(self._look_up(digest, secret, address))
            task.add_done_callback(lambda task: self._looked(which, task))
        return task

    def _looked(self, which: tuple[Any, ...], task: asyncio.Task[Admission]) -> None:
        del self._looking[which]
        if not task.cancelled():
            task.exception()  # nobody may be left to take it

    async def _look_up(self, digest: str, secret: str, address: str) -> Admission:
        forgotten = self._forgotten
        admission = await database_sync_to_async(_look_up)(secret, address)
        self._remember(digest, admission, forgotten)
        return admission

    def _remember(self, digest: str, admission: Admission, forgotten: int) -> None:
        if len(self._admissions) >= _MOST_CACHED:
            self._admissions.clear()
        self._admissions[digest] = admission
        if self._forgotten != forgotten:  # looked at last: `forget` is called in other threads
            self._admissions.pop(digest, None)

    def forget(self, **_: Any) -> None:
        """Something that keys depend on has changed. It happens rarely, so all are looked up again.

        A change inside a transaction is not to be seen before its end, so then they are forgotten once more.
        """
        self.forget_now()
        transaction.on_commit(self.forget_now)

    def forget_now(self) -> None:
        """Forget at once, after a change that can be seen already."""
        self._forgotten += 1
        self._admissions.clear()


keys = KeyCache()


def listen() -> None:
    """Have the cache told of every change."""
    for model in (AccessKey, Connection, User):
        for signal in (post_save, post_delete):
            signal.connect(keys.forget, sender=model, dispatch_uid=f"relay keys {model.__name__}")
    announcements.on("keys_changed", keys.forget_now)


def _look_up(secret: str, address: str) -> Admission:
    began = time.monotonic()
    key = AccessKey.objects.find(secret)
    if key is None:
        raise Refused("This access key is not valid.", 401)
    if key.last_used_at is None or timezone.now() - key.last_used_at > _TOUCH_EVERY:
        key.touch(address)
    tokens = _tokens_today(key) if key.tokens_per_day else None
    return Admission(key, upstream_of(key.connection), tokens, began)


def _tokens_today(key: AccessKey) -> int:
    """Input and output of the key's runs since midnight, UTC."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    runs = Run.objects.filter(access_key=key, pk__gte=first_id_at(midnight))
    sums: dict[str, int] = runs.aggregate(
        input=Coalesce(Sum("input_tokens"), 0), output=Coalesce(Sum("output_tokens"), 0)
    )
    return sums["input"] + sums["output"]


def _seconds_to_midnight() -> float:
    now = timezone.now()
    tomorrow = (now + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()
