"""What holds for every response: a strict policy, no cache, a request id; and logs that name requests."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from playground.logging_filters import RequestIdFilter, current_request_id
from playground.recording.recorder import Recorder

pytestmark = pytest.mark.django_db
PAGES = ["/accounts/login/", "/healthz", "/there-is-nothing/"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_may_load_or_run_what_is_not_ours(client: Any, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_kept_by_a_cache(client: Any, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]


def test_a_request_is_named_in_the_answer_and_a_clients_own_name_is_not_taken_over(client: Any) -> None:
    first = client.get("/healthz", headers={"x-request-id": "mine"})["X-Request-Id"]
    second = client.get("/healthz")["X-Request-Id"]
    assert len({first, second, "mine"}) == 3


def test_the_log_names_the_request_that_is_being_answered() -> None:
    current_request_id.set("abc")
    record = logging.LogRecord("name", logging.INFO, __file__, 1, "message", None, None)
    assert RequestIdFilter().filter(record)
    assert record.request_id == "abc"  # type: ignore[attr-defined]


def test_the_clients_that_would_log_credentials_are_kept_quiet(settings: Any) -> None:
    levels = {name: settings.LOGGING["loggers"][name]["level"] for name in ("httpx", "httpcore", "aiohttp")}
    assert set(levels.values()) == {"WARNING"}


def test_a_missing_page_is_answered_in_words(client: Any) -> None:
    response = client.get("/there-is-nothing/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_readiness_says_when_the_database_is_gone_and_the_process_lives_on(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError, connection

    assert client.get("/readyz").content == b"ok\n"

    def gone() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", gone)
    refused = client.get("/readyz")
    assert (refused.status_code, refused.content) == (503, b"the database does not answer\n")
    assert client.get("/healthz").status_code == 200


def test_readiness_says_when_runs_are_not_stored(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "problem", "the recorder does not run")
    refused = client.get("/readyz")
    assert (refused.status_code, refused.content) == (503, b"the recorder does not run\n")


@override_settings(DEBUG=False)
def test_an_error_of_ours_is_answered_in_words_and_without_details(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.views import health

    client.raise_request_exception = False
    monkeypatch.setattr(health, "connection", None)
    monkeypatch.setattr(health, "HttpResponse", None)
    response = client.get("/healthz")
    assert response.status_code == 500
    assert b"Something went wrong" in response.content
    assert b"Traceback" not in response.content


def test_djangos_own_checks_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.settings.env.unknown_names", list)  # what the developer's own shell has set
    call_command("check", fail_level="WARNING")
