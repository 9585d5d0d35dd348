"""Addresses of the request log, below `/requests/`."""

from django.urls import URLPattern, path

from playground.views import log_compare, log_exports, log_list, log_run

patterns: list[URLPattern] = [
    path("", log_list.runs, name="runs"),
    path("rows/", log_list.run_rows, name="run-rows"),
    path("charts/", log_list.run_charts, name="run-charts"),
    path("selection/", log_list.run_selection, name="run-selection"),
    path("export/", log_exports.run_export, name="run-export"),
    path("export/progress/", log_exports.run_export_progress, name="run-export-progress"),
    path("compare/", log_compare.compare, name="run-compare"),
    path("<uuid:run_id>/", log_run.run, name="run"),
    path("<uuid:run_id>/turns/<int:end>/", log_run.run_earlier_turns, name="run-earlier-turns"),
    path("<uuid:run_id>/code/", log_run.run_code, name="run-code"),
    path("<uuid:run_id>/star/", log_run.run_star, name="run-star"),
    path("<uuid:run_id>/note/", log_run.run_note, name="run-note"),
    path("<uuid:run_id>/delete/", log_run.run_delete, name="run-delete"),
    path("<uuid:run_id>/download/<str:kind>/", log_exports.run_download, name="run-download"),
]
