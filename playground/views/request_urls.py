"""Addresses of the request log, below `/requests/`."""

from django.urls import path

from playground.views import request_compare, request_exports, request_log, request_run

patterns = [
    path("", request_log.runs, name="runs"),
    path("rows/", request_log.run_rows, name="run-rows"),
    path("charts/", request_log.run_charts, name="run-charts"),
    path("selection/", request_log.run_selection, name="run-selection"),
    path("export/", request_exports.run_export, name="run-export"),
    path("export/progress/", request_exports.run_export_progress, name="run-export-progress"),
    path("compare/", request_compare.compare, name="run-compare"),
    path("<uuid:run_id>/", request_run.run, name="run"),
    path("<uuid:run_id>/code/", request_run.run_code, name="run-code"),
    path("<uuid:run_id>/star/", request_run.run_star, name="run-star"),
    path("<uuid:run_id>/note/", request_run.run_note, name="run-note"),
    path("<uuid:run_id>/delete/", request_run.run_delete, name="run-delete"),
    path("<uuid:run_id>/download/<str:kind>/", request_exports.run_download, name="run-download"),
]
