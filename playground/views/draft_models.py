"""Asks the connection before anything is sent: for its models, and how many tokens the request has.

An upstream may take minutes, so these views give their database connection back before they ask: with
`sync_to_async` it would be held as long as the request, and a few people could keep a bounded pool from everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.shortcuts import render
from django.views.decorators.http import require_POST

from playground import dispatch
from playground.composer import model_list
from playground.composer.labels import model_words
from playground.composer.model_list import ModelList
from playground.drafts import editing
from playground.drafts.outgoing import filled_body, within_limits
from playground.protocol import pricing
from playground.protocol.catalogue.known_models import FACTS, facts_of
from playground.protocol.catalogue.parameters import COUNT_TOKENS_MEMBERS
from playground.protocol.errors import parse_error
from playground.protocol.json import json_text
from playground.sandbox.model_catalogue import BY_ID

if TYPE_CHECKING:
    from decimal import Decimal

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Connection
    from playground.composer.request_form import RequestForm

CAPABILITIES = ("image_input", "pdf_input", "thinking", "structured_outputs", "citations", "code_execution")


@dataclass(frozen=True)
class Row:
    """One model as it is offered. `group` is empty but for those of the sandbox."""

    id: str
    name: str
    words: str
    takes: list[str]
    group: str = ""


def rows(models: list[dict[str, Any]]) -> list[Row]:
    """The models to offer; without a list of the connection's own, those that the catalogue knows."""
    listed = models or [{"id": name} for name in FACTS]
    return [_row(model) for model in listed[:1000]]


def _row(model: dict[str, Any]) -> Row:
    if simulated := BY_ID.get(model["id"]):
        return Row(simulated.id, "", simulated.about, [], "Errors" if simulated.is_fault else "Answers")
    name = model.get("display_name")
    listed = model.get("capabilities")
    capabilities = listed if isinstance(listed, dict) else {}
    takes = [
        each.replace("_", " ")
        for each in CAPABILITIES
        if isinstance(capabilities.get(each), dict) and capabilities[each].get("supported") is True
    ]
    words = model_words(model["id"], facts_of(model["id"], model))
    return Row(model["id"], name if isinstance(name, str) else "", words, takes)


@require_POST
async def models(request: HttpRequest) -> HttpResponse:
    """The list of the connection's models, remembered for an hour; `:refresh` asks again."""
    connection = await database_sync_to_async(lambda: editing.current(request).connection)()
    read = None if ":refresh" in request.POST else model_list.remembered(connection)
    if read is None:
        read = await read_models(request, connection)
    context = {"listed": rows(read.models), "failure": read.failure, "read_at": read.read_at, "found": read.models}
    return await database_sync_to_async(render)(request, "playground/composer/_models_read.html", context)


async def read_models(request: HttpRequest, connection: Connection | None) -> ModelList:
    """Ask the connection. What it says to a key that was typed here is for nobody else, so it is not remembered."""
    key = request.POST.get(":key", "").strip() or None
    try:
        async with within_limits(request):
            answer = await dispatch.fetch_models(connection, typed_key=key)
    except dispatch.Refused as refused:
        return ModelList(failure=refused.reason)
    listed = list_in(answer, says_why=connection is None or not connection.is_for_everyone)
    if key is None:
        model_list.remember(connection, listed)
    return listed


def list_in(answer: dispatch.Fetched, *, says_why: bool) -> ModelList:
    """The list of an answer. `says_why` off: the upstream's own words are left out, they are about the operator's
    account and may name what is inside the operator's network."""
    if answer.failure is not None and answer.status is not None and not says_why:
        return ModelList(failure=f"The upstream returned no list of models (HTTP {answer.status}).")
    if answer.failure is not None:
        return ModelList(failure=answer.failure.message)
    listed = dispatch.models_in(answer.json)
    return ModelList(listed) if listed else ModelList(failure="The response has no list of models.")


@dataclass(frozen=True)
class Count:
    """The upstream's own count, how much of the context that is, and what the request may cost in US dollars."""

    tokens: int
    context_tokens: int | None
    least_usd: Decimal | None = None
    most_usd: Decimal | None = None

    @property
    def share(self) -> int | None:
        """Percent of the context window, at least 1 of anything."""
        return max(1, min(100, self.tokens * 100 // self.context_tokens)) if self.context_tokens else None

    @property
    def share_words(self) -> str:
        """The share as it is told: 18 of 1,000,000 tokens are less than 1 %, not 1 %."""
        is_less = bool(self.context_tokens) and self.tokens * 100 < (self.context_tokens or 0)
        return f"<{self.share} %" if is_less else f"{self.share} %"


@require_POST
async def tokens(request: HttpRequest) -> HttpResponse:
    """Ask the connection's `count_tokens`, and say what the request may cost."""
    form, body = await database_sync_to_async(_to_count)(request)
    context: dict[str, Any] = {"form": form}
    try:
        key = request.POST.get(":key", "").strip() or None
        draft = form.draft
        async with within_limits(request):
            answer = await dispatch.count_tokens(
                draft.connection, body, typed_key=key, version=draft.anthropic_version or None, betas=draft.betas
            )
        context |= _counted(form, answer)
    except dispatch.Refused as refused:
        context["failure"] = refused.reason
    return await database_sync_to_async(render)(request, "playground/composer/_tokens.html", context)


def _to_count(request: HttpRequest) -> tuple[RequestForm, bytes]:
    form = editing.open_form(request)
    editing.apply_posted(form, request.POST)
    editing.look_up_attachments(request, form)
    if form.error is not None or not isinstance(form.body, dict):
        return form, form.draft.body_text.encode()
    body = filled_body(form)
    known = {name: value for name, value in body.items() if name in COUNT_TOKENS_MEMBERS}
    return form, json_text.dump(known, indent=None).encode()


def _counted(form: RequestForm, answer: dispatch.Fetched) -> dict[str, Any]:
    if answer.failure is not None:
        if answer.status is None:
            return {"failure": answer.failure.message}
        error = parse_error(answer.status, answer.body, dict(answer.headers).get("content-type", ""))
        return {"failure": f"{error.type}: {error.message}"}
    count = answer.json.get("input_tokens") if isinstance(answer.json, dict) else None
    if not isinstance(count, int):
        return {"failure": "The response has no input_tokens."}
    most = form.body.get("max_tokens") if isinstance(form.body, dict) else None
    price = pricing.estimate(form.model, count, most if isinstance(most, int) else 0)
    facts = form.model_facts
    context = facts.context_tokens if facts else None
    return {"count": Count(count, context, price.least if price else None, price.most if price else None)}
