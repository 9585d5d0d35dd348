"""The client toolsets: one entry of `tools` that stands for many tools with fixed names."""

from playground.protocol.catalogue.caching import CACHE_CONTROL
from playground.protocol.catalogue.kinds import Boolean, Object, Parameter
from playground.protocol.catalogue.sources import tag

COMPUTER_MEMBERS = (
    "cursor_position",
    "double_click",
    "hold_key",
    "key",
    "left_click",
    "left_click_drag",
    "left_mouse_down",
    "left_mouse_up",
    "middle_click",
    "mouse_move",
    "right_click",
    "screenshot",
    "scroll",
    "triple_click",
    "type",
    "wait",
    "zoom",
)

BROWSER_MEMBERS = (
    *(name for name in COMPUTER_MEMBERS if name != "cursor_position"),
    "close_tab",
    "file_upload",
    "find",
    "form_input",
    "get_page_text",
    "hover",
    "javascript_exec",
    "list_tabs",
    "navigate",
    "new_tab",
    "read_console",
    "read_network",
    "read_page",
    "scroll_to",
    "switch_tab",
)

_CONFIG = Object(
    "config",
    (
        Parameter("enabled", Boolean(), "Whether the model can use it.", nullable=True, default="true"),
        Parameter(
            "defer_loading",
            Boolean(),
            "Keep it out of the prompt until a tool search finds it. The same for all members in use.",
            nullable=True,
            default="false",
        ),
    ),
    shown=("enabled", "defer_loading"),
)


def _toolset(version: str, members: tuple[str, ...], help_text: str) -> Object:
    configs = Object("configs", tuple(Parameter(name, _CONFIG, nullable=True, rare=True) for name in members))
    return Object(
        version,
        (
            tag(version),
            Parameter("configs", configs, "Turns single members on or off.", nullable=True),
            CACHE_CONTROL,
        ),
        help=help_text,
        shown=("type",),
    )


COMPUTER_TOOLSET = _toolset(
    "computer_toolset_20260801",
    COMPUTER_MEMBERS,
    "Mouse, keyboard and screen. You run the actions and send the results.",
)
BROWSER_TOOLSET = _toolset(
    "browser_toolset_20260801", BROWSER_MEMBERS, "A browser. You run the actions and send the results."
)
TOOLSET_MEMBERS = {"computer_toolset_20260801": COMPUTER_MEMBERS, "browser_toolset_20260801": BROWSER_MEMBERS}
