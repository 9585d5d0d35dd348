"""What the connection can tell before sending: its models, and how many tokens the request has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.shortcuts import render
from django.views.decorators.http import require_POST

from playground import dispatch, model_list
from playground.forms.words import model_words
from playground.model_list import ModelList
from playground.protocol import json_text, pricing
from playground.protocol.errors import parse_error
from playground.protocol.models import FACTS, facts_of
from playground.protocol.parameters import COUNT_TOKENS_MEMBERS
from playground.views import drafts
from playground.views.outgoing import filled_body, within_limits

if TYPE_CHECKING:
    from decimal import Decimal

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Connection
    from playground.forms.request_form import RequestForm

CAPABILITIES = ("image_input", "pdf_input", "thinking", "structured_outputs", "citations", "code_execution")


@dataclass(frozen=True)
class Row:
    """One model as it is offered."""

    id: str
    name: str
    words: str
    takes: list[str]


def rows(models: list[dict[str, Any]]) -> list[Row]:
    """The models to offer; without a list of the connection's own, those that the catalogue knows."""
    listed = models or [{"id": name} for name in FACTS]
    return [_row(model) for model in listed[:1000]]


def _row(model: dict[str, Any]) -> Row:
    name = model.get("display_name")
    told = model.get("capabilities")
    capabilities = told if isinstance(told, dict) else {}
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
    connection = await sync_to_async(lambda: drafts.current(request).connection)()
    found = None if ":refresh" in request.POST else model_list.remembered(connection)
    if found is None:
        found = await read_models(request, connection)
    context = {"listed": rows(found.models), "failure": found.failure, "read_at": found.read_at, "found": found.models}
    return await sync_to_async(render)(request, "playground/_models_read.html", context)


async def read_models(request: HttpRequest, connection: Connection | None) -> ModelList:
    """Ask the connection. What it says to a key that was typed here is for nobody else, so it is not remembered."""
    key = request.POST.get(":key", "").strip() or None
    try:
        with within_limits(request):
            answer = await dispatch.fetch_models(connection, typed_key=key)
    except dispatch.Refused as refused:
        return ModelList(failure=refused.reason)
    found = list_in(answer, says_why=connection is None or not connection.is_for_everyone)
    if key is None:
        model_list.remember(connection, found)
    return found


def list_in(answer: dispatch.Fetched, *, says_why: bool) -> ModelList:
    """The list of an answer. `says_why` off: the upstream's own words are left out, they are about the operator's
    account and may name what is inside the operator's network."""
    if answer.failure is not None and answer.status is not None and not says_why:
        return ModelList(failure=f"The upstream gave no list of models (HTTP {answer.status}).")
    if answer.failure is not None:
        return ModelList(failure=answer.failure.message)
    listed = dispatch.models_in(answer.json)
    return ModelList(listed) if listed else ModelList(failure="The answer has no list of models.")


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


@require_POST
async def tokens(request: HttpRequest) -> HttpResponse:
    """Ask the connection's `count_tokens`, and say what the request may cost."""
    form, body = await sync_to_async(_to_count)(request)
    context: dict[str, Any] = {"form": form}
    try:
        key = request.POST.get(":key", "").strip() or None
        draft = form.draft
        with within_limits(request):
            answer = await dispatch.count_tokens(
                draft.connection, body, typed_key=key, version=draft.anthropic_version or None, betas=draft.betas
            )
        context |= _counted(form, answer)
    except dispatch.Refused as refused:
        context["failure"] = refused.reason
    return await sync_to_async(render)(request, "playground/_tokens.html", context)


def _to_count(request: HttpRequest) -> tuple[RequestForm, bytes]:
    form = drafts.open_form(request)
    drafts.apply_posted(form, request.POST)
    drafts.look_up_attachments(request, form)
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
        return {"failure": "The answer has no input_tokens."}
    most = form.body.get("max_tokens") if isinstance(form.body, dict) else None
    price = pricing.estimate(form.model, count, most if isinstance(most, int) else 0)
    facts = form.model_facts
    context = facts.context_tokens if facts else None
    return {"count": Count(count, context, price.least if price else None, price.most if price else None)}
