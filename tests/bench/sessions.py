"""What it costs to open an agent's session of 1,000 requests of 1 MB each: `python -m tests.bench.sessions`.

Makes the digests in a scratch SQLite database, then loads the session as its page does: threads, causes, context.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

REQUESTS = 1_000
BODY_BYTES = 1_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
        import django
        from django.core.management import call_command

        Path(folder).chmod(0o700)
        django.setup()
        call_command("migrate", verbosity=0)
        run()


def run() -> None:
    import datetime as dt

    from django.contrib.auth import get_user_model
    from django.db import transaction

    from playground.models import Run
    from playground.models.run import first_id_at
    from playground.recording.session_writer import add_run

    owner = get_user_model().objects.create_user("bench", password=None)
    beginning = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    result = "line of a file that was read by the agent\n" * (BODY_BYTES // REQUESTS // 42 * 2)
    messages: list[dict[str, object]] = [{"role": "user", "content": "Fix the bug"}]
    system = [{"type": "text", "text": "instructions " * 2_000, "cache_control": {"type": "ephemeral"}}]
    tools = [{"name": f"tool_{n}", "description": "text " * 200, "input_schema": {"type": "object"}} for n in range(20)]
    stored_cpu = 0.0
    with transaction.atomic():
        for number in range(REQUESTS):
            started = beginning + dt.timedelta(seconds=10 * number)
            run = Run.objects.create(
                pk=first_id_at(started), owner=owner, started_at=started, state="completed", http_status=200,
                source="relay", model="claude-sonnet-4-5", client_session="bench", duration_ms=4_000.0,
                input_tokens=10, cache_write_tokens=500, cache_read_tokens=500 * number, output_tokens=100,
            )  # fmt: skip
            call = {"type": "tool_use", "id": f"t{number}", "name": "Read", "input": {"file_path": f"{number}.py"}}
            body = {"model": run.model, "max_tokens": 1, "system": system, "tools": tools, "messages": list(messages)}
            before = time.process_time()
            add_run(run, body, {"content": [call]})
            stored_cpu += time.process_time() - before
            messages += [
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": result}]},
            ]
    _open(owner)
    print(
        f"storing: {1_000 * stored_cpu / REQUESTS:.1f} ms of CPU a request (mean of bodies up to {BODY_BYTES:,} bytes)"
    )


def _open(owner: Any) -> None:
    """The page as a browser asks for it, and the parts of it that come from digests alone."""
    from django.test import Client

    from playground.models import AgentSession
    from playground.recording.session_loading import load
    from playground.session_log import charts
    from playground.session_log.page import SessionPage

    session = AgentSession.objects.get()
    client = Client(headers={"host": "localhost"})
    client.force_login(owner)
    client.get(f"/sessions/{session.pk}/")  # templates are read
    for _ in range(3):
        clock, cpu = time.perf_counter(), time.process_time()
        loaded = load(session)
        loading = time.process_time() - cpu
        page = SessionPage(loaded)
        _ = page.heaviest, charts.timeline(page), charts.agents(page)
        drawn = time.process_time() - cpu
        print(f"from digests: CPU {1_000 * drawn:.0f} ms (loading {1_000 * loading:.0f}), {len(loaded.steps)} steps")
        clock, cpu = time.perf_counter(), time.process_time()
        size = len(client.get(f"/sessions/{session.pk}/").content)
        took, used = time.perf_counter() - clock, time.process_time() - cpu
        print(f"page: {1_000 * took:.0f} ms, CPU {1_000 * used:.0f} ms, {size:,} bytes")


if __name__ == "__main__":
    main()
