"""Reports in the database: made, filled result by result, read back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from playground.conformance.check import Result
from playground.conformance.checks import EDITION
from playground.conformance.report import Report, result_from_json, result_to_json
from playground.engine.upstream import SANDBOX
from playground.models import ConformanceReport, ConformanceResult, ConformanceRun
from playground.protocol.foreign_text import storable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Connection, User
    from playground.conformance.check import Status
    from playground.conformance.plan import Plan
    from playground.conformance.runner import Totals

CUT_OFF_AFTER = timedelta(seconds=20)  # a process writes each second


def create(owner: User, connection: Connection | None, plan: Plan) -> ConformanceReport:
    """A new report that runs; None is the sandbox."""
    return ConformanceReport.objects.create(
        owner=owner,
        connection=connection,
        is_sandbox=connection is None,
        connection_name="Sandbox" if connection is None else connection.name,
        base_url=SANDBOX.base_url if connection is None else connection.base_url,
        model=plan.model,
        edition=EDITION,
        check_ids=[check.id for check in plan.checks],
        at_once=plan.at_once,
        pace=plan.pace,
        cap_usd=plan.cap_usd,
        cap_tokens=plan.cap_tokens,
        failing_model=plan.failing_model,
    )


def busy_with(owner: User, connection: Connection | None) -> ConformanceReport | None:
    """The report that is being made of this connection: there is one at a time."""
    running = ConformanceReport.objects.owned_by(owner).running()
    return running.filter(connection=connection, is_sandbox=connection is None).first()


def claim_cut_off() -> list[UUID]:
    """Reports whose process has not written for a while; whoever calls this runs them from now on."""
    now = timezone.now()
    claimed = []
    for report in ConformanceReport.objects.running().filter(beat_at__lt=now - CUT_OFF_AFTER):
        same = ConformanceReport.objects.running().filter(pk=report.pk, beat_at=report.beat_at)
        if same.update(beat_at=now):
            claimed.append(report.pk)
    return claimed


def end_cut_off(report: ConformanceReport) -> bool:
    """End a report whose process has not written for a while; False: it goes on somewhere."""
    same = ConformanceReport.objects.running().filter(pk=report.pk, beat_at__lt=timezone.now() - CUT_OFF_AFTER)
    return bool(same.update(state=ConformanceReport.State.STOPPED, current_check=""))


def save_progress(
    report_id: UUID, results: Iterable[Result], run_ids: Iterable[UUID], totals: Totals, **columns: Any
) -> bool:
    """Write what is new; return whether somebody wants the report stopped, or it is gone."""
    with transaction.atomic():
        ConformanceResult.objects.bulk_create(
            (
                ConformanceResult(
                    report_id=report_id,
                    check_id=result.id,
                    status=result.status,
                    data=_writable(result_to_json(result)),
                )
                for result in results
            ),
            ignore_conflicts=True,
        )
        ConformanceRun.objects.bulk_create(
            (ConformanceRun(report_id=report_id, run_id=run_id) for run_id in run_ids), ignore_conflicts=True
        )
        updated = ConformanceReport.objects.filter(pk=report_id).update(
            beat_at=timezone.now(),
            requests=totals.requests,
            input_tokens=totals.input_tokens,
            output_tokens=totals.output_tokens,
            usd=totals.usd,
            **columns,
        )
    return not updated or ConformanceReport.objects.filter(pk=report_id, stop_requested=True).exists()


def _writable(value: Any) -> Any:
    """Return the value without half surrogates, which no page and no file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _writable(inner) for name, inner in value.items()}
    return [_writable(inner) for inner in value] if isinstance(value, list | tuple) else value


def results_of(report: ConformanceReport) -> dict[str, Result]:
    """The results so far, by check."""
    return {row.check_id: result_from_json(row.data) for row in report.results.all()}


def outcomes_of(report: ConformanceReport) -> dict[str, Result]:
    """Return the results without messages and evidence, which may be megabytes."""
    rows = report.results.values_list("check_id", "status")
    return {check_id: Result(check_id, cast("Status", status)) for check_id, status in rows}


def load(report: ConformanceReport, results: dict[str, Result] | None = None) -> Report:
    """The stored report as the conformance package knows reports; `results` where they are read already."""
    return Report(
        name=report.connection_name,
        base_url=report.base_url,
        model=report.model,
        started_at=report.started_at.isoformat(timespec="seconds"),
        check_ids=tuple(report.check_ids),
        results=results_of(report) if results is None else results,
        edition=report.edition,
        duration_s=report.duration_s,
        requests=report.requests,
        input_tokens=report.input_tokens,
        output_tokens=report.output_tokens,
        usd="" if report.usd is None else f"{report.usd:.6f}",
        server={storable(name, 80): storable(value, 200) for name, value in (report.server or {}).items()},
    )


def report_of_run(run_id: UUID, user: Any) -> ConformanceReport | None:
    """The user's report that has sent this run."""
    return ConformanceReport.objects.owned_by(user).filter(marks__run_id=run_id).first()
