"""How a run ended, in words: what happened, what was kept, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.answer.measures import tokens_about
from playground.protocol.errors import ERROR_TYPES, type_of_status
from playground.protocol.foreign_text import encodable
from playground.protocol.headers import retry_after_s
from playground.protocol.json import json_text
from playground.protocol.json.received_json import read_json, read_json_body
from playground.protocol.stream.other_formats import OtherFormat
from playground.rendering import formatting

if TYPE_CHECKING:
    from playground.answer.drawing import Drawing
    from playground.engine.events import Failure


@dataclass(frozen=True)
class Note:
    """A box under the answer. `said` are the upstream's or the engine's words, `help` ours, `steps` what can be done,
    most useful first. `code` is the API's own name of the error. `retry_after_s` starts a countdown; `has_body`: what
    was received is to be seen under JSON. `actions` name buttons of the template."""

    title: str
    tone: str = "bad"
    code: str = ""
    said: str = ""
    help: str = ""
    steps: tuple[str, ...] = ()
    kept: str = ""
    request_id: str = ""
    retry_after_s: int | None = None
    may_have_run: bool = False
    has_body: bool = False
    has_headers: bool = False
    raw: str = ""
    raw_language: str = "text"
    text: str = ""  # what there is to read in an answer that is no message
    actions: tuple[str, ...] = ()
    is_about_credential: bool = False


MAX_RAW = 20_000  # characters of a failed answer's body on the page

_TITLES = {
    "connect": "No connection",
    "dns": "Unknown host",
    "tls": "No secure connection",
    "timeout": "Timed out",
    "blocked": "Not allowed by this server",
    "not_json": "The response is not a message",
    "not_a_message": "The response is not a message",
    "not_a_count": "The response is not a token count",
    "encoding": "Compressed response refused",
    "redirect": "Redirect not followed",
    "protocol": "Not valid HTTP",
    "reset": "Connection lost before the response",
    "truncated": "Truncated",
    "idle": "The upstream stopped sending",
    "too_large": "Too large",
    "duration": "Took too long",
    "server_stopping": "This server was stopped",
    "server_stopped": "This server was stopped",
    "stopped": "Stopped",
    "internal": "Error in this server",
}
_SHOWN_RAW = {"not_json", "not_a_message", "not_a_count", "encoding"}
_WARNINGS = {"truncated", "idle", "too_large", "duration", "server_stopping", "server_stopped"}
_HELP = {
    "connect": "Check the connection's base URL and port, and that the server is running.",
    "dns": "Check the host name in the connection's base URL.",
    "tls": "The credential was not sent. Check the address. A server of your own needs a certificate trusted here.",
    "timeout": "The server is slow or unreachable. Try again later.",
    "blocked": "This server's administrator decides which addresses are allowed. Nothing was sent.",
    "not_json": "The base URL may point to a web page, or to a proxy in front of the API.",
    "not_a_message": (
        "The base URL leads to something other than the Messages API. Many servers have several APIs: look for the "
        "address at which yours serves POST /v1/messages."
    ),
    "not_a_count": "Not every server that has the Messages API counts tokens: it is an endpoint of its own.",
    "encoding": "The upstream, or a proxy in front of it, compressed the response without being asked to.",
    "redirect": "Following it could send the credential to another host. Use the final address as base URL.",
    "protocol": "The server there may not be a web server, or not the one you expect.",
    "truncated": "The text above is what arrived. It is incomplete.",
    "idle": "The upstream kept the connection open but sent nothing more. The text above is what arrived.",
    "too_large": "The upstream request was closed. The first part was stored and is shown.",
    "duration": "The upstream request was closed. What arrived until then was stored.",
    "server_stopping": "What arrived was stored. A new request starts from the beginning.",
    "server_stopped": "What arrived was stored. A new request starts from the beginning.",
    "internal": "What arrived was stored. The server's log has the details.",
}
_API_TITLES = {
    "invalid_request_error": "The request is not valid",
    "authentication_error": "The credential was refused",
    "billing_error": "Billing problem",
    "permission_error": "Not permitted",
    "not_found_error": "Not found",
    "conflict_error": "Conflict",
    "request_too_large": "The request is too large",
    "rate_limit_error": "Rate limit reached",
    "api_error": "Upstream error",
    "timeout_error": "The upstream timed out",
    "overloaded_error": "The upstream is overloaded",
}
_STEPS_BY_TYPE = {
    "invalid_request_error": ("Correct the field that the message names, and send again.",),
    "authentication_error": (
        "Check the credential of this connection, or replace it.",
        "Send it in the other header: x-api-key, or Authorization: Bearer.",
    ),
    "billing_error": ("Check the account with the provider: it cannot be charged.",),
    "permission_error": ("The key is valid but may not do this. Use another model, workspace or key.",),
    "not_found_error": (
        "Check the model ID: usually this upstream does not know it.",
        "Check the base URL of the connection: it may have one part too many.",
    ),
    "request_too_large": ("Send less: smaller images and documents, or fewer messages.",),
    "rate_limit_error": (
        "Wait for the time the server asks for, then try again.",
        "Send less, or cache the start of a long prompt so that it counts once.",
        "Use another connection or model.",
    ),
    "api_error": ("Try again: upstream errors are often brief.",),
    "timeout_error": ("Stream the response, or lower max_tokens.",),
    "overloaded_error": ("Try again in a moment.", "Use another model or connection."),
}


# Whatever the body calls it, the status says what to look at.
_TYPE_OF_STATUS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    421: "not_found_error",
    429: "rate_limit_error",
    501: "not_found_error",
    529: "overloaded_error",
}
_TITLE_OF_STATUS = {
    405: "POST is not accepted at this address",
    421: "This server does not serve this host",
    501: "POST is not accepted at this address",
}
_TO_TLS = "The base URL has to start with https://: this port takes nothing else."


def verdict(drawing: Drawing) -> Note | None:
    """Return the note about a run that did not complete; None for one that did, or still goes on."""
    ended = drawing.figures.ended
    if ended is None or ended.failure is None:
        return None
    failure = ended.failure
    if failure.kind == "stopped":
        return _stopped(drawing)
    if failure.kind in {"http_status", "error_event"} or "type" in failure.detail:
        return _api_error(drawing, failure)
    raw, language = _raw(drawing) if failure.kind in _SHOWN_RAW else ("", "text")
    return Note(
        title=_TITLES.get(failure.kind, failure.kind),
        tone="warn" if failure.kind in _WARNINGS else "bad",
        said=failure.message,
        help=_HELP.get(failure.kind, ""),
        kept=_kept(drawing),
        request_id=drawing.figures.request_id,
        may_have_run=bool(failure.detail.get("may_have_run")) or failure.kind == "reset",
        raw=raw,
        raw_language=language,
        text=_text_of_no_message(drawing) if failure.kind in _SHOWN_RAW else "",
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _text_of_no_message(drawing: Drawing) -> str:
    """The words in an answer of another API."""
    other_format = drawing.other_format
    if not drawing.figures.event_count:
        value, problem = read_json_body(drawing.raw_body)
        other_format = OtherFormat()
        if problem is None:
            other_format.add(value)
        else:
            other_format.add_lines(drawing.raw_body.decode("utf-8", "replace"))
    return encodable(other_format.text)


def _stopped(drawing: Drawing) -> Note:
    about = tokens_about(drawing)
    so_far = f" and about {formatting.plural(about, 'token')}" if about else ""
    ended = drawing.figures.ended
    by = "Stopped by you" if ended and ended.failure and ended.failure.message == "Stopped." else "Stopped"
    return Note(
        title=by,
        tone="quiet",
        said=f"After {formatting.duration(drawing.now_ms)}{so_far}. The upstream request was closed; what it "
        "generated until then was stored and may be billed.",
        kept=_kept(drawing),
        request_id=drawing.figures.request_id,
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _api_error(drawing: Drawing, failure: Failure) -> Note:
    """The API's own words first, then ours."""
    detail = failure.detail
    type_ = encodable(str(detail.get("type") or "api_error"))
    number, status = drawing.figures.event_count, drawing.figures.http_status
    is_in_stream = failure.kind == "error_event" and bool(number)
    moment = formatting.duration(drawing.now_ms).replace(" ", "\N{NO-BREAK SPACE}")
    after = f", {moment} into the stream" if is_in_stream else ""
    helping, steps = "", _steps(type_, detail.get("status"), str(detail.get("message") or failure.message))
    if drawing.about.is_count and _meaning(type_, detail.get("status")) == "not_found_error":
        helping = _HELP["not_a_count"]
    if is_in_stream:
        helping = f"HTTP said {drawing.figures.http_status}; the error came as event {number}."
        if drawing.blocks:
            helping += " The text above is what arrived."
    meant = _meaning(type_, detail.get("status"))
    return Note(
        title=_title(meant, detail.get("status"), "The API reported an error") + after,
        code=type_ if is_in_stream or status is None else f"{status} {type_}",
        said=encodable(str(detail.get("message") or failure.message)),
        help=helping,
        steps=steps,
        kept=_kept(drawing) if number else "",
        request_id=drawing.figures.request_id or encodable(str(detail.get("request_id") or "")),
        retry_after_s=_wait(drawing, detail),
        is_about_credential=steps == _STEPS_BY_TYPE["authentication_error"],
        has_body=not is_in_stream and bool(drawing.raw_body),
        has_headers=bool(drawing.figures.response_headers),
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _title(meant: str, status: Any, otherwise: str) -> str:
    of_status = _TITLE_OF_STATUS.get(status) if isinstance(status, int) else None
    return of_status or _API_TITLES.get(meant, otherwise)


def _meaning(type_: str, status: Any) -> str:
    """The type of error to speak of: a telling status counts more than what the body calls it."""
    of_status = _TYPE_OF_STATUS.get(status) if isinstance(status, int) else None
    if of_status or type_ in _API_TITLES or not isinstance(status, int):
        return of_status or type_
    return type_of_status(status)


def _steps(type_: str, status: Any, said: str = "") -> tuple[str, ...]:
    if "to HTTPS port" in said or "to an HTTPS server" in said:  # nginx · Go
        return (_TO_TLS,)
    steps = _usual_steps(type_, status)
    # Who does not know a model says so; who says no more does not know the address.
    is_address = steps == _STEPS_BY_TYPE["not_found_error"] and "model" not in said.lower()
    return steps[::-1] if is_address else steps


def _usual_steps(type_: str, status: Any) -> tuple[str, ...]:
    """Return what to do. The status decides where it says more than the type: many servers call every error an invalid
    request."""
    of_status = _TYPE_OF_STATUS.get(status) if isinstance(status, int) else None
    if of_status is not None and ERROR_TYPES.get(type_) != status:
        return _STEPS_BY_TYPE[of_status]
    by_status = type_of_status(status) if isinstance(status, int) else ""
    return _STEPS_BY_TYPE.get(type_) or _STEPS_BY_TYPE.get(by_status, ())


def _wait(drawing: Drawing, detail: dict[str, Any]) -> int | None:
    retry_s = detail.get("retry_after_s")
    if retry_s is None:
        retry_s = retry_after_s(drawing.figures.response_headers)
    return min(86_400, max(1, round(retry_s))) if isinstance(retry_s, int | float) and retry_s > 0 else None


def _raw(drawing: Drawing) -> tuple[str, str]:
    """The body as received, cut to what a page can show, and which language to colour it in."""
    if drawing.other_format.first:
        value, problem = read_json(drawing.other_format.first)
        return (drawing.other_format.first[:MAX_RAW], "text") if problem else (json_text.dump(value)[:MAX_RAW], "json")
    value, problem = read_json_body(drawing.raw_body)
    if problem is None:
        return json_text.dump(value)[:MAX_RAW], "json"
    text = drawing.raw_body[: MAX_RAW * 4].decode("utf-8", "replace")[:MAX_RAW]
    if len(drawing.raw_body) > len(text.encode("utf-8", "replace")):
        text += f"\n… {formatting.size(len(drawing.raw_body))} in all"
    return text, "text"


def _kept(drawing: Drawing) -> str:
    figures = drawing.figures
    if not figures.received_size:
        return "Nothing arrived."
    size = formatting.size(figures.received_size)
    what = f"{formatting.plural(figures.event_count, 'event')}, {size}" if figures.event_count else size
    return f"Received {what}."


# --- How a message ended ------------------------------------------------------------------------------------------

_STOP_NOTES = {
    "max_tokens": (
        "Cut at max_tokens",
        "The response reached the limit of the request. Raise max_tokens and run again, or continue from here.",
        ("raise", "continue"),
    ),
    "stop_sequence": ("Ended at a stop sequence", "", ()),
    "pause_turn": (
        "Paused by the API",
        "A long turn with server tools was paused. Send the response back as it is to continue.",
        ("continue",),
    ),
    "refusal": (
        "Refused",
        "The model declined. Text before that is not a response. Change the request, or go back to an earlier message.",
        (),
    ),
    "model_context_window_exceeded": (
        "The context window is full",
        "Prompt and response reached the model's limit. Shorten the conversation, or use a model with more context.",
        (),
    ),
    "compaction": (
        "Compacted",
        "The API summarised the conversation. Send the response back to continue.",
        ("continue",),
    ),
}


def stop_note(drawing: Drawing) -> Note | None:
    """Return what a stop reason means and what to do about it; None where nothing needs to be said."""
    ended = drawing.figures.ended
    reason = drawing.figures.accumulator.stop_reason
    if ended is None or ended.failure is not None or reason in {None, "end_turn", "tool_use"}:
        return None
    message = drawing.figures.accumulator.message
    known = _STOP_NOTES.get(str(reason))
    if known is None:
        return Note(f"stop_reason {reason}", "quiet", help="An unknown stop reason.")
    title, helping, actions = known
    explanation = ""
    if reason == "stop_sequence":
        sequence = message.get("stop_sequence")
        explanation = f"The model wrote {str(sequence)[:200]!r}, which ends the response." if sequence else ""
    if reason == "refusal":
        explanation = _refusal_words(message.get("stop_details"))
    tone = "quiet" if reason in {"stop_sequence", "compaction"} else "warn"
    return Note(title, tone, said=explanation, help=helping, actions=actions)


def _refusal_words(details: Any) -> str:
    if not isinstance(details, dict):
        return ""
    parts = [str(details[name])[:500] for name in ("category", "explanation") if details.get(name)]
    if model := details.get("recommended_model"):
        parts.append(f"The API recommends {str(model)[:100]}.")
    return ": ".join(parts[:2]) + (f" {parts[2]}" if len(parts) > 2 else "")
