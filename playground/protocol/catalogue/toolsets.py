"""The client toolsets: one entry of `tools` that stands for many tools with fixed names."""

from playground.protocol.caching import CACHE_CONTROL
from playground.protocol.kinds import Boolean, Object, Parameter
from playground.protocol.sources import tag

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
            "Left out until a tool search finds it; the same for all members in use.",
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
            Parameter("configs", configs, "Switches single members on or off.", nullable=True),
            CACHE_CONTROL,
        ),
        help=help_text,
        shown=("type",),
    )


COMPUTER_TOOLSET = _toolset(
    "computer_toolset_20260801", COMPUTER_MEMBERS, "Mouse, keyboard and screen; you do it and send the result."
)
BROWSER_TOOLSET = _toolset("browser_toolset_20260801", BROWSER_MEMBERS, "A browser; you drive it and send the result.")
TOOLSET_MEMBERS = {"computer_toolset_20260801": COMPUTER_MEMBERS, "browser_toolset_20260801": BROWSER_MEMBERS}
