"""A conformance report: what was checked of which server, and what came of it, check by check."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

from playground.models.fields import ForeignJson


class ConformanceReportQuerySet(models.QuerySet["ConformanceReport"]):
    def owned_by(self, user: Any) -> ConformanceReportQuerySet:
        """The reports of one person; none for a visitor."""
        return self.filter(owner=user) if user.is_authenticated else self.none()

    def running(self) -> ConformanceReportQuerySet:
        return self.filter(state=ConformanceReport.State.RUNNING)


class ConformanceReport(models.Model):
    """One report of one model. Names are copies: the connection may be renamed or deleted."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conformance_reports")
    connection = models.ForeignKey("accounts.Connection", models.SET_NULL, null=True, related_name="+")
    is_sandbox = models.BooleanField(default=False)
    connection_name = models.CharField(max_length=200)
    base_url = models.TextField()
    model = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)

    # What was asked for.
    edition = models.CharField(max_length=20)  # of the catalogue
    check_ids = models.JSONField(default=list)
    at_once = models.PositiveSmallIntegerField(default=2)
    pace = models.PositiveIntegerField(null=True)  # requests per minute
    cap_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    cap_tokens = models.PositiveBigIntegerField(null=True)
    failing_model = models.CharField(max_length=200, blank=True)

    # How far it is. `beat_at` is when the process that runs it last wrote; none for a while: it was cut off.
    started_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(default=timezone.now)
    stop_requested = models.BooleanField(default=False)
    current_check = models.CharField(max_length=80, blank=True)
    current_try = models.PositiveSmallIntegerField(default=0)
    duration_s = models.FloatField(default=0.0)
    requests = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    server = ForeignJson(default=dict)  # what its headers and lists say that it is

    objects = ConformanceReportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-id"], name="conformance_owner"),
            models.Index(fields=["beat_at"], name="conformance_running", condition=models.Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"{self.connection_name}, {self.model}"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING


class ConformanceResult(models.Model):
    """The result of one check; `data` is as `playground.conformance.report.result_to_json` writes it."""

    report = models.ForeignKey(ConformanceReport, models.CASCADE, related_name="results")
    check_id = models.CharField(max_length=80)
    status = models.CharField(max_length=12)
    data = ForeignJson(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "check_id"], name="conformance_result")]

    def __str__(self) -> str:
        return f"{self.check_id}: {self.status}"


class ConformanceRun(models.Model):
    """Marks a run of the log: a report has sent it. No foreign key: runs are written later, and removed earlier."""

    report = models.ForeignKey(ConformanceReport, models.CASCADE, related_name="marks")
    run_id = models.UUIDField(unique=True)

    def __str__(self) -> str:
        return f"run {self.run_id}"
