"""The blocks that make up the content of a message, and the messages themselves."""

from playground.protocol.catalogue.caching import CACHE_CONTROL
from playground.protocol.catalogue.kinds import (
    AnyJson,
    Boolean,
    Choice,
    Constant,
    Integer,
    JsonSchema,
    ListOf,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
)
from playground.protocol.catalogue.output import EFFORT
from playground.protocol.catalogue.server_blocks import BETA_SERVER_BLOCKS, CALLER, SERVER_BLOCKS
from playground.protocol.catalogue.sources import (
    DOCUMENT_BLOCK,
    IMAGE_BLOCK,
    SEARCH_RESULT_BLOCK,
    TEXT_BLOCK,
    needs,
    tag,
)
from playground.protocol.catalogue.tools import TOOL

MID_CONVERSATION_TOOLS = ("mid-conversation-tool-changes-2026-07-01",)

THINKING_BLOCK = Object(
    "thinking",
    (
        tag("thinking"),
        needs("thinking", Text(multiline=True), "The model's reasoning. Send it back unchanged."),
        needs("signature", Text(), "Proves that the thinking is unchanged. Edited thinking is refused."),
    ),
    help="The model's thinking from an earlier response. It is signed: send it back unchanged.",
    shown=("thinking",),
)

REDACTED_THINKING_BLOCK = Object(
    "redacted_thinking",
    (tag("redacted_thinking"), needs("data", Text(), "Encrypted thinking. Send it back unchanged.")),
    help="Thinking encrypted by the API.",
)

TOOL_USE_BLOCK = Object(
    "tool_use",
    (
        tag("tool_use"),
        Parameter("id", Text(), "ID of this call. Its result refers to it.", required=True, initial="toolu_01"),
        needs("name", Text(), "Name of the tool."),
        Parameter("input", AnyJson(must_be_object=True), "Arguments of the call.", required=True),
        CALLER,
        Parameter("toolset_name", Text(), "The toolset this tool belongs to.", nullable=True, rare=True),
        CACHE_CONTROL,
    ),
    help="The model calls one of your tools.",
    shown=("type", "name", "input"),
)

TOOL_REFERENCE_BLOCK = Object(
    "tool_reference",
    (tag("tool_reference"), needs("tool_name", Text(), "A tool of this request that the search found."), CACHE_CONTROL),
    help="Refers to a deferred tool that a search found.",
    shown=("type", "tool_name"),
)

_TAB = Object(
    "tab",
    (
        needs("tab_id", Text(), "Your ID for the tab."),
        needs("title", Text(), "Title of the page."),
        needs("url", Text(), "URL of the page."),
        Parameter("active", Boolean(), "Whether this is the active tab.", default="false"),
    ),
    shown=("title", "url"),
)


def _download(name: str, *more: Parameter) -> Object:
    members = (
        needs("download_id", Text(), "Your ID for the download."),
        needs("url", Text(), "URL it was downloaded from."),
    )
    return Object(name, (tag(name), *members, *more), shown=("type", "url"))


_STATE_CHANGE = Variants(
    (
        Object("tab_opened", (tag("tab_opened"), needs("tab_id", Text(), "Your ID for the tab.")), shown=("type",)),
        _download("download_started"),
        _download(
            "download_completed",
            Parameter("path", Text(), "Path it was saved to.", nullable=True),
            Parameter("size_bytes", Integer(minimum=0, unit="bytes"), "Size in bytes.", nullable=True),
        ),
        _download("download_failed", Parameter("error", Text(), "Why the download failed.", nullable=True)),
    )
)

BROWSER_STATE_BLOCK = Object(
    "browser_state",
    (
        tag("browser_state"),
        Parameter("tabs", ListOf(_TAB, noun="tab"), "All open tabs.", required=True),
        Parameter(
            "state_changes", ListOf(_STATE_CHANGE, noun="change"), "What happened since the last result.", nullable=True
        ),
        CACHE_CONTROL,
    ),
    help="State of the browser after the call. One per result.",
    shown=("type", "tabs"),
)

RESULT_BLOCK = Variants(
    (TEXT_BLOCK, IMAGE_BLOCK, DOCUMENT_BLOCK, SEARCH_RESULT_BLOCK, TOOL_REFERENCE_BLOCK, BROWSER_STATE_BLOCK)
)

TOOL_RESULT_BLOCK = Object(
    "tool_result",
    (
        tag("tool_result"),
        needs("tool_use_id", Text(), "ID of the tool_use block this is the result of."),
        Parameter(
            "content",
            OneOf((Text(multiline=True), ListOf(RESULT_BLOCK, noun="block"))),
            "Output of the tool: text, or a list of blocks.",
        ),
        Parameter("is_error", Boolean(), "Whether the tool failed.", default="false", initial=True),
        Parameter("toolset_name", Text(), "The toolset_name of the call.", nullable=True, rare=True),
        CACHE_CONTROL,
    ),
    help="The result of one of your tools.",
    shown=("type", "content"),
)

_MODEL_OF_FALLBACK = Object("model", (needs("model", Text(), "ID of the model."),), shown=("model",))

_MCP_TOOL = Object(
    "tool",
    (
        needs("name", Text(), "Name of the tool."),
        Parameter("input_schema", JsonSchema(), "JSON Schema of the input.", required=True),
        Parameter("description", Text(multiline=True), "What the tool does.", nullable=True),
    ),
    shown=("name", "description"),
)


def _reference(name: str, *members: Parameter) -> Object:
    return Object(name, (tag(name), *members), shown=("type", "server_name", "name"))


