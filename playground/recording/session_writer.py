"""Puts stored runs into their sessions, with a digest of each body. A session is found by itself.

By the id that the client sends; else by continuation: a request whose messages go on from those of an earlier one, or
the other way round, since runs are stored in the order in which they end; else by what asked for it, see
`related_requests`. Runs that end together are written together.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest, Least

from playground.models import AgentSession, Run, RunDigest, SessionBlock
from playground.models.run import started_at_of
from playground.protocol.json.received_json import try_object
from playground.recording.related_requests import RelatedRequests
from playground.sessions.digest import (
    HASH_BYTES,
    Block,
    Call,
    Digest,
    calls_in,
    clean,
    digest_of,
    first_words,
    text_hash,
)
from playground.sessions.steps import common_blocks

_related = RelatedRequests()
_CANDIDATES = 5  # sessions with the same first message that are looked at
_COMPARED = 12  # of each, the newest so many requests
_MOVED_WITHIN = dt.timedelta(hours=1)  # for what goes on with messages put in between
_NEWEST = 4  # requests of a session whose blocks are known to be stored


_Prompt = tuple[bytes, bytes]  # the hashes of tools and system, and of messages


@dataclass(frozen=True, slots=True)
class Ended:
    """A run with its final columns, and what its digest is made of. `body` is None for what is no JSON object."""

    run: Run
    body: Mapping[str, Any] | None
    message: Mapping[str, Any] | None
    headers: Sequence[Sequence[str]] = ()
    with_text: bool = True


def add_run(
    run: Run,
    body: bytes | Mapping[str, Any],
    message: Mapping[str, Any] | None,
    *,
    headers: Sequence[Sequence[str]] = (),
    with_text: bool = True,
    session: AgentSession | None = None,
) -> RunDigest | None:
    """Digest one run that has ended and put it into `session`, or into the one that it belongs to."""
    parsed = try_object(body) if isinstance(body, bytes) else body
    return add_runs([Ended(run, parsed, message, headers, with_text)], session=session)[0]


def add_runs(ended: Sequence[Ended], *, session: AgentSession | None = None) -> list[RunDigest | None]:
    """Digest runs and put each into `session`, or into the one that it belongs to; the digests that have a session.

    A body that is no JSON object, or has no blocks, joins no session: that is noted, so that nobody looks at it again.
    Nothing is done for a run that has a digest. Call it in a transaction.
    """
    ids = [each.run.pk for each in ended]
    known = set(RunDigest.objects.filter(pk__in=ids).values_list("pk", flat=True))
    batch = _Batch([each.run for each in ended])
    made = [batch.add(each, session) if each.run.pk not in known else None for each in ended]
    batch.write()
    return made


@dataclass
class _Gathered:
    """A session with what a batch adds to it. `prompts` are the hashes of its newest requests."""

    session: AgentSession
    title_before: tuple[str, UUID | None]
    prompts: list[bytes] = field(default_factory=list)
    sums: Counter[str] = field(default_factory=Counter)
    cost_usd: Decimal | None = None
    ids: list[UUID] = field(default_factory=list)
    message_ids: list[UUID] = field(default_factory=list)  # those of them that are no token counts


class _Batch:
    """Runs on their way into sessions: what was read for one of them serves the others."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._digests: list[RunDigest] = []
        self._blocks: dict[tuple[UUID, bytes], SessionBlock] = {}
        self._gathered: dict[UUID, _Gathered] = {}
        self._by_client: dict[tuple[int, str], AgentSession] = {}
        self._opened: dict[tuple[int, bytes], list[tuple[AgentSession, list[_Prompt]]]] = {}
        named = {(run.owner_id, run.client_session) for run in runs if run.client_session}
        for owner_id in {owner_id for owner_id, _ in named}:
            names = [name for owner, name in named if owner == owner_id]
            for session in AgentSession.objects.filter(owner_id=owner_id, client_id__in=names):
                self._by_client[owner_id, session.client_id] = session

    def add(self, ended: Ended, session: AgentSession | None) -> RunDigest | None:
        betas = ",".join(value for name, value, *_ in ended.headers if name.lower() == "anthropic-beta")
        digest = Digest()
        if ended.body is not None:
            digest = digest_of(ended.body, betas=betas, with_text=ended.with_text)
        if not digest.blocks:
            self._digests.append(RunDigest(run=ended.run, hashes=b""))
            return None
        home = self._gather(session or self._session_for(ended.run, digest))
        self._add_blocks(home, digest)
        made = RunDigest(
            run=ended.run,
            session=home.session,
            hashes=digest.hashes,
            tools=digest.count("tools"),
            system=digest.count("system"),
            details=details_of(digest, ended.message, ended.run, with_text=ended.with_text),
        )
        self._digests.append(made)
        _related.add(ended.run, home.session.pk, digest, made.details)
        self._count(home, ended.run)
        self._give_title(home, ended.run, digest)
        home.session.first_run_id = min(home.session.first_run_id, ended.run.pk)
        return made

    def write(self) -> None:
        SessionBlock.objects.bulk_create(self._blocks.values(), ignore_conflicts=True, batch_size=500)
        RunDigest.objects.bulk_create(self._digests, batch_size=50)
        for each in self._gathered.values():
            _write_sums(each)

    # --- which session

    def _gather(self, session: AgentSession) -> _Gathered:
        if session.pk not in self._gathered:
            newest = session.digests.order_by("-run").values_list("hashes", flat=True)[:_NEWEST]
            prompts = [bytes(hashes) for hashes in newest] if session.request_count else []
            self._gathered[session.pk] = _Gathered(session, (session.title, session.title_run_id), prompts)
        return self._gathered[session.pk]

    def _session_for(self, run: Run, digest: Digest) -> AgentSession:
        opening = _opening(digest)
        key = (run.owner_id, run.client_session)
        session = self._by_client.get(key) if run.client_session else self._continued(run, digest, opening)
        if session is None and not run.client_session:
            session = self._related_to(run, digest, opening)
        if session is not None:
            return session
        columns = {
            "opening": opening, "client": run.agent, "first_run_id": run.pk, "last_run_id": run.pk,
        }  # fmt: skip
        try:
            with transaction.atomic():
                made = AgentSession.objects.create(owner_id=run.owner_id, client_id=run.client_session, **columns)
        except IntegrityError:  # another process was quicker
            made = AgentSession.objects.get(owner_id=run.owner_id, client_id=run.client_session)
        if run.client_session:
            self._by_client[key] = made
        else:
            self._opened[run.owner_id, opening].insert(0, (made, [_prompt_of(digest)]))
        return made

    def _continued(self, run: Run, digest: Digest, opening: bytes) -> AgentSession | None:
        """The session with a request that this one goes on from, or that goes on from this one."""
        own = _prompt_of(digest)
        candidates = self._candidates(run.owner_id, opening)
        for goes_on in (_extends, _moves_on):
            for session, prompts in candidates:
                is_recent = abs(started_at_of(run.pk) - started_at_of(session.last_run_id)) < _MOVED_WITHIN
                if (goes_on is _extends or is_recent) and any(goes_on(own, theirs) for theirs in prompts):
                    prompts.insert(0, own)
                    return session
        return None

    def _related_to(self, run: Run, digest: Digest, opening: bytes) -> AgentSession | None:
        """The session whose agent asked for this request, or beside which it was made."""
        for session_id in _related.sessions_for(run, digest):
            known = self._gathered.get(session_id)
            session = (
                known.session if known else AgentSession.objects.filter(pk=session_id, owner_id=run.owner_id).first()
            )
            if session is not None and not session.is_imported:
                if digest.count("tools") and session.title_run_id is None:
                    # It began with a side call: the agent's next requests are found by what the agent began with.
                    session.opening = opening
                    AgentSession.objects.filter(pk=session.pk).update(opening=opening)
                    self._opened[run.owner_id, opening].insert(0, (session, [_prompt_of(digest)]))
                return session
        return None

    def _candidates(self, owner_id: int, opening: bytes) -> list[tuple[AgentSession, list[_Prompt]]]:
        """Sessions that begin with the same message, the last active first, and the prompts of their newest runs."""
        if (owner_id, opening) not in self._opened:
            same = AgentSession.objects.filter(owner_id=owner_id, client_id="", opening=opening, is_imported=False)
            self._opened[owner_id, opening] = [
                (
                    session,
                    [
                        (bytes(hashes)[: (tools + system) * HASH_BYTES], bytes(hashes)[(tools + system) * HASH_BYTES :])
                        for hashes, tools, system in session.digests.order_by("-run").values_list(
                            "hashes", "tools", "system"
                        )[:_COMPARED]
                    ],
                )
                for session in same.last_active_first()[:_CANDIDATES]
            ]
        return self._opened[owner_id, opening]

    # --- what is added to it

    def _add_blocks(self, home: _Gathered, digest: Digest) -> None:
        """Note the blocks that the session does not hold yet."""
        shared = max((common_blocks(digest.hashes, prompt) for prompt in home.prompts), default=0)
        rest = digest.blocks[shared:]
        known = set().union(*(_split(prompt) for prompt in home.prompts)) if len(rest) > 20 else set()
        for block in rest:
            if block.hash not in known:
                self._blocks.setdefault((home.session.pk, block.hash), _row_of(home.session, block))
        home.prompts = [digest.hashes, *home.prompts[: _NEWEST - 1]]

    def _count(self, home: _Gathered, run: Run) -> None:
        home.ids.append(run.pk)
        if not run.is_count:
            home.message_ids.append(run.pk)
        home.sums.update(
            request_count=1,
            failed_count=int(run.state in {Run.State.FAILED, Run.State.INTERRUPTED} and not run.is_count),
            input_tokens=run.input_tokens or 0,
            written_tokens=run.cache_write_tokens or 0,
            read_tokens=run.cache_read_tokens or 0,
            output_tokens=run.output_tokens or 0,
        )
        if run.cost_usd is not None:
            home.cost_usd = (home.cost_usd or Decimal(0)) + run.cost_usd

    def _give_title(self, home: _Gathered, run: Run, digest: Digest) -> None:
        """The first words of the earliest request with tools; those of a side call or a plain chat until there is one.
        A token count gives none: what it holds need not have been said."""
        session = home.session
        if not digest.prompt or run.is_count:
            return
        if digest.count("tools"):
            if session.title_run_id is None or run.pk < session.title_run_id:
                session.title, session.title_run_id = digest.prompt, run.pk
        elif session.title_run_id is None and (not session.title or self._is_first_message(home, run)):
            session.title = digest.prompt

    def _is_first_message(self, home: _Gathered, run: Run) -> bool:
        """Return whether nothing but token counts came before it in its session."""
        if run.pk <= home.session.first_run_id:
            return True
        if any(run_id < run.pk for run_id in home.message_ids):
            return False
        earlier = home.session.digests.filter(run__lt=run.pk, run__endpoint=Run.Endpoint.MESSAGES)
        return not earlier.exists()


