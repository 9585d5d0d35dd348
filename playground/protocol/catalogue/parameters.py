"""The catalogue of the request body: every member, once. The form, the checks, the help and the sandbox read it.

`BODY` is the whole tree. A new parameter of the API is one record here, or in the module of its noun, and nothing else.
"""

from playground.protocol.catalogue.blocks import MESSAGES
from playground.protocol.catalogue.caching import CACHE_CONTROL_KIND
from playground.protocol.catalogue.conversation_state import (
    BILLING_POLICY,
    COMPACTION,
    CONTAINER,
    CONTEXT_MANAGEMENT,
    FALLBACK_CREDIT_TOKEN,
    FALLBACKS,
    SPEEDS,
    THREAD,
)
from playground.protocol.catalogue.kinds import (
    AnyJson,
    Boolean,
    Choice,
    Integer,
    JsonSchema,
    JsonValue,
    Kind,
    ListOf,
    MapOf,
    Number,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
    accepts,
)
from playground.protocol.catalogue.known_models import KNOWN_MODELS
from playground.protocol.catalogue.output import OLD_OUTPUT_FORMAT, OUTPUT_CONFIG, THINKING
from playground.protocol.catalogue.server_blocks import MCP_BETAS
from playground.protocol.catalogue.sources import TEXT_BLOCK
from playground.protocol.catalogue.tools import MCP_SERVER, TOOL, TOOL_CHOICE
from playground.protocol.headers import API_VERSIONS

_BEFORE_SAMPLING_WENT = "official client before 1.0"
_SAMPLING_WENT = "2026-10-21"

BODY = Object(
    "body",
    (
        Parameter(
            "model",
            Text(min_length=1, suggestions=KNOWN_MODELS),
            "The model that generates the response.",
            required=True,
        ),
        Parameter(
            "max_tokens",
            Integer(minimum=0, unit="tokens"),
            "Maximum tokens to generate, thinking included. 0 only fills the prompt cache.",
            required=True,
            initial=1024,
        ),
        Parameter(
            "messages",
            MESSAGES,
            "The conversation so far, newest message last.",
            required=True,
            initial=[{"role": "user", "content": ""}],
        ),
        Parameter(
            "system",
            OneOf((Text(multiline=True), ListOf(TEXT_BLOCK, noun="block"))),
            "Instructions for the whole conversation.",
        ),
        Parameter("stream", Boolean(), "Stream the response as server-sent events.", default="false", initial=True),
        Parameter(
            "temperature",
            Number(minimum=0, maximum=1, step=0.1),
            "Randomness of the response. Older models and compatible servers only.",
            default="1",
            initial=1,
            removed_in=_SAMPLING_WENT,
            source=_BEFORE_SAMPLING_WENT,
        ),
        Parameter(
            "top_p",
            Number(minimum=0, maximum=1, step=0.01),
            "Sample from the likeliest tokens that add up to this probability. Use this or temperature.",
            default="1",
            initial=1,
            removed_in=_SAMPLING_WENT,
            source=_BEFORE_SAMPLING_WENT,
        ),
        Parameter(
            "top_k",
            Integer(minimum=0),
            "Sample from this many of the likeliest tokens.",
            default="all",
            initial=40,
            removed_in=_SAMPLING_WENT,
            source=_BEFORE_SAMPLING_WENT,
        ),
        Parameter(
            "stop_sequences",
            ListOf(Text(multiline=True, min_length=1), noun="stop sequence"),
            "Generation stops when one of these would appear.",
        ),
        Parameter("thinking", THINKING, "Let the model reason before it answers.", default="set by the model"),
        Parameter("output_config", OUTPUT_CONFIG, "Effort, and the format of the response."),
        Parameter("tools", ListOf(TOOL, noun="tool"), "Tools the model may call."),
        Parameter(
            "tool_choice",
            TOOL_CHOICE,
            "How the model uses the tools: its choice, any, a given one, none.",
            default="auto with tools",
        ),
        Parameter(
            "metadata",
            Object(
                "metadata",
                (
                    Parameter(
                        "user_id",
                        Text(max_length=256),
                        "An opaque ID for your user. No names or addresses.",
                        nullable=True,
                    ),
                ),
                shown=("user_id",),
            ),
            "Data about the request. The model does not see it.",
        ),
        Parameter(
            "cache_control",
            CACHE_CONTROL_KIND,
            "Cache the prompt up to the last cacheable block.",
            nullable=True,
        ),
        Parameter(
            "service_tier",
            Choice(("auto", "standard_only")),
            "Whether reserved capacity may be used.",
            default="auto",
            rare=True,
        ),
        Parameter(
            "speed",
            Choice(SPEEDS),
            "Faster generation at a higher price. Some models need the beta fast-mode-2026-02-01.",
            nullable=True,
            default="standard",
            initial="fast",
            rare=True,
        ),
        Parameter(
            "inference_geo",
            Text(suggestions=("us", "global")),
            "Where the model runs. us costs 10 % more.",
            nullable=True,
            default="set by the workspace",
            rare=True,
        ),
        Parameter(
            "container", CONTAINER, "A code execution container to reuse, and skills to load.", nullable=True, rare=True
        ),
        Parameter(
            "context_management",
            CONTEXT_MANAGEMENT,
            "What to drop or summarize when the prompt grows.",
            nullable=True,
            betas=("context-management-2025-06-27", "compact-2026-01-12"),
            rare=True,
        ),
        Parameter(
            "mcp_servers",
            ListOf(MCP_SERVER, noun="server"),
            "MCP servers whose tools the model may call.",
            betas=MCP_BETAS,
            rare=True,
        ),
        Parameter(
            "fallbacks",
            FALLBACKS,
            "Models to try when this one declines or is unavailable.",
            nullable=True,
            betas=("server-side-fallback-2026-07-01", "server-side-fallback-2026-06-01"),
            rare=True,
        ),
        Parameter(
            "fallback_credit_token",
            FALLBACK_CREDIT_TOKEN,
            "Spends the credit of a refused request. Not together with fallbacks.",
            nullable=True,
            betas=("fallback-credit-2026-07-01", "fallback-credit-2026-06-01"),
            rare=True,
        ),
        Parameter(
            "compaction",
            COMPACTION,
            "Asks for a summary instead of a response. Not together with context_management.",
            nullable=True,
            betas=("compact-2026-09-04",),
            rare=True,
        ),
        Parameter(
            "thread",
            THREAD,
            "Lets the server store the conversation.",
            nullable=True,
            betas=("message-threads-2026-08-12",),
            rare=True,
        ),
        Parameter(
            "diagnostics",
            Object(
                "diagnostics",
                (
                    Parameter(
                        "previous_message_id",
                        Text(),
                        "ID of the response to compare with. null on the first request.",
                        nullable=True,
                    ),
                ),
                shown=("previous_message_id",),
            ),
            "The response says why the prompt cache was missed.",
            nullable=True,
            rare=True,
        ),
        Parameter(
            "billing_policy",
            BILLING_POLICY,
            "Who pays for the request.",
            nullable=True,
            betas=("user-profiles-billing-2026-10-01",),
            rare=True,
        ),
        OLD_OUTPUT_FORMAT,
    ),
    shown=("model",),
)

