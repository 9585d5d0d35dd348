"""Refuses requests as the API does: headers, unknown models, bodies that the API would not take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground.protocol.catalogue.parameters import BODY, COUNT_TOKENS_MEMBERS
from playground.protocol.headers import API_VERSIONS, BETAS
from playground.protocol.rules.validation import check
from playground.sandbox.model_catalogue import BY_ID, MODELS, describe
from playground.sandbox.reply import Refusal
from playground.sandbox.request_reader import blocks_of
from playground.sandbox.thinking_replies import is_signed

_BETA_SHAPE = re.compile(r"[a-z0-9][a-z0-9-]*-(\d{4}-\d{2}-\d{2}|\d{8})")


def invalid(message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", message)


def check_headers(headers: Mapping[str, str]) -> Refusal | None:
    """`headers` by lower-case name. Client tools send beta values of their own: those that look like one are taken."""
    version = headers.get("anthropic-version")
    if version is None:
        return invalid("anthropic-version: header is required")
    if version not in API_VERSIONS:
        return invalid(f'anthropic-version: "{version}" is not a valid version')
    for beta in betas_of(headers):
        if beta not in BETAS and not _BETA_SHAPE.fullmatch(beta):
            return invalid(f"Unexpected value(s) `{beta}` for the `anthropic-beta` header.")
    return None


def betas_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value for part in headers.get("anthropic-beta", "").split(",") if (value := part.strip()))


def check_model(body: Mapping[str, Any]) -> Refusal | None:
    model = body.get("model")
    if not isinstance(model, str) or model in BY_ID:
        return None
    known = ", ".join(each.id for each in MODELS[:4])
    return Refusal(404, "not_found_error", f"model: {model} (this is the sandbox; it has {known} and others)")


def check_body(body: Any, *, counting: bool, version: str, betas: tuple[str, ...]) -> Refusal | None:
    """The first thing wrong with a body, as a 400; None when the API would take it."""
    if not isinstance(body, dict):
        return invalid("The request body is not a JSON object.")
    allowed = COUNT_TOKENS_MEMBERS if counting else BODY.by_name.keys()
    if (unknown := next((name for name in body if name not in allowed), None)) is not None:
        return invalid(f"{unknown}: Extra inputs are not permitted")
    if counting:  # there is no answer to bound: the model's own bound is no matter either
        body = body | {"max_tokens": 128_000}
    besides = "max_tokens" if counting else ""
    if problem := first_problem(body, version=version, betas=betas, besides=besides):
        return invalid(problem)
    return check_model(body) or _check_signatures(body)


def _check_signatures(body: Mapping[str, Any]) -> Refusal | None:
    """Thinking goes back unchanged: the signature belongs to the text."""
    for place, message in enumerate(body["messages"]):
        for number, block in enumerate(blocks_of(message)):
            if block.get("type") == "thinking" and not is_signed(block["thinking"], block["signature"]):
                return invalid(f"messages.{place}.content.{number}: Invalid `signature` in `thinking` block")
    return None


def first_problem(body: Mapping[str, Any], *, version: str, betas: tuple[str, ...], besides: str = "") -> str | None:
    """The first mistake in the API's form, `path: words`. What is wrong with the member `besides` does not count."""
    model = BY_ID.get(str(body.get("model")))
    problems = check(body, version=version, betas=betas, capabilities=describe(model) if model else None)
    counted = (problem for problem in problems if problem.path[:1] != (besides,))
    error = next((problem for problem in counted if problem.severity == "error"), None)
    if error is None:
        return None
    place = ".".join(str(step) for step in error.path)
    return f"{place}: {error.message}" if place else error.message
