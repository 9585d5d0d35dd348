"""How answers are spoilt: the changes that faults are made of."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import httpx

from playground.conformance.check import Request
from playground.conformance.checks import (
    common_requests,
    error_checks,
    http_checks,
    model_checks,
)
from tests.conformance.broken_server import (
    Answer,
    Asked,
    Clean,
    Event,
    Fault,
    results_of,
    sees,
)

PLAIN, STREAM, TOOL, TOOL_STREAM = (
    common_requests.PLAIN,
    common_requests.STREAM,
    common_requests.TOOL,
    common_requests.TOOL_STREAM,
)
NO_MESSAGES = error_checks.NO_MESSAGES


def drop(name: str) -> Any:
    def spoil(value: Any) -> None:
        value.pop(name, None)

    return spoil


def put(**members: Any) -> Any:
    return lambda value: value.update(members)


def put_usage(**members: Any) -> Any:
    return lambda value: value["usage"].update(members)


def each_call(change: Any) -> Any:
    def spoil(message: Any) -> None:
        for block in message["content"]:
            if block["type"] == "tool_use":
                change(block)

    return spoil


def each_block(kind: str, change: Any) -> Any:
    def spoil(message: Any) -> None:
        for block in message["content"]:
            if block["type"] == kind:
                change(block)

    return spoil


def start_of(kind: str, change: Any) -> Any:
    def spoil(event: Any) -> None:
        if event["content_block"]["type"] == kind:
            change(event["content_block"])

    return spoil


def delta_of(kind: str, change: Any) -> Any:
    def spoil(event: Any) -> None:
        if event["delta"]["type"] == kind:
            change(event["delta"])

    return spoil


def without(kind: str) -> Any:
    return lambda told: [event for event in told if event.value["type"] != kind]


def without_delta(kind: str) -> Any:
    return lambda told: [event for event in told if event.value.get("delta", {}).get("type") != kind]


def insert(place: int, event: Event) -> Any:
    return lambda told: [*told[:place], event, *told[place:]]


def as_json(only: Request) -> Fault:
    """stream is ignored: the answer comes as JSON."""
    return sees(put(stream=False), only)


def message_start_second(told: list[Event]) -> list[Event]:
    return [told[1], told[0], *told[2:]]


def indices_from_one(told: list[Event]) -> None:
    for event in told:
        if "index" in event.value:
            event.value["index"] += 1


def one_delta(told: list[Event]) -> list[Event]:
    deltas = [event for event in told if event.value["type"] == "content_block_delta"]
    deltas[0].value["delta"]["text"] = "".join(event.value["delta"]["text"] for event in deltas)
    return [event for event in told if event not in deltas[1:]]


def counts_twice(told: list[Event]) -> None:
    for event in told:
        usage = event.value.get("usage") or event.value.get("message", {}).get("usage")
        if usage and "input_tokens" in usage:
            usage["input_tokens"] *= 2


def cut_input(told: list[Event]) -> list[Event]:
    last = [event for event in told if event.value.get("delta", {}).get("type") == "input_json_delta"][-1]
    return [event for event in told if event is not last]


def null_input(told: list[Event]) -> None:
    pieces = [event for event in told if event.value.get("delta", {}).get("type") == "input_json_delta"]
    pieces[0].value["delta"]["partial_json"] = "null"


def same_ids(told: list[Event]) -> None:
    for event in told:
        if event.value.get("content_block", {}).get("type") == "tool_use":
            event.value["content_block"]["id"] = "toolu_same"


def whole_citations(told: list[Event]) -> list[Event]:
    citations = [event for event in told if event.value.get("delta", {}).get("type") == "citations_delta"]
    starts = {event.value["index"]: event for event in told if event.value["type"] == "content_block_start"}
    for event in citations:
        starts[event.value["index"]].value["content_block"]["citations"] = [event.value["delta"]["citation"]]
    return [event for event in told if event not in citations]


def cites_another_place(message: Any) -> None:
    for block in message["content"]:
        for citation in block.get("citations") or []:
            citation["start_char_index"] += 4


def half_characters(told: list[Event]) -> list[Event]:
    spoilt = []
    for event in told:
        words = event.value.get("delta", {}).get("text", "")
        if "\U0001f98a" not in words:
            spoilt.append(event)
            continue
        before, after = words.split("\U0001f98a")
        for part in (f"{before}\ud83e", f"\udd8a{after}"):
            value = event.value | {"delta": {"type": "text_delta", "text": part}}
            spoilt.append(Event(event.name, value))
    return spoilt


def replace_text(old: str, new: str) -> Any:
    def spoil(message: Any) -> None:
        for block in message["content"]:
            block["text"] = block["text"].replace(old, new)

    return spoil


def held_back(only: Request) -> Fault:
    """A proxy gathers the whole stream and lets it go at once."""

    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request is not only:
            return None
        answered = await clean(asked)
        return replace(answered, chunks=((0.4, answered.body),))

    return fault


def works_on(asked_last: list[Request]) -> Fault:
    """A client that leaves is not noticed: whoever comes next waits until its answer is made."""

    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        asked_last.append(asked.request)
        if len(asked_last) < 2 or asked_last[-2] is not http_checks.HUNG_UP:
            return None
        answered = await clean(asked)
        return replace(answered, chunks=((1.7, answered.body),))

    return fault


def compressed(honestly: bool, only: Request) -> Fault:
    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        if asked.request is not only:
            return None
        answered = (await clean(asked)).with_header("content-encoding", "gzip").with_header("content-length", None)
        return answered.with_body(gzip.compress(answered.body)) if honestly else answered

    return fault


def ignores_query(name: str) -> Fault:
    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        url = httpx.URL(asked.outgoing.url)
        if name not in url.params:
            return None
        return await clean(asked.with_url(str(url.copy_remove_param(name))))

    return fault


def leaves_out_the_model(value: Any) -> None:
    value["data"] = [entry for entry in value["data"] if entry["id"] != "sandbox-stories"]
    value["first_id"] = value["data"][0]["id"]


def as_openai_lists(value: Any) -> None:
    value["data"] = [{"id": entry["id"], "object": "model", "created": 1, "owned_by": "x"} for entry in value["data"]]


def result_with(**features: Any) -> Any:
    """Tool results on their way back that have these features."""

    def matches(asked: Asked) -> bool:
        value = asked.body
        results = results_of(value)
        if not results or "thinking" in value:
            return False
        first = results[0]
        given = first.get("content")
        seen = {
            "kind": "none" if given is None else "text" if isinstance(given, str) else given[0]["type"],
            "is_error": bool(first.get("is_error")),
            "followed": len(value["messages"][-1]["content"]) > len(results),
            "many": len(results) > 1,
            "streamed": value.get("stream") is True,
            "blocks": isinstance(given, list) and given[0]["type"] == "text",
            "uncalled": first["tool_use_id"] == "toolu_0002",
        }
        usual = {
            "kind": "text",
            "is_error": False,
            "followed": False,
            "many": False,
            "streamed": False,
            "blocks": False,
            "uncalled": False,
        }
        return seen == usual | features

    return matches


def sends_back_thinking(altered: bool) -> Any:
    def matches(asked: Asked) -> bool:
        value = asked.body
        if not isinstance(value, dict) or "thinking" not in value or len(value.get("messages", [])) != 3:
            return False
        is_altered = "Something else was thought." in json.dumps(value)
        return is_altered == altered and not results_of(value)

    return matches


def thinks_with_tools(asked: Asked) -> bool:
    value = asked.body
    return isinstance(value, dict) and "thinking" in value and bool(results_of(value))


async def counts_three_times(asked: Asked, clean: Clean) -> Answer | None:
    if asked.path != "/v1/messages/count_tokens":
        return None
    answered = await clean(asked)
    if answered.status != 200:
        return None
    return answered.with_json({"input_tokens": answered.json["input_tokens"] * 3})


def last_block_only(value: Any) -> None:
    value["messages"][-1]["content"] = value["messages"][-1]["content"][-1:]


def last_turn_only(value: Any) -> None:
    value["messages"] = value["messages"][-1:]


def openai_error(value: Any) -> Any:
    error = {"message": value["error"]["message"], "type": "invalid_request_error", "param": None, "code": None}
    return {"error": error, "request_id": value["request_id"]}


def status(status: int, only: Request) -> Fault:
    async def fault(asked: Asked, clean: Clean) -> Answer | None:
        return replace(await clean(asked), status=status) if asked.request is only else None

    return fault


async def one_request_id(asked: Asked, clean: Clean) -> Answer | None:
    answered = await clean(asked)
    return answered.with_header("request-id", "req_same") if answered.status == 200 else None


async def one_message_id(asked: Asked, clean: Clean) -> Answer | None:
    answered = await clean(asked)
    if (
        asked.path != "/v1/messages"
        or answered.status != 200
        or answered.is_stream
        or not answered.body.startswith(b"{")
    ):
        return None
    return answered.with_json(answered.json | {"id": "msg_same"})


def spoilt_ping(told: list[Event]) -> None:
    ping = next(event for event in told if event.value["type"] == "ping")
    ping.raw = b'{"type": "ping", "note": "\xff"}'


async def sees_all_models(asked: Asked, clean: Clean) -> Answer | None:
    """limit is ignored."""
    if asked.request is not model_checks.PAGE:
        return None
    return await clean(asked.with_url(asked.outgoing.url.partition("?")[0]))
