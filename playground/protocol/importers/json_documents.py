"""JSON of any kind: a body, messages, HTTP requests that tools record, batches, chat exports; or what it is instead."""

from __future__ import annotations

import json
import re
from typing import Any

from playground.protocol.importers.chat_exports import conversation
from playground.protocol.importers.http_records import records_in
from playground.protocol.importers.javascript_program import Program
from playground.protocol.importers.result import JsonOf, ReadingError, RequestParts, parse_json, position, shortened
from playground.protocol.importers.shapes import is_body, is_message, is_message_list, not_a_request, other_api
from playground.protocol.json import json_text

# Names under which tools and logs put a request's body.
WRAPPERS: tuple[str, ...] = (
    "body",
    "params",
    "request",
    "request_body",
    "requestBody",
    "payload",
    "json",
    "data",
    "input",
    "args",
)
WRAPPERS += ("kwargs", "prompt", "conversation", "event", "arguments", "extra", "result", "raw_request", "original")
WRAPPERS += ("inputs", "req", "requestPayload", "options", "generation")
VALUE_START = re.compile(r"[{\[](?=\s*[\"{\[])")
MOST_EMBEDDED = 30  # places in a text where JSON may begin
BESIDE = ("model", "max_tokens", "system", "temperature", "tools")
AROUND = "The text around the JSON was left out."
ESCAPED = re.compile(
    r"\s*[{\[](?:\s|\\[nrt])*(?:[{\[](?:\s|\\[nrt])*)?\\\""
)  # JSON inside a string, copied without its quotes
PRINTED_START = re.compile(r"\{\s*(?:'\w+'|[A-Za-z_]\w*)\s*:\s*(?=['\"`{\[\w])")
MOST_LOGGED = 5  # objects that are looked at
LONGEST_LOGGED = 1024 * 1024
_DECODER = json.JSONDecoder()
MOST_LINES = 2000  # of JSON lines that are looked at


def read_json(pasted: str) -> list[RequestParts]:
    """The requests in JSON text, or in several JSON values one after the other (JSON lines)."""
    try:
        value = json_text.parse(pasted)
    except json_text.JsonTextError:
        if ESCAPED.match(pasted) and (inner := json_text.try_parse(f'"{pasted.strip()}"')) is not None:
            return requests_in(inner)
        lines = _json_lines(pasted)
        if not lines:
            value = parse_json(pasted, pasted)
        else:
            return _of_lines(lines)
    return requests_in(value)


def read_embedded(pasted: str, *, anywhere: bool = False) -> list[RequestParts]:
    """JSON in other text: every value that is a request, and begins a line or is an object `anywhere` in prose."""
    requests: list[RequestParts] = []
    problem: ReadingError | None = None
    at = last = 0
    for _ in range(MOST_EMBEDDED):
        match = VALUE_START.search(pasted, at)
        if match is None:
            break
        at = match.end()
        begins_line = not pasted[max(pasted.rfind("\n", 0, match.start()) + 1, last) : match.start()].strip()
        if not begins_line and not (anywhere and match.group() == "{"):
            continue
        try:
            _, end = _DECODER.raw_decode(pasted, match.start())
            value = json_text.parse(pasted[match.start() : end])
            at = last = end
            # In the middle of a line a message alone may be a part of anything.
            inside = requests_in(value) if begins_line or not is_message(value) else []
        except (ValueError, RecursionError):
            continue
        except ReadingError as error:
            problem = problem or error
            continue
        for parts in inside:
            parts.notes.append(AROUND)
            parts.label = parts.label or f"Line {position(pasted, match.start())[0]}"
        requests += inside
    if not requests and problem:
        raise problem
    return requests


