"""Columns of a comparison come and go, are kept with the draft, and have their figures."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.urls import reverse

from playground.composer import comparison_columns
from playground.models import Draft, Run
from playground.request_log import column_figures
from tests.answer.test_answer_actions import put
from tests.composer.test_comparison import compare, kept, press, type_in
from tests.dispatch.test_send import send, write
from tests.support.markup import markup
from tests.support.runs import body_of, failed_run, live_run, store, stored_run, tell

pytestmark = pytest.mark.django_db(transaction=True)


def test_there_are_two_to_four_columns(client: Client) -> None:
    compare(client, 4)
    assert "At most 4 columns" in press(client, "column-add")
    assert "At most 4 columns" in press(client, "column-duplicate", "a")
    assert [column.id for column in kept()] == ["a", "b", "c", "d"]


def test_a_copy_stands_after_its_original_and_has_its_values(client: Client) -> None:
    compare(client)
    type_in(client, own_a_temperature="0.3")
    html = press(client, "column-duplicate", "a", **{":columns": "a b"})
    assert [(column.id, list(column.own)) for column in kept()] == [
        ("a", ["temperature"]),
        ("c", ["temperature"]),
        ("b", []),
    ]
    assert 'hx-swap-oob="afterend:#column-a"' in html


def test_a_change_leaves_the_answers_of_the_other_columns_alone(client: Client) -> None:
    compare(client, 3)
    html = press(client, "column-remove", "b", **{":columns": "a b c"})
    assert '<section id="column-b" hx-swap-oob="delete">' in html
    assert 'id="column-head-c"' in html
    assert "column-answer-" not in html


def test_the_last_column_that_is_left_becomes_the_form(client: Client) -> None:
    compare(client)
    type_in(client, own_b_temperature="0.3", own_b_max_tokens="")
    html = press(client, "column-remove", "a", **{":columns": "a b"})
    assert kept() == []
    body = json.loads(Draft.objects.get().body_text)
    assert body["temperature"] == 0.3
    assert "max_tokens" not in body
    assert 'id="answer" hx-swap-oob="innerHTML"' in html
    assert 'id="request-body"' in html


def test_stopping_leaves_the_form_as_it_is(client: Client) -> None:
    compare(client)
    before = Draft.objects.get().body_text
    type_in(client, own_b_temperature="0.3")
    press(client, "column-stop", **{":columns": "a b"})
    assert kept() == []
    assert Draft.objects.get().body_text == before


def test_comparing_begins_with_the_answer_that_is_there(client: Client, owner: Any) -> None:
    client.force_login(owner)
    run = stored_run(owner)
    write(client)
    html = press(client, "column-start", kind=str(run.pk), **{":columns": ""})
    assert kept()[0].run == str(run.pk)
    assert f'data-run="{run.pk}"' in html
    press(client, "column-stop")
    press(client, "column-start", kind=str(uuid4()))
    assert kept()[0].run == ""


@pytest.mark.parametrize(
    ("op", "path", "kind"),
    [
        ("column-unlink", "a", "messages[0].content"),
        ("column-unlink", "a", "a.b.c"),
        ("column-unlink", "a", ""),
        ("column-unlink", "z", "model"),
        ("column-remove", "z", ""),
        ("column-nonsense", "a", ""),
    ],
)
def test_senseless_presses_change_nothing(client: Client, op: str, path: str, kind: str) -> None:
    compare(client)
    before = kept()
    press(client, op, path, kind)
    assert kept() == before


def test_a_column_has_a_limited_number_of_own_values(client: Client) -> None:
    compare(client)
    type_in(client, **{f":own a x{number}": "1" for number in range(60)})
    assert len(kept()[0].own) == comparison_columns.MOST_OWN


def test_columns_and_their_answers_are_there_after_a_reload(client: Client, owner: Any) -> None:
    client.force_login(owner)
    compare(client)
    type_in(client, own_b_temperature="0.3", own_a_stop_sequences="[oops")
    sent = re.findall(r'data-run="([^"]+)"', send(client, **{":anyway": "1"}).content.decode())
    assert len(sent) == 1, "the other could not be read"
    html = markup(client.get("/"))
    assert 'name=":own b temperature" value="0.3"' in html
    assert "[oops</textarea>" in html
    assert re.findall(r'data-run="([^"]+)"', html) == sent


def test_another_tab_that_compares_is_noticed(client: Client) -> None:
    compare(client)
    version = Draft.objects.get().version
    type_in(client, own_b_temperature="0.3")
    late = client.post(reverse("edit"), {":version": version, ":mode": "form", ":own b temperature": "1"})
    assert late.status_code == 409
    assert kept()[1].own["temperature"].value == 0.3


def test_a_tab_that_reloads_gets_the_columns_of_the_other(client: Client) -> None:
    compare(client, 3)
    fields = {":version": "0", ":reload": "1", ":mode": "form"}
    html = client.post(reverse("draft-form"), fields | {":columns": ""}).content.decode()
    assert 'id="compare"' in html
    html = client.post(reverse("draft-form"), fields | {":columns": "a b d"}).content.decode()
    assert '<section id="column-d" hx-swap-oob="delete">' in html
    assert 'hx-swap-oob="afterend:#column-b"' in html
    press(client, "column-stop")
    html = client.post(reverse("draft-form"), fields | {":columns": "a b"}).content.decode()
    assert 'id="answer" hx-swap-oob="innerHTML"' in html


async def test_a_run_that_is_made_again_takes_its_place_in_the_column_and_leaves_the_form_alone(owner: Any) -> None:
    client = AsyncClient()
    await client.aforce_login(owner)
    runs = [put(tell(live_run(owner, body=body_of(max_tokens=7)))) for _ in range(2)]
    draft = Draft(user=owner, body=body_of(max_tokens=7))
    comparison_columns.write(
        draft, [comparison_columns.Column(key, run=str(run.id)) for key, run in zip("ab", runs, strict=True)]
    )
    await sync_to_async(draft.keep)()
    response = await client.post(f"/requests/{runs[1].id}/again/", {"double_max_tokens": "1"})
    again = re.findall(r'data-run="([^"]+)"', response.content.decode())
    await draft.arefresh_from_db()
    assert [column.run for column in comparison_columns.read(draft)] == [str(runs[0].id), *again]
    assert draft.version == 1, "another tab need not know"
    assert json.loads(bytes(draft.body))["max_tokens"] == 7, "what goes on in one column stays there"


def test_figures_stand_on_one_line_each_and_the_best_is_marked(owner: Any) -> None:
    slow, fast = (stored_run(owner) for _ in range(2))
    Run.objects.filter(pk=slow.pk).update(first_token_ms=900.0, duration_ms=2000.0, cost_usd="0.5", output_tokens=10)
    Run.objects.filter(pk=fast.pk).update(first_token_ms=300.0, duration_ms=1000.0, cost_usd="0.5", output_tokens=20)
    found = {
        line.name: line
        for line in column_figures.lines([Run.objects.get(pk=slow.pk), Run.objects.get(pk=fast.pk), None])
    }
    assert [cell.words for cell in found["first token"].cells] == ["900 ms", "300 ms", column_figures.UNKNOWN]
    assert [cell.is_best for cell in found["first token"].cells] == [False, True, False]
    assert [cell.part for cell in found["total"].cells] == [100.0, 50.0, 0.0]
    assert [cell.is_best for cell in found["tokens per second"].cells] == [False, True, False]
    assert not any(cell.is_best for cell in found["cost"].cells), "the same for both"


def test_a_run_that_failed_is_not_the_shortest(owner: Any) -> None:
    slow, fast, refused = stored_run(owner), stored_run(owner), failed_run(owner)
    for run, duration_ms in ((slow, 2000.0), (fast, 1000.0), (refused, 20.0)):
        Run.objects.filter(pk=run.pk).update(duration_ms=duration_ms)
    runs = [Run.objects.get(pk=run.pk) for run in (slow, fast, refused)]
    found = {line.name: line for line in column_figures.lines(runs)}
    assert [cell.is_best for cell in found["total"].cells] == [False, True, False]
    found = {line.name: line for line in column_figures.lines(runs[1:])}
    assert not any(cell.is_best for cell in found["total"].cells), "it has nobody to be better than"


def test_a_live_and_a_stored_run_have_the_same_figures(owner: Any) -> None:
    live = tell(live_run(owner))
    stored = store(live)
    for line in column_figures.lines([live, stored]):
        assert line.cells[0].words == line.cells[1].words, line.name


def test_the_table_is_of_the_askers_own_columns(client: Client) -> None:
    assert client.get(reverse("draft-figures")).content == b""
    compare(client)
    send(client)
    assert client.get(reverse("draft-figures")).content.decode().count("data-figures-of=") == 2


async def test_the_same_press_sent_twice_sends_each_column_once(owner: Any) -> None:
    client = AsyncClient()
    await client.aforce_login(owner)
    draft = Draft(user=owner, body=body_of(model="sandbox-echo"))
    comparison_columns.write(draft, [comparison_columns.Column("a"), comparison_columns.Column("b")])
    await sync_to_async(draft.keep)()
    fields = {":version": "1", ":mode": "form", ":idempotency-key": "one"}
    pages = [(await client.post(reverse("send"), fields)).content.decode() for _ in range(2)]
    first, again = (re.findall(r'data-run="([^"]+)"', page) for page in pages)
    assert len(first) == 2
    assert first == again
