"""What storing costs: CPU per 1,000 deltas of the serving process and of the others, stored and not stored at all.

python -m tests.bench.storing [--streams 100 500] [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from tests.bench.load import http_crowd
from tests.bench.processes import Rig, cpu_s, pin, processes_of, rig, settle, table

PER_S = 50


def serve_without_storing() -> None:
    """`manage.py serve`, with a recorder that is told of no run."""
    import django
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
    django.setup()
    from playground.dispatch import process

    process.Process.attach = lambda *_: None  # type: ignore[method-assign]
    execute_from_command_line(["manage.py", "serve", *sys.argv[2:]])


def measured(bench: Rig, streams: int, seconds: float) -> tuple[float, float, float]:
    """Deltas a second, and milliseconds of CPU per 1,000 of them: the server's own, and its other processes'."""

    def used() -> tuple[float, float]:
        own, *others = processes_of(bench.pid)
        return cpu_s(own), sum(cpu_s(each) for each in others)

    deltas = int(seconds * PER_S)
    asyncio.run(http_crowd(bench.port, bench.key, 5, 20, PER_S, 0))
    settle()
    before = used()
    seen = asyncio.run(http_crowd(bench.port, bench.key, streams, deltas, PER_S))
    settle(1.5)  # what is still on its way into the database counts too
    own, others = (after - began for after, began in zip(used(), before, strict=True))
    return seen.per_s, own * 1e6 / seen.deltas, others * 1e6 / seen.deltas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    pin(1)
    rows = []
    for streams in options.streams:
        costs = {}
        for name, command in (("not stored", ["-m", "tests.bench.storing", "--serve"]), ("stored", None)):
            with rig(command=command) as bench:
                per_s, costs[name], others = measured(bench, streams, options.seconds)
                ratio = f"{costs[name] / costs['not stored']:.2f}"
                rows.append([f"{streams}, {name}", f"{per_s:,.0f}", f"{costs[name]:.0f}", ratio, f"{others:.0f}"])
                print(rows[-1], flush=True)
    columns = ["streams", "deltas/s", "CPU ms per 1,000 deltas, serving", "over not stored", "others"]
    table(f"Streams at {PER_S} deltas/s, relayed", columns, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_without_storing()
    else:
        main()
