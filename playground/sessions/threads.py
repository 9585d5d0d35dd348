"""The threads of a session: the main agent, each subagent, side calls. Told from what requests hold, not from clients.

A request goes on from the one whose messages it shares the longest beginning with. What shares no beginning may still
belong to a thread whose history was rewritten: most of its blocks are the same (an edit), or the agent is the same
and nobody asked for a new one (a compaction). Steps are looked at in the order of their start, so the result does not
depend on the order in which they end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from playground.sessions.digest import HASH_BYTES, Call
from playground.sessions.steps import Step, break_within, common_blocks

RECENT_STEPS = 8  # a parent is looked for among so many of the newest steps, and the newest of each thread
SHARED_PART = 0.5  # so much of the shorter prompt's messages occurs in both: the same thread, rewritten
COMPACTED_BLOCKS = 4  # a thread with fewer blocks of messages is not compacted


@dataclass(slots=True)
class Thread:
    """`name` is "main", "side calls", or what the call that started a subagent says of it."""

    name: str
    steps: list[Step] = field(default_factory=list)
    started_by: str = ""  # id of the step whose call started it
    is_side: bool = False

    @property
    def last(self) -> Step:
        return self.steps[-1]


@dataclass(frozen=True, slots=True)
class Place:
    """A step's place in its thread. Its cache is compared with `parent`; the first `shared` blocks of both agree."""

    thread: int
    parent: str = ""
    shared: int = 0
    is_rewritten: bool = False
    is_compacted: bool = False
    retry_of: str = ""


@dataclass(frozen=True, slots=True)
class Threads:
    threads: tuple[Thread, ...]
    places: dict[str, Place]

    def of(self, step: Step) -> Thread:
        return self.threads[self.places[step.id].thread]


def threads_of(steps: Iterable[Step]) -> Threads:
    """Put every step into its thread and find its parent."""
    ordered = sorted(steps, key=lambda step: (step.started_s, step.id))
    threads: list[Thread] = []
    home: dict[str, int] = {}
    rewritten: dict[str, bool] = {}
    prompts: dict[bytes, tuple[Step, Call]] = {}
    side = side_calls_in(ordered)
    messages = [step for step in ordered if not step.is_count]  # nothing goes on from a count
    for number, step in enumerate(messages):
        if step.id in side:
            thread_number, kind = next((at for at, thread in enumerate(threads) if thread.is_side), None), "side"
        else:
            recent = [each for each in messages[max(0, number - RECENT_STEPS) : number] if each.id not in side]
            thread_number, kind = _thread_for(step, recent, threads, home, prompts)
        if thread_number is None:
            thread_number = len(threads)
            threads.append(_new_thread(step, threads, prompts, is_side=step.id in side))
        home[step.id] = thread_number
        rewritten[step.id] = kind == "compacted"
        threads[thread_number].steps.append(step)
        for call in step.calls:
            if call.prompt and (call.agent or call.prompt not in prompts):  # other tools take a prompt too
                prompts[call.prompt] = (step, call)
    _add_counts(threads, [step for step in ordered if step.is_count])
    _name_main(threads)
    places = {}
    for at, thread in enumerate(threads):
        for number, step in enumerate(thread.steps):
            if step.is_count:
                places[step.id] = Place(at)
            else:
                earlier = [each for each in thread.steps[:number] if not each.is_count]
                places[step.id] = _place(step, earlier, at, replaced=rewritten[step.id])
    return Threads(tuple(threads), places)


def _add_counts(threads: list[Thread], counts: Sequence[Step]) -> None:
    if not counts:
        return
    side = next((thread for thread in threads if thread.is_side), None)
    if side is None:
        threads.append(side := _new_thread(counts[0], threads, {}, is_side=True))
    side.steps = sorted([*side.steps, *counts], key=lambda step: (step.started_s, step.id))


def side_calls_in(steps: Sequence[Step]) -> set[str]:
    """Ids of titles, token counts and the like: no tools, at most two blocks, and nothing goes on from them."""
    short = [step for step in steps if step.is_count or _is_short(step)]
    begun = {
        (step.tools, step.section("system"), step.section("messages")[: count * HASH_BYTES])
        for step in steps
        for count in (1, 2)
        if not step.is_count and step.length - step.before_messages > count
    }
    side = {
        step.id
        for step in short
        if step.is_count or (step.tools, step.section("system"), step.section("messages")) not in begun
    }
    return side if len(side) < len(steps) else {step.id for step in short if step.is_count}


def _is_short(step: Step) -> bool:
    return step.tools == 0 and not step.calls and step.length - step.before_messages <= 2


