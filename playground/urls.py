"""Every address of the site but the relay's (`/v1/…`), which never reaches Django: see `asgi.py`."""

from django.contrib import admin
from django.urls import include, path

from accounts import urls as accounts
from playground.consumers import RunConsumer
from playground.log_consumer import LogConsumer
from playground.views import (
    answer_urls,
    compose_urls,
    connection_test,
    conversation_urls,
    health,
    request_exports,
    request_urls,
)

urlpatterns = [
    path("", include(compose_urls.patterns)),
    path("requests/<uuid:run_id>/", include(compose_urls.run_patterns)),
    path("", include(conversation_urls.patterns)),
    path("healthz", health.healthz, name="healthz"),
    path("accounts/export/", request_exports.account_download, name="account-export"),
    path("accounts/", include("accounts.urls")),
    path("connections/<uuid:connection_id>/test/", connection_test.connection_test, name="connection-test"),
    path("connections/", include(accounts.connection_patterns)),
    path("keys/", include(accounts.key_patterns)),
    path("requests/<uuid:run_id>/", include(answer_urls.run_patterns)),
    path("requests/", include(request_urls.patterns)),
    path("examples/", include(answer_urls.example_patterns)),
    path("shortcuts/", answer_urls.shortcuts, name="shortcuts"),
    path("admin/", admin.site.urls),
]

websocket_urlpatterns: list = [
    path("ws/runs/<uuid:run_id>/", RunConsumer.as_asgi(), name="follow-run"),
    path("ws/requests/", LogConsumer.as_asgi(), name="follow-log"),
]