def read_logged(pasted: str) -> list[RequestParts]:
    """An object as Python or Node print one, in a line of a log: the one that is a request."""
    at = 0
    for _ in range(MOST_LOGGED):
        match = PRINTED_START.search(pasted, at)
        if match is None:
            break
        at = match.end()
        program = Program(pasted[match.start() : match.start() + LONGEST_LOGGED])
        program.names |= {"True": True, "False": False, "None": None}
        try:
            value = program.value()
            is_whole = isinstance(value, dict) and program.close_of(0) < len(program.tokens) - 1  # not cut off
            inside = requests_in(value) if is_whole and not is_message(value) else []
        except (ReadingError, RecursionError):
            continue
        if inside and all(_is_whole(parts) for parts in inside):
            for parts in inside:
                parts.notes.append("An object in the text was read; what stands around it was left out.")
            return inside
    return []


def _is_whole(parts: RequestParts) -> bool:
    body = parts.body.value if isinstance(parts.body, JsonOf) else None
    return isinstance(body, str) or (isinstance(body, dict) and "messages" in body)


def _json_lines(pasted: str) -> list[Any]:
    lines = [line for line in pasted.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip()[:1] == "{" and line.rstrip()[-1:] == "}" for line in lines):
        return []
    values = [json_text.try_parse(line) for line in lines[:MOST_LINES]]
    return values if all(isinstance(value, dict) for value in values) else []


def _of_lines(lines: list[Any]) -> list[RequestParts]:
    if all(is_message(line) for line in lines):
        return [RequestParts({"messages": lines})]
    requests: list[RequestParts] = []
    problem: ReadingError | None = None
    for number, line in enumerate(lines, start=1):
        try:
            inside = requests_in(line)
        except ReadingError as error:
            problem = problem or error
            continue
        for parts in inside:
            parts.label = parts.label or f"Line {number}"
        requests += inside
    if not requests and problem:
        raise problem
    return requests


def requests_in(value: Any, depth: int = 0) -> list[RequestParts]:
    """The requests in one JSON value. Raises ReadingError that says what the value is when there is none."""
    if isinstance(value, str) and depth < 3 and (inner := json_text.try_parse(value)) is not None:
        return requests_in(inner, depth + 1)
    if isinstance(value, dict) and (api := other_api(value)):
        raise ReadingError(
            f"This is a request to {api}, which is not translated here. Paste one to the Messages API or to chat "
            "completions."
        )
    if is_message_list(value) or is_body(value):
        return [RequestParts(JsonOf({"messages": value} if isinstance(value, list) else value))]
    if isinstance(value, dict):
        return _of_object(value, depth)
    if isinstance(value, list):
        return _of_list(value, depth)
    raise ReadingError("The body of a request is a JSON object; this is not one.")


def _of_object(value: dict[str, Any], depth: int) -> list[RequestParts]:
    if what := not_a_request(value):
        raise ReadingError(f"This is {what}, not a request. Paste the request that was sent.")
    if is_message(value):
        return [RequestParts(JsonOf({"messages": [value]}))]
    if (parts := conversation(value)) is not None:
        return [parts]
    if requests := _batch(value):
        return requests
    if versions := _own_conversation(value):
        return versions
    if records := list(records_in(value)):
        return _sent_to_messages(records)
    if requests := _wrapped(value, depth):
        return requests
    if isinstance(value.get("log", value), dict) and "entries" in value.get("log", value):
        raise ReadingError("No entry of the HAR file is a POST to …/messages.")
    names = ", ".join(shortened(name, 30) for name in list(value)[:6]) or "nothing"
    raise ReadingError(
        f"This JSON is not a request that is known here: it has {names}. Paste a body with messages, or a HAR file, a "
        "Postman collection or a conversation's export."
    )


