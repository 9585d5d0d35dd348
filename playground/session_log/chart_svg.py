"""A chart as SVG. Written here and not in a template: a session of a thousand steps has thousands of marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.session_log.chart_shapes import Chart, Flag, Line, Rect, StepMark, Word

_ANCHORS = {"scale": "end", "last": "end", "middle": "middle", "failed-x": "middle", "most": "middle"}


def svg(chart: Chart, prefix: str, label: str) -> SafeString:
    """The marks of a chart; `prefix` is of the classes of their parts. Numbers are written without any locale."""
    pieces = [
        f'<svg viewBox="0 0 {chart.width:.0f} {chart.height:.0f}" role="group" aria-label="{escape(label)}">',
        *(_line(line) for line in chart.lines),
        *(_mark(mark, prefix) for mark in chart.marks),
        *(piece for flag in chart.flags for piece in _flag(flag)),
        *(_word(word) for word in chart.words),
        "</svg>",
    ]
    return mark_safe("".join(pieces))  # noqa: S308 - texts are escaped where they are put in


def _line(line: Line) -> str:
    return f'<line class="{line.kind}" x1="{line.x1:.2f}" y1="{line.y1:.2f}" x2="{line.x2:.2f}" y2="{line.y2:.2f}"/>'


def _rect(css: str, rect: Rect) -> str:
    size = f'width="{rect.width:.2f}" height="{rect.height:.2f}"'
    return f'<rect class="{css}" x="{rect.x:.2f}" y="{rect.y:.2f}" {size}/>'


def _mark(mark: StepMark, prefix: str) -> str:
    number = mark.row.number
    last = f' data-last="{mark.last}"' if mark.last else ""
    return "".join(
        [
            f'<a href="#step-{number}" data-step="{number}"{last} tabindex="-1"><title>{escape(mark.words)}</title>',
            _rect("hit", mark.hit),
            *[_rect(f"{prefix}{part.kind}", part) for part in mark.parts],
            _rect("ring", mark.hit),
            "</a>",
        ]
    )


def _flag(flag: Flag) -> Iterator[str]:
    tone, number, step = flag.miss.tone, flag.miss.number, flag.miss.step_number
    if flag.bottom > flag.box_bottom:
        ends = f'x1="{flag.middle:.2f}" x2="{flag.middle:.2f}" y1="{flag.box_bottom:.2f}" y2="{flag.bottom:.2f}"'
        yield f'<line class="flag-line" data-cause="{tone}" {ends}/>'
    yield f'<a class="flag-word" href="#step-{step}" data-step="{step}" data-cause="{tone}" tabindex="-1">'
    yield f"<title>{number}: {escape(flag.miss.miss.words)}, step {step}</title>"
    yield f'<rect x="{flag.x:.2f}" y="{flag.y:.2f}" width="{flag.width:.2f}" height="13" rx="2"/>'
    yield f'<text class="no" x="{flag.middle:.2f}" y="{flag.base:.2f}" text-anchor="middle">{number}</text>'
    if flag.words:
        anchor = ' text-anchor="end"' if flag.ends else ""
        yield f'<text x="{flag.words_x:.2f}" y="{flag.base:.2f}"{anchor}>{escape(flag.words)}</text>'
    yield "</a>"


def _word(word: Word) -> str:
    anchor = f' text-anchor="{_ANCHORS[word.kind]}"' if word.kind in _ANCHORS else ""
    return f'<text class="{word.kind}" x="{word.x:.2f}" y="{word.y:.2f}"{anchor}>{escape(word.text)}</text>'
