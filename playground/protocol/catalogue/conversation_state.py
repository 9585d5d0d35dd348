"""Parameters by which the server keeps or changes a conversation: context edits, compaction, threads, containers,
fallbacks."""

from playground.protocol.catalogue.kinds import (
    Boolean,
    Choice,
    Constant,
    Integer,
    ListOf,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
)
from playground.protocol.catalogue.known_models import KNOWN_MODELS
from playground.protocol.catalogue.output import OUTPUT_CONFIG, THINKING
from playground.protocol.catalogue.sources import needs, tag

# Compaction may not be asked for earlier than this. Source: the vendor's page on compaction.
EARLIEST_COMPACTION_TOKENS = 50_000

SPEEDS = ("standard", "fast")


def _amount(name: str, *, minimum: int = 0, initial: int = 0) -> Object:
    value = Parameter("value", Integer(minimum=minimum), "The threshold.", required=True, initial=initial or None)
    return Object(name, (tag(name), value), shown=("type", "value"))


_NAMES = ListOf(Text(), noun="tool")

CLEAR_TOOL_USES = Object(
    "clear_tool_uses_20250919",
    (
        tag("clear_tool_uses_20250919"),
        Parameter(
            "trigger",
            Variants((_amount("input_tokens", initial=100_000), _amount("tool_uses", initial=20))),
            "When to start clearing.",
            default="100,000 input tokens",
        ),
        Parameter(
            "keep",
            Variants((_amount("tool_uses", initial=3),)),
            "How many of the newest to keep.",
            default="3 tool uses",
        ),
        Parameter(
            "clear_at_least",
            Variants((_amount("input_tokens", initial=5_000),)),
            "Clear at least this much, or nothing: clearing invalidates the cache.",
            nullable=True,
        ),
        Parameter("exclude_tools", _NAMES, "Tools whose results are kept.", nullable=True),
        Parameter(
            "clear_tool_inputs",
            OneOf((Boolean(), _NAMES)),
            "Also clear the inputs of calls: of all tools, or of these.",
            nullable=True,
            default="false",
            initial=True,
        ),
    ),
    help="Clears old tool results when the prompt grows.",
    shown=("type", "trigger"),
)

CLEAR_THINKING = Object(
    "clear_thinking_20251015",
    (
        tag("clear_thinking_20251015"),
        Parameter(
            "keep",
            OneOf(
                (
                    Constant("all"),
                    Variants(
                        (
                            _amount("thinking_turns", minimum=1, initial=1),
                            Object("all", (tag("all"),), shown=("type",)),
                        )
                    ),
                )
            ),
            "How many turns keep their thinking.",
            default="1 thinking turn",
        ),
    ),
    help="Clears old thinking blocks.",
    shown=("type", "keep"),
)

COMPACT = Object(
    "compact_20260112",
    (
        tag("compact_20260112"),
        Parameter(
            "trigger",
            Variants((_amount("input_tokens", minimum=EARLIEST_COMPACTION_TOKENS, initial=150_000),)),
            "When to summarize.",
            nullable=True,
            default="150,000 input tokens",
        ),
        Parameter("pause_after_compaction", Boolean(), "Pause after the summary.", default="false", initial=True),
        Parameter("instructions", Text(multiline=True), "Instructions for the summary.", nullable=True),
    ),
    help="Summarizes the conversation when it grows.",
    betas=("compact-2026-01-12",),
    shown=("type", "trigger"),
)

CONTEXT_MANAGEMENT = Object(
    "context_management",
    (
        Parameter(
            "edits",
            ListOf(Variants((CLEAR_TOOL_USES, CLEAR_THINKING, COMPACT)), noun="edit"),
            "Edits applied to the prompt before the model sees it, in this order.",
        ),
    ),
    shown=("edits",),
)

COMPACTION = Variants(
    (
        Object(
            "summarize",
            (
                tag("summarize"),
                Parameter("instructions", Text(multiline=True), "Instructions for the summary.", nullable=True),
            ),
            help="The response is a summary of the conversation.",
            shown=("type", "instructions"),
        ),
    )
)

THREAD = Variants(
    (
        Object(
            "create",
            (tag("create"),),
            help="The server stores this conversation until 5 minutes after its last request.",
            shown=("type",),
        ),
        Object(
            "continue",
            (
                tag("continue"),
                needs("previous_message_id", Text(), "ID of the last response of the thread."),
            ),
            help="Continues a stored conversation: send new messages only.",
            shown=("type", "previous_message_id"),
        ),
    )
)

_SKILL = Object(
    "skill",
    (
        Parameter("type", Choice(("anthropic", "custom")), "Who provides the skill.", required=True),
        needs("skill_id", Text(), "ID of the skill."),
        Parameter("version", Text(), "Version of the skill.", default="latest"),
    ),
    shown=("type", "skill_id"),
)

CONTAINER = OneOf(
    (
        Text(),
        Object(
            "container",
            (
                Parameter("id", Text(), "ID of a container from an earlier response.", nullable=True),
                Parameter("skills", ListOf(_SKILL, noun="skill"), "Skills to load.", nullable=True),
            ),
            shown=("id", "skills"),
        ),
    )
)

_SPEED = Parameter("speed", Choice(SPEEDS), "Faster generation at a higher price.", nullable=True, initial="fast")

FALLBACK = Object(
    "fallback",
    (
        Parameter("model", Text(suggestions=KNOWN_MODELS), "Model to try next.", required=True),
        Parameter("max_tokens", Integer(minimum=0, unit="tokens"), "Replaces the request's value.", nullable=True),
        Parameter("thinking", THINKING, "Replaces the request's value.", nullable=True),
        Parameter("output_config", OUTPUT_CONFIG, "Replaces the request's value.", nullable=True),
        _SPEED,
    ),
    shown=("model",),
)

FALLBACKS = OneOf((ListOf(FALLBACK, noun="fallback"), Constant("default")))

FALLBACK_CREDIT_TOKEN = OneOf(
    (
        Text(),
        Object(
            "credit",
            (
                needs("token", Text(), "The token of an earlier refusal."),
                Parameter("mode", Choice(("strict", "best_effort")), "What to do when the token is no longer valid."),
            ),
            shown=("mode",),
        ),
    )
)

BILLING_POLICY = Variants(
    (
        Object(
            "billing_policy",
            (
                tag("billing_policy"),
                Parameter("bill_to", Choice(("self", "user_profile")), "Who pays for the request."),
            ),
            shown=("bill_to",),
        ),
    )
)
