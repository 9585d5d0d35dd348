"""Rules of `tools`, `tool_choice` and `mcp_servers`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playground.protocol.catalogue.toolsets import TOOLSET_MEMBERS
from playground.protocol.rules.problems import Edit, Problem, Repair, shown
from playground.protocol.rules.request_view import RequestView, Tool
from playground.protocol.rules.tool_schemas import ExampleCheck, schema_problems

_NAME = re.compile(r"[A-Za-z0-9_-]+")
SHORTER_NAME_LIMIT = 64
MCP_WITH_TOOLSETS = "mcp-client-2025-11-20"


def tool_rules(request: RequestView) -> Iterator[Problem]:
    """Yield the problems of the tools and of how one is chosen."""
    example_check = ExampleCheck()
    for tool in request.tools:
        yield from _custom_name(tool)
        yield from _domains(tool)
        yield from _same_deferral(tool)
        if tool.type == "custom":
            yield from schema_problems(tool, example_check)
    yield from _unique_names(request)
    yield from _choice(request)
    yield from _deferral(request)
    yield from _mcp(request)


def _custom_name(tool: Tool) -> Iterator[Problem]:
    if tool.type != "custom" or not tool.name:
        return
    place = (*tool.path, "name")
    if not _NAME.fullmatch(tool.name):
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", tool.name).strip("_")
        repair = Repair(f"Rename it to {shown(plain)}", (("set", place, plain),)) if plain else None
        yield Problem(place, "A tool name may contain only letters, digits, _ and -", repair=repair)
    elif len(tool.name) > SHORTER_NAME_LIMIT:
        message = f"Some servers refuse names longer than {SHORTER_NAME_LIMIT} characters"
        yield Problem(place, message, "warning")


def _unique_names(request: RequestView) -> Iterator[Problem]:
    seen: set[str] = set()
    for tool in request.tools:
        if tool.name and tool.name in seen:
            yield Problem((*tool.path, "name"), "Another tool already has this name")
        elif tool.name:
            seen.add(tool.name)


def _domains(tool: Tool) -> Iterator[Problem]:
    if tool.members.get("allowed_domains") is not None and tool.members.get("blocked_domains") is not None:
        place = (*tool.path, "blocked_domains")
        repair = Repair("Remove blocked_domains", (("remove", place, None),))
        yield Problem(place, "allowed_domains and blocked_domains cannot be used together", repair=repair)


def _same_deferral(tool: Tool) -> Iterator[Problem]:
    """Check that in a toolset all members that are in use are deferred, or none is."""
    members, configs = TOOLSET_MEMBERS.get(tool.type), tool.members.get("configs")
    if members is None or not isinstance(configs, dict):
        return
    own = [configs[name] for name in members if isinstance(configs.get(name), dict)]
    in_use = [config for config in own if config.get("enabled") is not False]
    deferred = [config for config in in_use if config.get("defer_loading") is True]
    off = len(own) - len(in_use)
    if deferred and len(deferred) != len(members) - off:
        message = "defer_loading must be the same for every member in use"
        yield Problem((*tool.path, "configs"), message)


def _choice(request: RequestView) -> Iterator[Problem]:
    kind, choice = request.part_type("tool_choice"), request.part("tool_choice")
    if kind in ("auto", "any", "tool") and not request.tools and not request.body.get("mcp_servers"):
        repair = Repair("Remove tool_choice", (("remove", ("tool_choice",), None),))
        if not request.continues_a_thread:
            yield Problem(("tool_choice",), "tool_choice needs tools", repair=repair)
        return
    name = choice.get("name")
    if kind == "tool" and isinstance(name, str) and _knows_all_names(request) and name not in _names(request):
        names = [tool.name for tool in request.tools if tool.name]
        place = ("tool_choice", "name")
        repair_name = Repair(f"Choose {shown(names[0])}", (("set", place, names[0]),)) if len(names) == 1 else None
        yield Problem(place, "No tool has this name", repair=repair_name)


def _knows_all_names(request: RequestView) -> bool:
    """Return whether every tool's name is in the body: not those of MCP servers, of a thread, or added on the way."""
    if request.body.get("mcp_servers") or request.continues_a_thread:
        return False
    return bool(request.tools) and not any(turn.has("tool_addition") for turn in request.turns)


def _names(request: RequestView) -> set[str]:
    names = {tool.name for tool in request.tools if tool.name}
    return names.union(*(TOOLSET_MEMBERS.get(tool.type, ()) for tool in request.tools))


def _deferral(request: RequestView) -> Iterator[Problem]:
    deferred = [tool for tool in request.tools if _is_deferred(tool)]
    if request.tools and len(deferred) == len(request.tools):
        place = (*deferred[0].path, "defer_loading")
        repair = Repair("Do not defer the first tool", (("remove", place, None),)) if _is_own(deferred[0]) else None
        yield Problem(deferred[0].path, "At least one tool must not be deferred", repair=repair)
    searches = [tool for tool in request.tools if tool.type.startswith("tool_search_tool_")]
    if searches and not deferred:
        yield Problem(searches[0].path, "A tool search needs at least one tool with defer_loading")


def _is_own(tool: Tool) -> bool:
    return tool.members.get("defer_loading") is True


def _is_deferred(tool: Tool) -> bool:
    """Return whether the model does not see the tool at first; a toolset counts when its members are deferred."""
    if _is_own(tool):
        return True
    configs, default = tool.members.get("configs"), tool.members.get("default_config")
    parts = [*(configs.values() if isinstance(configs, dict) else ()), default]
    return any(isinstance(part, dict) and part.get("defer_loading") is True for part in parts)


def _mcp(request: RequestView) -> Iterator[Problem]:
    servers = request.body.get("mcp_servers")
    listed = [server for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
    names = [server["name"] for server in listed if isinstance(server.get("name"), str)]
    used = set()
    for tool in request.tools:
        server_name = tool.members.get("mcp_server_name") if tool.type == "mcp_toolset" else None
        if isinstance(server_name, str):
            used.add(server_name)
            if server_name not in names:
                yield Problem((*tool.path, "mcp_server_name"), "No server in mcp_servers has this name")
    if MCP_WITH_TOOLSETS in request.betas:
        yield from _servers_without_toolset(request, names, used)


def _servers_without_toolset(request: RequestView, names: list[str], used: set[str]) -> Iterator[Problem]:
    tools = request.body.get("tools")
    for index, name in enumerate(names):
        if name not in used:
            toolset = {"type": "mcp_toolset", "mcp_server_name": name}
            edit: Edit = ("set", ("tools",), [*(tools if isinstance(tools, list) else ()), toolset])
            message = "This server needs an mcp_toolset in tools"
            yield Problem(("mcp_servers", index), message, repair=Repair("Add its toolset", (edit,)))
