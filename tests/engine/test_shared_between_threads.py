"""What the event loop changes while threads look at it, and the other way round, is looked at in a copy."""

import ast
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.databases.postgresql import base
from playground.dispatch import process

ROOT = Path(__file__).resolve().parents[2] / "playground"
# Where threads of views and the event loop meet, with the members that both change or go through.
SHARED = {
    "engine/live.py": {"_runs", "_over"},
    "relay/streams.py": {"_runs"},
    "databases/postgresql/base.py": {"_connection_pools"},
}


def iterated(tree: ast.AST) -> Iterator[ast.expr]:
    """What loops, comprehensions and calls such as `next(iter(…))` go through."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension):
            yield node.iter
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("iter", "reversed"):
            yield from node.args


def name_of(node: ast.expr) -> str:
    """The member, for `self._runs`, `self._runs.values()` and the like; list(…) around it makes a copy."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        return name_of(node.func.value)
    return node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize("place", SHARED)
def test_what_threads_share_is_never_gone_through_without_a_copy(place: str) -> None:
    tree = ast.parse((ROOT / place).read_text())
    at = [node.lineno for node in iterated(tree) if name_of(node) in SHARED[place]]
    members = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert members >= SHARED[place]
    assert at == []


def test_connections_are_counted_while_others_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a weak set runs Python for each item: without the lock another thread's `add` breaks it."""

    class Thing:
        pass

    class Slow(base.WeakSet):  # type: ignore[type-arg, name-defined]
        def __iter__(self) -> Iterator[object]:
            for item in super().__iter__():
                adding.set()
                added.wait(0.2)
                yield item

    adding, added = threading.Event(), threading.Event()
    kept = [Thing() for _ in range(5)]
    opened = Slow(kept)
    monkeypatch.setattr(base, "_opened", opened)
    monkeypatch.setattr(base, "cut", lambda _: None)
    newcomer = Thing()

    def add() -> None:
        adding.wait(5)
        with base._lock:
            opened.add(newcomer)
        added.set()

    thread = threading.Thread(target=add)
    thread.start()
    base._let_go()
    thread.join(5)
    assert newcomer in opened


def test_threads_that_ask_first_get_the_same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop:
        pass

    loop = Loop()
    monkeypatch.setattr(process, "_loop", lambda: loop)
    barrier = threading.Barrier(8)

    def ask(_: int) -> int:
        barrier.wait(5)
        return id(process.current())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1
