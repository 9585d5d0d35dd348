"""Finds what fills an agent's context, step by step, and which blocks cost most over their life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.protocol import pricing
from playground.sessions.digest import HASH_BYTES, Block, part_of
from playground.sessions.steps import Step, common_blocks

PARTS = ("system", "tools", "user text", "answers", "thinking", "tool results", "images")


@dataclass(frozen=True, slots=True)
class Filled:
    """Tokens of each part in one step. Estimates, scaled so that their sum is the API's own count where it gave one."""

    step: str
    parts: Mapping[str, int]
    is_scaled: bool

    @property
    def total(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Carried:
    """A block, the step that brought it, and the `requests` that carried it on. `cost_usd` is None without a price."""

    block: Block
    step: str
    tokens: int
    requests: int
    cost_usd: float | None


def filled(thread: Sequence[Step], blocks: Mapping[bytes, Block]) -> list[Filled]:
    """The context of every step of one thread, by part. Each step costs what is new in it, not what it holds."""
    fillings = []
    before = b""
    sums: list[dict[str, int]] = [dict.fromkeys(PARTS, 0)]  # sums[n]: the first n blocks
    for step in thread:
        shared = common_blocks(step.hashes, before)
        del sums[shared + 1 :]
        for number in range(shared, step.length):
            total = sums[-1].copy()
            block = blocks.get(step.block_hash(number))
            if block is not None:
                total["images"] += block.image_tokens
                part = part_of(block)
                total[part] += block.tokens - (block.image_tokens if part != "images" else block.tokens)
            sums.append(total)
        before = step.hashes
        fillings.append(_scaled(step, sums[step.length]))
    return fillings


def scale_of(step: Step, estimate: int) -> float:
    """Return how many tokens of the API's own count one estimated token is."""
    total = step.total_tokens
    return total / estimate if total and estimate else 1.0


def heaviest(thread: Sequence[Step], blocks: Mapping[bytes, Block], most: int = 10) -> list[Carried]:
    """The blocks that cost most over their life: written once, then paid for with every request that carried them."""
    if not thread:
        return []
    open_blocks: list[tuple[bytes, int]] = []  # hash and number of the step that brought it, by place in the prompt
    lives: list[tuple[bytes, int, int]] = []  # hash, first step, one past the last step
    before = b""
    for number, step in enumerate(thread):
        shared = common_blocks(step.hashes, before)
        lives.extend((key, first, number) for key, first in open_blocks[shared:])
        del open_blocks[shared:]
        open_blocks.extend((step.block_hash(at), number) for at in range(shared, step.length))
        before = step.hashes
    lives.extend((key, first, len(thread)) for key, first in open_blocks)
    scale = scale_of(thread[-1], sum_of(thread[-1], blocks))
    prices = _Prices(thread)
    # A change before a block ends its life in the cache, not in the prompt: its lives are added up.
    carried: dict[bytes, Carried] = {}
    for key, first, end in sorted(lives, key=lambda life: life[1]):
        block = blocks.get(key)
        if block is None:
            continue
        tokens = round(block.tokens * scale)
        cost, before_this = prices.cost(tokens, first, end), carried.get(key)
        if before_this is None:
            carried[key] = Carried(block, thread[first].id, tokens, end - first, cost)
        else:
            total = None if cost is None else (before_this.cost_usd or 0.0) + cost
            carried[key] = replace(before_this, requests=before_this.requests + end - first, cost_usd=total)
    return sorted(carried.values(), key=lambda each: (-(each.cost_usd or 0.0), -each.tokens * each.requests))[:most]


def sum_of(step: Step, blocks: Mapping[bytes, Block]) -> int:
    """The estimated tokens of a whole prompt."""
    hashes = step.hashes
    keys = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    return sum(block.tokens for key in keys if (block := blocks.get(key)) is not None)


class _Prices:
    """The price of one token carried through a range of steps: at each a mean of what was read, written and plain."""

    def __init__(self, thread: Sequence[Step]) -> None:
        self._first: list[float | None] = []
        self._until = [0.0]
        self._is_known = True
        for step in thread:
            rates = pricing.rates(step.model, step.total_tokens or 0)
            if rates is None:
                self._is_known = False
                self._first.append(None)
                self._until.append(self._until[-1])
                continue
            wrote = bool(step.written_tokens)
            self._first.append(float(rates.cache_write_5m if wrote else rates.input))
            read, total = step.read_tokens or 0, step.total_tokens or 0
            again = float(rates.cache_write_5m if wrote else rates.input)
            share = min(1.0, read / total) if total else 0.0
            carried = share * float(rates.cache_read) + (1 - share) * again
            # New content at the end of a prompt is not read; what is carried stands before it and usually is.
            carried = float(rates.cache_read) if share > 0.5 else carried
            self._until.append(self._until[-1] + (carried if step.is_answered else 0.0))

    def cost(self, tokens: int, first: int, end: int) -> float | None:
        if not self._is_known:
            return None
        per_million = (self._first[first] or 0.0) + self._until[end] - self._until[first + 1]
        return tokens * per_million / 1_000_000


def _scaled(step: Step, parts: Mapping[str, int]) -> Filled:
    estimate = sum(parts.values())
    total = step.total_tokens
    if not total or not estimate:
        return Filled(step.id, parts, is_scaled=False)
    scaled = {name: count * total // estimate for name, count in parts.items()}
    largest = max(scaled, key=lambda name: scaled[name])
    scaled[largest] += total - sum(scaled.values())
    return Filled(step.id, scaled, is_scaled=True)
