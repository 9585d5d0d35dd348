"""Everything that can stand in `tools`, and how a tool is chosen. Each version of a server tool is one record."""

from playground.protocol.catalogue.caching import CACHE_CONTROL, CACHE_CONTROL_KIND
from playground.protocol.catalogue.citations import citations_switch
from playground.protocol.catalogue.kinds import (
    AnyJson,
    Boolean,
    Choice,
    Constant,
    Integer,
    JsonSchema,
    ListOf,
    MapOf,
    Object,
    Parameter,
    Text,
    Variants,
)
from playground.protocol.catalogue.known_models import KNOWN_MODELS
from playground.protocol.catalogue.server_blocks import ADVISOR_BETAS, MCP_BETAS
from playground.protocol.catalogue.sources import needs, tag
from playground.protocol.catalogue.toolsets import BROWSER_TOOLSET, COMPUTER_TOOLSET

CALLERS = ("direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521")

# Source: the vendor's tool pages; the longer limit is the newer one.
LONGEST_TOOL_NAME = 128

COMMON_MEMBERS = (
    CACHE_CONTROL,
    Parameter(
        "defer_loading",
        Boolean(),
        "Keep the tool out of the prompt until a tool search finds it.",
        default="false",
        initial=True,
        rare=True,
    ),
    Parameter(
        "strict",
        Boolean(),
        "Guarantees that the input follows the schema.",
        default="false",
        initial=True,
        rare=True,
    ),
    Parameter(
        "allowed_callers",
        ListOf(Choice(CALLERS, is_open=True), noun="caller"),
        "Who may call the tool: the model, or code it runs.",
        rare=True,
    ),
)

INPUT_EXAMPLES = Parameter(
    "input_examples",
    ListOf(AnyJson(must_be_object=True), noun="example"),
    "Example inputs.",
    rare=True,
)

CUSTOM_TOOL = Object(
    "custom",
    (
        Parameter("type", Constant("custom"), "Optional.", nullable=True, rare=True),
        Parameter("name", Text(min_length=1, max_length=LONGEST_TOOL_NAME), "Letters, digits, _ and -.", required=True),
        Parameter("description", Text(multiline=True), "What the tool does and when to use it. Be detailed."),
        Parameter("input_schema", JsonSchema(), "JSON Schema of the input.", required=True),
        INPUT_EXAMPLES,
        Parameter(
            "eager_input_streaming",
            Boolean(),
            "Stream the input as it is generated, without validation.",
            nullable=True,
            default="false",
            initial=True,
            rare=True,
        ),
        *COMMON_MEMBERS,
    ),
    help="One of your own tools.",
    shown=("name", "description"),
)


def _named_tool(
    version: str, name: str, *members: Parameter, help_text: str, betas: tuple[str, ...] = (), rare: bool = False
) -> Object:
    fixed_name = Parameter("name", Constant(name), "Fixed.", required=True)
    return Object(
        version,
        (tag(version), fixed_name, *members, *COMMON_MEMBERS),
        help=help_text,
        betas=betas,
        rare=rare,
        shown=("type",),
    )


_OLD_COMPUTER_USE = ("computer-use-2024-10-22",)

_MAX_USES = Parameter("max_uses", Integer(minimum=1), "Maximum calls per response.", nullable=True, initial=5)
_DOMAINS = ListOf(Text(), noun="domain")
_ALLOWED_DOMAINS = Parameter(
    "allowed_domains", _DOMAINS, "Only these domains. Not together with blocked_domains.", nullable=True
)
_BLOCKED_DOMAINS = Parameter(
    "blocked_domains", _DOMAINS, "Never these domains. Not together with allowed_domains.", nullable=True
)
_RESPONSE_INCLUSION = Parameter(
    "response_inclusion", Choice(("full", "excluded")), "Whether the response includes results that only code used."
)

_USER_LOCATION = Parameter(
    "user_location",
    Variants(
        (
            Object(
                "approximate",
                (
                    tag("approximate"),
                    Parameter("city", Text(), "", nullable=True),
                    Parameter("region", Text(), "", nullable=True),
                    Parameter("country", Text(max_length=2), "Country code, such as DE.", nullable=True),
                    Parameter("timezone", Text(), "IANA time zone, such as Europe/Berlin.", nullable=True),
                ),
                shown=("city", "country"),
            ),
        )
    ),
    "Approximate location of the user, for local results.",
    nullable=True,
)