def _thread_for(
    step: Step,
    recent: Sequence[Step],
    threads: list[Thread],
    home: dict[str, int],
    prompts: dict[bytes, tuple[Step, Call]],
) -> tuple[int | None, str]:
    """The thread that a step goes on, and how: "continued", "rewritten" or "compacted"."""
    candidates = {each.id: each for each in (*recent, *(thread.last for thread in threads if not thread.is_side))}
    messages = step.section("messages")
    best, best_shared = None, 0
    # The longest first: when one agrees to its end, none that is shorter can agree for longer.
    for other in sorted(candidates.values(), key=lambda each: (each.length, each.started_s, each.id), reverse=True):
        theirs = other.section("messages")
        if best is not None and best_shared * HASH_BYTES >= len(theirs):
            break
        shared = common_blocks(messages, theirs)
        is_whole = shared * HASH_BYTES == min(len(messages), len(theirs))
        if shared > best_shared and (is_whole or shared >= len(other.first_texts or (b"",))):
            is_same_agent = any(step.section(name) == other.section(name) for name in ("tools", "system"))
            if is_same_agent or is_whole:
                best, best_shared = other, shared
    if best is not None:
        return home[best.id], "continued"
    if any(text in prompts for text in step.first_texts):
        return None, "new"
    if (same := _overlapping(messages, candidates.values())) is not None:
        return home[same.id], "rewritten"
    for at in sorted(range(len(threads)), key=lambda at: threads[at].last.started_s, reverse=True):
        last = threads[at].last
        is_same_agent = step.section("tools") == last.section("tools") and (
            step.section("system")[:HASH_BYTES] == last.section("system")[:HASH_BYTES]
        )
        if not threads[at].is_side and is_same_agent and _may_be_compacted(step, last):
            return at, "compacted"
    return None, "new"


def _overlapping(messages: bytes, candidates: Iterable[Step]) -> Step | None:
    """The newest step that holds half of the same blocks, wherever they stand."""
    own = _blocks(messages)
    for other in sorted(candidates, key=lambda step: (step.started_s, step.id), reverse=True):
        theirs = _blocks(other.section("messages"))
        shorter = min(len(own), len(theirs))
        if shorter >= 2 and len(own & theirs) >= SHARED_PART * shorter:
            return other
    return None


def _blocks(hashes: bytes) -> set[bytes]:
    return {hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)}


def _may_be_compacted(step: Step, last: Step) -> bool:
    """Return whether a thread's long history may have become this shorter one, after its newest request was
    answered."""
    before = last.length - last.before_messages
    return last.ended_s <= step.started_s and before >= COMPACTED_BLOCKS and step.length - step.before_messages < before


def _new_thread(step: Step, threads: list[Thread], prompts: dict[bytes, tuple[Step, Call]], *, is_side: bool) -> Thread:
    if is_side:
        return Thread("side calls", is_side=True)
    start = next((prompts[text] for text in step.first_texts if text in prompts), None)
    if start is not None:
        parent, call = start
        return Thread(call.agent or call.name, started_by=parent.id)
    return Thread(f"agent {1 + sum(not thread.is_side for thread in threads)}")


def _name_main(threads: list[Thread]) -> None:
    """The longest thread that no call started is the main agent. Equal names get a number."""
    own = [thread for thread in threads if not thread.is_side and not thread.started_by]
    if own:
        max(own, key=lambda thread: (len(thread.steps), -thread.steps[0].started_s)).name = "main"
    used: dict[str, int] = {}
    for thread in threads:
        used[thread.name] = used.get(thread.name, 0) + 1
        if used[thread.name] > 1:
            thread.name = f"{thread.name} {used[thread.name]}"


def _place(step: Step, earlier: Sequence[Step], thread: int, *, replaced: bool) -> Place:
    """The newest request of the thread that was answered before this one began is its parent."""
    retry_of = ""
    parent = None
    for other in reversed(earlier):
        if not retry_of and not other.is_answered and other.hashes == step.hashes and other.ended_s <= step.started_s:
            retry_of = other.id
        if other.is_answered and other.ended_s <= step.started_s:
            parent = other
            break
    if parent is None:
        return Place(thread, retry_of=retry_of)
    broken_at = break_within("messages", step, parent)
    is_rewritten = broken_at is not None
    shrinks = (step.total_tokens or step.length) < 0.6 * (parent.total_tokens or parent.length)
    return Place(
        thread,
        parent.id,
        common_blocks(step.hashes, parent.hashes),
        is_rewritten,
        is_rewritten and (replaced or broken_at == 0) and shrinks,
        retry_of,
    )
