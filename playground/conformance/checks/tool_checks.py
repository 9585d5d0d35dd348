"""Tool use: calls, their input in a stream, and the results on their way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, InconclusiveError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import (
    CLOCK,
    DOCS,
    PLAIN,
    TOOL,
    TOOL_STREAM,
    WEATHER,
    WEATHER_QUESTION,
    assistant,
    create,
    user,
)
from playground.conformance.checks.media_checks import PNG
from playground.conformance.judging import (
    blocks_of_type,
    counts_more,
    events_of,
    is_answered,
    path,
    refused,
    require_stream,
    taken_or_refused,
    tool_calls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.conformance.check import Level, Step
    from playground.conformance.http_exchange import Exchange

AREA: Final = "tools"
_BOTH_CITIES: Final = 'Call get_weather twice in one answer: once for "Berlin" and once for "Paris".'
PARALLEL: Final = create(_BOTH_CITIES, max_tokens=512, tools=[WEATHER], tool_choice={"type": "auto"})
PARALLEL_STREAM: Final = create(
    _BOTH_CITIES, max_tokens=512, tools=[WEATHER], tool_choice={"type": "auto"}, stream=True
)
ONE_AT_A_TIME: Final = create(
    _BOTH_CITIES, max_tokens=512, tools=[WEATHER], tool_choice={"type": "auto", "disable_parallel_tool_use": True}
)
FORCED: Final = create(
    "Hello", max_tokens=512, tools=[WEATHER, CLOCK], tool_choice={"type": "tool", "name": "get_time"}
)
ANY: Final = create("Hello", max_tokens=512, tools=[WEATHER, CLOCK], tool_choice={"type": "any"})
NONE: Final = create(WEATHER_QUESTION, tools=[WEATHER], tool_choice={"type": "none"})
_TIME: Final = "Use the get_time tool to look up the time."
NO_ARGUMENTS: Final = create(_TIME, max_tokens=512, tools=[CLOCK], tool_choice={"type": "auto"})
NO_ARGUMENTS_STREAM: Final = create(_TIME, max_tokens=512, tools=[CLOCK], tool_choice={"type": "auto"}, stream=True)
MANY_WORDS: Final = create(tools=[WEATHER | {"description": "Get the current weather. " * 40}])
BUILT_IN: Final = create(tools=[{"type": "bash_20250124", "name": "bash"}])
STRICT: Final = create(
    tools=[WEATHER | {"input_schema": WEATHER["input_schema"] | {"additionalProperties": False}, "strict": True}]
)
_CALL: Final = {"type": "tool_use", "id": "toolu_0001", "name": "get_weather", "input": {"city": "Berlin"}}
_CALLED: Final = [user(WEATHER_QUESTION), assistant([_CALL])]
UNANSWERED: Final = create([*_CALLED, user("Never mind.")], tools=[WEATHER])
UNCALLED: Final = create(
    [
        user("Hello"),
        assistant("Good day."),
        user([{"type": "tool_result", "tool_use_id": "toolu_0002", "content": "18"}]),
    ],
    tools=[WEATHER],
)


def with_results(*, first: Any = "18 degrees", more: Any = (), **result: Any) -> Callable[[list[Exchange]], Request]:
    """The next request: the answer goes back as it came, with a result for each of its calls."""

    def follow(before: list[Exchange]) -> Request:
        exchange = before[0]
        is_answered(exchange)
        content = {} if first is None else {"content": first}
        results = [
            {"type": "tool_result", "tool_use_id": call.get("id"), **content, **result} for call in tool_calls(exchange)
        ]
        body = dict(exchange.request.body)  # type: ignore[arg-type]
        turns = [*body["messages"], assistant(exchange.message["content"]), user([*results, *more])]
        return Request({**body, "messages": turns})

    return follow


def _calls(exchange: Exchange) -> None:
    is_answered(exchange)
    call = tool_calls(exchange)[0]
    if not isinstance(call.get("input"), dict):
        raise ProtocolFaultError(
            f"input is {call.get('input', 'missing')!r:.60}; an object is expected.", member="content[].input"
        )


def _names_a_tool(exchange: Exchange) -> None:
    offered = {tool["name"] for tool in exchange.request.body["tools"]}  # type: ignore[index]
    for call in tool_calls(exchange):
        if call.get("name") not in offered:
            raise ProtocolFaultError(
                f"{call.get('name')!r:.60} is called, which was not offered.", member="content[].name"
            )


def _has_ids(exchange: Exchange) -> None:
    ids = [call.get("id") for call in tool_calls(exchange)]
    if not all(isinstance(each, str) and each for each in ids):
        raise ProtocolFaultError(f"A call has the id {ids[0]!r:.40}.", member="content[].id")


def _ids_differ(exchange: Exchange) -> None:
    is_answered(exchange)
    ids = [call.get("id") for call in tool_calls(exchange)]
    if len(ids) < 2:
        raise InconclusiveError("The model made one call only.")
    if len(set(ids)) < len(ids):
        raise ProtocolFaultError(f"Two calls have the id {ids[0]!r:.60}.", member="content[].id")


def _stops_for_tools(exchange: Exchange) -> None:
    is_answered(exchange)
    tool_calls(exchange)
    if exchange.message.get("stop_reason") != "tool_use":
        last = [event.number for event in exchange.events if event.type == "message_delta"]
        raise ProtocolFaultError(
            f"stop_reason is {exchange.message.get('stop_reason')!r:.40} although a tool is called.",
            event=last[-1] if last else None,
            member="delta.stop_reason" if last else "stop_reason",
        )


def _call_starts(exchange: Exchange) -> list[Any]:
    is_answered(exchange)
    starts = [
        event
        for event in events_of(require_stream(exchange), "content_block_start")
        if path(event.value, "content_block", "type") == "tool_use"
    ]
    if not starts:
        raise InconclusiveError("The model called no tool.")
    return starts


def _starts_with_name(exchange: Exchange) -> None:
    for event in _call_starts(exchange):
        block = path(event.value, "content_block")
        for name in ("id", "name"):
            if not isinstance(path(block, name), str) or not path(block, name):
                raise ProtocolFaultError(
                    f"{name} is {path(block, name)!r:.40} where the call begins.",
                    event=event.number,
                    member=f"content_block.{name}",
                )


def _starts_with_empty_input(exchange: Exchange) -> None:
    for event in _call_starts(exchange):
        value = path(event.value, "content_block", "input")
        if value != {}:
            raise ProtocolFaultError(
                f"input is {value!r:.60} where the call begins; {{}} is expected.",
                event=event.number,
                member="content_block.input",
            )


def _joins_to_json(exchange: Exchange) -> None:
    for start in _call_starts(exchange):
        index = path(start.value, "index")
        pieces = [
            event
            for event in events_of(exchange.events, "content_block_delta")
            if path(event.value, "index") == index and path(event.value, "delta", "type") == "input_json_delta"
        ]
        joined = "".join(str(path(event.value, "delta", "partial_json") or "") for event in pieces)
        last = pieces[-1].number if pieces else start.number
        try:
            value = json.loads(joined) if joined else {}
        except ValueError:
            raise ProtocolFaultError(f"The pieces join to {joined!r:.80}, which is not JSON.", event=last) from None
        if not isinstance(value, dict):
            raise ProtocolFaultError(f"The pieces join to {joined!r:.80}, which is not an object.", event=last)


def _no_arguments(exchange: Exchange) -> None:
    is_answered(exchange)
    call = tool_calls(exchange)[0]
    if exchange.is_stream:
        _joins_to_json(exchange)
    if not isinstance(call.get("input"), dict):
        raise ProtocolFaultError(
            f"input is {call.get('input', 'missing')!r:.40}; {{}} is expected.", member="content[].input"
        )


def _must_call(name: str | None) -> Callable[[Exchange], None]:
    def judge(exchange: Exchange) -> None:
        is_answered(exchange)
        calls = blocks_of_type(exchange, "tool_use")
        if not calls:
            raise ProtocolFaultError("No tool is called, although tool_choice says so.", member="content")
        if name is not None and any(call.get("name") != name for call in calls):
            raise ProtocolFaultError(
                f"{calls[0].get('name')!r:.40} is called in place of {name}.", member="content[].name"
            )

    return judge


def _must_not_call(exchange: Exchange) -> None:
    is_answered(exchange)
    if blocks_of_type(exchange, "tool_use"):
        raise ProtocolFaultError("A tool is called, although tool_choice is none.", member="content")


def _at_most_one(exchange: Exchange) -> None:
    is_answered(exchange)
    calls = tool_calls(exchange)
    if len(calls) > 1:
        raise ProtocolFaultError(f"{len(calls)} calls, although parallel calls are disabled.", member="content")


def _goes_on(*exchanges: Exchange) -> None:
    is_answered(*exchanges)


def _check(
    name: str, title: str, expects: str, why: str, judge: Callable[..., None], *steps: Step, level: Level = "must",
    depends: tuple[str, ...] = ("tools.call",), **more: Any,
) -> Check:  # fmt: skip
    more = {"source": DOCS["tools"], "needs": ("tools",), **more}
    return Check(f"tools.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, depends=depends, **more)


_RESULTS_NEED: Final = ("tools.call", "tools.id")
CHECKS: Final = (
    _check("call", "A tool is called with an object as input", "A tool_use block whose input is an object.",
           "By the reference input is an object; in OpenAI's shape it is a text.", _calls, TOOL,
           depends=("answer.message",)),
    _check("stop_reason", "stop_reason is tool_use", '"stop_reason": "tool_use"',
           "Claude Code runs the tools only when it sees it. Bifrost sent end_turn.", _stops_for_tools,
           TOOL),
    _check("name", "The name is one of the tools offered", "A name from tools.",
           "Only a tool that was offered can be run.", _names_a_tool, TOOL),
    _check("id", "Each call has an id", "A text that is not empty.",
           "tool_result names it: without one the next request is refused.", _has_ids, TOOL),
    _check("stream_start", "A streamed call begins with id and name", "content_block_start with id and name.",
           "The Python client makes the block of it; there is no other place for them.", _starts_with_name,
           TOOL_STREAM,
           depends=("tools.call", "stream.answers")),
    _check("stream_input_start", "A streamed call begins with an empty input", '"input": {}',
           "The Python client adds the pieces to this block.", _starts_with_empty_input, TOOL_STREAM,
           depends=("tools.call", "stream.answers"), source=DOCS["streaming"]),
    _check("stream_input", "The pieces of the input join to JSON", "input_json_delta pieces that join to an object.",
           "The Python client raises ValueError on what is not JSON.", _joins_to_json, TOOL_STREAM,
           depends=("tools.call", "stream.answers"), source=DOCS["fine_grained"]),
    _check("stream_stop_reason", "stop_reason is tool_use in a stream too",
           '"stop_reason": "tool_use" in message_delta',
           "Claude Code runs the tools only when it sees it. Bifrost sent end_turn.", _stops_for_tools, TOOL_STREAM,
           depends=("tools.call", "stream.answers")),
    _check("no_arguments", "A tool without arguments is called with {}", '"input": {}',
           "By the reference input is an object, also when it is empty.", _no_arguments, NO_ARGUMENTS),
    _check("no_arguments_stream", "A tool without arguments streams {} or nothing",
           "No pieces, or pieces that join to {}.",
           "The pieces join to the input, which is an object.", _no_arguments,
           NO_ARGUMENTS_STREAM, depends=("tools.call", "stream.answers")),
    _check("forced", "tool_choice tool forces that tool", "A call of get_time.",
           "It is the reference's way to a certain call. Ollama takes it without effect; the newest models refuse it.",
           _must_call("get_time"), FORCED, optional=True),
    _check("any", "tool_choice any forces some tool", "A call of one of the tools.",
           "As with a choice of one tool.", _must_call(None), ANY, optional=True),
    _check("none", "tool_choice none forbids calls", "An answer without a call.",
           "The tools stay in the prompt, and in its cache, and none is called.", _must_not_call, NONE,
           depends=("answer.message",)),
    _check("parallel", "Calls in one answer have ids of their own", "Two calls, two ids.",
           "Results are matched by id: with one for both, one result is lost.", _ids_differ, PARALLEL, level="should"),
    _check("parallel_stream", "Streamed calls have ids of their own", "Two blocks, two ids.",
           "As without a stream.", _ids_differ, PARALLEL_STREAM, level="should", depends=("tools.parallel",
           "stream.answers")),
    _check("disable_parallel", "disable_parallel_tool_use allows one call", "At most one call.",
           "It is the reference's guard for tools that must not run at the same time.",
           _at_most_one, ONE_AT_A_TIME, level="should"),
    _check("result", "A result is taken back", "A message.",
           "A call is answered in the next turn: without that there is no tool use.", _goes_on, TOOL,
           with_results(), depends=_RESULTS_NEED),
    _check("result_blocks", "A result may be a list of blocks", "A message.",
           "The reference takes a text or a list of blocks.", _goes_on,
           TOOL, with_results(first=[{"type": "text", "text": "18 degrees"}, {"type": "text", "text": "clear"}]),
           depends=_RESULTS_NEED),
    _check("result_error", "A result may be an error", "A message.", "is_error tells the model that the tool failed.",
           _goes_on,
           TOOL, with_results(first="The service is down.", is_error=True), depends=_RESULTS_NEED),
    _check("result_empty", "A result may have no content", "A message.",
           "content is optional.", _goes_on, TOOL, with_results(first=None),
           level="should",
           depends=_RESULTS_NEED),
    _check("result_and_text", "Text may follow the results", "A message.",
           "By the reference text may follow the results in their turn.", _goes_on, TOOL,
           with_results(more=[{"type": "text", "text": "Answer in one sentence."}]), level="should",
           depends=_RESULTS_NEED),
    _check("result_image", "A result may hold an image", "A message, or HTTP 4xx.",
           "An image is one of the blocks that a result may hold.",
           _goes_on, TOOL, with_results(first=[PNG]), level="may",
           needs=("tools", "vision"), optional=True, depends=_RESULTS_NEED),
    _check("results_parallel", "Results of several calls are taken together", "A message.",
           "All results of an answer go back in one turn.", _goes_on, PARALLEL, with_results(),
           depends=("tools.parallel",)),
    _check("stream_result", "A streamed call's result is taken back", "A message.",
           "A streamed answer goes back as it was put together.", _goes_on, TOOL_STREAM, with_results(),
           depends=("tools.stream_start", "tools.stream_input", "tools.result")),
    _check("counted", "Tools are counted as input", "More input tokens than without them.",
           "Tools are part of the prompt, and are paid.", counts_more(60), PLAIN, MANY_WORDS, level="should",
           depends=("answer.message", "answer.input_tokens")),
    _check("unanswered", "A call without its result is refused", "HTTP 400.",
           "The API refuses it: each call needs its result in the next turn.",
           refused(400, 422), UNANSWERED, level="should", depends=("answer.message",), bad_request=True),
    _check("uncalled", "A result without its call is refused", "HTTP 400.", "As a call without its result.",
           refused(400, 422), UNCALLED, level="should", depends=("answer.message",), bad_request=True),
    _check("built_in", "A tool of a type of its own is taken or refused clearly", "A message, or HTTP 4xx.",
           "The API's own tools have a type and no schema.", taken_or_refused,
           BUILT_IN,
           level="may", depends=("answer.message",), optional=True),
    _check("strict", "strict is taken or refused clearly", "A message, or HTTP 4xx.",
           "The reference has it for each tool.", taken_or_refused, STRICT, level="may", depends=("answer.message",),
           optional=True, source=DOCS["structured"]),
)  # fmt: skip
