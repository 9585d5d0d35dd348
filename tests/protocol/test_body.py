"""The form over a body: what comes back unchanged changes nothing, what is typed means what it says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given

from playground.protocol import body as bodies
from playground.protocol.body import apply, control_text, convert, form_values, switch_variant
from playground.protocol.catalogue.kinds import accepts, blank, control, summary
from playground.protocol.catalogue.parameters import BODY, find
from playground.protocol.catalogue.sources import DOCUMENT_SOURCE
from playground.protocol.catalogue.tools import TOOL
from playground.protocol.json.json_text import dump, parse
from playground.protocol.json.paths import MISSING, get, parse_path
from playground.protocol.rules.problems import Problem
from tests.protocol.bodies import bodies as any_body
from tests.support.examples import examples

MANY = examples(200, suppress_health_check=list(HealthCheck))


@given(any_body)
@MANY
def test_a_form_that_comes_back_as_it_was_drawn_gives_the_same_body(body: Any) -> None:
    # Browsers send every line end as CRLF.
    values = [
        (place, text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n"))
        for place, text in form_values(body)
    ]
    after, problems = apply(body, values)
    assert problems == []
    assert dump(after) == dump(body)


@given(any_body)
@MANY
def test_every_control_holds_text_that_html_can_carry(body: Any) -> None:
    for place, text in form_values(body):
        assert "\0" not in place + text
        (place + text).encode()


@given(any_body)
@MANY
def test_a_value_without_a_control_of_its_own_is_shown_as_json(body: Any) -> None:
    for place, text in form_values(body):
        path = parse_path(place)
        value = get(body, path)
        parameter = find(path, body)
        drawn = control(parameter.kind, value) if parameter and value is not MISSING else None
        if value is MISSING:
            assert text == ""
        elif drawn is None or drawn.word in ("any_json", "json_schema"):
            assert dump(parse(text)) == dump(value)


@pytest.mark.slow
@given(any_body)
@MANY
def test_a_summary_is_one_line_for_anything(body: Any) -> None:
    line = summary(BODY, body)
    assert len(line) <= 90
    assert "\n" not in line
    assert "\0" not in line
    line.encode()


HELLO: dict[str, Any] = {
    "model": "claude-opus-4-6",
    "max_tokens": parse("1e3"),
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": False,
    "system": "",
    "metadata": {"user_id": None},
    "temperature": parse("1.0"),
    "odd": {"kept": [1]},
}


def applied(*edits: tuple[str, str | None], body: Any = HELLO) -> Any:
    after, problems = apply(body, edits)
    assert problems == []
    return after


def refused(*edits: tuple[str, str | None]) -> list[Problem]:
    after, problems = apply(HELLO, edits)
    assert after == HELLO
    return problems


def test_typed_values_get_the_type_of_their_member() -> None:
    after = applied(
        ("max_tokens", "2048"),
        ("temperature", "0.50"),
        ("stream", "true"),
        ("messages[0].content", "a\r\nb"),
        ("service_tier", "auto"),
        ("odd.kept[0]", '"x"'),
    )
    assert after["max_tokens"] == 2048
    assert dump(after["temperature"]) == "0.50"
    assert after["stream"] is True
    assert after["messages"][0]["content"] == "a\nb"
    assert after["service_tier"] == "auto"
    assert after["odd"] == {"kept": ["x"]}


def test_an_emptied_member_is_left_out() -> None:
    after = applied(("temperature", ""), ("stream", ""), ("model", ""), ("odd", " "))
    assert set(HELLO) - set(after) == {"temperature", "stream", "model", "odd"}


def test_an_empty_text_that_was_empty_before_stays() -> None:
    assert applied(("system", ""))["system"] == ""


def test_an_emptied_text_that_must_be_there_is_empty() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "stop_sequences": ["x"]}
    after = applied(("messages[0].content[0].text", ""), ("stop_sequences[0]", ""), body=body)
    assert after["messages"][0]["content"][0] == {"type": "text", "text": ""}
    assert after["stop_sequences"] == [""]


def test_null_can_be_set_and_replaced() -> None:
    assert applied(("system", None))["system"] is None
    assert applied(("metadata.user_id", "null"))["metadata"] == {"user_id": None}
    assert applied(("metadata.user_id", "u"))["metadata"] == {"user_id": "u"}
    assert applied(("speed", "null"))["speed"] is None


def test_the_word_null_typed_into_a_text_is_a_text() -> None:
    assert applied(("system", "null"))["system"] == "null"


def test_a_member_brings_the_object_around_it_along() -> None:
    assert applied(("output_config.effort", "high"))["output_config"] == {"effort": "high"}
    made = applied(("output_config.format.schema", '{"type": "object"}'))["output_config"]
    assert made == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert applied(("cache_control.ttl", "1h"))["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        ("max_tokens", "many", "Enter a number, not 'many'"),
        ("temperature", "0,5", "Enter a number, not '0,5'"),
        ("stream", "perhaps", "Enter true or false"),
        ("odd", "{", "line 1, column 2"),
        ("messages[4].content", '"x"', "no messages[4]"),
        ("thinking.budget_tokens", "2000", "no thinking"),
        ("messages[0]", "", "Enter a value"),
        ("a b", "x", "not a path"),
    ],
)
def test_what_cannot_be_read_changes_nothing_and_says_why(place: str, text: str, message: str) -> None:
    (problem,) = refused((place, text))
    assert message in problem.message
    assert problem.severity == "error"


def test_a_wrong_text_does_not_keep_the_others_from_being_applied() -> None:
    after, problems = apply(HELLO, [("max_tokens", "many"), ("model", "other")])
    assert after["model"] == "other"
    assert [problem.place for problem in problems] == ["max_tokens"]


def test_a_value_of_an_unexpected_type_is_shown_as_json_and_read_as_json() -> None:
    body = {"model": 5, "stream": "yes"}
    assert dict(form_values(body))["stream"] == '"yes"'
    assert applied(("stream", "true"), ("model", '"m"'), body=body) == {"model": "m", "stream": True}


def test_choosing_another_tag_keeps_what_both_variants_have() -> None:
    body = {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted", "new_member": 1}}
    after = applied(("thinking.type", "adaptive"), body=body)
    assert after["thinking"] == {"type": "adaptive", "display": "omitted", "new_member": 1}
    assert applied(("thinking.type", "enabled"), body=after)["thinking"]["budget_tokens"] == 4096


def test_another_source_of_a_document_does_not_take_the_bytes_as_its_text() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert switch_variant(DOCUMENT_SOURCE, source, "text") == {"type": "text", "media_type": "text/plain", "data": ""}


def test_a_custom_tool_without_a_type_can_become_a_server_tool() -> None:
    body = {"tools": [{"name": "mine", "input_schema": {}, "cache_control": {"type": "ephemeral"}}]}
    (tool,) = applied(("tools[0].type", "bash_20250124"), body=body)["tools"]
    assert tool == {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}}


def test_text_becomes_blocks_and_back() -> None:
    as_text, as_blocks = BODY.by_name["system"].kind.kinds  # type: ignore[union-attr]
    blocks = convert(as_blocks, "Be brief.")
    assert blocks == [{"type": "text", "text": "Be brief."}]
    assert convert(as_text, blocks) == "Be brief."
    assert convert(as_text, []) == ""
    assert convert(as_blocks, "") == []


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
        [{"type": "image"}],
    ],
)
def test_blocks_that_are_more_than_a_text_do_not_become_one(blocks: list[Any]) -> None:
    as_text = BODY.by_name["system"].kind.kinds[0]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="more"):
        convert(as_text, blocks)


def test_a_container_id_becomes_an_object_and_back() -> None:
    as_text, as_object = BODY.by_name["container"].kind.kinds  # type: ignore[union-attr]
    assert convert(as_object, "container_1") == {"id": "container_1"}
    assert convert(as_text, {"id": "container_1"}) == "container_1"


@pytest.mark.parametrize("tool", TOOL.variants, ids=lambda tool: tool.name)
def test_the_blank_of_every_tool_is_that_tool(tool: Any) -> None:
    assert TOOL.pick(blank(tool)) is tool
    assert all(accepts(tool.by_name[name].kind, value) for name, value in blank(tool).items())


def test_a_number_shown_is_the_number_as_spelled() -> None:
    assert control_text(BODY.by_name["temperature"].kind, HELLO["temperature"]) == "1.0"
    assert control_text(BODY.by_name["max_tokens"].kind, HELLO["max_tokens"]) == "1e3"


def test_the_edits_of_the_form_are_those_of_paths() -> None:
    after = bodies.set(bodies.insert(HELLO, ("messages", 1), {"role": "user"}), ("messages", 1, "content"), "x")
    assert after["messages"][1] == {"role": "user", "content": "x"}
    assert HELLO["messages"] == [{"role": "user", "content": "Hi"}]
