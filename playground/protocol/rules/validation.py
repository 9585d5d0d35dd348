"""Everything that is wrong with a request body, as a list; it does not raise, whatever the body is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain, islice
from typing import Any

from playground.protocol.catalogue.parameters import BODY
from playground.protocol.json.paths import JsonValue
from playground.protocol.rules.feature_rules import feature_rules
from playground.protocol.rules.message_rules import message_rules
from playground.protocol.rules.model_rules import model_rules
from playground.protocol.rules.problems import Edit, Problem, Repair, repaired
from playground.protocol.rules.request_view import view
from playground.protocol.rules.result_pairing import result_rules
from playground.protocol.rules.shape import ShapeCheck, name_of_type
from playground.protocol.rules.tool_rules import tool_rules

__all__ = ["MOST_PROBLEMS", "Edit", "Problem", "Repair", "check", "repaired"]

# A list of a hundred thousand wrong items is one mistake, not as many.
MOST_PROBLEMS = 200


def check(
    body: JsonValue,
    *,
    version: str = "2023-06-01",
    betas: Collection[str] = (),
    capabilities: Mapping[str, Any] | None = None,
) -> list[Problem]:
    """The problems of a body, at most `MOST_PROBLEMS`: of its shape first, then of the rules between members.

    `version` and `betas` are what the request's headers will say. `capabilities` is the model's object from
    `GET /v1/models`, or the capabilities in it; without it, the catalogue of models is asked.
    """
    if not isinstance(body, dict):
        return [Problem((), f"The body must be an object, not {name_of_type(body)}")]
    shape = ShapeCheck(version, betas)
    shape.value(BODY, body, ())
    request = view(body, version, betas, capabilities)
    rules = chain(
        model_rules(request),
        message_rules(request),
        result_rules(request),
        tool_rules(request),
        feature_rules(request),
    )
    return list(islice(chain(shape.problems, rules), MOST_PROBLEMS))
