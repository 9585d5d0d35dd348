"""Tags of the request log: charts as SVG, drawn with attributes only, each with its words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import template
from django.template.defaultfilters import date as date_format
from django.urls import reverse
from django.utils.html import format_html_join

from playground.rendering import formatting
from playground.rendering.log_columns import TABLE, Column
from playground.request_log import column_figures
from playground.request_log.statistics import percentile

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from playground.composer.comparison import Comparison
    from playground.request_log.filters import Filter
    from playground.request_log.rows import Row
    from playground.request_log.statistics import Stats

register = template.Library()

BAR = '<rect class="{}" x="{}%" y="{}%" width="{}%" height="{}%"/>'
SPARK_WIDTH, SPARK_TOP, SPARK_BOTTOM = 294.0, 8.0, 58.0


@register.filter
def duration(ms: float | None) -> str:
    return formatting.duration(ms)


@register.filter
def duration_of_seconds(seconds: float) -> str:
    return formatting.duration(seconds * 1000)


@register.filter
def size(count: int | None) -> str:
    return formatting.size(count or 0)


@register.filter
def compact(number: float | None) -> str:
    """1,204 as it is; 48.2k, 3.10M where digits would only be noise."""
    number = number or 0
    if number < 10_000:
        return f"{number:,.0f}"
    return f"{number / 1000:,.1f}k" if number < 1_000_000 else f"{number / 1_000_000:,.2f}M"


@register.filter
def of(log_filter: Filter, name: str) -> str:
    """One condition of a filter."""
    return str(getattr(log_filter, name))


@register.simple_tag
def log_columns() -> tuple[Column, ...]:
    """The columns of the log's table, without the box that selects a line."""
    return TABLE


@register.simple_tag
def log_line(row: Row, *, pick: bool, query: str = "", is_visitor: bool = False) -> SafeString:
    """One line of the log's table; `pick`: with a box to select it."""
    return row.line(pick=pick, query=query, is_visitor=is_visitor)


@register.simple_tag
def log_address(log_filter: Filter, name: str = "runs", **changes: Any) -> str:
    """The address of the log (or another page of it) with this filter and some more parameters."""
    extra = "&".join(f"{key}={value}" for key, value in changes.items() if value not in ("", None))
    query = "&".join(part for part in (log_filter.query, extra) if part)
    return reverse(name) + (f"?{query}" if query else "")


@register.inclusion_tag("playground/log/_chart_days.html")
def chart_days(stats: Stats) -> dict[str, Any]:
    """Requests per day by status class, as bars on each other. Places are percentages: the page sets the size."""
    top = _round_up(max((day.all for day in stats.days), default=0))
    slot = 100 / max(1, len(stats.days))
    bars = []
    for number, day in enumerate(stats.days):
        at = 100.0
        for kind in ("ok", "client", "server"):
            if count := getattr(day, kind):
                height = max(1.0, 100 * count / top)
                at -= height
                x = number * slot + slot * 0.1
                bars.append((kind, f"{x:.2f}", f"{at:.2f}", f"{slot * 0.8:.2f}", f"{height:.2f}"))
                at -= 0.75
    every = max(1, math.ceil(len(stats.days) / 5))
    labels = [
        {"x": f"{number * slot + slot * 0.1:.2f}", "text": f"{day.date.day} {day.date:%b}"}
        for number, day in enumerate(stats.days)
        if number % every == 0
    ]
    grid = [{"y": f"{100 - 100 * part:.0f}", "text": compact(top * part)} for part in (0, 0.5, 1)]
    return {
        "stats": stats,
        "bars": format_html_join("", BAR, bars),
        "labels": labels,
        "grid": grid,
        "label": _days_in_words(stats),
    }


def _days_in_words(stats: Stats) -> str:
    """Describe the bars for those who do not see them."""
    step = "day" if stats.step_days == 1 else f"{stats.step_days} days"
    worst = max(stats.days, key=lambda day: day.server, default=None)
    failures = "No failures of class 5xx."
    if worst and worst.server:
        failures = f"{date_format(worst.date, 'j F')} has the most failures: {worst.server}."
    return f"Requests per {step} by status class, {_span(stats)}. {failures}"


def _span(stats: Stats) -> str:
    return f"{date_format(stats.first, 'j F')} to {date_format(stats.last, 'j F')}"


@register.inclusion_tag("playground/log/_chart_line.html")
def chart_median(stats: Stats, name: str, title: str) -> dict[str, Any]:
    """The median of a day as a line, with that of all days and the 95th percentile in words."""
    values = [percentile(getattr(day, name), 0.5) for day in stats.days]
    ordered = stats.ordered(name)
    note = f"p95 {formatting.duration(percentile(ordered, 0.95))}"
    return _line(stats, values, title, formatting.duration(percentile(ordered, 0.5)), note)


@register.inclusion_tag("playground/log/_chart_line.html")
def chart_tokens(stats: Stats) -> dict[str, Any]:
    values = [float(day.tokens_in + day.tokens_out) for day in stats.days]
    note = f"{compact(stats.total('tokens_in'))} in, {compact(stats.total('tokens_out'))} out"
    return _line(stats, values, "tokens", compact(stats.total("tokens_in") + stats.total("tokens_out")), note)


@register.inclusion_tag("playground/log/_chart_line.html")
def chart_cost(stats: Stats) -> dict[str, Any]:
    """The cost of each day; which one cost most, where any cost anything."""
    values = [day.cost_usd for day in stats.days]
    dearest = max(stats.days, key=lambda day: day.cost_usd, default=None)
    note = ""
    if dearest and dearest.cost_usd:
        note = f"most on {dearest.date.day} {dearest.date:%b}, {formatting.cost(Decimal(dearest.cost_usd))}"
    return _line(stats, values, "estimated cost", formatting.cost(Decimal(stats.total("cost_usd"))), note)


def _line(stats: Stats, values: Sequence[float | None], title: str, figure: str, note: str) -> dict[str, Any]:
    """Days without a value are left out of the line; one value alone is a dot."""
    top = max((value for value in values if value is not None), default=0) or 1
    step = SPARK_WIDTH / max(1, len(values) - 1)
    points = [
        (round(number * step, 1), round(SPARK_BOTTOM - (SPARK_BOTTOM - SPARK_TOP) * value / top, 1))
        for number, value in enumerate(values)
        if value is not None
    ]
    path = " L".join(f"{x} {y}" for x, y in points)
    return {
        "title": title,
        "figure": figure,
        "note": note,
        "label": ", ".join(part for part in (f"{title} {figure}", note, _span(stats)) if part),
        "line": f"M{path}" if len(points) > 1 else "",
        "area": f"M{path} L{points[-1][0]} 64 L{points[0][0]} 64z" if len(points) > 1 else "",
        "end": points[-1] if points else None,
    }


def _round_up(count: int) -> int:
    """A number a scale may end with: 1, 2, 4, 6 or 10 times a power of ten."""
    if count <= 2:
        return 2
    power: int = 10 ** int(math.log10(count))
    return next(number * power for number in (1, 2, 4, 6, 10) if number * power >= count)


@register.simple_tag
def column_footers(comparison: Comparison) -> list[tuple[Any, column_figures.Footer]]:
    """The columns of a comparison, each with the figures that stand under it."""
    footers = column_figures.footers([column.run for column in comparison.columns])
    return list(zip(comparison.columns, footers, strict=True))
