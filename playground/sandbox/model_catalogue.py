"""The sandbox's models: what each one is for, and what `GET /v1/models` says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from playground.protocol.whole_numbers import read_whole
from playground.sandbox.reply import Pace

Behaviour = Literal[
    "talk", "think", "tools", "echo", "long", "slow", "refuse", "error", "error_in_stream", "truncated", "proxy_page"
]


ABOUT: dict[Behaviour, str] = {
    "talk": "A short text with a table, or JSON if the request has a schema.",
    "think": "Thinks first, then answers.",
    "tools": "Calls the tools of the request.",
    "echo": "Returns the request as its answer.",
    "long": "As long an answer as max_tokens allows, fast.",
    "slow": "Several seconds to the first token, then a few tokens a second.",
    "refuse": "Declines every request: stop_reason refusal.",
    "proxy_page": "502 with an HTML page, as a proxy sends it.",
    "error_in_stream": "200, then an error as an event in mid-stream.",
    "truncated": "The connection closes in mid-response.",
}
USUAL = Pace()
ECHO = "sandbox-echo"  # takes any body


@dataclass(frozen=True, slots=True)
class SandboxModel:
    """`status` is the HTTP status of a model that always fails, else 200."""

    id: str
    name: str
    behaviour: Behaviour
    created_at: str
    pace: Pace = USUAL
    status: int = 200
    max_tokens: int = 128_000
    max_input_tokens: int = 1_000_000

    @property
    def about(self) -> str:
        """Its description on one line."""
        return f"Every request fails with {self.status}." if self.behaviour == "error" else ABOUT[self.behaviour]

    @property
    def is_fault(self) -> bool:
        return self.behaviour in {"error", "proxy_page", "error_in_stream", "truncated"}

    @property
    def display_name(self) -> str:
        return f"Sandbox {self.name} (simulated)"


MODELS: tuple[SandboxModel, ...] = (
    SandboxModel("sandbox-stories", "Stories", "talk", "2026-10-01T00:00:00Z"),
    SandboxModel("sandbox-thinker", "Thinker", "think", "2026-10-01T00:00:00Z", Pace(tokens_per_s=60)),
    SandboxModel("sandbox-tools", "Tool user", "tools", "2026-10-01T00:00:00Z"),
    SandboxModel(ECHO, "Echo: returns the request", "echo", "2026-09-01T00:00:00Z", Pace(0.1, 600.0)),
    SandboxModel("sandbox-long", "Long answer", "long", "2026-09-01T00:00:00Z", Pace(tokens_per_s=300)),
    SandboxModel("sandbox-slow", "Slow answer", "slow", "2026-09-01T00:00:00Z", Pace(8.0, 4.0, 1.0)),
    SandboxModel("sandbox-refusal", "Refusal", "refuse", "2026-08-01T00:00:00Z"),
    SandboxModel("sandbox-error-400", "Error 400", "error", "2026-08-01T00:00:00Z", status=400),
    SandboxModel("sandbox-error-401", "Error 401", "error", "2026-08-01T00:00:00Z", status=401),
    SandboxModel("sandbox-error-429", "Error 429", "error", "2026-08-01T00:00:00Z", status=429),
    SandboxModel("sandbox-error-500", "Error 500", "error", "2026-08-01T00:00:00Z", status=500),
    SandboxModel("sandbox-error-529", "Error 529", "error", "2026-08-01T00:00:00Z", status=529),
    SandboxModel("sandbox-error-page", "Error page of a proxy", "proxy_page", "2026-08-01T00:00:00Z", status=502),
    SandboxModel("sandbox-error-in-stream", "Error during the stream", "error_in_stream", "2026-08-01T00:00:00Z"),
    SandboxModel("sandbox-truncated", "Stream that breaks off", "truncated", "2026-08-01T00:00:00Z"),
)

BY_ID = {model.id: model for model in MODELS}


def describe(model: SandboxModel) -> dict[str, Any]:
    """A model as the API describes one."""
    yes, no = {"supported": True}, {"supported": False}
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": model.created_at,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": {
            "batch": no,
            "citations": yes,
            "code_execution": no,
            "context_management": {
                "supported": False,
                "clear_thinking_20251015": no,
                "clear_tool_uses_20250919": no,
                "compact_20260112": no,
            },
            "effort": {"supported": True, "low": yes, "medium": yes, "high": yes, "xhigh": yes, "max": yes},
            "image_input": yes,
            "pdf_input": yes,
            "server_tools": {"supported": True, "web_search": yes, "code_execution": yes},
            "structured_outputs": yes,
            "thinking": {
                "supported": True,
                "types": {"enabled": yes, "disabled": yes, "adaptive": yes, "between_tools": yes},
            },
        },
    }


def page(query: dict[str, list[str]]) -> dict[str, Any]:
    """One page of the list. Raises ValueError, in the API's words, for a query that makes no sense."""
    limit = read_whole(query.get("limit", ["20"])[-1])
    if limit is None or not 1 <= limit <= 1000:
        raise ValueError("limit: Input should be an integer between 1 and 1000")
    models = list(MODELS) if "active" in query.get("lifecycle", ["active"]) else []
    ids = [model.id for model in models]
    begin, end = 0, len(models)
    if after := query.get("after_id", [""])[-1]:
        begin = _place(ids, after, "after_id") + 1
    if before := query.get("before_id", [""])[-1]:
        end = _place(ids, before, "before_id")
        begin = max(begin, end - limit)
    chosen = models[begin:end][:limit]
    has_more = begin > 0 if before else begin + limit < end
    return {
        "data": [describe(model) for model in chosen],
        "has_more": has_more,
        "first_id": chosen[0].id if chosen else None,
        "last_id": chosen[-1].id if chosen else None,
    }


def _place(ids: list[str], model_id: str, name: str) -> int:
    if model_id not in ids:
        raise ValueError(f"{name}: there is no model {model_id}")
    return ids.index(model_id)