# What POST /v1/messages/count_tokens takes; everything else is left out of the body before counting.
COUNT_TOKENS_MEMBERS = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "speed",
        "context_management",
        "mcp_servers",
        "billing_policy",
        "compaction",
    }
)


HEADERS = (
    Parameter(
        "anthropic-version",
        Choice(API_VERSIONS, is_open=True),
        "Nearly all compatible servers expect 2023-06-01.",
        required=True,
        initial="2023-06-01",
    ),
    Parameter("anthropic-beta", ListOf(Text(), noun="beta"), "Turns on beta features. Unknown names are refused."),
    Parameter(
        "Accept",
        Choice(("application/json", "text/event-stream"), is_open=True),
        "The official client sends application/json, for streams too.",
        default="follows stream",
    ),
    Parameter("anthropic-workspace-id", Text(), "The workspace the request counts towards.", rare=True),
    Parameter("anthropic-user-profile-id", Text(), "The user profile the request is made for.", rare=True),
)


def find(path: tuple[str | int, ...], body: JsonValue) -> Parameter | None:
    """The record of what stands, or could stand, at `path` in this body; None where the catalogue has none.

    The body decides between variants. An item of a list is answered as a record named after the list's noun.
    """
    parameter: Parameter | None = Parameter("body", BODY)
    value = body
    for step in path:
        if parameter is None:
            return None
        parameter = _member(parameter.kind, value, step)
        value = _value_at(value, step)
    return parameter


# What of a JSON Schema has a control of its own; the rest of it is JSON.
_INNER = JsonSchema(for_object=False)
SCHEMA_MEMBERS = {
    "description": Parameter("description", Text(), "What it means."),
    "enum": Parameter("enum", ListOf(AnyJson(), "value")),
    "items": Parameter("items", _INNER),
    "properties": Parameter("properties", MapOf(_INNER, "field")),
}


def _member(kind: Kind, value: JsonValue, step: str | int) -> Parameter | None:
    match kind:
        case OneOf():
            fitting = [each for each in kind.kinds if accepts(each, value)]
            members = (_member(each, value, step) for each in (fitting or kind.kinds))
            return next((member for member in members if member), None)
        case Variants():
            variant = kind.pick(value)
            if variant is None and not isinstance(value, dict) and len(kind.variants) == 1:
                variant = kind.variants[0]
            return _member(variant, value, step) if variant else None
        case Object() if isinstance(step, str):
            return kind.by_name.get(step)
        case MapOf() if isinstance(step, str):
            return Parameter(step, kind.value)
        case ListOf() if isinstance(step, int):
            return Parameter(kind.noun, kind.item, required=True)
        case JsonSchema() if isinstance(step, str):
            return SCHEMA_MEMBERS.get(step)
        case _:
            return None


def _value_at(value: JsonValue, step: str | int) -> JsonValue:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None
