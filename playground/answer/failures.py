"""How a run ended, in words: what happened, what was kept, what to do about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.answer import words
from playground.protocol.headers import retry_after_s

if TYPE_CHECKING:
    from playground.answer.drawing import Drawing
    from playground.engine.events import Failure


@dataclass(frozen=True)
class Note:
    """A box under the answer. `said` are the upstream's or the engine's words, `help` ours. `retry_after_s` starts a
    countdown; `raw` is the body as received, shown as text. `actions` name buttons of the template."""

    title: str
    tone: str = "bad"
    said: str = ""
    help: str = ""
    kept: str = ""
    request_id: str = ""
    retry_after_s: int | None = None
    may_have_run: bool = False
    raw: str = ""
    raw_language: str = "text"
    actions: tuple[str, ...] = ()
    is_about_credential: bool = False


MAX_RAW = 20_000  # characters of a failed answer's body on the page

_TITLES = {
    "connect": "No connection",
    "dns": "Unknown host",
    "tls": "No trusted connection",
    "timeout": "Timed out",
    "blocked": "Not allowed by this server",
    "not_json": "Not a message",
    "encoding": "Compressed answer refused",
    "redirect": "Redirect not followed",
    "protocol": "Not valid HTTP",
    "reset": "Connection lost before the answer",
    "truncated": "Truncated",
    "idle": "Silence",
    "too_large": "Too large",
    "duration": "Took too long",
    "server_stopping": "This server was stopped",
    "server_stopped": "This server was stopped",
    "stopped": "Stopped",
    "internal": "A fault of this server",
}
_WARNINGS = {"truncated", "idle", "too_large", "duration", "server_stopping", "server_stopped"}
_HELP = {
    "connect": "Check the base URL and the port of the connection, and that the server there is running.",
    "dns": "Check the host's name in the base URL of the connection.",
    "tls": "The credential was not sent. Check the address; a server of your own needs a certificate this one trusts.",
    "timeout": "The server is slow or unreachable. Trying again later may help.",
    "blocked": "The operator decides which addresses may be called. Nothing was sent.",
    "encoding": "The upstream, or a proxy before it, compresses although no compression was asked for.",
    "redirect": "A redirect would carry the credential to another host. Use the final address as base URL.",
    "protocol": "What listens there may not be a web server, or not the one you expect.",
    "truncated": "The text above is what had arrived; it is not complete.",
    "idle": "The upstream held the connection and sent nothing more. The text above is what had arrived.",
    "too_large": "The upstream was closed. The first part is kept and shown.",
    "duration": "The upstream was closed. What it made until then is kept.",
    "server_stopping": "What had arrived is kept. A new run starts from the beginning.",
    "server_stopped": "What had been stored is kept. A new run starts from the beginning.",
    "internal": "What had arrived is kept. The operator finds more in the server's log.",
}
_HELP_BY_TYPE = {
    "invalid_request_error": "The API refused the request as it is. Its words name the field; mend it and send again.",
    "authentication_error": (
        "The credential of this connection was refused. Change it, or send it in the other header: x-api-key or "
        "Authorization: Bearer."
    ),
    "billing_error": "The account at the provider cannot be charged. This is settled with the provider.",
    "permission_error": "The key is valid but may not do this: another model, workspace or key may be needed.",
    "not_found_error": "Most often the model id is unknown to this upstream, or the base URL has a part too many.",
    "request_too_large": "Send less: smaller images and documents, or fewer turns.",
    "rate_limit_error": "Too many requests or tokens for now. Wait as long as the server asks, then try again.",
    "api_error": "A fault at the upstream. Trying again may help.",
    "timeout_error": "The upstream ran out of time. Streaming, or a smaller max_tokens, helps.",
    "overloaded_error": "The upstream has too much to do. Trying again in a moment often works.",
}


def verdict(drawing: Drawing) -> Note | None:
    """What is to be said about a run that did not complete; None for one that did, or still goes on."""
    ended = drawing.figures.ended
    if ended is None or ended.failure is None:
        return None
    failure = ended.failure
    if failure.kind == "stopped":
        return _stopped(drawing)
    if failure.kind in {"http_status", "error_event"} or "type" in failure.detail:
        return _api_error(drawing, failure)
    raw, language = _raw(drawing) if failure.kind in {"not_json", "encoding"} else ("", "text")
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
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _stopped(drawing: Drawing) -> Note:
    tokens = drawing.figures.tokens()["output_tokens"]
    so_far = f" and {words.plural(tokens, 'token')}" if tokens else ""
    ended = drawing.figures.ended
    by = "Stopped by you" if ended and ended.failure and ended.failure.message == "Stopped." else "Stopped"
    return Note(
        title=by,
        tone="quiet",
        said=f"After {words.duration(drawing.now_ms)}{so_far}. The upstream request was closed; what it made until "
        "then is kept and may be billed.",
        kept=_kept(drawing),
        request_id=drawing.figures.request_id,
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _api_error(drawing: Drawing, failure: Failure) -> Note:
    """The API's own words first, then ours."""
    detail = failure.detail
    type_ = words.clean(str(detail.get("type") or "api_error"))
    said = words.clean(str(detail.get("message") or failure.message))
    in_stream = failure.kind == "error_event"
    where = f" after {words.duration(drawing.now_ms)}" if in_stream and drawing.figures.event_count else ""
    helping = _HELP_BY_TYPE.get(type_, "")
    if in_stream and drawing.figures.event_count:
        number = drawing.figures.event_count
        helping = f"HTTP said {drawing.figures.http_status}; the error came as event {number}. {helping}"
        if drawing.blocks:
            helping += " The text above is what had arrived."
    raw, language = ("", "text") if in_stream and drawing.figures.event_count else _raw(drawing)
    return Note(
        title=f"{type_}{where}",
        said=said,
        help=helping.strip(),
        kept=_kept(drawing) if drawing.figures.event_count else "",
        request_id=drawing.figures.request_id or words.clean(str(detail.get("request_id") or "")),
        retry_after_s=_wait(drawing, detail),
        is_about_credential=type_ == "authentication_error",
        raw=raw,
        raw_language=language,
        actions=("retry", "keep") if drawing.blocks else ("retry",),
    )


