"""Addresses of one run's answer, below `/requests/<id>/`, and of the examples."""

from django.urls import URLPattern, path

from playground.views import answer_actions, answer_page, answer_parts, answer_to_draft, answer_tool_results

PARTS = (
    ("answer/at/<int:number>/", answer_parts.at_event, "at-event"),
    ("answer/json/", answer_parts.as_json, "json"),
    ("answer/text/", answer_parts.as_text, "text"),
    ("answer/frames/", answer_parts.as_frames, "frames"),
    ("answer/rest/<int:index>/", answer_parts.rest, "rest"),
    ("wire/", answer_parts.events, "wire"),
    ("wire/<int:number>/", answer_parts.event, "event"),
)
_QUICK = (answer_parts.event,)
_BOTH = [(address, *answer_parts.of_both(view, takes_turns=view not in _QUICK), name) for address, view, name in PARTS]

shortcuts = answer_page.shortcuts
run_patterns: list[URLPattern] = [
    path("answer/", answer_page.answer, name="answer"),
    *(path(address, of_run, name=f"answer-{name}") for address, of_run, _, name in _BOTH),
    path("answer/stop/", answer_actions.stop_run, name="stop-run"),
    path("again/", answer_actions.run_again, name="run-again"),
    path("compare-columns/", answer_actions.compare_runs, name="compare-runs"),
    path("continue/", answer_actions.answer_continue, name="answer-continue"),
    path("results/", answer_tool_results.send_results, name="send-results"),
    path("to-draft/", answer_to_draft.answer_to_draft, name="answer-to-draft"),
]
example_patterns: list[URLPattern] = [
    path("start/", answer_parts.start, name="answer-start"),
    path("<str:kind>/", answer_parts.example, name="answer-example"),
    *(path(f"<str:kind>/{address}", of_example, name=f"example-{name}") for address, _, of_example, name in _BOTH),
]