def _prompt_of(digest: Digest) -> _Prompt:
    messages = digest.section("messages")
    return digest.hashes[: len(digest.hashes) - len(messages)], messages


def _extends(own: _Prompt, theirs: _Prompt) -> bool:
    """Return whether one's messages begin with all of the other's."""
    return own[1].startswith(theirs[1]) or theirs[1].startswith(own[1])


def _moves_on(own: _Prompt, theirs: _Prompt) -> bool:
    """Return whether it is the same conversation with messages put in between, as aider does: it keeps the files at the
    end.

    What only begins alike, such as questions behind the same examples, is not.
    """
    shared = common_blocks(own[1], theirs[1]) * HASH_BYTES
    return bool(shared) and own[0] == theirs[0] and bool(_split(own[1][shared:]) & _split(theirs[1][shared:]))


def _row_of(session: AgentSession, block: Block) -> SessionBlock:
    return SessionBlock(
        session=session, hash=block.hash, section=block.section, role=block.role, kind=block.kind, size=block.size,
        tokens=block.tokens, image_tokens=block.image_tokens, starts_message=block.starts_message, label=block.label,
    )  # fmt: skip


def _write_sums(home: _Gathered) -> None:
    """Add the figures of runs to their session's, in the database, so that two processes can do so at once."""
    id_field: Any = AgentSession._meta.get_field("first_run_id")
    changes: dict[str, Any] = {name: F(name) + count for name, count in home.sums.items() if count}
    changes["first_run_id"] = Least(F("first_run_id"), Value(min(home.ids), output_field=id_field))
    changes["last_run_id"] = Greatest(F("last_run_id"), Value(max(home.ids), output_field=id_field))
    if home.cost_usd is not None:
        changes["cost_usd"] = Coalesce(F("cost_usd"), Value(Decimal(0))) + home.cost_usd
    title = home.session.title, home.session.title_run_id
    if title != home.title_before:
        changes |= {"title": title[0], "title_run_id": title[1]}
    AgentSession.objects.filter(pk=home.session.pk).update(**changes)


