"""Every address of the site but the relay's (`/v1/…`), which never reaches Django: see `asgi.py`."""

from typing import Any

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from accounts import urls as accounts
from playground.sockets.log_consumer import LogConsumer
from playground.sockets.report_consumer import ReportConsumer
from playground.sockets.run_consumer import RunConsumer
from playground.views import (
    answer_urls,
    commands,
    compose_urls,
    conformance_urls,
    connection_start,
    connection_test,
    conversation_urls,
    health,
    log_exports,
    log_urls,
    session_urls,
)

handler500 = "playground.views.server_error.server_error"

# Browsers ask for this beside a picture or a JSON document. A page in its place would set cookies over those of a tab
# that is just being opened, whose forms would then be refused.
favicon = require_safe(RedirectView.as_view(url=lazy(static, str)("img/icon.svg")))

urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    path("", include(compose_urls.patterns)),
    path("requests/<uuid:run_id>/", include(compose_urls.run_patterns)),
    path("", include(conversation_urls.patterns)),
    path("commands/", commands.commands, name="commands"),
    path("healthz", health.healthz, name="healthz"),
    path("accounts/export/", log_exports.account_download, name="account-export"),
    path("readyz", health.readyz, name="readyz"),
    path("accounts/", include("accounts.urls")),
    path("connections/new/", connection_start.add_and_use, name="connection-add"),
    path("connections/sandbox/use/", connection_start.use, name="connection-use-sandbox"),
    path("connections/<uuid:connection_id>/use/", connection_start.use, name="connection-use"),
    path("connections/<uuid:connection_id>/test/", connection_test.connection_test, name="connection-test"),
    path("connections/", include(accounts.connection_patterns)),
    path("conformance/", include(conformance_urls.patterns)),
    path("keys/", include(accounts.key_patterns)),
    path("requests/<uuid:run_id>/", include(answer_urls.run_patterns)),
    path("requests/", include(log_urls.patterns)),
    path("sessions/", include(session_urls.patterns)),
    path("examples/", include(answer_urls.example_patterns)),
    path("shortcuts/", answer_urls.shortcuts, name="shortcuts"),
    path("admin/", admin.site.urls),
]


def websocket_path(route: Any, pattern: str, consumer: Any, **named: str) -> Any:
    """Django's `path` or `re_path` to a consumer; their types know views only."""
    return route(pattern, consumer, **named)


websocket_urlpatterns = [
    websocket_path(path, "ws/runs/<uuid:run_id>/", RunConsumer.as_asgi(), name="follow-run"),
    websocket_path(path, "ws/requests/", LogConsumer.as_asgi(), name="follow-log"),
    websocket_path(path, "ws/conformance/<uuid:report_id>/", ReportConsumer.as_asgi(), name="follow-report"),
]
