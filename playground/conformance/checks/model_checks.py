"""The list of models, and one model."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import Check, NotSupportedError, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS
from playground.conformance.judging import path, refused

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "models"
LIST: Final = Request(method="GET", path="/v1/models?limit=1000")
ONE: Final = Request(method="GET", path="/v1/models/{model}")
UNKNOWN: Final = Request(method="GET", path="/v1/models/playground-no-such-model")
PAGE: Final = Request(method="GET", path="/v1/models?limit=1")


def _next_page(before: list[Exchange]) -> Request:
    entries = _entries(before[0])
    return Request(method="GET", path=f"/v1/models?limit=1&after_id={entries[0]['id']}")


def _entries(exchange: Exchange) -> list[dict[str, Any]]:
    exchange.require_success()
    entries = path(exchange.json, "data")
    if not isinstance(entries, list) or not entries:
        raise ProtocolFaultError("data holds no list.", member="data")
    for place, entry in enumerate(entries):
        if not isinstance(path(entry, "id"), str):
            raise ProtocolFaultError(f"Model {place} has no id.", member=f"data[{place}].id")
    return entries


def _lists(exchange: Exchange) -> None:
    _entries(exchange)


def _is_typed(exchange: Exchange) -> None:
    for place, entry in enumerate(_entries(exchange)):
        for name in ("display_name", "created_at"):
            if not isinstance(entry.get(name), str):
                raise ProtocolFaultError(f"{entry['id']} has no {name}.", member=f"data[{place}].{name}")
        if entry.get("type") != "model":
            raise ProtocolFaultError(
                f"{entry['id']} has the type {entry.get('type')!r:.40}.", member=f"data[{place}].type"
            )


def _is_dated(exchange: Exchange) -> None:
    for place, entry in enumerate(_entries(exchange)):
        created = entry.get("created_at")
        try:
            moment = datetime.fromisoformat(created) if isinstance(created, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ProtocolFaultError(f"created_at is {created!r:.40}.", member=f"data[{place}].created_at")


def _has_pages(exchange: Exchange) -> None:
    entries = _entries(exchange)
    for name, expected in (("first_id", entries[0]["id"]), ("last_id", entries[-1]["id"])):
        if path(exchange.json, name) != expected:
            raise ProtocolFaultError(f"{name} is {path(exchange.json, name)!r:.60}, not {expected}.", member=name)
    if not isinstance(path(exchange.json, "has_more"), bool):
        raise ProtocolFaultError("has_more is neither true nor false.", member="has_more")


def _lists_the_model(exchange: Exchange) -> None:
    model = exchange.model
    if model not in [entry["id"] for entry in _entries(exchange)]:
        raise ProtocolFaultError(f"{model} answers and is not in the list.", member="data")


def _is_limited(exchange: Exchange) -> None:
    if len(_entries(exchange)) > 1:
        raise ProtocolFaultError(f"limit was 1; {len(exchange.json['data'])} models came.", member="data")


def _goes_on(first: Exchange, second: Exchange) -> None:
    if path(first.json, "has_more") is not True:
        raise NotSupportedError("There is one page only.")
    before, after = _entries(first)[0]["id"], _entries(second)[0]["id"]
    if before == after:
        raise ProtocolFaultError(f"The page after {before} begins with it again.", member="data[0].id")


def _shows_one(exchange: Exchange) -> None:
    exchange.require_success()
    if path(exchange.json, "id") != exchange.model:
        raise ProtocolFaultError(f"id is {path(exchange.json, 'id')!r:.60}, not {exchange.model}.", member="id")
    if path(exchange.json, "type") != "model":
        raise ProtocolFaultError(f"type is {path(exchange.json, 'type')!r:.60}, not model.", member="type")


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"source": DOCS["models"], "depends": ("models.list",), "optional": True, **more}
    return Check(f"models.{name}", AREA, level, title, expects, why, steps=steps, judge=judge, **more)


CHECKS: Final = (
    _check("list", "should", "The models are listed", '{"data": [{"id": …}]}',
           "It tells which models there are.", (LIST,), _lists, depends=()),
    _check("entries", "should", "Each model has type, name and date", "type, id, display_name, created_at.",
           "The reference has all four; OpenAI's lists have object, owned_by and a number.", (LIST,), _is_typed),
    _check("dates", "may", "created_at is a moment in RFC 3339", "2026-10-01T00:00:00Z",
           "The Python client reads it as a time.", (LIST,), _is_dated, depends=("models.entries",)),
    _check("page_members", "should", "The list says where it begins, ends and goes on", "first_id, last_id, has_more.",
           "The Python client turns pages by them.", (LIST,), _has_pages),
    _check("lists_model", "should", "The model that answers is in the list", "Its id in data.",
           "A model that answers is one that there is.", (LIST,), _lists_the_model),
    _check("limit", "may", "limit bounds a page", "One model for limit=1.", "Long lists come page by page.", (PAGE,),
           _is_limited),
    _check("next_page", "may", "after_id goes on with the next page", "Another model.",
           "A page that comes again never ends.", (PAGE, _next_page), _goes_on,
           depends=("models.limit", "models.page_members")),
    _check("one", "should", "One model is described", '{"type": "model", "id": …}',
           "It tells a model's limits, and what it can do.", (ONE,), _shows_one, source=DOCS["model"], depends=()),
    _check("unknown", "should", "An unknown model is not found", "HTTP 404 with not_found_error.",
           "Only so can a typing error be told from a server without a list.", (UNKNOWN,),
           refused(404, error_type="not_found_error"), source=DOCS["errors"], depends=("models.one",), bad_request=True,
           optional=False),
)  # fmt: skip