_SOURCE_TOOLS = Parameter(
    "tools",
    ListOf(
        Object("tool_reference", (tag("tool_reference"), needs("name", Text(), "Name of the tool.")), shown=("name",)),
        noun="tool",
    ),
    "Tools whose results count.",
    required=True,
)
_ALL = Object("all", (tag("all"),), shown=("type",))
_NONE = Object("none", (tag("none"),), shown=("type",))
_SOME_TOOLS = Variants(
    (
        _ALL,
        _NONE,
        Object("only", (tag("only"), _SOURCE_TOOLS), shown=("type", "tools")),
        Object("except", (tag("except"), _SOURCE_TOOLS), shown=("type", "tools")),
    )
)

_FETCH_MEMBERS = (
    _MAX_USES,
    _ALLOWED_DOMAINS,
    _BLOCKED_DOMAINS,
    citations_switch(nullable=True),
    Parameter(
        "max_content_tokens",
        Integer(minimum=1, unit="tokens"),
        "Maximum tokens per page. Longer pages are cut.",
        nullable=True,
        initial=50_000,
    ),
    Parameter(
        "url_sources",
        Object(
            "url_sources",
            (
                Parameter("user_input", Variants((_ALL, _NONE)), "URLs in your messages."),
                Parameter("client_tool_results", _SOME_TOOLS, "URLs in results of your tools."),
                Parameter("server_tool_results", _SOME_TOOLS, "URLs in results of server tools."),
            ),
            shown=("user_input",),
        ),
        "Where URLs to fetch may come from.",
        nullable=True,
        rare=True,
    ),
)
_USE_CACHE = Parameter("use_cache", Boolean(), "Whether a cached copy of the page may be used.", default="true")


def _search(version: str, *more: Parameter) -> Object:
    members = (_MAX_USES, _ALLOWED_DOMAINS, _BLOCKED_DOMAINS, _USER_LOCATION, *more)
    return _named_tool(version, "web_search", *members, help_text="Searches the web.")


def _fetch(version: str, *more: Parameter) -> Object:
    return _named_tool(version, "web_fetch", *_FETCH_MEMBERS, *more, help_text="Reads web pages and PDFs.")


def _computer(version: str, beta: str, *more: Parameter) -> Object:
    pixels = Integer(minimum=1, unit="px")
    members = (
        Parameter("display_width_px", pixels, "Width of the screen in pixels.", required=True, initial=1280),
        Parameter("display_height_px", pixels, "Height of the screen in pixels.", required=True, initial=800),
        Parameter("display_number", Integer(minimum=0), "X11 display.", nullable=True),
        *more,
        INPUT_EXAMPLES,
    )
    return _named_tool(
        version,
        "computer",
        *members,
        help_text="Uses a screen through screenshots. You run the actions and send the results.",
        betas=(beta,),
    )


def _tool_search(version: str, name: str, help_text: str) -> Object:
    return _named_tool(version, name, help_text=help_text)


_ENABLED = Parameter("enabled", Boolean(), "Whether the model can use it.", default="true")
_DEFER = Parameter(
    "defer_loading", Boolean(), "Keep it out of the prompt until a tool search finds it.", default="false"
)
_MCP_CONFIG = Object("config", (_ENABLED, _DEFER), shown=("enabled", "defer_loading"))

_ADVISOR = _named_tool(
    "advisor_20260301",
    "advisor",
    Parameter("model", Text(suggestions=KNOWN_MODELS), "Model that gives the advice.", required=True),
    _MAX_USES,
    Parameter("max_tokens", Integer(minimum=1, unit="tokens"), "Maximum tokens of advice.", nullable=True),
    Parameter("caching", CACHE_CONTROL_KIND, "Cache the advisor's prompt.", nullable=True),
    help_text="Asks another model for advice.",
    betas=ADVISOR_BETAS,
)

_MCP_TOOL = Object(
    "tool",
    (
        needs("name", Text(), "Name of the tool."),
        Parameter("input_schema", JsonSchema(), "JSON Schema of the input.", required=True),
        Parameter("description", Text(multiline=True), "What the tool does.", nullable=True),
    ),
    shown=("name", "description"),
)

MCP_TOOLSET = Object(
    "mcp_toolset",
    (
        tag("mcp_toolset"),
        needs("mcp_server_name", Text(), "Name of the server in mcp_servers."),
        Parameter("default_config", _MCP_CONFIG, "Settings for all tools of the server."),
        Parameter("configs", MapOf(_MCP_CONFIG, noun="tool"), "Settings for single tools, by name.", nullable=True),
        Parameter(
            "tools",
            ListOf(_MCP_TOOL, noun="tool"),
            "Tool definitions to use instead of asking the server.",
            nullable=True,
            rare=True,
        ),
        CACHE_CONTROL,
    ),
    help="Tools of an MCP server.",
    betas=MCP_BETAS,
    shown=("type", "mcp_server_name"),
)

