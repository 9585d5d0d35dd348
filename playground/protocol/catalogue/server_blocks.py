"""The blocks that server tools leave in an answer, and that go back in the next request."""

from playground.protocol.catalogue.caching import CACHE_CONTROL
from playground.protocol.catalogue.kinds import (
    AnyJson,
    Boolean,
    Choice,
    Integer,
    Kind,
    ListOf,
    Object,
    OneOf,
    Parameter,
    Text,
    Variants,
)
from playground.protocol.catalogue.sources import DOCUMENT_BLOCK, TEXT_BLOCK, needs, tag

MCP_BETAS = ("mcp-client-2025-11-20", "mcp-client-2026-09-15", "mcp-client-2025-04-04")
ADVISOR_BETAS = ("advisor-tool-2026-03-01",)

SERVER_TOOL_NAMES = (
    "web_search",
    "web_fetch",
    "code_execution",
    "bash_code_execution",
    "text_editor_code_execution",
    "tool_search_tool_regex",
    "tool_search_tool_bm25",
    "advisor",
)

_CALLING_TOOL = needs("tool_id", Text(), "ID of the code execution that made the call.")

CALLER = Parameter(
    "caller",
    Variants(
        (
            Object("direct", (tag("direct"),), help="Called by the model.", shown=("type",)),
            Object("code_execution_20250825", (tag("code_execution_20250825"), _CALLING_TOOL), shown=("type",)),
            Object("code_execution_20260120", (tag("code_execution_20260120"), _CALLING_TOOL), shown=("type",)),
        )
    ),
    "Who made the call: the model, or code it ran.",
    rare=True,
)

_TOOL_USE_ID = needs("tool_use_id", Text(), "ID of the call this is the result of.")
_PLAIN_ERRORS = ("invalid_tool_input", "unavailable", "too_many_requests", "execution_time_exceeded")


def _error(name: str, codes: tuple[str, ...], *more: Parameter) -> Object:
    code = Parameter("error_code", Choice(codes, is_open=True), "Error code.", required=True)
    return Object(name, (tag(name), code, *more), help="The tool failed.", shown=("type", "error_code"))


def _result_block(
    name: str,
    content: Kind,
    *more: Parameter,
    betas: tuple[str, ...] = (),
    help_text: str,
) -> Object:
    members = (
        tag(name),
        _TOOL_USE_ID,
        Parameter("content", content, "Result of the tool.", required=True),
        *more,
        CACHE_CONTROL,
    )
    return Object(name, members, help=help_text, betas=betas, shown=("type", "content"))


_ERROR_MESSAGE = Parameter("error_message", Text(), "Error message.", nullable=True)

SERVER_TOOL_USE_BLOCK = Object(
    "server_tool_use",
    (
        tag("server_tool_use"),
        Parameter("id", Text(), "ID of this call. Its result refers to it.", required=True, initial="srvtoolu_01"),
        Parameter("name", Choice(SERVER_TOOL_NAMES, is_open=True), "Name of the server tool.", required=True),
        Parameter("input", AnyJson(must_be_object=True), "Arguments of the call.", required=True),
        CALLER,
        CACHE_CONTROL,
    ),
    help="A call of a tool that runs on the server.",
    shown=("type", "name", "input"),
)

_WEB_SEARCH_RESULT = Object(
    "web_search_result",
    (
        tag("web_search_result"),
        needs("url", Text(), "URL of the page."),
        needs("title", Text(), "Title of the page."),
        needs("encrypted_content", Text(), "Content of the page for the model. Send it back unchanged."),
        Parameter("page_age", Text(), "Age of the page.", nullable=True),
    ),
    shown=("title", "url"),
)

WEB_SEARCH_TOOL_RESULT_BLOCK = _result_block(
    "web_search_tool_result",
    OneOf(
        (
            ListOf(Variants((_WEB_SEARCH_RESULT,)), noun="result"),
            Variants(
                (
                    _error(
                        "web_search_tool_result_error",
                        (
                            "invalid_tool_input",
                            "unavailable",
                            "max_uses_exceeded",
                            "too_many_requests",
                            "query_too_long",
                            "request_too_large",
                        ),
                    ),
                )
            ),
        )
    ),
    CALLER,
    help_text="Results of a web search.",
)

