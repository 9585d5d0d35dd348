"""Runs as files: JSON, raw server-sent events, HAR 1.2, JSON lines, CSV; a whole account as a zip.

What was masked when the run was stored is masked in every one of them. Large ones are made piece by piece.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from playground.engine.upstream import AddressRefused, endpoint
from playground.models import Run, RunContent
from playground.protocol.endpoints import endpoint_named, path_of
from playground.protocol.json import json_text as lossless
from playground.protocol.json.received_json import read_json, write_json
from playground.rendering.log_columns import EXPORTED

FORMAT = "messages-playground/run/1"
CREATOR = {"name": "Messages Playground", "version": "1"}
STEP = 100  # runs read at once
MOST_CONTENT = 8 * 2**20  # bytes of content read at once, if it is not that of one run
PIECE = 256 * 2**10  # characters of JSON lines handed over at once, at least
ProgressCallback = Callable[[int], None]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(run: Run, *, with_events: bool = True) -> dict[str, Any]:
    """All that is kept of one run. A body that is not JSON is a text, or base64 when it is not UTF-8 either."""
    content = run.stored_content
    record: dict[str, Any] = {
        "format": FORMAT,
        "id": str(run.pk),
        "started_at": run.started_at.isoformat(timespec="milliseconds"),
        **{name: plain(getattr(run, name)) for name in EXPORTED},
        "phases_ms": run.phases,
        "content_kept": content is not None,
        "log_complete": run.log_complete,
        "failure_detail": run.failure_detail,
    }
    if content is not None:
        record["request"] = {
            "method": "POST",
            "url": address(run),
            "headers": content.request_headers,
            **_body(bytes(content.request_body)),
        }
        record["response"] = {
            "status": run.http_status,
            "headers": content.response_headers,
            "message": content.message,
        }
        if with_events and run.event_count:
            record["response"]["events"] = [
                {"number": each.number, "at_ms": each.at_ms, "event": each.event.name, "data": each.event.data}
                for each in run.events()
            ]
        elif with_events:
            record["response"] |= _body(b"".join(run.raw()))
    return record


def json_text(value: Any, indent: int | None = 2) -> str:
    """JSON as ASCII: any foreign text passes, half surrogates too. Numbers beyond a double's range stay as spelled."""
    return write_json(value, indent)


def address(run: Run) -> str:
    """Return where the request was sent, as exports write it; the query is part of the content."""
    query = run.stored_content.request_query if run.stored_content else ""
    path = path_of(endpoint_named(run.endpoint), query)
    try:
        return endpoint(run.base_url, path)
    except AddressRefused:  # the sandbox's own scheme
        return f"{run.base_url}{path}"


def plain(value: Any) -> Any:
    return str(value) if value is not None and not isinstance(value, str | int | float | bool) else value


def _body(data: bytes) -> dict[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}
    try:
        lossless.parse(text)  # what is beyond its limits, too deep above all, could not be written again
    except ValueError:
        return {"body_text": text}
    value, problem = read_json(text)
    return {"body_text": text} if problem else {"body": value}


# --- HAR 1.2 ---


def as_har(run: Run) -> dict[str, Any]:
    """One run as an HTTP archive. Times that HAR knows and we do not are -1, as the format says."""
    content = run.stored_content
    request_headers = content.request_headers if content else []
    response_headers = content.response_headers if content else []
    sent = bytes(content.request_body) if content else b""
    received = b"".join(run.raw()) if content else b""
    first_ms = run.first_byte_ms if run.first_byte_ms is not None else (run.duration_ms or 0.0)
    entry = {
        "startedDateTime": run.started_at.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
        "time": run.duration_ms or 0.0,
        "request": {
            "method": "POST",
            "url": address(run),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(request_headers),
            "queryString": _pairs(parse_qsl(content.request_query if content else "", keep_blank_values=True)),
            "postData": {"mimeType": "application/json", "params": [], "text": sent.decode("utf-8", "replace")},
            "headersSize": -1,
            "bodySize": run.request_size,
        },
        "response": _har_response(run, response_headers, received),
        "cache": {},
        "timings": {"send": 0, "wait": first_ms, "receive": max(0.0, (run.duration_ms or 0.0) - first_ms)},
        "_runId": str(run.pk),
        "_state": run.state,
    }
    if run.failure_message:
        entry["_error"] = run.failure_message
    if run.note:
        entry["comment"] = run.note
    return {"log": {"version": "1.2", "creator": CREATOR, "entries": [entry]}}


def _har_response(run: Run, headers: Any, received: bytes) -> dict[str, Any]:
    return {
        "status": run.http_status or 0,
        "statusText": _reason(run.http_status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": _har_content(received, headers, run.received_size),
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": run.received_size,
    }


def _pairs(headers: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": str(name), "value": str(value)} for name, value in headers]


def _reason(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def _har_content(data: bytes, headers: Iterable[Iterable[str]], size: int) -> dict[str, Any]:
    named = {str(name).lower(): str(value) for name, value in headers}
    content: dict[str, Any] = {"size": size, "mimeType": named.get("content-type", "application/octet-stream")}
    try:
        return content | {"text": data.decode()}
    except UnicodeDecodeError:
        return content | {"text": base64.b64encode(data).decode(), "encoding": "base64"}


# --- Many ---


def in_steps(runs: Any, *, on_progress: ProgressCallback | None = None) -> Iterator[list[Run]]:
    """The runs of a query, newest first, a hundred at a time: by keyset, so that none is held open or read twice.

    `told` hears how many were written each time the next ones are asked for.
    """
    last = None
    while True:
        batch = list(runs.newest_first(last)[:STEP])
        if batch:
            yield batch
            last = batch[-1].pk
            if on_progress is not None:
                on_progress(len(batch))
        if len(batch) < STEP:
            return


def with_content(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs once more, with their content, of which only so much is in memory at a time."""
    ids = [run.pk for run in runs]
    sizes = dict(RunContent.objects.filter(run__in=ids).values_list("run_id", "size"))
    while ids:
        sums = itertools.accumulate(sizes.get(run_id, 0) for run_id in ids)
        count = max(1, sum(1 for _ in itertools.takewhile(lambda size: size <= MOST_CONTENT, sums)))
        batch = Run.objects.select_related("content").in_bulk(ids[:count])
        for run_id in ids[:count]:
            if run_id in batch:
                yield batch.pop(run_id)
        ids = ids[count:]


def jsonl(runs: Any, *, with_events: bool = False, on_progress: ProgressCallback | None = None) -> Iterator[str]:
    """One run a line. Short lines come together; a run with all its events can be large."""
    lines, size = [], 0
    for batch in in_steps(runs, on_progress=on_progress):
        for run in with_content(batch):
            lines.append(json_text(as_json(run, with_events=with_events), indent=None) + "\n")
            size += len(lines[-1])
            if size >= PIECE:
                yield "".join(lines)
                lines, size = [], 0
        if lines:
            yield "".join(lines)
            lines, size = [], 0


def csv_text(runs: Any, *, on_progress: ProgressCallback | None = None) -> Iterator[str]:
    """The figures as a table. No cell can be taken for a formula by a spreadsheet."""
    yield _csv_line(["id", "started_at", *EXPORTED])
    for batch in in_steps(runs, on_progress=on_progress):
        yield "".join(
            _csv_line(
                [str(run.pk), run.started_at.isoformat(timespec="milliseconds")]
                + [csv_cell(getattr(run, name)) for name in EXPORTED]
            )
            for run in batch
        )


def csv_cell(value: Any) -> str:
    """Foreign text that begins like a formula gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    shown = value.replace("\x00", "\ufffd")
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA) else shown


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
