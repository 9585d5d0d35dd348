"""Two clocks and a cap: what is removed, and what is not."""

from __future__ import annotations

import io
import sqlite3
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from playground.models import Run, RunBatch, RunContent
from playground.models.run import first_id_at
from playground.recording import retention
from tests.support import runs

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db


def run_of_age(owner: User, days: float, **about: Any) -> Run:
    live = runs.live_run(owner, **about)
    live.id = uuid.UUID(int=first_id_at(timezone.now() - timedelta(days=days)).int + uuid.uuid4().int % 10**6)
    return runs.store(runs.tell(live))


def kept() -> set[uuid.UUID]:
    return set(RunContent.objects.values_list("run_id", flat=True))


@pytest.fixture(autouse=True)
def clocks(settings: Any) -> None:
    settings.CONTENT_DAYS, settings.FIGURES_DAYS, settings.MAX_CONTENT_BYTES_PER_USER = 30, 365, 0


def test_content_goes_by_the_short_clock_and_figures_by_the_long_one(owner: User) -> None:
    young, old, ancient = run_of_age(owner, 29), run_of_age(owner, 31), run_of_age(owner, 366)
    swept = retention.sweep()
    assert (swept.by_age, swept.runs) == (1, 1)
    assert set(Run.objects.values_list("pk", flat=True)) == {young.pk, old.pk}
    assert kept() == {young.pk}
    assert not RunBatch.objects.exclude(run=young).exists()
    stripped = Run.objects.get(pk=old.pk)
    assert stripped.content_removed_at is not None
    assert stripped.output_tokens == 9
    assert runs.search_ids(owner, "sky") == [young.pk]
    assert ancient.pk not in kept()


def test_starred_runs_outlive_both_clocks(owner: User) -> None:
    run = run_of_age(owner, 1000)
    Run.objects.filter(pk=run.pk).update(starred=True)
    retention.sweep()
    assert kept() == {run.pk}


def test_zero_keeps_for_ever(owner: User, settings: Any) -> None:
    settings.CONTENT_DAYS = settings.FIGURES_DAYS = 0
    run = run_of_age(owner, 5000)
    retention.sweep()
    assert kept() == {run.pk}


def test_above_the_cap_the_oldest_content_goes_first_and_starred_content_last(
    owner: User, stranger: User, settings: Any
) -> None:
    starred, old, middle, new = (run_of_age(owner, days) for days in (4, 3, 2, 1))
    Run.objects.filter(pk=starred.pk).update(starred=True)
    others = run_of_age(stranger, 9)
    one = RunContent.objects.get(run=new).size
    settings.MAX_CONTENT_BYTES_PER_USER = 2 * one
    assert retention.sweep().by_size == 2
    assert kept() == {starred.pk, new.pk, others.pk}
    settings.MAX_CONTENT_BYTES_PER_USER = one - 1
    retention.sweep()
    assert kept() == set()
    assert Run.objects.count() == 5
    assert {old.pk, middle.pk} <= set(Run.objects.values_list("pk", flat=True))


def test_the_size_of_content_counts_both_directions(owner: User) -> None:
    run = runs.stored_run(owner)
    assert retention.size_of_content(owner.pk) == run.request_size + run.received_size


def test_a_run_that_goes_on_is_left_alone(owner: User, settings: Any) -> None:
    settings.MAX_CONTENT_BYTES_PER_USER = 1
    live = runs.live_run(owner)
    live.id = uuid.UUID(int=first_id_at(timezone.now() - timedelta(days=400)).int + 1)
    live.publish(runs.told(runs.stream())[:4])
    run = runs.store(live)
    retention.sweep()
    assert kept() == {run.pk}


def test_many_runs_are_swept_in_steps(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    for _ in range(5):
        run_of_age(owner, 40)
    assert retention.sweep().by_age == 5
    assert kept() == set()


def test_the_command_says_what_it_removed(owner: User) -> None:
    run_of_age(owner, 40)
    told = io.StringIO()
    call_command("sweep_runs", stdout=told)
    assert "content of 1 runs by age and of 0 by size, 0 runs with their figures" in told.getvalue()


def test_the_command_forgets_sessions_and_failed_log_ins_too(client: Any, settings: Any) -> None:
    client.post(reverse("login"), {"username": "nobody", "password": "wrong"})
    call_command("sweep_runs", stdout=io.StringIO())
    assert AccessAttempt.objects.count() == 1
    passed = timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME, seconds=1)
    AccessAttempt.objects.update(attempt_time=passed)
    expired = SessionStore()
    expired.set_expiry(-1)
    expired.create()
    call_command("sweep_runs", stdout=io.StringIO())
    assert not AccessAttempt.objects.exists()
    assert not Session.objects.filter(pk=expired.session_key).exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its statistics by itself")
@pytest.mark.django_db(transaction=True)
def test_a_busy_database_neither_stops_nor_delays_a_sweep(owner: User) -> None:
    run_of_age(owner, 1)
    with connection.cursor() as cursor:
        waits_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("DROP TABLE IF EXISTS sqlite_stat1")  # so that it shows what the sweep has done
    Run.objects.filter(owner=owner).update(starred=True)
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    try:
        retention.sweep()
    finally:
        writer.close()
    assert time.monotonic() - began < waits_ms / 2000
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone()[0] == waits_ms
    retention.sweep()
    with connection.cursor() as cursor:
        known = {name for (name,) in cursor.execute("SELECT idx FROM sqlite_stat1").fetchall()}
    assert {"run_starred", "run_figures", "run_model"} <= known


def test_a_deleted_user_leaves_nothing(owner: User) -> None:
    runs.stored_run(owner)
    owner.delete()
    assert not Run.objects.exists()
    assert not RunContent.objects.exists()
    assert not RunBatch.objects.exists()


def test_expired_sessions_are_forgotten_and_others_stay(owner: User, client: Any) -> None:
    client.force_login(owner)
    expired = SessionStore()
    expired.set_expiry(-1)
    expired.create()
    retention.clear_sessions()
    assert list(Session.objects.values_list("pk", flat=True)) == [client.session.session_key]