WEB_FETCH_TOOL_RESULT_BLOCK = _result_block(
    "web_fetch_tool_result",
    Variants(
        (
            Object(
                "web_fetch_result",
                (
                    tag("web_fetch_result"),
                    needs("url", Text(), "URL that was fetched."),
                    Parameter("content", Variants((DOCUMENT_BLOCK,)), "The page as a document.", required=True),
                    Parameter("retrieved_at", Text(), "When it was fetched, ISO 8601.", nullable=True),
                ),
                shown=("url",),
            ),
            _error(
                "web_fetch_tool_result_error",
                (
                    "invalid_tool_input",
                    "url_too_long",
                    "url_not_allowed",
                    "url_not_in_prior_context",
                    "url_not_accessible",
                    "unsupported_content_type",
                    "too_many_requests",
                    "max_uses_exceeded",
                    "unavailable",
                    "content_too_large",
                ),
            ),
        )
    ),
    CALLER,
    help_text="A fetched page.",
)


def _output_files(name: str) -> Parameter:
    file = Object(name, (tag(name), needs("file_id", Text(), "ID of the file.")), shown=("file_id",))
    return Parameter("content", ListOf(Variants((file,)), noun="file"), "Files created by the code.", required=True)


def _execution(name: str, stdout: str, output: str) -> Object:
    members = (
        tag(name),
        needs(stdout, Text(multiline=True), "Standard output."),
        needs("stderr", Text(multiline=True), "Standard error."),
        Parameter("return_code", Integer(), "Exit status. 0 is success.", required=True),
        _output_files(output),
    )
    return Object(name, members, shown=("type", "return_code"))


CODE_EXECUTION_TOOL_RESULT_BLOCK = _result_block(
    "code_execution_tool_result",
    Variants(
        (
            _execution("code_execution_result", "stdout", "code_execution_output"),
            _execution("encrypted_code_execution_result", "encrypted_stdout", "code_execution_output"),
            _error("code_execution_tool_result_error", _PLAIN_ERRORS),
        )
    ),
    help_text="Output of code that ran on the server.",
)

BASH_CODE_EXECUTION_TOOL_RESULT_BLOCK = _result_block(
    "bash_code_execution_tool_result",
    Variants(
        (
            _execution("bash_code_execution_result", "stdout", "bash_code_execution_output"),
            _error("bash_code_execution_tool_result_error", (*_PLAIN_ERRORS, "output_file_too_large")),
        )
    ),
    help_text="Output of a shell command on the server.",
)


def _line_count(name: str) -> Parameter:
    return Parameter(name, Integer(minimum=0), nullable=True)


_EDITOR = "text_editor_code_execution"

TEXT_EDITOR_CODE_EXECUTION_TOOL_RESULT_BLOCK = _result_block(
    f"{_EDITOR}_tool_result",
    Variants(
        (
            Object(
                f"{_EDITOR}_view_result",
                (
                    tag(f"{_EDITOR}_view_result"),
                    Parameter("file_type", Choice(("text", "image", "pdf")), "Type of the file.", required=True),
                    needs("content", Text(multiline=True), "Part of the file that was viewed."),
                    _line_count("num_lines"),
                    _line_count("start_line"),
                    _line_count("total_lines"),
                ),
                shown=("type", "content"),
            ),
            Object(
                f"{_EDITOR}_create_result",
                (
                    tag(f"{_EDITOR}_create_result"),
                    Parameter("is_file_update", Boolean(), "Whether the file existed before.", required=True),
                ),
                shown=("type",),
            ),
            Object(
                f"{_EDITOR}_str_replace_result",
                (
                    tag(f"{_EDITOR}_str_replace_result"),
                    _line_count("old_start"),
                    _line_count("old_lines"),
                    _line_count("new_start"),
                    _line_count("new_lines"),
                    Parameter("lines", ListOf(Text(), noun="line"), "The changed lines.", nullable=True),
                ),
                shown=("type",),
            ),
            _error(f"{_EDITOR}_tool_result_error", (*_PLAIN_ERRORS, "file_not_found"), _ERROR_MESSAGE),
        )
    ),
    help_text="Result of an edit of a file on the server.",
)

