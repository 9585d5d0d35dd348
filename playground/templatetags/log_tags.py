"""Tags of the request log: charts as SVG, drawn with attributes only, each with its words."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html_join

from playground.answer import words
from playground.request_log import beside

if TYPE_CHECKING:
    from django.template import Context

    from playground.forms.comparison import Comparison
    from playground.request_log.filters import Filter
    from playground.request_log.rows import Row
    from playground.stats import Stats

register = template.Library()

RECENT = 10

WIDTH, LEFT, TOP, BOTTOM = 460.0, 30.0, 4.0, 84.0
BAR = '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
SPARK_WIDTH, SPARK_TOP, SPARK_BOTTOM = 294.0, 8.0, 58.0


@register.filter
def duration(ms: float | None) -> str:
    return words.duration(ms)


@register.filter
def size(count: int | None) -> str:
    return words.size(count or 0)


@register.filter
def compact(number: float | None) -> str:
    """1,204 as it is; 48.2k, 3.10M where digits would only be noise."""
    number = number or 0
    if number < 10_000:
        return f"{number:,.0f}"
    return f"{number / 1000:,.1f}k" if number < 1_000_000 else f"{number / 1_000_000:,.2f}M"


@register.filter
def of(wanted: Filter, name: str) -> str:
    """One condition of a filter."""
    return getattr(wanted, name)


@register.simple_tag(takes_context=True)
def recent_requests(context: Context) -> list[Row]:
    """The newest requests of whoever is asking, those that go on included; none for a visitor."""
    from playground.request_log.live import newest_rows

    request = context["request"]
    return newest_rows(request.user, RECENT) if request.user.is_authenticated else []


@register.simple_tag
def log_address(wanted: Filter, name: str = "runs", **changes: Any) -> str:
    """The address of the log (or another page of it) with this filter and some more parameters."""
    extra = "&".join(f"{key}={value}" for key, value in changes.items() if value not in ("", None))
    query = "&".join(part for part in (wanted.query, extra) if part)
    return reverse(name) + (f"?{query}" if query else "")


@register.inclusion_tag("playground/_request_chart_days.html")
def chart_days(stats: Stats) -> dict[str, Any]:
    """Requests per day by status class, as bars on each other."""
    top = _round_up(max((day.all for day in stats.days), default=0))
    slot = (WIDTH - LEFT) / max(1, len(stats.days))
    bars = []
    for number, day in enumerate(stats.days):
        at = BOTTOM - 1
        for kind in ("ok", "client", "server"):
            if count := getattr(day, kind):
                height = max(0.8, (BOTTOM - TOP) * count / top)
                at -= height
                x = LEFT + number * slot + slot * 0.1
                bars.append((kind, f"{x:.1f}", f"{at:.1f}", f"{slot * 0.8:.1f}", f"{height:.1f}"))
                at -= 0.6
    every = max(1, math.ceil(len(stats.days) / 5))
    labels = [
        {"x": f"{LEFT + number * slot + slot * 0.1:.0f}", "text": f"{day.date.day} {day.date:%b}"}
        for number, day in enumerate(stats.days)
        if number % every == 0
    ]
    grid = [{"y": BOTTOM - (BOTTOM - TOP) * part, "text": compact(top * part)} for part in (0, 0.5, 1)]
    worst = max(stats.days, key=lambda day: day.server, default=None)
    worst = worst if worst and worst.server else None
    return {"stats": stats, "bars": format_html_join("", BAR, bars), "labels": labels, "grid": grid, "worst": worst}


@register.inclusion_tag("playground/_request_chart_line.html")
def chart_median(stats: Stats, name: str, title: str) -> dict[str, Any]:
    """The median of a day as a line, with that of all days and the 95th percentile in words."""
    from playground.stats import percentile

    values = [percentile(getattr(day, name), 0.5) for day in stats.days]
    ordered = stats.ordered(name)
    note = f"p95 {words.duration(percentile(ordered, 0.95))}"
    return _line(stats, values, title, words.duration(percentile(ordered, 0.5)), note)


@register.inclusion_tag("playground/_request_chart_line.html")
def chart_tokens(stats: Stats) -> dict[str, Any]:
    values = [float(day.tokens_in + day.tokens_out) for day in stats.days]
    note = f"{compact(stats.total('tokens_in'))} in, {compact(stats.total('tokens_out'))} out"
    return _line(stats, values, "tokens", compact(stats.total("tokens_in") + stats.total("tokens_out")), note)


@register.inclusion_tag("playground/_request_chart_line.html")
def chart_cost(stats: Stats) -> dict[str, Any]:
    values = [day.cost_usd for day in stats.days]
    busiest = max(stats.days, key=lambda day: day.cost_usd, default=None)
    note = f"most on {busiest.date.day} {busiest.date:%b}, {words.cost(Decimal(busiest.cost_usd))}" if busiest else ""
    return _line(stats, values, "estimated cost", words.cost(Decimal(stats.total("cost_usd"))), note)


def _line(stats: Stats, values: list[float | None], title: str, figure: str, note: str) -> dict[str, Any]:
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
        "stats": stats,
        "title": title,
        "figure": figure,
        "note": note,
        "line": f"M{path}" if len(points) > 1 else "",
        "area": f"M{path} L{points[-1][0]} 64 L{points[0][0]} 64z" if len(points) > 1 else "",
        "end": points[-1] if points else None,
    }


def _round_up(count: int) -> int:
    """A number a scale may end with: 1, 2, 4, 6 or 10 times a power of ten."""
    if count <= 2:
        return 2
    power = 10 ** int(math.log10(count))
    return next(number * power for number in (1, 2, 4, 6, 10) if number * power >= count)


@register.simple_tag
def figures_beside(comparison: Comparison) -> list[beside.Line]:
    """The figures of a comparison's columns, one line each."""
    return beside.lines([column.run for column in comparison.columns])