def _wait(drawing: Drawing, detail: dict[str, Any]) -> int | None:
    asked = detail.get("retry_after_s")
    if asked is None:
        asked = retry_after_s(drawing.figures.response_headers)
    return min(86_400, max(1, round(asked))) if isinstance(asked, int | float) and asked > 0 else None


def _raw(drawing: Drawing) -> tuple[str, str]:
    """The body as received, cut to what a page can show, and which language to colour it in."""
    body = drawing.raw_body[: MAX_RAW * 4].decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(drawing.raw_body), indent=2, ensure_ascii=False)[:MAX_RAW], "json"
    except (ValueError, RecursionError):
        text = body[:MAX_RAW]
    if len(drawing.raw_body) > len(text.encode("utf-8", "replace")):
        text += f"\n… {words.size(len(drawing.raw_body))} in all"
    return text, "text"


def _kept(drawing: Drawing) -> str:
    figures = drawing.figures
    if not figures.received_size:
        return "Nothing had arrived."
    size = words.size(figures.received_size)
    what = f"{words.plural(figures.event_count, 'event')}, {size}" if figures.event_count else size
    return f"Kept: {what}." if drawing.about.is_kept else f"{what} arrived."


# --- How a message ended ------------------------------------------------------------------------------------------

_STOP_NOTES = {
    "max_tokens": (
        "Cut at max_tokens",
        "The answer reached the limit that the request set. Raise max_tokens and run again, or let it go on from here.",
        ("raise", "continue"),
    ),
    "stop_sequence": ("Ended at a stop sequence", "", ()),
    "pause_turn": (
        "Paused by the API",
        "A long turn with server tools was paused. Send the answer back as it is and it goes on.",
        ("continue",),
    ),
    "refusal": (
        "Refused",
        "The model declined. Text above, if any, is no answer. Change the request, or go back to an earlier turn.",
        (),
    ),
    "model_context_window_exceeded": (
        "The context window is full",
        "Prompt and answer reached the model's limit. Shorten the conversation, or use a model with more room.",
        (),
    ),
    "compaction": (
        "Compacted",
        "The API summarised the conversation. Send the answer back and it goes on.",
        ("continue",),
    ),
}


def stop_note(drawing: Drawing) -> Note | None:
    """What a stop reason means and what to do about it; None where nothing needs to be said."""
    ended = drawing.figures.ended
    reason = drawing.figures.accumulator.stop_reason
    if ended is None or ended.failure is not None or reason in {None, "end_turn", "tool_use"}:
        return None
    message = drawing.figures.accumulator.message
    known = _STOP_NOTES.get(str(reason))
    if known is None:
        return Note(f"stop_reason {reason}", "quiet", help="A stop reason that this playground does not know.")
    title, helping, actions = known
    said = ""
    if reason == "stop_sequence":
        sequence = message.get("stop_sequence")
        said = f"The model wrote {str(sequence)[:200]!r}, which ends the answer." if sequence else ""
    if reason == "refusal":
        said = _refusal_words(message.get("stop_details"))
    tone = "quiet" if reason in {"stop_sequence", "compaction"} else "warn"
    return Note(title, tone, said=said, help=helping, actions=actions)


def _refusal_words(details: Any) -> str:
    if not isinstance(details, dict):
        return ""
    parts = [str(details[name])[:500] for name in ("category", "explanation") if details.get(name)]
    if model := details.get("recommended_model"):
        parts.append(f"The API recommends {str(model)[:100]}.")
    return ": ".join(parts[:2]) + (f" {parts[2]}" if len(parts) > 2 else "")
