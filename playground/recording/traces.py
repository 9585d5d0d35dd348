"""Traces of runs for OpenTelemetry: one span a run, named as its conventions for generative AI name things.

Loaded only where `PLAYGROUND_TRACES` asks for it, since it needs the packages of the extra `otel`. Where spans go is
said by OpenTelemetry's own settings (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin). A span is made when its run has been
stored, by the process that stores runs: no stream waits for it. A request that brings a `traceparent` has its run in
that trace. Conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/anthropic/
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from playground import __version__
from playground.models.run import started_at_of
from playground.protocol.foreign_text import storable
from playground.protocol.json.received_json import try_object
from playground.recording.client_session import session_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from opentelemetry.util.types import AttributeValue

    from playground.engine.live_run import RunMetadata
    from playground.metrics.figures import Figures

LONGEST_TEXT: Final = 500  # characters of a name, a message, a stop sequence
LONGEST_CONTENT: Final = 200_000  # characters of messages as JSON: what is longer is left out
FLUSH_MS: Final = 2_000
_NUMBERS: Final = ("max_tokens", "temperature", "top_p", "top_k")


def trace(run_id: UUID, about: RunMetadata, figures: Figures) -> None:
    """Hand a run that has ended to the exporter, which sends it in a thread of its own. Never waits for it."""
    ended = figures.ended
    if ended is None:
        return
    start_ns = int(started_at_of(run_id).timestamp() * 1_000) * 1_000_000
    body = try_object(about.request_body) or {}
    span = (
        tracer_provider()
        .get_tracer("playground", __version__)
        .start_span(
            f"{_operation(about)} {storable(about.model, LONGEST_TEXT)}".rstrip(),
            context=TraceContextTextMapPropagator().extract(_lower_names(about.request_headers)),
            kind=SpanKind.CLIENT,
            attributes=_request_attributes(run_id, about, body),
            start_time=start_ns,
        )
    )
    span.set_attributes(_response_attributes(about, figures))
    if settings.TRACES_CONTENT and about.keep_content:
        span.set_attributes(_content(body, figures.accumulator.message if figures.has_message else None))
    if ended.failure is not None:
        span.set_attribute("error.type", ended.failure.kind)
        span.set_status(Status(StatusCode.ERROR, storable(ended.failure.message, LONGEST_TEXT)))
    span.end(end_time=start_ns + int(ended.at_ms * 1_000_000))


def flush() -> None:
    """Send what waits, before the process ends."""
    tracer_provider().force_flush(FLUSH_MS)


@lru_cache(maxsize=1)
def tracer_provider() -> TracerProvider:
    """Made in the process that sends, since its thread does not survive a fork."""
    ours = Resource.create({"service.name": "messages-playground", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _operation(about: RunMetadata) -> str:
    """The conventions have no name for counting tokens; they ask for one's own there."""
    return "chat" if about.endpoint == "messages" else about.endpoint


def _lower_names(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _request_attributes(run_id: UUID, about: RunMetadata, body: dict[str, Any]) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": _operation(about),
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": storable(about.model, LONGEST_TEXT),
        "playground.run.id": str(run_id),
        "playground.run.source": about.source,
        "playground.connection": storable(about.connection_name, LONGEST_TEXT),
    }
    for name in _NUMBERS:
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
            attributes[f"gen_ai.request.{name}"] = value
    stops = body.get("stop_sequences")
    if isinstance(stops, list) and stops and all(isinstance(stop, str) for stop in stops):
        attributes["gen_ai.request.stop_sequences"] = [storable(stop, LONGEST_TEXT) for stop in stops[:20]]
    if session := session_of(about.request_headers, about.request_body):
        attributes["gen_ai.conversation.id"] = storable(session, LONGEST_TEXT)
    return attributes | _server(about.base_url)


def _server(base_url: str) -> dict[str, AttributeValue]:
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return {}
    default = {"https": 443, "http": 80}.get(parts.scheme)
    attributes: dict[str, AttributeValue] = {"server.address": storable(host, LONGEST_TEXT)} if host else {}
    return attributes | ({"server.port": port or default or 0} if host and (port or default) else {})


def _response_attributes(about: RunMetadata, figures: Figures) -> dict[str, AttributeValue]:
    message = figures.accumulator.message
    attributes: dict[str, AttributeValue] = {}
    for name in ("id", "model"):
        if isinstance(message.get(name), str):
            attributes[f"gen_ai.response.{name}"] = storable(message[name], LONGEST_TEXT)
    if reason := figures.accumulator.stop_reason:
        attributes["gen_ai.response.finish_reasons"] = [storable(reason, LONGEST_TEXT)]
    if figures.http_status is not None:
        attributes["http.response.status_code"] = figures.http_status
    if figures.first_token_ms is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = figures.first_token_ms / 1_000
    cost = figures.cost_usd(about.model, is_sandbox=about.is_sandbox)
    if cost is not None:
        attributes["playground.cost_usd"] = float(cost)
    return attributes | _usage(figures.tokens())


def _usage(tokens: Mapping[str, int | None]) -> dict[str, AttributeValue]:
    """The conventions count what was read from and written to the cache among the input."""
    read, written, plain = tokens["cache_read_tokens"], tokens["cache_write_tokens"], tokens["input_tokens"]
    names = {
        "gen_ai.usage.input_tokens": None if plain is None else plain + (read or 0) + (written or 0),
        "gen_ai.usage.output_tokens": tokens["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": written,
    }
    return {name: count for name, count in names.items() if count is not None}


def _content(body: dict[str, Any], message: dict[str, Any] | None) -> dict[str, AttributeValue]:
    """Return what was said, as JSON. Each attribute is left out where it is too long to be of use in a trace."""
    attributes: dict[str, Any] = {}
    messages = body.get("messages")
    if isinstance(messages, list):
        attributes["gen_ai.input.messages"] = [_message(each) for each in messages if isinstance(each, dict)]
    if "system" in body:
        attributes["gen_ai.system_instructions"] = _parts(body["system"])
    if isinstance(body.get("tools"), list):
        attributes["gen_ai.tool.definitions"] = body["tools"]
    if message is not None:
        attributes["gen_ai.output.messages"] = [_message({"role": "assistant", **message})]
    texts = {name: json.dumps(value) for name, value in attributes.items()}  # in ASCII: half surrogates cannot be sent
    return {name: text for name, text in texts.items() if len(text) <= LONGEST_CONTENT}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    converted = {"role": message.get("role"), "parts": _parts(message.get("content"))}
    return converted | ({"finish_reason": message["stop_reason"]} if message.get("stop_reason") else {})


def _parts(content: Any) -> list[Any]:
    """Text blocks as the conventions have them; others as the API does, which the conventions allow."""
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return [
        {"type": "text", "content": block["text"]}
        if isinstance(block, dict) and block.get("type") == "text" and "text" in block
        else block
        for block in blocks
    ]
