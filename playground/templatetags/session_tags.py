"""Tags of the pages of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from playground.session_log import chart_svg

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from playground.session_log.chart_shapes import Chart

register = template.Library()


@register.simple_tag
def draw_chart(chart: Chart, prefix: str, label: str) -> SafeString:
    """A chart as SVG."""
    return chart_svg.svg(chart, prefix, label)


@register.filter
def told(count: int | None) -> str:
    """A count of tokens, which the server may not have told."""
    return "not reported" if count is None else f"{count:,}"
