"""Runs as spans, named by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from playground.engine.events import Failure
from playground.models.run import started_at_of
from playground.recording import traces
from tests.support.runs import ended, live_run, store, stream, tell, told

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = pytest.mark.django_db
BODY = {
    "model": "claude-haiku-4-5", "max_tokens": 99, "temperature": 0.5, "top_k": 5, "stop_sequences": ["END"],
    "system": "Be brief.", "messages": [{"role": "user", "content": "Hello \ud800"}], "stream": True,
}  # fmt: skip
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, settings: Any) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "tracer_provider", lambda: provider)
    settings.TRACES = True
    return exporter


def span_of(exported: InMemorySpanExporter, owner: Any, wire: bytes | None = None, **about: Any) -> ReadableSpan:
    about = {"model": "claude-haiku-4-5", "base_url": "https://api.example.org:8443/v1"} | about
    run = live_run(owner, body=json.dumps(BODY).encode(), **about)
    store(tell(run, stream("Hi there") if wire is None else wire))
    (span,) = exported.get_finished_spans()
    return span


def test_a_token_count_is_a_span_of_its_own_kind_without_usage(exported: InMemorySpanExporter, owner: Any) -> None:
    span = span_of(exported, owner, b'{"input_tokens": 9}', endpoint="count_tokens", stream=False)
    told = dict(span.attributes or {})
    assert (span.name, told["gen_ai.operation.name"]) == ("count_tokens claude-haiku-4-5", "count_tokens")
    assert not [name for name in told if name.startswith("gen_ai.usage") or name == "playground.cost_usd"]


def test_a_stored_run_is_one_span_with_the_names_of_the_conventions(exported: InMemorySpanExporter, owner: Any) -> None:
    span = span_of(exported, owner)
    assert (span.name, span.kind) == ("chat claude-haiku-4-5", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    told = dict(span.attributes or {})
    wanted = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.max_tokens": 99,
        "gen_ai.request.temperature": 0.5, "gen_ai.request.top_k": 5, "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.finish_reasons": ("end_turn",), "http.response.status_code": 200,
        "server.address": "api.example.org", "server.port": 8443,
    }  # fmt: skip
    assert {name: told.get(name) for name in wanted} == wanted
    assert told["gen_ai.usage.output_tokens"] > 0
    assert told["gen_ai.response.time_to_first_chunk"] >= 0


def test_a_span_lasts_as_long_as_its_run(exported: InMemorySpanExporter, owner: Any) -> None:
    span = span_of(exported, owner)
    run_id = str((span.attributes or {})["playground.run.id"])
    assert span.start_time == int(started_at_of(UUID(run_id)).timestamp() * 1_000) * 1_000_000
    assert span.end_time is not None
    assert span.end_time >= span.start_time


def test_nothing_that_was_said_is_told_unless_it_is_asked_for(
    exported: InMemorySpanExporter, owner: Any, settings: Any
) -> None:
    assert "Hi there" not in span_of(exported, owner).to_json()
    exported.clear()
    settings.TRACES_CONTENT = True
    told = dict(span_of(exported, owner).attributes or {})
    assert json.loads(str(told["gen_ai.system_instructions"])) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(str(told["gen_ai.output.messages"]))[0]["parts"] == [{"type": "text", "content": "Hi there "}]
    assert "Hello" in str(told["gen_ai.input.messages"])


def test_a_run_whose_content_is_not_kept_tells_none(exported: InMemorySpanExporter, owner: Any, settings: Any) -> None:
    settings.TRACES_CONTENT = True
    assert "Hi there" not in span_of(exported, owner, keep_content=False).to_json()


def test_a_run_that_failed_is_an_error_of_its_kind(exported: InMemorySpanExporter, owner: Any) -> None:
    failure = Failure("truncated", "The stream ended before message_stop.")
    live = live_run(owner)
    live.publish([*told(stream("Hi")[:400]), ended("failed", failure)])
    store(live)
    (span,) = exported.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "truncated"


def test_a_request_that_brings_a_trace_has_its_run_in_it(exported: InMemorySpanExporter, owner: Any) -> None:
    span = span_of(exported, owner, request_headers=(("Traceparent", PARENT),))
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]


@pytest.mark.parametrize("header", ["", "00-zz-11-01", "\x00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_traceparent_that_is_none_begins_a_trace(exported: InMemorySpanExporter, owner: Any, header: str) -> None:
    assert span_of(exported, owner, request_headers=(("traceparent", header),)).parent is None


@pytest.mark.parametrize("base_url", ["", "sandbox:", "http://[", "http://x:99999"])
def test_any_base_url_can_be_traced(exported: InMemorySpanExporter, owner: Any, base_url: str) -> None:
    assert span_of(exported, owner, base_url=base_url).name == "chat claude-haiku-4-5"


def test_a_run_that_cannot_be_traced_is_stored_all_the_same(
    exported: InMemorySpanExporter, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("no exporter")

    monkeypatch.setattr(traces, "tracer_provider", broken)
    run = store(tell(live_run(owner), stream("Hi")))
    assert run.state == "completed"
