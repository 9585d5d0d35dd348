"""A tool's schema in rows: what they show of it, what they change, and what they leave as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.composer.changes import make, read_change
from playground.composer.new_items import ChangeError
from playground.composer.schema_rows import MOST_ROWS, Row, rows_of
from tests.support.drafting import HELLO, begin, body, change, edit

if TYPE_CHECKING:
    from django.test import Client

PATH = ("tools", 0, "input_schema")
PLACE = "tools[0].input_schema"
WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1},
        "spots": {
            "type": "array",
            "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        },
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["city", "unit"],
}


def rows(schema: Any) -> list[Row]:
    table = rows_of(PATH, schema)
    assert table.why == ""
    return table.rows


def with_schema(schema: Any) -> dict[str, Any]:
    return HELLO | {"tools": [{"name": "get_weather", "input_schema": schema}]}


def after(schema: Any, op: str, place: str = "", kind: str = "") -> Any:
    made = make(with_schema(schema), read_change(op, PLACE + place, kind))
    return made.body["tools"][0]["input_schema"]


def test_a_row_tells_name_type_whether_required_meaning_and_allowed_values() -> None:
    city, unit, days, spots, either = rows(WEATHER)
    assert (city.name, city.type, city.is_required, city.description) == ("city", "string", True, "Where")
    assert unit.values == ((0, "C"), (1, "F"))
    assert (days.type, days.is_required, days.narrowed) == ("integer", False, "minimum 1")
    assert (spots.type, [inner.name for inner in spots.rows]) == ("array:object", ["x"])
    assert spots.rows[0].is_required
    assert spots.rows[0].place == f"{PLACE}.properties.spots.items.properties.x"
    assert either.why == "rows cannot say “anyOf”"
    assert json.loads(either.json) == WEATHER["properties"]["either"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (None, "it is not an object"),
        ({}, 'its "type" is not "object"'),
        ({"type": "object", "$defs": {}}, "rows cannot say “$defs”"),
        ({"type": "object", "properties": []}, '"properties" is not an object'),
        ({"type": "object", "required": "city"}, '"required" is not a list of names'),
        ({"type": "object", "properties": {str(at): {} for at in range(MOST_ROWS + 1)}}, "it has more than 100 fields"),
    ],
)
def test_what_rows_cannot_say_stays_json_with_the_reason(schema: Any, why: str) -> None:
    assert rows_of(PATH, schema).why == why


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"type": ["string", "null"]}, "it has several types"),
        ({"type": "array", "items": {"type": "array"}}, "it is a list of lists, or of several types"),
        ({"type": "array", "items": [{}]}, "its items have several schemas"),
        ({"enum": [{}]}, "an allowed value is an object or a list"),
        ({"type": "date"}, "rows have no type “date”"),
        (True, "it is not an object"),
        ({"description": 1}, "its description is not text"),
    ],
)
def test_one_field_that_rows_cannot_say_leaves_the_others_as_rows(field: Any, why: str) -> None:
    drawn = rows({"type": "object", "properties": {"a": {"type": "string"}, "b": field}})
    assert [row.why for row in drawn] == ["", why]


def test_fields_nest_until_it_is_too_deep() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(6):
        schema = {"type": "object", "properties": {"inner": schema}}
    drawn, depth = rows(schema), 0
    while drawn and not drawn[0].why:
        drawn, depth = drawn[0].rows, depth + 1
    assert (depth, drawn[0].why) == (4, "it is too deep for rows")


def test_a_field_is_added_renamed_required_and_removed() -> None:
    schema = after({"type": "object"}, "schema-add")
    assert schema == {"type": "object", "properties": {"field_1": {"type": "string"}}}
    schema = after(schema, "schema-required", ".properties.field_1", "1")
    schema = after(schema, "schema-add")
    schema = after(schema, "schema-name", ".properties.field_1", "city")
    assert list(schema["properties"]) == ["city", "field_2"]
    assert schema["required"] == ["city"]
    schema = after(schema, "schema-remove", ".properties.city")
    assert schema == {"type": "object", "properties": {"field_2": {"type": "string"}}}


def test_another_type_keeps_what_it_has_too() -> None:
    field = ".properties.unit"
    listed = after(WEATHER, "schema-type", field, "array:string")["properties"]["unit"]
    assert listed == {"type": "array", "items": {"type": "string", "enum": ["C", "F"]}}
    assert after(WEATHER, "schema-type", field, "integer")["properties"]["unit"] == {"type": "integer"}
    one = after(WEATHER, "schema-type", ".properties.spots", "object")["properties"]["spots"]
    assert one == {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}
    assert after(WEATHER, "schema-type", ".properties.city", "")["properties"]["city"] == {"description": "Where"}


def test_allowed_values_have_the_type_of_their_field() -> None:
    assert after(WEATHER, "schema-value", ".properties.days.enum", "3")["properties"]["days"]["enum"] == [3]
    schema = after(WEATHER, "schema-value-remove", ".properties.unit.enum[0]")
    schema = after(schema, "schema-value-remove", ".properties.unit.enum[0]")
    assert schema["properties"]["unit"] == {"type": "string"}


@pytest.mark.parametrize(
    ("op", "place", "kind"),
    [
        ("schema-name", ".properties.city", "unit"),
        ("schema-name", ".properties.city", "  "),
        ("schema-name", "", "x"),
        ("schema-type", ".properties.city", "nonsense"),
        ("schema-value", ".properties.days.enum", "soon"),
        ("schema-value", ".properties.unit.enum", "C"),
        ("schema-remove", ".properties.nothing", ""),
        ("schema-required", ".properties.nothing", "1"),
        ("schema-add", ".properties.nothing", ""),
    ],
)
def test_what_cannot_be_changed_is_refused_in_words(op: str, place: str, kind: str) -> None:
    with pytest.raises(ChangeError):
        after(WEATHER, op, place, kind)


@pytest.mark.django_db
def test_the_page_shows_rows_and_the_json_beside_each_other(client: Client) -> None:
    begin(client, with_schema(WEATHER))
    page = client.get(reverse("playground")).content.decode()
    assert f'name="{PLACE}.properties.city.description"' in page
    assert "Shown as JSON: rows cannot say “anyOf”." in page
    typed = edit(client, **{f"{PLACE}.properties.city.description": "The town"}).content.decode()
    assert body()["tools"][0]["input_schema"]["properties"]["city"]["description"] == "The town"
    assert "The town" in typed.partition("-json")[2]  # the JSON is drawn again
    whole = edit(client, **{PLACE: json.dumps({"type": "object", "properties": {"only": {}}})}).content.decode()
    assert 'value="only"' in whole  # and so are the rows


@pytest.mark.django_db
def test_a_refused_change_of_a_row_says_why_and_changes_nothing(client: Client) -> None:
    begin(client, with_schema(WEATHER))
    said = change(client, "schema-name", f"{PLACE}.properties.city", "unit").content.decode()
    assert "There is a field named unit already" in said
    assert body()["tools"][0]["input_schema"] == WEATHER
