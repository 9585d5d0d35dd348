"""How long the pages of a large request log take, on the database that PLAYGROUND_DATABASE_URL names.

    PLAYGROUND_DATA=/tmp/bench python -m tests.bench.request_log --runs 1000000 --own 100000

Fills an empty database once (about three minutes a million) and measures every page, filter and search of the user who
owns a tenth of it, through Django's handler: the best and the median time, and the CPU time of Python and database
together, which other work on the machine changes less. Both the median and the CPU time have to be within the goal. A
second call measures only.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")

GOAL_MS = 50.0
STEP = 5_000
SEARCH = "playground_search (rowid, marks, words)"
MODELS = ["claude-opus-4-5"] * 6 + ["claude-sonnet-5-5"] * 3 + ["claude-haiku-5-5"]
AGENTS = ["Chrome 146 on macOS", "anthropic-python 2.12.0", "anthropic-typescript 1.9.0", "curl 8.16"]
SPAN_MS = 300 * 86_400_000  # the log reaches back this far
# What is rare falls on runs of the measured owner, who has every tenth: those whose number ends in 9.
RARE_MODEL, NEEDLE = 59, 79


def rows(count: int, own: int, owner: int, others: list[int], seed: int = 7) -> Iterator[tuple[dict[str, Any], str]]:
    """Columns of one run each, oldest first, and the words it is found by."""
    from playground.recording.run_columns import status_class

    chance = random.Random(seed)
    vocabulary = [f"word{number}" for number in range(5_000)]
    weights = list(itertools.accumulate(1 / (number + 1) for number in range(5_000)))
    now_ms = int(time.time() * 1000)
    for number in range(count):
        at_ms = now_ms - SPAN_MS + SPAN_MS * number // count
        status = chance.choices([200, 400, 429, 529, None], [940, 25, 20, 10, 5])[0]
        state = "completed" if status == 200 else "failed"
        if status == 200 and chance.random() < 0.02:
            state = "interrupted"
        fine = status == 200
        columns = {
            "id": uuid.UUID(int=(at_ms << 80) | (7 << 76) | (2 << 62) | chance.getrandbits(60)),
            "owner_id": owner if number * own // count != (number + 1) * own // count else chance.choice(others),
            "state": state,
            "http_status": status,
            "status_class": status_class(status),
            "model": "rare-model" if number % 100_000 == RARE_MODEL else chance.choice(MODELS),
            "agent": chance.choice(AGENTS),
            "source": "relay" if chance.random() < 0.7 else "playground",
            "connection_name": chance.choice(["Anthropic", "Anthropic", "Ollama on tower", "Sandbox"]),
            "access_key_name": chance.choice(["", "laptop", "ci"]),
            "client_session": f"session-{number // 30}",
            "stop_reason": chance.choice(["end_turn", "end_turn", "tool_use", "max_tokens"]) if fine else "",
            "first_token_ms": chance.uniform(200, 2_000) if fine else None,
            "duration_ms": chance.expovariate(1 / 5_000) + 100,
            "input_tokens": chance.randrange(50, 20_000) if fine else None,
            "output_tokens": chance.randrange(5, 3_000) if fine else None,
            "cost_usd": round(chance.uniform(0.0001, 0.3), 6) if fine else None,
            "phases": {"waiting": 400.0, "text": 2_000.0} if fine else {"waiting": 90.0},
            "starred": chance.random() < 0.001,
        }
        words = chance.choices(vocabulary, cum_weights=weights, k=30)
        yield columns, " ".join(["common", *words, *(["needle"] if number % 20_000 == NEEDLE else [])])


def fill(count: int, own: int) -> None:
    """Write rows past the models, which would take six times as long."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from playground.models import Run, RunContent
    from playground.models.run import started_at_of
    from playground.search import index

    users = [get_user_model().objects.get_or_create(username=f"user{number}")[0] for number in range(10)]
    made = rows(count, own, users[0].pk, [user.pk for user in users[1:]])
    body = json.dumps({"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    number = 0
    while part := list(itertools.islice(made, STEP)):
        with transaction.atomic():
            _insert(Run, [columns | {"started_at": started_at_of(columns["id"])} for columns, _ in part])
            contents = [
                {"id": number + at, "run_id": columns["id"], "owner_id": columns["owner_id"]}
                | {"request_body": body, "size": len(body)}
                for at, (columns, _) in enumerate(part, start=1)
            ]
            entries = [
                index.Entry(content["id"], content["owner_id"], words.split(), columns)
                for content, (columns, words) in zip(contents, part, strict=True)
            ]
            if connection.vendor == "postgresql":
                words = [{"words": index.WRITTEN["postgresql"](entry)} for entry in entries]
                _insert(RunContent, [content | word for content, word in zip(contents, words, strict=True)])
            else:
                _insert(RunContent, contents)
                values = [
                    (entry.content_id, " ".join(index.marks_of(entry)), " ".join(entry.words)) for entry in entries
                ]
                with connection.cursor() as cursor:
                    cursor.executemany(f"INSERT INTO {SEARCH} VALUES (%s, %s, %s)", values)
        number += len(part)
        if number % 100_000 == 0:
            print(f"  {number:,} runs", file=sys.stderr, flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _insert(model: Any, values: list[dict[str, Any]]) -> None:
    """Rows of a model, given by column; what is not given has its default."""
    from django.db import connection

    fields = {field.column: field for field in model._meta.concrete_fields}
    blank = model()
    defaults = {
        name: field.get_db_prep_save(field.pre_save(blank, add=True), connection) for name, field in fields.items()
    }
    names = list(defaults | values[0])
    given = set(values[0])
    prepared = (
        tuple(
            fields[name].get_db_prep_save(row[name], connection)
            if name in given and name in fields
            else row.get(name, defaults.get(name))
            for name in names
        )
        for row in values
    )
    columns = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
                for row in prepared:
                    copy.write_row([_unwrapped(value) for value in row])
        else:
            places = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})", list(prepared))


def _unwrapped(value: Any) -> Any:
    """What COPY can write of a value that was made ready for INSERT."""
    if not hasattr(value, "obj"):
        return value
    return value.obj if isinstance(value.obj, bytes) else json.dumps(value.obj)


def addresses(owner: Any) -> list[tuple[str, str]]:
    """What is measured: a name and an address each."""
    from playground.models import Run
    from playground.request_log.filters import Filter
    from playground.request_log.keyset_pages import page

    ids = list(Run.objects.owned_by(owner).newest_first().values_list("pk", flat=True))
    deep = ids[int(len(ids) * 0.9)]
    searched = page(owner, Filter(q="common")).next
    log = "/requests/"
    return [
        ("first page, with the filter's form", log),
        ("first lines", "/requests/rows/"),
        ("lines at nine tenths of the log", f"/requests/rows/?before={deep}"),
        ("lines at the end", f"/requests/rows/?before={ids[-20]}"),
        ("charts, two weeks", "/requests/charts/"),
        ("charts, all since the start", "/requests/charts/?since=2020-01-01"),
        ("status 2xx", "/requests/rows/?status=2xx"),
        ("status 5xx", "/requests/rows/?status=5xx"),
        ("no answer", "/requests/rows/?status=none"),
        ("other status (none)", "/requests/rows/?status=other"),
        ("state cut off", "/requests/rows/?state=interrupted"),
        ("state running (none)", "/requests/rows/?state=running"),
        ("model, frequent", "/requests/rows/?model=claude-opus-4-5"),
        ("model, rare", "/requests/rows/?model=rare-model"),
        ("connection", "/requests/rows/?connection=Sandbox"),
        ("access key", "/requests/rows/?key=laptop"),
        ("source", "/requests/rows/?source=playground"),
        ("user agent", "/requests/rows/?agent=curl+8.16"),
        ("stop reason", "/requests/rows/?stop=max_tokens"),
        ("client session", "/requests/rows/?session=session-3000"),
        ("starred", "/requests/rows/?starred=1"),
        ("dates", "/requests/rows/?since=2026-03-01&until=2026-03-02"),
        ("longer than 60 s (rare)", "/requests/rows/?longer=60"),
        ("shorter than 0.05 s (none)", "/requests/rows/?shorter=0.05"),
        ("model, source, stop reason", "/requests/rows/?model=claude-haiku-5-5&source=playground&stop=max_tokens"),
        ("rare model, wrong source", "/requests/rows/?model=rare-model&source=playground&status=5xx"),
        ("5xx of one model, longer than 20 s", "/requests/rows/?status=5xx&model=claude-haiku-5-5&longer=20"),
        ("search, in every run", "/requests/rows/?q=common"),
        ("search, in every run, page 2", f"/requests/rows/?q=common&before={searched}"),
        ("search, frequent", "/requests/rows/?q=word3"),
        ("search, two words", "/requests/rows/?q=word40+word55"),
        ("search, rare", "/requests/rows/?q=needle"),
        ("search, nothing", "/requests/rows/?q=nowhere"),
        ("search, phrase", "/requests/rows/?q=%22word1+word2%22"),
        ("search, beginning of few words", "/requests/rows/?q=need*"),
        ("search, beginning of 1,111 words", "/requests/rows/?q=word3*"),
        ("search, excluded", "/requests/rows/?q=common+-word1"),
        ("search and filter", "/requests/rows/?q=word3&status=5xx"),
        ("search and a filter that nothing fits", "/requests/rows/?q=common&model=rare-model&status=5xx"),
        ("search and dates", "/requests/rows/?q=common&since=2026-03-01&until=2026-03-02"),
        ("search, longer than 30 s", "/requests/rows/?q=word3&longer=30"),
        ("charts of a search", "/requests/charts/?q=word3"),
        ("grouped by session", "/requests/?group=session"),
        ("grouped by conversation", "/requests/?group=conversation"),
        ("one run", f"/requests/{deep}/"),
        ("two runs", f"/requests/compare/?a={ids[0]}&b={deep}"),
        ("the playground's Recent Requests", "recent"),
    ]


def measure(ask: Callable[[], Any], times: int) -> tuple[float, float, float]:
    """Best and median of some calls and the CPU time of the cheapest, in milliseconds; after one to warm up."""
    ask()
    taken, used = [], []
    for _ in range(times):
        began, cpu = time.perf_counter(), cpu_ms()
        ask()
        used.append(cpu_ms() - cpu)
        taken.append((time.perf_counter() - began) * 1000)
    return min(taken), statistics.median(taken), min(used)


def cpu_ms() -> float:
    """CPU time of this process, and of PostgreSQL's for it if that runs on this machine, in milliseconds."""
    from django.db import connection

    used = time.process_time() * 1000
    if connection.vendor == "postgresql" and connection.connection is not None:
        with contextlib.suppress(OSError):
            backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
            used += int(backend.read_text().split()[0]) / 1_000_000
    return used


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--runs", type=int, default=1_000_000)
    arguments.add_argument("--own", type=int, default=100_000)
    arguments.add_argument("--times", type=int, default=7)
    options = arguments.parse_args()

    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from playground.models import Run
    from playground.request_log.live_rows import newest_rows

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0, interactive=False)
    if not Run.objects.exists():
        began = time.monotonic()
        fill(options.runs, options.own)
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    owner = get_user_model().objects.get(username="user0")
    own = Run.objects.owned_by(owner).count()
    client = Client()
    client.force_login(owner)
    print(
        f"{connection.vendor}: {Run.objects.count():,} runs, {own:,} of one user; milliseconds, {options.times} times\n"
    )
    print(f"{'':44}{'best':>9}{'median':>9}{'CPU':>9}{'lines':>8}")
    slow_wall = slow_cpu = 0
    for name, address in addresses(owner):
        if address == "recent":
            lines, taken = 10, measure(lambda: newest_rows(owner, 10), options.times)
        else:
            lines = client.get(address).content.count(b"data-run-id")
            taken = measure(lambda address=address: client.get(address), options.times)
        best, median, cpu = taken
        slow_wall += median > GOAL_MS
        slow_cpu += cpu > GOAL_MS
        mark = f"  over {GOAL_MS:.0f}" if max(median, cpu) > GOAL_MS else ""
        print(f"{name:44}{best:9.1f}{median:9.1f}{cpu:9.1f}{lines:8}{mark}", flush=True)
    print(f"\nover {GOAL_MS:.0f} ms: {slow_wall} by the median, {slow_cpu} by CPU time")


if __name__ == "__main__":
    main()
