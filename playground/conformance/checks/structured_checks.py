"""Structured output: an answer that follows a JSON schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema

from playground.conformance.check import Check, InconclusiveError, ProtocolFaultError
from playground.conformance.checks.common_requests import DOCS, create
from playground.conformance.judging import is_answered, refused_or_not_checked

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "structured"
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "country": {"type": "string"},
        "is_capital": {"type": "boolean"},
        "kind": {"type": "string", "enum": ["city", "town", "village"]},
    },
    "required": ["city", "country", "is_capital", "kind"],
    "additionalProperties": False,
}
_FORMAT: Final = {"format": {"type": "json_schema", "schema": SCHEMA}}
WHOLE: Final = create("Describe Berlin.", max_tokens=300, output_config=_FORMAT)
STREAMED: Final = create("Describe Berlin.", max_tokens=300, output_config=_FORMAT, stream=True)
BAD_SCHEMA: Final = create(output_config={"format": {"type": "json_schema", "schema": {"type": "no such type"}}})
NO_SCHEMA: Final = create(output_config={"format": {"type": "json_schema"}})


def _follows(exchange: Exchange) -> None:
    is_answered(exchange)
    if exchange.message.get("stop_reason") in ("max_tokens", "refusal"):
        raise InconclusiveError("The answer was cut off or refused by the model.")
    try:
        value = json.loads(exchange.text)
    except ValueError:
        raise ProtocolFaultError(
            f"The text is {exchange.text!r:.80}, which is not JSON.", member="content[0].text"
        ) from None
    problem = next(iter(jsonschema.Draft202012Validator(SCHEMA).iter_errors(value)), None)
    if problem is not None:
        raise ProtocolFaultError(
            f"The text does not follow the schema: {problem.message:.120}", member="content[0].text"
        )


def _check(name: str, level: Any, title: str, expects: str, why: str, steps: Any, judge: Any, **more: Any) -> Check:
    more = {"depends": ("answer.message",), **more}
    return Check(
        f"structured.{name}", AREA, level, title, expects, why, DOCS["structured"], steps, judge, needs=("structured",
        ), **more
    )  # fmt: skip


CHECKS: Final = (
    _check("schema", "should", "The answer follows the schema", "A text that is JSON and fits the schema.",
           "The format promises a text that parses; where it is ignored, prose comes.", (WHOLE,), _follows,
           optional=True),
    _check("stream", "should", "A streamed answer follows the schema", "Pieces that join to such a JSON.",
           "As without a stream.", (STREAMED,), _follows, optional=True, depends=("structured.schema",
           "stream.answers")),
    _check("bad_schema", "may", "A schema that is none is refused", "HTTP 400.",
           "The API compiles the schema first; elsewhere the fault shows in the answers.", (BAD_SCHEMA,),
           refused_or_not_checked(400, 422), bad_request=True, depends=("structured.schema",)),
    _check("no_schema", "may", "A format without its schema is refused", "HTTP 400.", "As a schema that is none.",
           (NO_SCHEMA,), refused_or_not_checked(400, 422), bad_request=True, depends=("structured.schema",)),
)  # fmt: skip