def _wrapped(value: dict[str, Any], depth: int) -> list[RequestParts]:
    """The requests in a member that tools and logs put a body into, or in any that has messages."""
    others = (name for name in value if name not in WRAPPERS and _has_messages(value[name]))
    for name in (*WRAPPERS, *others):
        if name not in value or depth > 3 or not isinstance(value[name], dict | list | str):
            continue
        try:
            requests = requests_in(value[name], depth + 1)
        except ReadingError:
            continue
        for parts in requests:
            parts.notes.append(f"The request was taken from the member {name}; what stands beside it was left out.")
            body = parts.body.value if isinstance(parts.body, JsonOf) else None
            if isinstance(body, dict) and body.keys() == {"messages"}:  # only the messages: a trace of a call
                beside = value | (parameters if isinstance(parameters := value.get("modelParameters"), dict) else {})
                parts.body = JsonOf({one: beside[one] for one in BESIDE if one in beside} | body)
        return requests
    return []


def _has_messages(value: Any) -> bool:
    return is_message_list(value) or (isinstance(value, dict) and is_message_list(value.get("messages")))


def _of_list(value: list[Any], depth: int) -> list[RequestParts]:
    if not value:
        raise ReadingError("This list is empty: there is no request in it.")
    if all(isinstance(item, dict) and "from" in item and "value" in item for item in value):
        parts = conversation({"conversations": value})
        return [parts] if parts else []
    if all(isinstance(item, dict) and isinstance(item.get("type"), str) and "text" in item for item in value):
        notes = ["These are blocks of content: they were put into one message."]
        return [RequestParts(JsonOf({"messages": [{"role": "user", "content": value}]}), notes=notes)]
    requests: list[RequestParts] = []
    problem: ReadingError | None = None
    for number, item in enumerate(value, start=1):
        try:
            inside = requests_in(item, depth + 1) if depth < 4 else []
        except ReadingError as error:
            problem = problem or error
            continue
        for parts in inside:
            parts.label = parts.label or f"Item {number}"
        requests += inside
    if not requests:
        raise problem or ReadingError("There is no request in this list.")
    return requests


def _batch(value: dict[str, Any]) -> list[RequestParts]:
    """An item of a message batch, or the body that makes one."""
    items = value["requests"] if isinstance(value.get("requests"), list) else [value]
    requests = []
    for item in items:
        if isinstance(item, dict) and "custom_id" in item and isinstance(item.get("params"), dict):
            notes = [f"It is the item {shortened(str(item['custom_id']))} of a batch."]
            requests.append(RequestParts(JsonOf(item["params"]), notes=notes, label=str(item["custom_id"])[:60]))
    return requests


def _own_conversation(value: dict[str, Any]) -> list[RequestParts]:
    """The versions in an export of a conversation from here, the last one first."""
    versions = value.get("versions")
    requests = []
    for number, version in enumerate(versions if isinstance(versions, list) else [], start=1):
        body = version.get("body") if isinstance(version, dict) else None
        if isinstance(body, dict):
            settings = version.get("settings")
            settings = settings if isinstance(settings, dict) else {}
            parts = RequestParts(
                JsonOf(body), label=f"Version {number} {shortened(str(version.get('note') or ''), 40)}"
            )
            parts.betas = settings["betas"] if isinstance(settings.get("betas"), list) else []
            for name, header in (("anthropic_version", "anthropic-version"), ("accept", "accept")):
                if isinstance(settings.get(name), str):
                    parts.headers.append((header, settings[name]))
            requests.append(parts)
    return requests[::-1]


def _sent_to_messages(records: list[RequestParts]) -> list[RequestParts]:
    """Return the records that go to the Messages API, else those whose body looks like one of its."""
    chosen = [parts for parts in records if parts.goes_to_messages and parts.body is not None]
    if chosen:
        return chosen
    for parts in records:
        body = parts.body.value if isinstance(parts.body, JsonOf) else parts.body
        if is_body(json_text.try_parse(body) if isinstance(body, str) else body):
            chosen.append(parts)
    if chosen:
        return chosen
    called = [parts for parts in records if parts.goes_to_messages]
    if called:
        raise ReadingError(f"The file has a request to …/messages. {' '.join(called[0].notes)}")
    raise ReadingError("None of the requests in the file is a POST to …/messages with a body.")