_FOUND_TOOL = Object(
    "tool_reference",
    (tag("tool_reference"), needs("tool_name", Text(), "Name of a tool in this request."), CACHE_CONTROL),
    shown=("tool_name",),
)

TOOL_SEARCH_TOOL_RESULT_BLOCK = _result_block(
    "tool_search_tool_result",
    Variants(
        (
            Object(
                "tool_search_tool_search_result",
                (
                    tag("tool_search_tool_search_result"),
                    Parameter(
                        "tool_references",
                        ListOf(Variants((_FOUND_TOOL,)), noun="tool"),
                        "Tools that were found.",
                        required=True,
                    ),
                ),
                shown=("tool_references",),
            ),
            _error("tool_search_tool_result_error", _PLAIN_ERRORS, _ERROR_MESSAGE),
        )
    ),
    help_text="Results of a tool search.",
)

SERVER_BLOCKS = (
    SERVER_TOOL_USE_BLOCK,
    WEB_SEARCH_TOOL_RESULT_BLOCK,
    WEB_FETCH_TOOL_RESULT_BLOCK,
    CODE_EXECUTION_TOOL_RESULT_BLOCK,
    BASH_CODE_EXECUTION_TOOL_RESULT_BLOCK,
    TEXT_EDITOR_CODE_EXECUTION_TOOL_RESULT_BLOCK,
    TOOL_SEARCH_TOOL_RESULT_BLOCK,
    Object(
        "container_upload",
        (
            tag("container_upload"),
            needs("file_id", Text(), "ID of a file uploaded with the Files API."),
            CACHE_CONTROL,
        ),
        help="Puts an uploaded file into the code execution container.",
        shown=("type", "file_id"),
    ),
)

_STOP_REASON = Parameter("stop_reason", Text(), "Why the advisor stopped.", nullable=True)

BETA_SERVER_BLOCKS = (
    Object(
        "mcp_tool_use",
        (
            tag("mcp_tool_use"),
            Parameter("id", Text(), "ID of this call. Its result refers to it.", required=True, initial="mcptoolu_01"),
            needs("name", Text(), "Name of the tool."),
            needs("server_name", Text(), "Name of the server in mcp_servers."),
            Parameter("input", AnyJson(must_be_object=True), "Arguments of the call.", required=True),
            CACHE_CONTROL,
        ),
        help="A call of a tool of an MCP server.",
        betas=MCP_BETAS,
        shown=("type", "server_name", "name"),
    ),
    Object(
        "mcp_tool_result",
        (
            tag("mcp_tool_result"),
            _TOOL_USE_ID,
            Parameter(
                "content",
                OneOf((Text(multiline=True), ListOf(TEXT_BLOCK, noun="block"))),
                "Output of the tool: text, or a list of text blocks.",
            ),
            Parameter("is_error", Boolean(), "Whether the tool failed.", default="false", initial=True),
            CACHE_CONTROL,
        ),
        help="The result of a tool of an MCP server.",
        betas=MCP_BETAS,
        shown=("type", "content"),
    ),
    _result_block(
        "advisor_tool_result",
        Variants(
            (
                Object(
                    "advisor_result",
                    (tag("advisor_result"), needs("text", Text(multiline=True), "The advice."), _STOP_REASON),
                    shown=("text",),
                ),
                Object(
                    "advisor_redacted_result",
                    (
                        tag("advisor_redacted_result"),
                        needs("encrypted_content", Text(), "Send it back unchanged."),
                        _STOP_REASON,
                    ),
                    shown=("type",),
                ),
                _error(
                    "advisor_tool_result_error",
                    (
                        "max_uses_exceeded",
                        "prompt_too_long",
                        "too_many_requests",
                        "overloaded",
                        "unavailable",
                        "execution_time_exceeded",
                        "model_not_found",
                    ),
                ),
            )
        ),
        betas=ADVISOR_BETAS,
        help_text="Advice from another model.",
    ),
)
