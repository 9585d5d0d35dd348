"""The columns stored of a run at its start and at its end, and the words that it is found by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from playground.metrics import user_agents
from playground.metrics.figures import Figures
from playground.models import Run
from playground.models.run import started_at_of
from playground.protocol.foreign_text import storable
from playground.protocol.json import scanning
from playground.protocol.json.received_json import loads
from playground.recording.client_session import session_of
from playground.rendering.log_columns import FACETS
from playground.search import index, terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.recording.recorded_run import RecordedRun

_SEARCHED = ("request_id", "failure_kind", "failure_message", "stop_reason")  # columns whose words are found
PARSED_BYTES = 2**20  # of a body; of a larger one only the texts that can be found are read


def answer_columns(figures: Figures) -> dict[str, Any]:
    """The status as columns; a number that is no HTTP status counts as none."""
    status = figures.http_status if figures.http_status and 100 <= figures.http_status < 1000 else None
    return {"http_status": status, "status_class": status_class(status)}


def status_class(status: int | None) -> int:
    """2, 4 or 5; 1 for any other status, 0 for none: what the log's filter tells apart."""
    return (status // 100 if status // 100 in (2, 4, 5) else 1) if status else 0


def about_columns(live: RecordedRun) -> dict[str, Any]:
    """A run's columns as they are when it starts."""
    about = live.about
    return {
        "owner_id": about.user_id,
        "server_process": about.home and UUID(about.home),
        "state": Run.State.RUNNING,
        "source": about.source,
        "endpoint": about.endpoint,
        "model": storable(about.model, 200),
        "stream": about.stream,
        "connection_id": about.connection_id,
        "connection_name": storable(about.connection_name, 200),
        "base_url": storable(about.base_url, 2_000),
        "access_key_id": about.access_key_id,
        "access_key_name": storable(about.access_key_name, 200),
        "user_agent": storable(about.user_agent, 500),
        "agent": storable(user_agents.label(about.user_agent), 80),
        "client_address": storable(about.client_address, 45),
        "client_session": storable(session_of(about.request_headers, about.request_body), 200),
        "request_size": len(about.request_body),
        "started_at": started_at_of(live.id),
        "content_kept": about.keep_content,
    }


def end_columns(figures: Figures, model: str, *, is_sandbox: bool) -> dict[str, Any]:
    """A run's columns as they are set when it ends."""
    ended = figures.ended
    assert ended is not None
    failure = ended.failure
    return {
        **answer_columns(figures),
        "state": ended.state,
        "failure_kind": failure.kind if failure else "",
        "failure_message": storable(failure.message, 4_000) if failure else "",
        "failure_detail": failure.detail if failure else None,
        "first_byte_ms": figures.first_byte_ms,
        "first_token_ms": figures.first_token_ms,
        "duration_ms": ended.at_ms,
        "phases": figures.phases_until(ended.at_ms),
        "tokens_clamped": figures.has_impossible_counts,
        "stop_reason": storable(figures.accumulator.stop_reason, 60),
        "request_id": storable(figures.request_id, 200),
        "received_size": figures.received_size,
        "event_count": figures.event_count,
        "cost_usd": figures.cost_usd(model, is_sandbox=is_sandbox),
        "counted_tokens": figures.counted_tokens,
        **figures.tokens(),
    }


def search_entry(
    run: Run, content_id: int, *, body: Any, message: Any, ended: Mapping[str, Any] | None = None
) -> index.Entry:
    """What a run can be found by: what was said in both directions, its error, its request id; and the facets.

    `body` is the request's: its bytes, or what they were parsed to. `ended` are the columns of the run's end, where
    `run` has only those of its start.
    """
    columns = ended or {}
    facets = {name: columns.get(name, getattr(run, name)) for name in FACETS}
    texts = [columns.get(name, getattr(run, name)) or "" for name in _SEARCHED]
    texts += [*terms.texts_in(message, terms.MOST_CHARACTERS // 2), *texts_of_body(body)]
    return index.Entry(content_id, run.owner_id, terms.words(" \n ".join(texts)), facets)


def texts_of_body(body: Any) -> list[str]:
    """The texts of a body: of its bytes, or of what they were parsed to."""
    if not isinstance(body, bytes):
        return terms.texts_in(body)
    if len(body) > PARSED_BYTES:
        texts = scanning.strings(body, terms.MOST_CHARACTERS, terms.NO_TEXT)
        return [text for text in texts if terms.is_language(text)]
    try:
        return terms.texts_in(loads(body))
    except ValueError:  # sent as typed, or not JSON at all
        return [body[: terms.MOST_CHARACTERS].decode("utf-8", "replace")]
