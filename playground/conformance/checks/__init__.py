"""The catalogue: every check, in the order of the API's reference. `EDITION` is the date of this set."""

from __future__ import annotations

from typing import Final

from playground.conformance.check import Check
from playground.conformance.checks import (
    answer_checks,
    caching_checks,
    content_checks,
    counting_checks,
    error_checks,
    header_checks,
    http_checks,
    limit_checks,
    media_checks,
    member_checks,
    model_checks,
    stream_checks,
    structured_checks,
    thinking_checks,
    tool_checks,
    unicode_checks,
)

EDITION: Final = "2026-11-29"
AREAS: Final[dict[str, str]] = {
    answer_checks.AREA: "Response in JSON",
    member_checks.AREA: "Request members",
    content_checks.AREA: "Roles and content",
    stream_checks.AREA: "Stream grammar",
    tool_checks.AREA: "Tool use",
    thinking_checks.AREA: "Thinking",
    media_checks.AREA: "Images and documents",
    caching_checks.AREA: "Prompt caching",
    structured_checks.AREA: "Structured output",
    counting_checks.AREA: "Counting tokens",
    model_checks.AREA: "Models",
    error_checks.AREA: "Errors",
    header_checks.AREA: "Headers and credentials",
    limit_checks.AREA: "Limits",
    unicode_checks.AREA: "Unicode",
    http_checks.AREA: "HTTP",
}
_MODULES: Final = (
    answer_checks,
    member_checks,
    content_checks,
    stream_checks,
    tool_checks,
    thinking_checks,
    media_checks,
    caching_checks,
    structured_checks,
    counting_checks,
    model_checks,
    error_checks,
    header_checks,
    limit_checks,
    unicode_checks,
    http_checks,
)
CHECKS: Final[tuple[Check, ...]] = tuple(check for module in _MODULES for check in module.CHECKS)
BY_ID: Final[dict[str, Check]] = {check.id: check for check in CHECKS}
FIRST: Final = "answer.message"  # without it nothing else is asked