def details_of(digest: Digest, message: Mapping[str, Any] | None, run: Run, *, with_text: bool) -> dict[str, Any]:
    """Return what a request and its answer have no column for; `recording.session_loading` reads it back."""
    calls = calls_in(message, with_text=with_text)
    usage = message.get("usage") if isinstance(message, Mapping) else None
    creation = usage.get("cache_creation") if isinstance(usage, Mapping) else None
    hour = creation.get("ephemeral_1h_input_tokens") if isinstance(creation, Mapping) else None
    error = run.failure_detail.get("type") if isinstance(run.failure_detail, Mapping) else None
    diagnosis = message.get("diagnostics") if isinstance(message, Mapping) else None
    details = {
        "marks": [[mark.at, mark.ttl] for mark in digest.marks],
        "parameters": dict(digest.parameters),
        "first_texts": [text.hex() for text in digest.first_texts],
        "calls": [_call(call) for call in calls],
        "words": first_words(message) if with_text else "",
        "written_1h": hour if isinstance(hour, int) and 0 < hour < 2**40 else 0,
        "error": clean(error, 60),
        "diagnosis": diagnosis if isinstance(diagnosis, Mapping) and len(json.dumps(diagnosis)) < 2_000 else None,
    }
    return {name: value for name, value in details.items() if value}


def _call(call: Call) -> list[str]:
    return [call.name, call.argument, call.id, call.prompt.hex(), call.agent]


def _opening(digest: Digest) -> bytes:
    """The hash of the first message."""
    first: list[Block] = []
    for block in digest.blocks:
        if block.section == "messages":
            if block.starts_message and first:
                break
            first.append(block)
    return text_hash("".join(block.hash.hex() for block in first))


def _split(hashes: bytes) -> set[bytes]:
    return {hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)}
