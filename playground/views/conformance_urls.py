"""Addresses of conformance reports, below `/conformance/`."""

from django.urls import URLPattern, path

from playground.views import conformance, share_owner

patterns: list[URLPattern] = [
    path("", conformance.reports, name="conformance"),
    path("start/", conformance.start, name="conformance-start"),
    path("estimate/", conformance.estimate, name="conformance-estimate"),
    path("compare/", conformance.compare, name="conformance-compare"),
    path("<uuid:report_id>/", conformance.report, name="conformance-report"),
    path("<uuid:report_id>/stop/", conformance.stop, name="conformance-stop"),
    path("<uuid:report_id>/delete/", conformance.delete, name="conformance-delete"),
    path("<uuid:report_id>/share/", share_owner.share_report, name="conformance-share"),
    path("<uuid:report_id>/export/<str:kind>/", conformance.export, name="conformance-export"),
]
