"""The catalogue of the log's columns: head, lines, filter, search and exports have what it names, and no more."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from django.utils import timezone

from playground.export import run_files
from playground.models import Run
from playground.rendering.log_columns import EXPORTED, FACETS, FIELDS, READ, TABLE
from playground.request_log.filters import COLUMNS, Filter, choices
from playground.request_log.rows import CELLS, row_of
from playground.search import index

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL_FIELDS = {field.name for field in Run._meta.get_fields()} | {"id"}


def test_every_column_of_the_table_has_a_cell() -> None:
    assert [column.name for column in TABLE] == ["time", *CELLS]


def test_what_the_columns_name_is_stored_of_a_run() -> None:
    assert {field.name for field in FIELDS} | set(READ) <= MODEL_FIELDS


class Watched:
    """A run that remembers which of its fields were read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> object:
        if isinstance(derived := getattr(Run, name, None), property) and derived.fget is not None:
            return derived.fget(self)
        self.read.add("id" if name == "pk" else name)
        return getattr(self.run, name)


def test_a_line_reads_nothing_that_its_columns_do_not_name() -> None:
    watched = Watched(Run(state="completed", input_tokens=1, started_at=timezone.now()))
    assert list(row_of(watched).cells)  # type: ignore[arg-type]
    assert watched.read & MODEL_FIELDS <= set(READ)


@pytest.mark.parametrize("field", [field for field in FIELDS if field.filter], ids=lambda field: field.name)
def test_the_filter_has_a_condition_for_every_column_that_can_be_asked_for(field: object) -> None:
    name = field.filter
    assert name in {each.name for each in fields(Filter)}
    value = {"status": "2xx", "state": "failed", "source": "relay", "endpoint": "messages"}.get(name, "x")
    assert list(Filter.read({name: value}).values) == [COLUMNS[name]]


def test_the_form_offers_what_the_catalogue_says() -> None:
    names = {field.filter: [field.name] for field in FIELDS if field.label}
    offered = choices(names)
    assert [*offered["first"], *offered["more"]] == [
        (field.filter, field.label, [field.name])
        for field in sorted((field for field in FIELDS if field.label), key=lambda field: field.is_rare)
    ]


def test_the_exports_and_the_search_have_the_columns_of_the_catalogue() -> None:
    assert next(run_files.csv_text(Run.objects.none())).strip().split(",") == ["id", "started_at", *EXPORTED]
    assert index.FACETS == FACETS


def test_no_template_of_the_log_names_a_heading() -> None:
    headings = "|".join(column.heading for column in TABLE)
    for name in ("_head", "_rows"):
        text = (ROOT / f"templates/playground/log/{name}.html").read_text()
        assert not re.search(rf"<th[^>]*>(?:{headings})<", text)
        assert not re.search(r'colspan="\d', text)
