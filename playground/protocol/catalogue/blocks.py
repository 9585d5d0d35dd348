"""The blocks that make up the content of a message, and the messages themselves."""

from playground.protocol.caching import CACHE_CONTROL
from playground.protocol.kinds import (
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
from playground.protocol.output import EFFORT
from playground.protocol.server_blocks import BETA_SERVER_BLOCKS, CALLER, SERVER_BLOCKS
from playground.protocol.sources import (
    DOCUMENT_BLOCK,
    IMAGE_BLOCK,
    SEARCH_RESULT_BLOCK,
    TEXT_BLOCK,
    needs,
    tag,
)
from playground.protocol.tool_catalogue import TOOL

MID_CONVERSATION_TOOLS = ("mid-conversation-tool-changes-2026-07-01",)

THINKING_BLOCK = Object(
    "thinking",
    (
        tag("thinking"),
        needs("thinking", Text(multiline=True), "What the model thought; sent back unchanged."),
        needs("signature", Text(), "Proof that the thinking is unchanged; an edited one is refused."),
    ),
    help="The model's thinking from an earlier answer. Signed: send it back as it came.",
    roles=("assistant",),
    shown=("thinking",),
)

REDACTED_THINKING_BLOCK = Object(
    "redacted_thinking",
    (tag("redacted_thinking"), needs("data", Text(), "Encrypted thinking; sent back unchanged.")),
    help="Thinking that was encrypted by the API.",
)

TOOL_USE_BLOCK = Object(
    "tool_use",
    (
        tag("tool_use"),
        Parameter("id", Text(), "Names this call; its result repeats it.", required=True, initial="toolu_01"),
        needs("name", Text(), "Name of the tool."),
        Parameter("input", AnyJson(must_be_object=True), "What the tool is called with.", required=True),
        CALLER,
        Parameter("toolset_name", Text(), "The toolset the tool belongs to.", nullable=True, rare=True),
        CACHE_CONTROL,
    ),
    help="The model calls one of your tools.",
    roles=("assistant",),
    shown=("type", "name", "input"),
)

TOOL_REFERENCE_BLOCK = Object(
    "tool_reference",
    (tag("tool_reference"), needs("tool_name", Text(), "A tool of this request that was found."), CACHE_CONTROL),
    help="Points at a deferred tool that a search found.",
    shown=("type", "tool_name"),
)

_TAB = Object(
    "tab",
    (
        needs("tab_id", Text(), "Your id of the tab."),
        needs("title", Text(), "Title of the page in it."),
        needs("url", Text(), "Address of the page in it."),
        Parameter("active", Boolean(), "Whether it is in front.", default="false"),
    ),
    shown=("title", "url"),
)


def _download(name: str, *more: Parameter) -> Object:
    members = (
        needs("download_id", Text(), "Your id of the download."),
        needs("url", Text(), "Where it comes from."),
    )
    return Object(name, (tag(name), *members, *more), shown=("type", "url"))


_STATE_CHANGE = Variants(
    (
        Object("tab_opened", (tag("tab_opened"), needs("tab_id", Text(), "Your id of the tab.")), shown=("type",)),
        _download("download_started"),
        _download(
            "download_completed",
            Parameter("path", Text(), "Where it was saved.", nullable=True),
            Parameter("size_bytes", Integer(minimum=0, unit="bytes"), "How large it is.", nullable=True),
        ),
        _download("download_failed", Parameter("error", Text(), "Why it failed.", nullable=True)),
    )
)

BROWSER_STATE_BLOCK = Object(
    "browser_state",
    (
        tag("browser_state"),
        Parameter("tabs", ListOf(_TAB, noun="tab"), "Every open tab.", required=True),
        Parameter("state_changes", ListOf(_STATE_CHANGE, noun="change"), "What happened since.", nullable=True),
        CACHE_CONTROL,
    ),
    help="What the browser looks like after the call; one in a result.",
    shown=("type", "tabs"),
)

RESULT_BLOCK = Variants(
    (TEXT_BLOCK, IMAGE_BLOCK, DOCUMENT_BLOCK, SEARCH_RESULT_BLOCK, TOOL_REFERENCE_BLOCK, BROWSER_STATE_BLOCK)
)

TOOL_RESULT_BLOCK = Object(
    "tool_result",
    (
        tag("tool_result"),
        needs("tool_use_id", Text(), "The id of the tool_use this answers."),
        Parameter(
            "content",
            OneOf((Text(multiline=True), ListOf(RESULT_BLOCK, noun="block"))),
            "What the tool gave: text, or blocks.",
        ),
        Parameter("is_error", Boolean(), "Whether the tool failed.", default="false", initial=True),
        Parameter("toolset_name", Text(), "Repeats the toolset_name of the call.", nullable=True, rare=True),
        CACHE_CONTROL,
    ),
    help="What one of your tools gave.",
    roles=("user",),
    shown=("type", "content"),
)

_MODEL_OF_FALLBACK = Object("model", (needs("model", Text(), "Id of the model."),), shown=("model",))

_MCP_TOOL = Object(
    "tool",
    (
        needs("name", Text(), "Name of the tool."),
        Parameter("input_schema", JsonSchema(), "What it takes.", required=True),
        Parameter("description", Text(multiline=True), "What it does.", nullable=True),
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
    (tag("tool_definition"), Parameter("definition", TOOL, "A tool as in tools.", required=True)),
    betas=("inline-tools-2026-09-15",),
    shown=("definition",),
)

TOOL_ADDITION_BLOCK = Object(
    "tool_addition",
    (
        tag("tool_addition"),
        Parameter("tool", Variants((*_REMOVABLE, _DEFINITION)), "Which tool can be used from here on.", required=True),
        CACHE_CONTROL,
    ),
    help="From here on the model has one tool more.",
    betas=MID_CONVERSATION_TOOLS,
    shown=("type", "tool"),
)

TOOL_REMOVAL_BLOCK = Object(
    "tool_removal",
    (
        tag("tool_removal"),
        Parameter("tool", Variants(_REMOVABLE), "Which tool can no longer be used.", required=True),
        CACHE_CONTROL,
    ),
    help="From here on the model has one tool less.",
    betas=MID_CONVERSATION_TOOLS,
    shown=("type", "tool"),
)

BETA_BLOCKS = (
    Object(
        "compaction",
        (
            tag("compaction"),
            Parameter("content", Text(multiline=True), "The summary.", nullable=True),
            Parameter("encrypted_content", Text(), "Sent back unchanged.", nullable=True),
            Parameter("signature", Text(), "Sent back unchanged.", nullable=True),
            Parameter(
                "tool_changes",
                ListOf(Variants((TOOL_ADDITION_BLOCK, TOOL_REMOVAL_BLOCK)), noun="change"),
                "The tool changes that the summary swallowed.",
                nullable=True,
            ),
            CACHE_CONTROL,
        ),
        help="A summary that stands for all that came before.",
        betas=("compact-2026-09-04", "compact-2026-01-12"),
        shown=("type", "content"),
    ),
    Object(
        "fallback",
        (
            tag("fallback"),
            Parameter("from", _MODEL_OF_FALLBACK, "The model that gave up.", required=True),
            Parameter("to", _MODEL_OF_FALLBACK, "The model that went on.", required=True),
            Parameter("trigger", AnyJson(), "Why it was changed."),
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
            Parameter("tools", ListOf(_MCP_TOOL, noun="tool"), "The tools it listed.", required=True),
        ),
        help="The tools an MCP server listed.",
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
    members = (Parameter("role", Constant(role), "Who speaks.", required=True), content, *more)
    return Object(role, members, help=help_text, shown=("content",))


_CONTENT = Parameter("content", CONTENT, "What is said: text, or blocks.", required=True)

USER_MESSAGE = _message("user", _CONTENT, help_text="What you say, and the results of your tools.")
ASSISTANT_MESSAGE = _message("assistant", _CONTENT, help_text="What the model said.")
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
        "Instructions from here on. May be left out under the beta for a changed effort.",
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
    help_text="Instructions in the middle of the conversation; not every model takes them.",
)

MESSAGE = Variants((USER_MESSAGE, ASSISTANT_MESSAGE, SYSTEM_MESSAGE), tag="role")
MESSAGES = ListOf(MESSAGE, noun="message", minimum=1, maximum=100_000)
