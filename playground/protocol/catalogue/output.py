"""Parameters of how the model thinks and answers: thinking, effort, format, task budget."""

from playground.protocol.catalogue.kinds import (
    Choice,
    Integer,
    JsonSchema,
    Object,
    Parameter,
    Variants,
)
from playground.protocol.catalogue.known_models import EFFORTS
from playground.protocol.catalogue.sources import tag

LEAST_THINKING_BUDGET = 1024

EFFORT_LEVELS = EFFORTS

EFFORT = Parameter(
    "effort",
    Choice(EFFORT_LEVELS),
    "How much work the model puts into the response, thinking included.",
    nullable=True,
    default="set by the model",
    initial="medium",
)

JSON_FORMAT = Object(
    "json_schema",
    (
        tag("json_schema"),
        Parameter(
            "schema",
            JsonSchema(for_object=False),
            "JSON Schema that the response follows.",
            required=True,
            initial={"type": "object", "properties": {}, "additionalProperties": False},
        ),
    ),
    help="The response is JSON that follows this schema.",
    shown=("type",),
)

TASK_BUDGET = Object(
    "tokens",
    (
        tag("tokens"),
        Parameter(
            "total", Integer(minimum=1, unit="tokens"), "Tokens for the whole task.", required=True, initial=64_000
        ),
        Parameter("remaining", Integer(minimum=0, unit="tokens"), "Tokens left.", nullable=True),
    ),
    shown=("total", "remaining"),
)

OUTPUT_CONFIG = Object(
    "output_config",
    (
        EFFORT,
        Parameter("format", Variants((JSON_FORMAT,)), "Structured output.", nullable=True),
        Parameter(
            "task_budget",
            Variants((TASK_BUDGET,)),
            "Tells the model how many tokens it has for the whole task.",
            nullable=True,
            betas=("task-budgets-2026-03-13",),
            rare=True,
        ),
    ),
    shown=("effort", "format"),
)

_DISPLAY = Parameter(
    "display",
    Choice(("summarized", "omitted", "updates")),
    "How the thinking is returned. updates needs the beta thinking-display-updates-2026-08-18.",
    nullable=True,
    default="set by the model",
)

_BLOCK_BINDING = Parameter(
    "block_binding",
    Object(
        "block_binding",
        (
            Parameter(
                "prefix_mismatch_behavior",
                Choice(("error", "drop_block")),
                "What to do with earlier thinking when the conversation before it was edited.",
                nullable=True,
                default="error",
            ),
        ),
        shown=("prefix_mismatch_behavior",),
    ),
    "How strictly earlier thinking is bound to the messages before it.",
    nullable=True,
    betas=("thinking-binding-controls-2026-08-01",),
    rare=True,
)

THINKING = Variants(
    (
        Object(
            "enabled",
            (
                tag("enabled"),
                Parameter(
                    "budget_tokens",
                    Integer(minimum=LEAST_THINKING_BUDGET, unit="tokens"),
                    "Maximum tokens for thinking. Must be less than max_tokens.",
                    required=True,
                    initial=4096,
                ),
                _DISPLAY,
                _BLOCK_BINDING,
            ),
            help="Think first, up to a budget. Models up to the 4.6 generation.",
            shown=("type", "budget_tokens"),
        ),
        Object(
            "adaptive",
            (tag("adaptive"), _DISPLAY, _BLOCK_BINDING),
            help="The model decides when and how long to think.",
            shown=("type", "display"),
        ),
        Object("disabled", (tag("disabled"),), help="No thinking. The newest models refuse it.", shown=("type",)),
        Object(
            "between_tools",
            (tag("between_tools"),),
            help="Think between tool calls only. The least that Sonnet 5.5 accepts.",
            shown=("type",),
        ),
    )
)

OLD_OUTPUT_FORMAT = Parameter(
    "output_format",
    Variants((JSON_FORMAT,)),
    "Former name of output_config.format.",
    nullable=True,
    betas=("structured-outputs-2025-11-13",),
    rare=True,
    source="official client before 1.0",
)

DISPLAY_NEEDING_BETA = {"updates": "thinking-display-updates-2026-08-18"}
