"""A server that sends the traces of its runs, and a collector that takes them."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving.rig import manage, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = {"model": "sandbox-echo", "max_tokens": 64, "messages": [{"role": "user", "content": "A secret question"}]}


class Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        received = ExportTraceServiceRequest()
        received.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.put(received)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.received = Queue()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_relayed_request_is_a_span_at_the_collector(serve: Any, collector: Any) -> None:
    address = f"http://127.0.0.1:{collector.server_address[1]}"
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_SERVICE_NAME": "ours",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    serving = serve(PLAYGROUND_TRACES="1", **environment)
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    assert post(f"{url}v1/messages", json=QUESTION, headers=headers).status_code == 200
    received = collector.received.get(timeout=60)
    (resource,) = received.resource_spans
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert named["service.name"] == "ours"
    (span,) = resource.scope_spans[0].spans
    assert span.name == "chat sandbox-echo"
    assert b"A secret question" not in received.SerializeToString()
    assert "Traceback" not in serving.end()


@pytest.mark.slow
def test_a_run_that_ends_with_the_server_is_sent_before_it_stops(serve: Any, collector: Any) -> None:
    address = f"http://127.0.0.1:{collector.server_address[1]}"
    serving = serve(PLAYGROUND_TRACES="1", OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="3600000")
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    assert post(f"{url}v1/messages", json=QUESTION, headers=headers).status_code == 200
    serving.end()
    assert collector.received.get(timeout=60).resource_spans


@pytest.mark.slow
def test_a_collector_that_is_away_costs_nobody_a_request(serve: Any) -> None:
    serving = serve(
        PLAYGROUND_TRACES="1", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="50"
    )
    url = serving.url()
    headers = {"x-api-key": serving.new_key()}
    for _ in range(3):
        assert post(f"{url}v1/messages", json=QUESTION, headers=headers).status_code == 200


def test_without_the_packages_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    hidden = tmp_path / "opentelemetry"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("")
    done = manage(tmp_path / "var", "check", check=False, PLAYGROUND_TRACES="1", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.strip() == "PLAYGROUND_TRACES needs more packages: pip install 'messages-playground[otel]'."
