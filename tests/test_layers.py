"""Imports go one way, from the pages down to the protocol. This reads the import lines and says which do not."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the bottom up. A module may import from its own line and from the lines above it in this list.
LAYERS = [
    ["playground.exceptions"],
    ["playground.protocol"],
    ["playground.sandbox", "playground.sessions"],
    ["playground.engine"],
    ["playground.conformance"],
    [
        "playground.identity",
        "playground.rendering",
        "playground.search",
        "playground.configuration",
        "playground.databases",
        "playground.logging_filters",
        "playground.workers",
    ],
    ["playground.metrics"],
    ["playground.models"],
    ["playground.cluster"],
    ["playground.attachments", "playground.recording", "playground.export"],
    ["playground.composer", "playground.dispatch", "playground.answer"],
    ["playground.conversations", "playground.reports"],
    ["playground.drafts", "playground.sharing"],
    ["playground.request_log", "playground.session_log"],
    ["playground.templatetags", "playground.relay"],
    ["playground.sockets", "playground.views", "playground.admin", "playground.middleware"],
    ["playground.urls"],
    ["playground.serving", "playground.asgi"],
    ["playground.management"],
]
# What Django itself reads.
WITHOUT_A_LAYER = {f"playground.{name}" for name in ("__init__", "__main__", "command_line", "settings", "apps")}
WITHOUT_DJANGO = {
    "playground.protocol": {"jsonschema", "yaml", "referencing", "brotli", "backports", "compression"},
    "playground.sandbox": {"httpx", "jsonschema"},
    "playground.conformance": {"httpx", "jsonschema"},
    "playground.sessions": set(),
    "playground.engine": {"httpx", "httpx_aiohttp", "aiohttp", "httpcore", "anyio", "h11", "uuid_utils", "yarl"},
}


def modules() -> list[tuple[str, Path]]:
    files = [path for package in ("playground", "accounts") for path in (ROOT / package).rglob("*.py")]
    return sorted((".".join(path.relative_to(ROOT).with_suffix("").parts), path) for path in files)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path, *, at_run_time_only: bool = False) -> set[str]:
    """The modules a file names in its import lines, wherever they stand in the file."""
    names: set[str] = set()
    tree = tree_of(path)
    skipped = set(_type_checking_lines(tree)) if at_run_time_only else set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{path}: a relative import hides where it goes")
    return names


def _type_checking_lines(tree: ast.Module) -> list[int]:
    guarded = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    return [id(inner) for node in guarded for inner in ast.walk(node)]


def layer_of(module: str) -> int | None:
    for number, names in enumerate(LAYERS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return number
    return None


def test_a_module_imports_only_what_lies_below_it() -> None:
    above: dict[str, set[str]] = {}
    for module, path in modules():
        own = layer_of(module)
        if own is not None:
            above[module] = {name for name in imports(path) if (layer := layer_of(name)) is not None and layer > own}
    assert {module: names for module, names in above.items() if names} == {}


def test_every_module_has_a_layer() -> None:
    without = [module for module, _ in modules() if layer_of(module) is None and module not in WITHOUT_A_LAYER]
    assert [module for module in without if not module.startswith("accounts.") and ".migrations." not in module] == []


def test_accounts_do_not_know_the_playground() -> None:
    named = {module: imports(path) for module, path in modules() if module.startswith("accounts.")}
    assert named
    assert [
        module for module, names in named.items() if any(name.split(".")[0] == "playground" for name in names)
    ] == []


def test_protocol_sandbox_and_engine_take_values_not_settings() -> None:
    foreign: dict[str, set[str]] = {}
    for module, path in modules():
        for package, more in WITHOUT_DJANGO.items():
            if module == package or module.startswith(f"{package}."):
                allowed = sys.stdlib_module_names | more | {"playground"}
                foreign[module] = {name for name in imports(path) if name.split(".")[0] not in allowed}
    assert len(foreign) > len(WITHOUT_DJANGO)
    assert {module: names for module, names in foreign.items() if names} == {}


def test_the_protocol_can_be_imported_without_django() -> None:
    code = (
        "import sys, playground.protocol.stream.sse, playground.protocol.catalogue.parameters, "
        "playground.sandbox.transport, "
        "playground.engine.exchange; sys.exit('django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# Django calls ready() when it is ready; commands load the application once its settings and folders are checked; and a
# worker is forked out of a process that has loaded little.
MAY_IMPORT_LATER = {
    "accounts.apps",
    "playground.apps",
    "playground.management.commands.check_endpoint",
    "playground.management.commands.serve",
    "playground.workers.pool",
}


def test_no_import_hides_inside_a_function() -> None:
    hidden: dict[str, set[str | None]] = {}
    for module, path in modules():
        functions = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        inner = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
        hidden[module] = {n.module for n in inner if (n.module or "").split(".")[0] in {"playground", "accounts"}}
    assert {module: names for module, names in hidden.items() if names and module not in MAY_IMPORT_LATER} == {}
