"""A report: what was checked, what came of it, and the figures that a page or a file shows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from playground.conformance.check import LEVELS, Check, Evidence, Level, Result, Sent, Status
from playground.conformance.checks import AREAS, BY_ID, EDITION
from playground.conformance.witnesses import clients_of

# The order in which findings are read.
FINDINGS: Final[tuple[Status, ...]] = ("failed", "inconclusive", "unsupported", "skipped")


@dataclass(frozen=True)
class Report:
    """One report, complete or in part. `started_at` is RFC 3339; `usd` is a decimal as text, "" where unknown."""

    name: str
    base_url: str
    model: str
    started_at: str
    check_ids: tuple[str, ...]
    results: Mapping[str, Result]
    edition: str = EDITION
    duration_s: float = 0.0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: str = ""
    server: Mapping[str, str] = field(default_factory=dict)

    @property
    def checks(self) -> list[Check]:
        """The checks that were chosen and are still in the catalogue."""
        return [BY_ID[name] for name in self.check_ids if name in BY_ID]

    def tally(self, checks: Iterable[Check] | None = None) -> Tally:
        chosen = self.checks if checks is None else list(checks)
        statuses = (self.results[check.id].status if check.id in self.results else "waiting" for check in chosen)
        return Tally(len(chosen), Counter(statuses))

    def only(self, client: str) -> Report:
        """The part of which this client needs something, as far as the checks' reasons say so."""
        return replace(self, check_ids=tuple(name for name in self.check_ids if client in clients_of(name)))

    def by_level(self) -> dict[Level, Tally]:
        return {level: self.tally(check for check in self.checks if check.level == level) for level in LEVELS}

    def by_area(self) -> dict[str, Tally]:
        """Only the areas of which something was checked."""
        checks = self.checks
        present = [area for area in AREAS if any(check.area == area for check in checks)]
        return {area: self.tally(check for check in checks if check.area == area) for area in present}

    def failed(self, level: Level | None = None) -> list[Check]:
        """Return the failed checks of a level, in the order of the catalogue."""
        return [
            check
            for check in self.checks
            if (level is None or check.level == level)
            and check.id in self.results
            and self.results[check.id].status == "failed"
        ]

    def worst_level(self) -> Level | None:
        """The most severe level of which a check failed."""
        return next((level for level in LEVELS if self.failed(level)), None)

    def in_words(self) -> str:
        """The verdict in a sentence or two, by rules."""
        tally = self.tally()
        if not tally.applicable:
            return "Nothing could be checked."
        if not tally.failed:
            return _without_fault(tally)
        areas = self.by_area()
        sound = [AREAS[area] for area, each in areas.items() if each.applicable and not each.failed]
        worst = sorted(areas.items(), key=lambda item: -item[1].failed)[:3]
        named = ", ".join(f"{AREAS[area]} ({each.failed})" for area, each in worst if each.failed)
        whole = f" Without a fault: {', '.join(sound[:4])}." if sound else ""
        if tally.failed == 1:
            first = "It breaks clients." if self.failed("must") else "It breaks no client outright."
            return f"1 check fails, in {AREAS[worst[0][0]]}. {first}{whole}"
        musts = len(self.failed("must"))
        first = "None of them breaks a client outright."
        if musts:
            first = f"{_many(musts, 'of them breaks clients', 'of them break clients')}."
        return f"{tally.failed} checks fail, most in {named}. {first}{whole}"

    @property
    def software(self) -> str:
        """The server's own name for itself, on one line; empty when it gives none."""
        named = self.server
        parts = [named[name] for name in ("server", "x-powered-by") if named.get(name)]
        parts += [f"{name.removeprefix('x-').removesuffix('-version')} {named[name]}" for name in sorted(named)
                  if name.endswith("version") and named[name]]  # fmt: skip
        if named.get("owned_by"):
            parts.append(f"models owned by {named['owned_by']}")
        return ", ".join(dict.fromkeys(parts))


@dataclass(frozen=True)
class Tally:
    """The number of checks by outcome. `waiting` have no result yet."""

    total: int
    counts: Mapping[str, int]

    def of(self, status: str) -> int:
        return self.counts.get(status, 0)

    @property
    def passed(self) -> int:
        return self.of("passed")

    @property
    def failed(self) -> int:
        return self.of("failed")

    @property
    def unsupported(self) -> int:
        return self.of("unsupported")

    @property
    def inconclusive(self) -> int:
        return self.of("inconclusive")

    @property
    def skipped(self) -> int:
        return self.of("skipped")

    @property
    def waiting(self) -> int:
        return self.of("waiting")

    @property
    def done(self) -> int:
        return self.total - self.waiting

    @property
    def applicable(self) -> int:
        """The number of checks that were judged: passed or failed. The others say nothing of the server."""
        return self.passed + self.failed


