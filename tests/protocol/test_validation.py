"""What is wrong with a body: the place, the words, how bad it is, and the one click that mends it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from playground.protocol.catalogue.kinds import Object, blank
from playground.protocol.catalogue.known_models import KNOWN_MODELS, facts_of
from playground.protocol.catalogue.tools import TOOL
from playground.protocol.json import json_text, paths
from playground.protocol.rules.schema_keywords import schema_mistakes
from playground.protocol.rules.validation import MOST_PROBLEMS, Problem, check, repaired
from tests.protocol.bodies import bodies, json_values, schemas
from tests.protocol.broken_bodies import (
    ERRORS,
    PNG,
    SOUND,
    WARNINGS,
    body,
    image,
    tool,
    turns,
)
from tests.support.examples import examples


def only(problems: list[Problem], place: str, message: str) -> Problem:
    """The one problem there is; a body of this file has one mistake."""
    assert [(problem.place, message in problem.message) for problem in problems] == [(place, True)], problems
    return problems[0]


@pytest.mark.parametrize(("wrong", "place", "message", "arguments"), ERRORS)
def test_what_the_api_refuses_is_an_error_at_its_place(
    wrong: Any, place: str, message: str, arguments: dict[str, Any]
) -> None:
    assert only(check(wrong, **arguments), place, message).severity == "error"


@pytest.mark.parametrize(("wrong", "place", "message", "arguments"), WARNINGS)
def test_what_the_api_may_take_is_a_warning(wrong: Any, place: str, message: str, arguments: dict[str, Any]) -> None:
    assert only(check(wrong, **arguments), place, message).severity == "warning"


@pytest.mark.parametrize(("wrong", "place", "message", "arguments"), ERRORS + WARNINGS)
def test_a_repair_takes_its_problem_away_and_brings_no_other(
    wrong: Any, place: str, message: str, arguments: dict[str, Any]
) -> None:
    problem = only(check(wrong, **arguments), place, message)
    if problem.repair is None:
        return
    before = copy.deepcopy(wrong)
    after = repaired(wrong, problem.repair)
    assert wrong == before
    betas = [*arguments.get("betas", ()), *problem.repair.betas]
    assert check(after, **{**arguments, "betas": betas}) == []


@pytest.mark.parametrize("sound", SOUND)
def test_a_sound_body_has_no_problem(sound: Any) -> None:
    assert check(sound) == []


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_a_body_that_is_no_object_is_one_problem(value: Any) -> None:
    assert [problem.path for problem in check(value)] == [()]


META_SCHEMA = Draft202012Validator(Draft202012Validator.META_SCHEMA)
MANY = examples(300, suppress_health_check=list(HealthCheck))


@given(
    bodies,
    st.sampled_from(["2023-06-01", "2026-10-21", "", "zzz"]),
    st.sampled_from([*KNOWN_MODELS, None]),
    st.none() | st.dictionaries(st.sampled_from(["capabilities", "thinking", "effort", "max_tokens"]), json_values),
)
@MANY
def test_nothing_makes_the_check_raise(value: Any, version: str, model: str | None, capabilities: Any) -> None:
    if isinstance(value, dict) and model is not None:
        value = {**value, "model": model}
    for problem in check(value, version=version, capabilities=capabilities):
        # Whatever was in the body, the words can be put on a page.
        assert problem.message.encode().isascii() or problem.message.isprintable()
        assert paths.parse_path(problem.place) == problem.path
        if problem.repair is not None:
            assert problem.repair.label.isprintable()
            json_text.dump(repaired(value, problem.repair))


@given(schemas, json_values)
@MANY
def test_no_schema_makes_the_check_raise(schema: Any, example: Any) -> None:
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    check(body(tools=[tool(input_schema=schema, input_examples=[example], strict=True)], output_config=wanted))


@pytest.mark.slow
@given(schemas)
@MANY
def test_what_is_json_schema_is_what_its_own_meta_schema_says(schema: Any) -> None:
    # An older draft has words that the newest does not.
    if "$schema" not in schema:
        by_its_meta_schema = list(META_SCHEMA.iter_errors(schema))
        assert bool(list(schema_mistakes(schema))) == bool(by_its_meta_schema), by_its_meta_schema


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}], "additionalItems": False},
        {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True},
    ],
)
def test_a_schema_that_names_an_older_draft_may_use_its_words(schema: Any) -> None:
    assert list(schema_mistakes(schema)) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"pattern": "(x+x+)+y"}}},
        {"type": "object", "patternProperties": {"(x+x+)+y": {}}},
        {"type": "object", "properties": {"a": {"$ref": "https://a.example/schema.json"}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "$ref": "#"},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/0"}},
            "$defs": {
                str(depth): {"allOf": [{"$ref": f"#/$defs/{depth + 1}"}] * 2} if depth < 40 else {}
                for depth in range(41)
            },
        },
    ],
)
def test_a_schema_made_to_hurt_does_not(schema: dict[str, Any]) -> None:
    # The suite's time limit is the assertion: each of these runs for ever, or calls out, when it is taken at its word.
    check(body(tools=[tool(input_schema=schema, input_examples=[{"a": "x" * 60, "x" * 60: 1}])]))


def test_a_list_full_of_mistakes_is_cut() -> None:
    assert len(check(body(stop_sequences=[5] * 1000))) == MOST_PROBLEMS


def test_a_deep_body_is_checked_without_running_out_of_stack() -> None:
    deep: Any = {"type": "object"}
    for _ in range(90):
        deep = {"type": "object", "properties": {"a": deep}}
    check(body(tools=[tool(input_schema=deep)]))


def test_base64_is_not_read_through() -> None:
    # A string that would be refused further on: only its start is looked at.
    assert check(turns([image(data=PNG + "*")])) == []


@pytest.mark.parametrize("variant", TOOL.variants, ids=lambda variant: variant.name)
def test_every_tool_of_the_catalogue_as_it_is_added_asks_only_for_what_a_person_must_fill_in(variant: Object) -> None:
    problems = check(body(tools=[blank(variant), tool("other", defer_loading=True)]), betas=variant.betas)
    assert all("Must not be empty" in problem.message or "No server" in problem.message for problem in problems)


def test_facts_are_found_for_dated_ids_and_capabilities_go_before_them() -> None:
    assert facts_of("claude-opus-4-5-20251101") == facts_of("claude-opus-4-5")
    assert facts_of("claude-opus-4-6-20260101") == facts_of("claude-opus-4-6")
    assert facts_of("llama3") is None
    told = json.loads('{"effort": {"supported": true, "low": {"supported": true}}, "thinking": {"supported": false}}')
    facts = facts_of("claude-opus-4-6", told)
    assert facts is not None
    assert facts.efforts == {"low"}
    assert facts.thinking == {"disabled"}
    assert facts.context_tokens == 1_000_000
