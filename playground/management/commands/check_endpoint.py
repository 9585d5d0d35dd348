"""`manage.py check_endpoint`: what a server that speaks the Messages API leaves out, for a shell or a CI."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from playground.conformance.checks import AREAS, BY_ID
from playground.conformance.direct_sender import failing_model_of, outgoing_for, sender
from playground.conformance.plan import MOST_AT_ONCE, Plan, chosen, estimate
from playground.conformance.report import Report, report_to_json
from playground.conformance.report_files import KEY_VARIABLE, to_badge, to_junit, to_markdown
from playground.conformance.runner import Runner
from playground.dispatch import launch
from playground.engine.upstream import SANDBOX, AddressRefused, HeaderUnsendable, Upstream
from playground.protocol.foreign_text import without_controls
from playground.reports import outside_server, storing

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.check import Level, Result

EXIT_STATUS: Final[dict[Level, int]] = {"must": 1, "should": 3, "may": 4}  # 2 is for mistakes in the command
_STATES: Final = {"passed": "ok", "failed": "FAIL", "unsupported": "n/a", "inconclusive": "?"}


def usd(text: str) -> Decimal:
    try:
        value = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is not an amount of dollars") from None
    if not value.is_finite() or value < 0:
        raise ArgumentTypeError(f"{text!r} is not an amount of dollars")
    return value


def areas(text: str) -> list[str]:
    names = [name for part in text.split(",") if (name := part.strip())]
    if unknown := [name for name in names if name not in AREAS]:
        raise ArgumentTypeError(f"no such area: {', '.join(unknown)}. There are {', '.join(AREAS)}")
    return names


def positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


class Command(BaseCommand):
    help = (
        "Check what a server that speaks the Messages API leaves out. The key is read from the environment "
        f"({KEY_VARIABLE}, or --key-env) or from standard input (--key-stdin). Exit status: 0 if no check of the level "
        "--fail-on or above fails; else by the most severe level that fails, 1 must, 3 should, 4 may."
    )
    requires_system_checks = ()  # for an address nothing of the site is needed, not even its database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", metavar="URL|CONNECTION", help="an address, the name of a connection, or sandbox")
        parser.add_argument("--model", required=True, help="the model that answers")
        parser.add_argument("--areas", type=areas, default=[], help=f"separated by commas: {', '.join(AREAS)}")
        parser.add_argument("--owner", default="", help="whose connection it is, where several have one of that name")
        parser.add_argument(
            "--auth", choices=("x-api-key", "bearer"), default="x-api-key", help="how an URL's key is sent"
        )
        parser.add_argument("--key-env", default=KEY_VARIABLE, metavar="NAME", help="variable that holds the key")
        parser.add_argument("--key-stdin", action="store_true", help="read the key from standard input")
        parser.add_argument("--cap-usd", type=usd, help="stop before this is passed; for models with a known price")
        parser.add_argument("--cap-tokens", type=positive, help="the same for models without one")
        parser.add_argument("--pace", type=positive, metavar="N", help="at most N requests a minute")
        parser.add_argument("--at-once", type=int, choices=range(1, MOST_AT_ONCE + 1), default=2)
        parser.add_argument("--failing-model", default="", help="a model of the server that fails in mid-stream")
        parser.add_argument("--fail-on", choices=("must", "should", "may", "never"), default="must")
        for kind in ("junit", "json", "markdown", "badge"):
            parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"write the report as {kind}")

    def handle(self, *, target: str, **options: Any) -> None:
        is_stored = "://" not in target and target != SANDBOX.name
        report = self.check_connection(target, options) if is_stored else self.check_address(target, options)
        self.say_result(report)
        self.write_files(report, options)
        worst = report.worst_level()
        if worst is not None and options["fail_on"] in EXIT_STATUS and _is_counted(worst, options["fail_on"]):
            sys.exit(EXIT_STATUS[worst])

    def check_address(self, target: str, options: dict[str, Any]) -> Report:
        """Check what needs no database, and keep nothing."""
        upstream = self.find_upstream(target, options)
        plan = self.plan_for(upstream, options)
        self.say_estimate(plan)
        return asyncio.run(self.check_upstream(upstream, plan))

    def check_connection(self, name: str, options: dict[str, Any]) -> Report:
        """Check a stored connection: a report of its owner, each request a run of the log."""
        try:
            connection = outside_server.find_connection(name, options["owner"])
            plan = self.plan_for(launch.upstream_of(connection), options)
            self.say_estimate(plan)
            row = outside_server.begin(connection, options["owner"], plan)
        except outside_server.CannotBeginError as problem:
            raise CommandError(str(problem)) from None
        except launch.Refused as refusal:
            raise CommandError(refusal.reason) from None
        asyncio.run(outside_server.run_to_end(row, self.say_check))
        row.refresh_from_db()
        self.stderr.write(f"The report is {reverse('conformance-report', args=[row.pk])}, its requests are in the log.")
        return storing.load(row)

    # --- before

    def plan_for(self, upstream: Upstream, options: dict[str, Any]) -> Plan:
        return Plan(
            options["model"],
            chosen(options["areas"]),
            options["at_once"],
            options["pace"],
            options["cap_usd"],
            options["cap_tokens"],
            failing_model_of(upstream, options["failing_model"]),
        )

    def find_upstream(self, target: str, options: dict[str, Any]) -> Upstream:
        if target == SANDBOX.name:
            return SANDBOX
        key = sys.stdin.readline().strip() if options["key_stdin"] else os.environ.get(options["key_env"], "")
        upstream = Upstream(urlsplit(target).hostname or target, target, options["auth"], key or None)
        try:
            outgoing_for(chosen()[0].requests[0], upstream, options["model"])
        except (AddressRefused, HeaderUnsendable) as refusal:
            raise CommandError(str(refusal)) from None
        return upstream

    def say_estimate(self, plan: Plan) -> None:
        cost = estimate(plan.checks, plan.model)
        price = "price unknown" if cost.usd is None else f"at most ${cost.usd:.2f}"
        self.stderr.write(
            f"{len(plan.checks)} checks, about {cost.requests} requests, {cost.input_tokens:,} tokens in and at most "
            f"{cost.output_tokens:,} out, {price}"
        )
        if cost.usd is None and plan.cap_usd is not None and plan.cap_tokens is None:
            raise CommandError(f"The price of {plan.model} is not known, so --cap-usd cannot hold: use --cap-tokens.")

    # --- under way

    async def check_upstream(self, upstream: Upstream, plan: Plan) -> Report:
        began, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        results: dict[str, Result] = {}

        def keep(result: Result) -> None:
            results[result.id] = result
            self.say_check(result)

        async with outside_server.unguarded_client() as client:
            runner = Runner(plan, sender(client, upstream, plan.model, plan.failing_model), keep)
            await runner.run()
        totals = runner.totals
        return Report(
            name=upstream.name,
            base_url=upstream.base_url,
            model=plan.model,
            started_at=started_at,
            check_ids=tuple(check.id for check in plan.checks),
            results=results,
            duration_s=round(time.monotonic() - began, 1),
            requests=totals.requests,
            input_tokens=totals.input_tokens,
            output_tokens=totals.output_tokens,
            usd="" if totals.usd is None else f"{totals.usd:.6f}",
            server=runner.server,
        )

    def say_check(self, result: Result) -> None:
        check = BY_ID[result.id]
        if result.status not in ("passed", "skipped"):
            words = without_controls(result.message, " ")
            self.stderr.write(f"{_STATES[result.status]:>4}  {check.level:<6} {check.id}: {words[:300]}")

    # --- afterwards

    def say_result(self, report: Report) -> None:
        for level, tally in report.by_level().items():
            self.stdout.write(f"{level:<7} {tally.passed} of {tally.applicable} pass")
        tally = report.tally()
        self.stdout.write(
            f"{tally.passed} of {tally.applicable} applicable checks pass, {tally.failed} fail, {tally.inconclusive} "
            f"inconclusive, {tally.unsupported} not supported, {tally.skipped} skipped; {report.requests} requests in "
            f"{report.duration_s:.1f} s"
        )

    def write_files(self, report: Report, options: dict[str, Any]) -> None:
        level: Level = options["fail_on"] if options["fail_on"] in EXIT_STATUS else "must"
        writers: dict[str, Callable[[], str]] = {
            "json": lambda: json.dumps(report_to_json(report), indent=1) + "\n",
            "junit": lambda: to_junit(report, level),
            "markdown": lambda: to_markdown(report),
            "badge": lambda: to_badge(report),
        }
        for kind, write in writers.items():
            if (path := options[kind]) is not None:
                try:
                    path.write_text(write(), encoding="utf-8", errors="replace")
                except OSError as problem:
                    raise CommandError(f"{path} cannot be written: {problem.strerror}") from None


def _is_counted(level: Level, fail_on: Level) -> bool:
    return list(EXIT_STATUS).index(level) <= list(EXIT_STATUS).index(fail_on)