def _without_fault(tally: Tally) -> str:
    """What there is to say where no check fails: whether that says all, or some are still open."""
    still_open = [_many(tally.inconclusive, "is inconclusive", "are inconclusive")] if tally.inconclusive else []
    if tally.skipped:
        still_open.append(_many(tally.skipped, "was skipped", "were skipped"))
    return f"No check fails; {' and '.join(still_open)}." if still_open else "Every check that applies passes."


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


# --- as JSON, which is also how a report is stored


def result_to_json(result: Result) -> dict[str, Any]:
    return {name: value for name, value in asdict(result).items() if value not in (None, (), {}, "")} | {
        "id": result.id
    }


def result_from_json(value: Mapping[str, Any]) -> Result:
    """Members that this version does not know are left out."""
    kept = _known(Result, value)
    if evidence := kept.get("evidence"):
        shown = _known(Evidence, evidence)
        shown["events"] = tuple((row[0], row[1], row[2], row[3]) for row in shown.get("events", ()))
        shown["headers"] = _pairs(shown.get("headers", ()))
        kept["evidence"] = Evidence(**shown)
    kept["sent"] = tuple(
        Sent(**{**_known(Sent, each), "headers": _pairs(each.get("headers", ()))}) for each in kept.get("sent", ())
    )
    kept["run_ids"] = tuple(kept.get("run_ids", ()))
    return Result(**kept)


def report_to_json(report: Report) -> dict[str, Any]:
    """Return the report for programs: the same figures that the page shows, and all results."""
    tally = report.tally()
    return {
        "name": report.name,
        "base_url": report.base_url,
        "model": report.model,
        "server": dict(report.server),
        "started_at": report.started_at,
        "duration_s": report.duration_s,
        "edition": report.edition,
        "requests": report.requests,
        "input_tokens": report.input_tokens,
        "output_tokens": report.output_tokens,
        "usd": report.usd,
        "passed": tally.passed,
        "applicable": tally.applicable,
        "by_level": {level: _figures(each) for level, each in report.by_level().items()},
        "by_area": {area: _figures(each) for area, each in report.by_area().items()},
        "check_ids": list(report.check_ids),
        "results": [
            {"level": BY_ID[name].level, "title": BY_ID[name].title, **result_to_json(report.results[name])}
            for name in report.check_ids
            if name in report.results and name in BY_ID
        ],
    }


def report_from_json(value: Mapping[str, Any]) -> Report:
    """Read what `report_to_json` wrote."""
    results = {each["id"]: result_from_json(each) for each in value["results"]}
    kept = _known(Report, value) | {"results": results, "check_ids": tuple(value["check_ids"])}
    return Report(**kept)


def _figures(tally: Tally) -> dict[str, int]:
    names = ("passed", "failed", "unsupported", "inconclusive", "skipped")
    return {"total": tally.total, "applicable": tally.applicable} | {name: tally.of(name) for name in names}


def _known(kind: type, value: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: member for name, member in value.items() if name in names}


def _pairs(value: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(content)) for name, content in value)


# --- two reports beside each other


@dataclass(frozen=True)
class Difference:
    """Checks of both reports by what became of them. `other` changed between two outcomes that are no verdict."""

    broken: tuple[Check, ...]
    fixed: tuple[Check, ...]
    other: tuple[Check, ...]
    same: int
    only_before: int
    only_after: int


def difference(before: Report, after: Report) -> Difference:
    """Compare two reports by the checks that both have."""
    both = [check for check in after.checks if check.id in before.results and check.id in after.results]
    pairs = {check.id: (before.results[check.id].status, after.results[check.id].status) for check in both}
    changed = [check for check in both if pairs[check.id][0] != pairs[check.id][1]]
    broken = tuple(check for check in changed if pairs[check.id][1] == "failed")
    fixed = tuple(check for check in changed if pairs[check.id][0] == "failed" and pairs[check.id][1] == "passed")
    return Difference(
        broken,
        fixed,
        tuple(check for check in changed if check not in broken and check not in fixed),
        len(both) - len(changed),
        len(before.results.keys() - after.results.keys()),
        len(after.results.keys() - before.results.keys()),
    )