_TOOL_NAME = needs("name", Text(), "Name of the tool.")
_SERVER_NAME = needs("server_name", Text(), "Name of the server in mcp_servers.")
_REMOVABLE = (
    _reference("tool_reference", _TOOL_NAME),
    _reference("mcp_tool_reference", _SERVER_NAME, _TOOL_NAME),
    _reference("mcp_toolset_reference", _SERVER_NAME),
)
_DEFINITION = Object(
    "tool_definition",
    (tag("tool_definition"), Parameter("definition", TOOL, "A tool, defined as in tools.", required=True)),
    betas=("inline-tools-2026-09-15",),
    shown=("definition",),
)

TOOL_ADDITION_BLOCK = Object(
    "tool_addition",
    (
        tag("tool_addition"),
        Parameter(
            "tool", Variants((*_REMOVABLE, _DEFINITION)), "The tool that becomes available from here on.", required=True
        ),
        CACHE_CONTROL,
    ),
    help="Makes one more tool available from here on.",
    betas=MID_CONVERSATION_TOOLS,
    shown=("type", "tool"),
)

TOOL_REMOVAL_BLOCK = Object(
    "tool_removal",
    (
        tag("tool_removal"),
        Parameter("tool", Variants(_REMOVABLE), "The tool that is no longer available.", required=True),
        CACHE_CONTROL,
    ),
    help="Removes a tool from here on.",
    betas=MID_CONVERSATION_TOOLS,
    shown=("type", "tool"),
)

BETA_BLOCKS = (
    Object(
        "compaction",
        (
            tag("compaction"),
            Parameter("content", Text(multiline=True), "The summary.", nullable=True),
            Parameter("encrypted_content", Text(), "Send it back unchanged.", nullable=True),
            Parameter("signature", Text(), "Send it back unchanged.", nullable=True),
            Parameter(
                "tool_changes",
                ListOf(Variants((TOOL_ADDITION_BLOCK, TOOL_REMOVAL_BLOCK)), noun="change"),
                "Tool changes covered by the summary.",
                nullable=True,
            ),
            CACHE_CONTROL,
        ),
        help="A summary that replaces everything before it.",
        betas=("compact-2026-09-04", "compact-2026-01-12"),
        shown=("type", "content"),
    ),
    Object(
        "fallback",
        (
            tag("fallback"),
            Parameter("from", _MODEL_OF_FALLBACK, "The model that declined or failed.", required=True),
            Parameter("to", _MODEL_OF_FALLBACK, "The model that took over.", required=True),
            Parameter("trigger", AnyJson(), "Why the model changed."),
        ),
        help="Marks where another model took over.",
        betas=("server-side-fallback-2026-07-01", "server-side-fallback-2026-06-01"),
        shown=("type", "from", "to"),
    ),
    Object(
        "mcp_tool_listing",
        (
            tag("mcp_tool_listing"),
            needs("mcp_server_name", Text(), "Name of the server in mcp_servers."),
            Parameter("tools", ListOf(_MCP_TOOL, noun="tool"), "Tools listed by the server.", required=True),
        ),
        help="Tools listed by an MCP server.",
        betas=("mcp-client-2026-09-15", "mcp-client-2025-11-20"),
        shown=("type", "mcp_server_name"),
    ),
    TOOL_ADDITION_BLOCK,
    TOOL_REMOVAL_BLOCK,
)

CONTENT_BLOCK = Variants(
    (
        TEXT_BLOCK,
        IMAGE_BLOCK,
        DOCUMENT_BLOCK,
        TOOL_RESULT_BLOCK,
        SEARCH_RESULT_BLOCK,
        TOOL_USE_BLOCK,
        THINKING_BLOCK,
        REDACTED_THINKING_BLOCK,
        *SERVER_BLOCKS,
        *BETA_SERVER_BLOCKS,
        *BETA_BLOCKS,
    )
)

CONTENT = OneOf((Text(multiline=True), ListOf(CONTENT_BLOCK, noun="block")))


def _message(role: str, content: Parameter, *more: Parameter, help_text: str) -> Object:
    members = (Parameter("role", Constant(role), "Who wrote the message.", required=True), content, *more)
    return Object(role, members, help=help_text, shown=("content",))


_CONTENT = Parameter("content", CONTENT, "Text, or a list of blocks.", required=True)

USER_MESSAGE = _message("user", _CONTENT, help_text="Your message, with the results of your tools.")
ASSISTANT_MESSAGE = _message("assistant", _CONTENT, help_text="A message from the model.")
SYSTEM_MESSAGE = _message(
    "system",
    Parameter(
        "content",
        OneOf(
            (
                Text(multiline=True),
                ListOf(Variants((TEXT_BLOCK, TOOL_ADDITION_BLOCK, TOOL_REMOVAL_BLOCK)), noun="block"),
            )
        ),
        "Instructions from here on. Optional with the beta that changes the effort.",
        initial="",
    ),
    Parameter(
        "clear_at",
        Choice(("next_user_message", "never")),
        "When these instructions end.",
        nullable=True,
        betas=("mid-conversation-system-clear-at-2026-08-21",),
        rare=True,
    ),
    Parameter(
        "output_config",
        Object("output_config", (EFFORT,), shown=("effort",)),
        "Changes the effort from here on.",
        nullable=True,
        betas=("mid-conversation-output-config-2026-07-01",),
        rare=True,
    ),
    help_text="Instructions in the middle of the conversation. Not every model supports them.",
)

MESSAGE = Variants((USER_MESSAGE, ASSISTANT_MESSAGE, SYSTEM_MESSAGE), tag="role")
MESSAGES = ListOf(MESSAGE, noun="message", minimum=1, maximum=100_000)