_BASH = "Shell commands. You run them and send the result."
_EDITOR = "Views and edits files. You do it and send the result."
_CODE = "Runs Python and shell commands on the server."
_BY_PATTERN = "Finds deferred tools by a regular expression."
_BY_WORDS = "Finds deferred tools by keywords."

TOOL = Variants(
    (
        CUSTOM_TOOL,
        _search("web_search_20260318", _RESPONSE_INCLUSION),
        _fetch("web_fetch_20260318", _USE_CACHE, _RESPONSE_INCLUSION),
        _named_tool("code_execution_20260521", "code_execution", help_text=_CODE),
        _named_tool("bash_20250124", "bash", INPUT_EXAMPLES, help_text=_BASH),
        _named_tool(
            "text_editor_20250728",
            "str_replace_based_edit_tool",
            Parameter(
                "max_characters",
                Integer(minimum=1),
                "Maximum characters per view. Longer files are cut.",
                nullable=True,
            ),
            INPUT_EXAMPLES,
            help_text=_EDITOR,
        ),
        _named_tool("memory_20250818", "memory", INPUT_EXAMPLES, help_text="Keeps notes in files that you store."),
        COMPUTER_TOOLSET,
        BROWSER_TOOLSET,
        _tool_search("tool_search_tool_regex_20251119", "tool_search_tool_regex", _BY_PATTERN),
        _tool_search("tool_search_tool_bm25_20251119", "tool_search_tool_bm25", _BY_WORDS),
        _tool_search("tool_search_tool_regex", "tool_search_tool_regex", _BY_PATTERN),
        _tool_search("tool_search_tool_bm25", "tool_search_tool_bm25", _BY_WORDS),
        MCP_TOOLSET,
        _ADVISOR,
        _computer("computer_20251124", "computer-use-2025-11-24", Parameter("enable_zoom", Boolean(), default="false")),
        _computer("computer_20250124", "computer-use-2025-01-24"),
        _computer("computer_20241022", "computer-use-2024-10-22"),
        _search("web_search_20260209"),
        _search("web_search_20250305"),
        _fetch("web_fetch_20260309", _USE_CACHE),
        _fetch("web_fetch_20260209"),
        _fetch("web_fetch_20250910"),
        _named_tool("code_execution_20260120", "code_execution", help_text=_CODE),
        _named_tool("code_execution_20250825", "code_execution", help_text=_CODE),
        _named_tool("code_execution_20250522", "code_execution", help_text=_CODE),
        _named_tool("text_editor_20250429", "str_replace_based_edit_tool", INPUT_EXAMPLES, help_text=_EDITOR),
        _named_tool("text_editor_20250124", "str_replace_editor", INPUT_EXAMPLES, help_text=_EDITOR),
        _named_tool(
            "text_editor_20241022", "str_replace_editor", INPUT_EXAMPLES, help_text=_EDITOR, betas=_OLD_COMPUTER_USE
        ),
        _named_tool("bash_20241022", "bash", INPUT_EXAMPLES, help_text=_BASH, betas=_OLD_COMPUTER_USE),
    ),
    untagged="custom",
)

MCP_SERVER = Variants(
    (
        Object(
            "url",
            (
                tag("url"),
                needs("name", Text(), "Name of the server, of your choice."),
                needs("url", Text(), "URL of the server. Must be https."),
                Parameter(
                    "authorization_token", Text(secret=True), "Sent to the server as a bearer token.", nullable=True
                ),
                Parameter(
                    "tool_configuration",
                    Object(
                        "tool_configuration",
                        (
                            Parameter("enabled", Boolean(), "Whether its tools are available.", nullable=True),
                            Parameter("allowed_tools", ListOf(Text(), noun="tool"), "Only these tools.", nullable=True),
                        ),
                        shown=("allowed_tools",),
                    ),
                    "Former way to choose tools. Use an mcp_toolset in tools instead.",
                    nullable=True,
                    betas=("mcp-client-2025-04-04",),
                    rare=True,
                ),
            ),
            shown=("name", "url"),
        ),
    )
)

_ONE_AT_A_TIME = Parameter(
    "disable_parallel_tool_use",
    Boolean(),
    "At most one call per response.",
    default="false",
    initial=True,
)

TOOL_CHOICE = Variants(
    (
        Object("auto", (tag("auto"), _ONE_AT_A_TIME), help="The model decides whether to use a tool.", shown=("type",)),
        Object("any", (tag("any"), _ONE_AT_A_TIME), help="The model must use at least one tool.", shown=("type",)),
        Object(
            "tool",
            (tag("tool"), needs("name", Text(), "Name of the tool."), _ONE_AT_A_TIME),
            help="The model must use this tool.",
            shown=("type", "name"),
        ),
        Object("none", (tag("none"),), help="The model may not use tools.", shown=("type",)),
    )
)
