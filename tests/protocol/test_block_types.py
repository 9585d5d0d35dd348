"""The catalogue of block types: every type has one record, every reader asks it, and none keeps a list of its own."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from playground.answer.block_drawing import BlockDrawing, TailBudget
from playground.answer.server_results import DESCRIPTIONS
from playground.engine.events import Streamed
from playground.metrics.figures import Figures
from playground.protocol.catalogue.block_types import BLOCK_TYPES, DELTA_TYPES, PHASES, block_type, wire_kinds
from playground.protocol.catalogue.blocks import CONTENT_BLOCK, RESULT_BLOCK
from playground.protocol.rules.validation import check
from playground.protocol.stream.accumulator import Accumulator
from playground.protocol.stream.growing_block import GrowingBlock
from playground.protocol.stream.sse import ServerSentEvent
from playground.sessions.digest import digest_of, part_of
from playground.sharing.allow_list import AllowList
from playground.sharing.parts import NAMES
from playground.templatetags.composer_tags import block_icon
from playground.templatetags.icons import icon

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = CONTENT_BLOCK.by_name | RESULT_BLOCK.by_name
every_type = pytest.mark.parametrize("name", sorted(BLOCK_TYPES))


def event(data: dict[str, object]) -> ServerSentEvent:
    return ServerSentEvent(str(data["type"]), json.dumps(data))


def test_every_block_of_the_api_has_a_record_and_every_record_a_block() -> None:
    assert set(BLOCK_TYPES) == set(SCHEMAS)


@every_type
def test_only_members_that_the_block_has_are_shared(name: str) -> None:
    assert set(BLOCK_TYPES[name].shared or ()) <= set(SCHEMAS[name].by_name)


@every_type
def test_a_block_goes_with_a_part_that_a_share_has(name: str) -> None:
    assert BLOCK_TYPES[name].share_part in {None, *NAMES}


@every_type
def test_a_block_with_a_form_of_its_own_has_the_template_for_it(name: str) -> None:
    template = ROOT / f"templates/playground/composer/_block_{name}.html"
    assert template.exists() == BLOCK_TYPES[name].has_own_form


@every_type
def test_the_icon_of_a_block_can_be_drawn(name: str) -> None:
    assert block_icon(SCHEMAS[name]) == BLOCK_TYPES[name].icon
    assert "<svg" in icon(BLOCK_TYPES[name].icon)


@every_type
def test_the_time_of_a_block_counts_as_its_phase(name: str) -> None:
    figures = Figures()
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": name}}
    figures.add(Streamed(10.0, 1, event(start), 1))
    assert list(figures.phases_until(30.0)) == [
        phase for phase in PHASES if phase in {"waiting", block_type(name).phase}
    ]


@every_type
def test_text_goes_into_the_block_or_becomes_one_of_its_own(name: str) -> None:
    accumulator = Accumulator()
    accumulator.add(event({"type": "content_block_start", "index": 0, "content_block": {"type": name}}))
    accumulator.add(event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}))
    takes_text = BLOCK_TYPES[name].deltas is None or "text_delta" in (BLOCK_TYPES[name].deltas or ())
    assert [block.type for block in accumulator.blocks] == ([name] if takes_text else [name, "text"])


@pytest.mark.parametrize("kind", sorted(DELTA_TYPES))
def test_a_delta_without_a_start_makes_the_block_that_it_is_at_home_in(kind: str) -> None:
    accumulator = Accumulator()
    member = DELTA_TYPES[kind].member
    accumulator.add(event({"type": "content_block_delta", "index": 0, "delta": {"type": kind, member: "x"}}))
    assert [block.type for block in accumulator.blocks] == [DELTA_TYPES[kind].home]
    assert kind in (BLOCK_TYPES[DELTA_TYPES[kind].home].deltas or DELTA_TYPES)


@every_type
def test_an_answer_draws_a_block_as_its_record_says(name: str) -> None:
    drawn = BlockDrawing(GrowingBlock(0, 0, {"type": name}), TailBudget())
    assert (drawn.shape, drawn.kind) == (BLOCK_TYPES[name].shape, BLOCK_TYPES[name].wire_kind)
    assert drawn.html


def test_every_result_of_the_servers_own_tools_is_described() -> None:
    assert set(DESCRIPTIONS) == {each.name for each in BLOCK_TYPES.values() if each.shape == "result"}


@pytest.mark.parametrize("role", ["user", "assistant"])
@every_type
def test_the_rules_say_who_may_say_a_block(name: str, role: str) -> None:
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello"}]
    messages.append({"role": role, "content": [{"type": name}]})
    problems = check({"model": "claude-opus-4-1", "max_tokens": 1, "messages": messages})
    refused = [problem for problem in problems if "is only allowed in" in problem.message]
    assert bool(refused) == (bool(BLOCK_TYPES[name].said_by) and role not in BLOCK_TYPES[name].said_by)


@every_type
def test_sharing_leaves_out_a_block_whose_part_is_not_chosen(name: str) -> None:
    type_ = BLOCK_TYPES[name]
    block = {**dict.fromkeys(SCHEMAS[name].by_name, "x"), "type": name}
    everything, nothing = AllowList(NAMES), AllowList(frozenset())
    shared = everything.block(block)
    assert shared is not None
    assert (set(shared) == {"type", *(type_.shared or ())}) == (type_.shared is not None)
    kept = nothing.block(block)
    assert (kept is not None and kept["type"] == name) == (type_.shared is not None and type_.share_part is None)


@every_type
def test_a_session_counts_a_block_as_its_part_of_the_context(name: str) -> None:
    body = {"messages": [{"role": "assistant", "content": [{"type": name}]}]}
    assert part_of(digest_of(body).blocks[0]) == (BLOCK_TYPES[name].context_part or "answers")


def test_a_type_nobody_described_is_judged_by_the_ending_of_its_name() -> None:
    assert block_type("lunar_tool_use").takes_input
    assert block_type("lunar_tool_result").shape == "result"
    assert block_type("lunar_tool_result").shared is None
    assert block_type("moon").shape == "raw"
    assert block_type(["no", "name"]).shape == "raw"


def test_the_scripts_get_their_colours_from_the_catalogue() -> None:
    assert wire_kinds()["blocks"] == {name: each.wire_kind for name, each in BLOCK_TYPES.items()}
    assert "wire_kinds" in (ROOT / "templates/playground/answer/_events.html").read_text()


# --- Nobody keeps a list of his own

# These make or read whole messages of the API and of other formats: they name blocks because they write them.
WRITERS = ("protocol/catalogue", "protocol/importers", "protocol/snippets", "sandbox", "conformance")


def collections_of_types(path: Path) -> list[int]:
    """The lines of literals that hold two types of block or more. `text` and `compaction` are names of members too."""
    names = {*BLOCK_TYPES, *DELTA_TYPES} - {"text", "compaction"}
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        elements: list[ast.expr | None] = []
        if isinstance(node, ast.Set | ast.Tuple | ast.List):
            elements = list(node.elts)
        elif isinstance(node, ast.Dict):
            elements = list(node.keys)
        held = {each.value for each in elements if isinstance(each, ast.Constant) and isinstance(each.value, str)}
        if len(held & names) > 1:
            found.append(node.lineno)
    return found


def test_no_module_has_a_list_of_block_types_of_its_own() -> None:
    modules = [
        path
        for path in (ROOT / "playground").rglob("*.py")
        if not any(part in path.as_posix() for part in WRITERS) and path.name != "server_results.py"
    ]
    lists = {path.name: lines for path in modules if (lines := collections_of_types(path))}
    assert not lists


def test_no_script_names_a_block_type() -> None:
    names = "|".join(sorted({*BLOCK_TYPES, *DELTA_TYPES} - {"text", "image", "document", "thinking", "fallback"}))
    quoted = re.compile(rf"""["'](?:{names})["']""")
    scripts = (ROOT / "static/js").rglob("*.js")
    assert not [path.name for path in scripts if quoted.search(path.read_text())]
