"""The grammar of a stream: which events, in which order, with what in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from playground.conformance.check import FAILING_MODEL, Check
from playground.conformance.checks import stream_judges as judges
from playground.conformance.checks.common_requests import DOCS, STREAM, create

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.check import Level, Request

AREA: Final = "stream"
STREAM_AS_JSON: Final = create(STREAM.body["messages"], max_tokens=200)  # type: ignore[index]
LONG_STREAM: Final = create("Count from 1 to 60 in words, one number a line.", max_tokens=400, stream=True)
BAD_STREAM: Final = create("Hello", max_tokens=-1, stream=True)
FAILING_STREAM: Final = create("Tell me a story.", max_tokens=400, stream=True, model=FAILING_MODEL)


def _on_stream(
    name: str, title: str, expects: str, judge: Callable[..., None], why: str, *, level: Level = "must",
    source: str = DOCS["streaming"], more: tuple[Request, ...] = (), depends: tuple[str, ...] = ("stream.answers",),
) -> Check:  # fmt: skip
    return Check(f"stream.{name}", AREA, level, title, expects, why, source, (STREAM, *more), judge, depends=depends)


CHECKS: Final = (
    _on_stream(
        "answers", "A stream is sent when it is asked for", "HTTP 200 with events that make a message.",
        judges.is_stream,
        "stream: true asks for server-sent events.", depends=("answer.message",),
    ),
    _on_stream(
        "content_type", "The content type is text/event-stream", "content-type: text/event-stream", judges.content_type,
        "By the standard of server-sent events EventSource fails for any other type.", source=DOCS["sse"],
    ),
    _on_stream(
        "cache_control", "The stream may not be cached", "cache-control with no-cache or no-store", judges.not_cached,
        "What may be cached may be held back or used again on the way.", level="may", source=DOCS["sse"],
    ),
    _on_stream(
        "json", "Each event's data is a JSON object", "data: {…}", judges.is_json,
        "The Python client raises JSONDecodeError, and the answer is lost.",
    ),
    _on_stream(
        "event_names", "Each event is named as its data says", "event: message_start, with the same type in its data.",
        judges.names_match, "The Python client ignores data without an event's name: the answer comes out empty.",
    ),
    _on_stream(
        "known_events", "Only the API's events are sent", ", ".join(sorted(judges.NAMES)), judges.known,
        "An event that the reference does not have means something to one server only.", level="should",
    ),
    _on_stream(
        "message_start", "message_start comes first", "message_start before anything but a ping.", judges.starts,
        "The Python client builds the message on it, and raises without it.",
    ),
    _on_stream(
        "start_message", "message_start holds the empty message",
        "id, type, role, model, content [], stop_reason null.",
        judges.start_message, "The Python client makes the message of it and adds to it from there on.",
        depends=("stream.answers", "stream.message_start"),
    ),
    _on_stream(
        "start_usage", "message_start tells input_tokens", "usage.input_tokens above 0.", judges.start_usage,
        "It tells the prompt's size while the answer is under way. SGLang and GLM sent 0 there.",
        level="should",
        depends=("stream.answers", "stream.message_start"),
    ),
    _on_stream(
        "block_order", "Each block is started, filled and stopped", "start, deltas, stop; one block after the other.",
        judges.blocks_in_order,
        "The Python client raises IndexError for a block that was not started. LiteLLM left a start out.",
    ),
    _on_stream(
        "indices", "Blocks are numbered 0, 1, 2 …", "index counts from 0 without a gap.", judges.indices,
        "The Python client raises IndexError when the first index is not 0.",
    ),
    _on_stream(
        "deltas_at_home", "Deltas fit their block", "text_delta on text, input_json_delta on tool_use.",
        judges.deltas_at_home,
        "SGLang sent text on an open tool_use block, LiteLLM input_json_delta on text.",
    ),
    _on_stream(
        "text_start", "A text block begins with an empty text", '"content_block": {"type": "text", "text": ""}',
        judges.text_start, "The Python client adds to this text: null raises TypeError, words are doubled.",
    ),
    _on_stream(
        "several_deltas", "A longer text comes in several deltas", "At least 3 deltas for a sentence.",
        judges.several_deltas,
        "One delta at the end is not a stream.", level="should",
        source=DOCS["streaming"],
    ),
    _on_stream(
        "message_delta", "message_delta tells why the answer ends", "delta.stop_reason, after the last block.",
        judges.message_delta, "It is the only place where a stream tells why it ended.",
    ),
    _on_stream(
        "final_usage", "message_delta tells output_tokens", "usage.output_tokens above 0.", judges.final_usage,
        "It is the only place where a stream tells what the answer cost.", depends=("stream.answers",
        "stream.message_delta"),
    ),
    _on_stream(
        "usage_is_total", "output_tokens at the end is a total", "Not less than in message_start.", judges.usage_grows,
        "The reference calls the count cumulative: the Python client overwrites the first one with it.",
        depends=("stream.answers", "stream.final_usage"),
    ),
    _on_stream(
        "usage_agrees", "Stream and JSON count a prompt alike", "The same input_tokens, give or take a tenth.",
        judges.usage_agrees, "What a prompt costs does not depend on how the answer is fetched.", level="should",
        more=(STREAM_AS_JSON,), depends=("stream.answers", "stream.start_usage"),
    ),
    _on_stream(
        "same_model", "Stream and JSON name the same model", "message.model of the stream equals model of the JSON.",
        judges.same_model, "Prices and logs go by the name.", level="should", more=(STREAM_AS_JSON,),
        depends=("stream.answers", "stream.start_message"),
    ),
    _on_stream(
        "message_stop", "message_stop ends the stream", "message_stop, once.", judges.stops,
        "Without it a complete answer cannot be told from one that was cut off. ogx left it out.",
    ),
    _on_stream(
        "nothing_after", "Nothing follows message_stop", "At most a ping.", judges.nothing_after,
        "message_stop is the end by the reference; only a ping may follow.",
        depends=("stream.answers", "stream.message_stop"),
    ),
    _on_stream(
        "no_done", "There is no [DONE]", "No data: [DONE].", judges.no_done,
        "It is not JSON: the Python client raises on it where it has a name. vLLM sent it.",
    ),
    _on_stream(
        "ping", "Pings keep the connection open", "At least one ping event.", judges.pings,
        "It keeps a connection open on which nothing else is sent while a model thinks.", level="may",
    ),
    Check(
        "stream.not_buffered", AREA, "should", "Events are sent while the answer is made",
        "The first delta well before the last, unless all is here within a third of a second.",
        "A stream that is held back is as long a wait as JSON.", DOCS["streaming"],
        (LONG_STREAM,), judges.is_not_buffered, depends=("stream.answers",),
    ),
    Check(
        "stream.refusal_is_json", AREA, "must", "A bad request is refused before the stream begins",
        "HTTP 400 with an error in JSON, also when a stream was asked for.",
        "Before a stream begins an error has a status of its own; HTTP 200 says that all is well.", DOCS["errors"],
        (BAD_STREAM,), judges.error_before_stream, bad_request=True, depends=("answer.message",),
    ),
    Check(
        "stream.error_event", AREA, "must", "A failure in mid-stream is told as an error event",
        "event: error with one of the API's error types.",
        "Without it the partial answer looks complete. vLLM sends internal_error, which the API does not have.",
        DOCS["streaming"], (FAILING_STREAM,), judges.fails_in_order,
        needs=("failing_model",), depends=("stream.answers",),
    ),
)  # fmt: skip
