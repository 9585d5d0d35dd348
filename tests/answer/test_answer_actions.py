"""What can be done with an answer: run it again, compare, go on, answer its tools. For its owner, and nobody else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from playground import dispatch
from playground.engine.live_run import LiveRun
from playground.models import Draft, ToolMock
from tests.support.runs import body_of, ended, live_run, stored_run, stream, tell, told

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}}
OTHER_CALL = {"type": "tool_use", "id": "toolu_2", "name": "get_time", "input": {}}
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("get_weather", "get_time")]


def calling(user: Any, *content: dict[str, Any]) -> LiveRun:
    """A run whose answer calls tools, known to this process."""
    run = live_run(user, body=body_of("Weather?", model="sandbox-tools", tools=TOOLS), model="sandbox-tools")
    message = {"type": "message", "content": list(content), "stop_reason": "tool_use", "usage": {}}
    data = json.dumps(message).encode()
    run.publish([event for event in told(data) if type(event).__name__ != "Streamed"])
    run.publish([ended()])
    return put(run)


def put(run: LiveRun) -> LiveRun:
    dispatch.get_live()._runs[run.id] = run
    return run


@pytest.fixture
async def client(owner: Any) -> AsyncClient:
    """The owner's browser."""
    visitor = AsyncClient()
    await visitor.aforce_login(owner)
    return visitor


def request_of(response: Any) -> dict[str, Any]:
    """The body of the run that a response's panel follows."""
    match = re.search(r'data-run="([0-9a-f-]{36})"', response.content.decode())
    assert match, response.content.decode()[:500]
    run = dispatch.get_live()._runs[UUID(match[1])]
    return json.loads(run.about.request_body)


async def post(client: AsyncClient, run: LiveRun, action: str, **data: Any) -> Any:
    return await client.post(f"/requests/{run.id}/{action}/", data)


# --- Again --------------------------------------------------------------------------------------------------------


async def test_running_again_sends_the_very_same_bytes(client: AsyncClient, owner: Any) -> None:
    body = b'{"model":"sandbox-stories","max_tokens":9,"temperature":1.0,"messages":[{"role":"user","content":"x"}]}'
    run = put(tell(live_run(owner, body=body)))
    response = await post(client, run, "again")
    again = dispatch.get_live()._runs[UUID(re.search(r'data-run="([^"]+)"', response.content.decode())[1])]  # type: ignore[index]
    assert again.about.request_body == body
    assert again.id != run.id


async def test_a_run_is_stopped_once_and_an_ended_one_stays_as_it_is(
    client: AsyncClient, owner: Any, settings: Any
) -> None:
    settings.SANDBOX_SPEED = 1.0
    body = body_of("Write 4000 words", model="sandbox-slow")
    started = await post(client, put(tell(live_run(owner, body=body))), "again")
    run = dispatch.get_live()._runs[UUID(re.search(r'data-run="([^"]+)"', started.content.decode())[1])]  # type: ignore[index]
    for _ in range(2):
        assert (await post(client, run, "answer/stop")).status_code == 204
        assert run.state == "cancelled"


async def test_max_tokens_can_be_doubled(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner, body=body_of(max_tokens=7))))
    assert request_of(await post(client, run, "again", double_max_tokens="1"))["max_tokens"] == 14


async def test_columns_differ_in_what_was_asked_and_in_nothing_else(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner)))
    chosen = {"column": ["1", "2", "3"], "model-2": "sandbox-thinker", "temperature-3": "0.50", "max_tokens-3": "5"}
    html = (await post(client, run, "compare-columns", **chosen)).content.decode()
    runs = [dispatch.get_live()._runs[UUID(found)] for found in re.findall(r'data-run="([^"]+)"', html)]
    sent = json.loads(run.about.request_body)
    first, second, third = (json.loads(each.about.request_body) for each in runs)
    assert first == sent
    assert second == sent | {"model": "sandbox-thinker"}
    assert third == sent | {"temperature": 0.5, "max_tokens": 5}
    assert b"0.50" in runs[2].about.request_body


async def test_there_are_four_columns_at_most(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner)))
    html = (await post(client, run, "compare-columns", column=list("1234123412"))).content.decode()
    assert html.count('<section class="compare-column"') == 4


@pytest.mark.parametrize("chosen", [{}, {"column": "1", "temperature-1": "warm"}, {"column": "1", "connection-1": "x"}])
async def test_a_senseless_choice_is_said_and_nothing_is_sent(
    client: AsyncClient, owner: Any, chosen: dict[str, str]
) -> None:
    run = put(tell(live_run(owner)))
    before = len(dispatch.get_live()._runs)
    html = (await post(client, run, "compare-columns", **chosen)).content.decode()
    assert "Not sent" in html
    assert len(dispatch.get_live()._runs) == before


async def test_a_connection_of_somebody_else_cannot_be_chosen(client: AsyncClient, owner: Any, stranger: Any) -> None:
    from accounts.models import Connection

    theirs = await Connection.objects.acreate(owner=stranger, name="theirs", base_url="https://theirs.example")
    run = put(tell(live_run(owner)))
    html = (await post(client, run, "compare-columns", **{"column": "1", "connection-1": str(theirs.pk)})).content
    assert b"Not sent" in html
    assert b"theirs.example" not in html


# --- Going on -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "turns"), [("pause_turn", 2), ("max_tokens", 3)])
async def test_an_answer_that_stopped_early_goes_on(client: AsyncClient, owner: Any, reason: str, turns: int) -> None:
    run = put(tell(live_run(owner), stream("So far", stop_reason=reason)))
    messages = request_of(await post(client, run, "continue"))["messages"]
    assert len(messages) == turns
    assert messages[1] == {"role": "assistant", "content": [{"type": "text", "text": "So far "}]}


CASES = Path(__file__).parents[1] / "streams"


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


async def test_thinking_that_was_cut_is_no_answer_to_go_on_from(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner), case("thinking_cut_unsigned.sse")))
    for action in ("continue", "to-draft"):
        refused = await post(client, run, action)
        assert "only thinking without a signature" in refused.content.decode()


async def test_blank_text_before_a_call_is_left_out_and_the_reader_is_told(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner, body=body_of("Go")), case("blank_text_before_tool.sse")))
    response = await post(client, run, "results", **{"way-1-results": "text", "text-1": "3"})
    answer = request_of(response)["messages"][-2]
    assert [block["type"] for block in answer["content"]] == ["tool_use"]
    assert "white space" in json.loads(response["HX-Trigger"])["page:said"]


async def test_adding_an_answer_with_calls_adds_a_result_for_each(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL, OTHER_CALL)
    await post(client, run, "to-draft")
    draft = await Draft.objects.aget(user=owner)
    last = json.loads(bytes(draft.body))["messages"][-1]
    assert [block["tool_use_id"] for block in last["content"]] == ["toolu_1", "toolu_2"]


async def test_adding_to_the_conversation_changes_the_draft_and_sends_nothing(client: AsyncClient, owner: Any) -> None:
    draft = Draft(user=owner, body=b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"x_unknown":1.0}')
    await draft.asave()
    run = put(tell(live_run(owner), stream("Hello", thinking="Hm")))
    response = await post(client, run, "to-draft")
    assert response.status_code == 204
    assert list(json.loads(response["HX-Trigger"])) == ["draft:changed", "answer:added", "page:said"]
    await draft.arefresh_from_db()
    kept = json.loads(bytes(draft.body))
    assert [turn["role"] for turn in kept["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in kept["messages"][1]["content"]] == ["text"]  # unsigned
    assert b'"x_unknown": 1.0' in bytes(draft.body)


async def test_an_answer_is_added_once_and_the_page_is_told_where(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, {"type": "text", "text": "Hello"})
    told = [json.loads((await post(client, run, "to-draft"))["HX-Trigger"]) for _ in range(3)]
    assert [each["answer:added"]["place"] for each in told] == ["messages[2]"] * 3
    assert ["draft:changed" in each for each in told] == [True, False, False]
    draft = await Draft.objects.aget(user=owner)
    assert len(json.loads(bytes(draft.body))["messages"]) == 3


async def test_from_the_log_it_goes_on_in_the_playground_with_the_runs_own_request(
    client: AsyncClient, owner: Any
) -> None:
    await Draft.objects.acreate(user=owner, body=body_of("Something else"))
    run = calling(owner, {"type": "text", "text": "Hello"})
    page = {"hx-request": "true", "hx-current-url": f"http://testserver/requests/{run.id}/"}
    response = await client.post(f"/requests/{run.id}/to-draft/", headers=page)
    assert response["HX-Redirect"] == "/#messages%5B2%5D"
    messages = json.loads(bytes((await Draft.objects.aget(user=owner)).body))["messages"]
    assert [message["content"] for message in messages] == ["Weather?", [{"type": "text", "text": "Hello"}], ""]
    assert "toast" in response.cookies


# --- Tools --------------------------------------------------------------------------------------------------------


async def test_results_go_back_in_one_turn_in_the_order_of_the_calls(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, {"type": "text", "text": "I will look."}, CALL, OTHER_CALL)
    filled = {
        "way-1-results": "text",
        "text-1": "Sunny",
        "way-2-results": "json",
        "json-2": '{"time": "12:00"}',
        "is_error-2": "on",
    }
    sent = request_of(await post(client, run, "results", **filled))
    assert sent["messages"][-2] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "I will look."}, CALL, OTHER_CALL],
    }
    assert sent["messages"][-1] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Sunny"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": '{"time": "12:00"}', "is_error": True},
        ],
    }


async def test_the_choices_of_two_responses_side_by_side_are_not_one_choice(client: AsyncClient, owner: Any) -> None:
    names = set()
    for run in (calling(owner, CALL), calling(owner, CALL)):
        panel = (await client.get(f"/requests/{run.id}/answer/")).content.decode()
        names |= set(re.findall(r'name="(way-0-[^"]+)"', panel))
    assert len(names) == 2
    sent = request_of(await post(client, run, "results", **{max(names, key=panel.find): "json", "json-0": "{}"}))
    assert sent["messages"][-1]["content"][0]["content"] == "{}"


async def test_results_are_held_back_until_every_call_has_one(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL, OTHER_CALL)
    refused = await post(client, run, "results", **{"way-0-results": "text", "text-0": "Sunny"})
    assert b"no result yet" in refused.content
    sent = request_of(await post(client, run, "results", **{"way-0-results": "text", "text-0": "Sunny", "anyway": "1"}))
    assert [block["tool_use_id"] for block in sent["messages"][-1]["content"]] == ["toolu_1", "toolu_2"]
    assert sent["messages"][-1]["content"][1]["is_error"] is True


async def test_a_form_gives_a_json_object_whose_values_keep_their_types(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL)
    fields = {"way-0-results": "form", "field-0-before": "3", "field-0-unit": "queries", "field-0-ok": "true"}
    content = request_of(await post(client, run, "results", **fields))["messages"][-1]["content"][0]["content"]
    assert json.loads(content) == {"before": 3, "unit": "queries", "ok": True}


async def test_an_image_goes_as_an_image_if_it_is_one(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL)
    picture = SimpleUploadedFile("x.png", b"\x89PNG\r\n\x1a\n...")
    sent = request_of(await post(client, run, "results", **{"way-0-results": "image", "image-0": picture}))
    assert sent["messages"][-1]["content"][0]["content"][0]["source"]["media_type"] == "image/png"
    drawing = SimpleUploadedFile("x.png", b"<svg onload='x'/>", content_type="image/png")
    refused = await post(client, run, "results", **{"way-0-results": "image", "image-0": drawing})
    assert b"not a PNG" in refused.content


async def test_a_saved_result_fills_in_the_next_call_and_can_be_forgotten(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL)
    await post(client, run, "results", **{"way-0-results": "text", "text-0": "Sunny", "remember-0": "on"})
    again = calling(owner, {**CALL, "id": "toolu_9", "input": {"city": "Oslo"}})
    html = (await client.get(f"/requests/{again.id}/answer/", headers={"hx-request": "true"})).content.decode()
    assert ">Sunny</textarea>" in html
    assert "data-answers-itself" in html
    await post(client, again, "results", **{"way-0-results": "text", "text-0": "Rain", "was-saved-0": "1"})
    assert await ToolMock.objects.acount() == 0


async def test_a_saved_result_can_be_for_one_input_only(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL)
    await post(
        client, run, "results", **{"way-0-results": "text", "text-0": "Sunny", "remember-0": "on", "only-0": "on"}
    )
    for city, is_filled in (("Rome", True), ("Oslo", False)):
        again = calling(owner, {**CALL, "input": {"city": city}})
        html = (await client.get(f"/requests/{again.id}/answer/", headers={"hx-request": "true"})).content.decode()
        assert (">Sunny</textarea>" in html) is is_filled


async def test_the_draft_goes_along_if_it_still_holds_what_was_sent(client: AsyncClient, owner: Any) -> None:
    run = calling(owner, CALL)
    draft = Draft(user=owner, body=run.about.request_body)
    await draft.asave()
    response = await post(client, run, "results", **{"way-0-results": "text", "text-0": "Sunny"})
    assert response["HX-Trigger"] == "draft:changed"
    await draft.arefresh_from_db()
    assert len(json.loads(bytes(draft.body))["messages"]) == 3
    unchanged = await post(client, run, "results", **{"way-0-results": "text", "text-0": "Sunny"})
    assert "HX-Trigger" not in unchanged  # the draft has gone on: it is left alone


# --- Whose -------------------------------------------------------------------------------------------------------

READS = ["answer/", "answer/at/3/", "wire/", "wire/1/"]
READS += [f"answer/{part}/" for part in ("json", "text", "frames", "rest/0")]
ACTS = ["again/", "compare-columns/", "continue/", "results/", "to-draft/"]


@pytest.mark.parametrize("address", [*READS, *ACTS])
async def test_another_ones_run_is_not_there(stranger: Any, owner: Any, address: str) -> None:
    run = put(tell(live_run(owner)))
    client = AsyncClient()
    await client.aforce_login(stranger)
    send = client.get if address in READS else client.post
    assert (await send(f"/requests/{run.id}/{address}")).status_code == 404
    assert (await send(f"/requests/{uuid4()}/{address}")).status_code == 404


@pytest.mark.parametrize("address", READS)
def test_the_owner_reads_a_stored_run(client: Any, owner: Any, address: str) -> None:
    from django.test import Client

    run = stored_run(owner, answer="word " * 30)
    browser = Client()
    browser.force_login(owner)
    assert browser.get(f"/requests/{run.id}/{address}", headers={"hx-request": "true"}).status_code == 200


@pytest.mark.parametrize("address", [*READS, *ACTS])
async def test_the_wrong_method_is_refused(client: AsyncClient, owner: Any, address: str) -> None:
    run = put(tell(live_run(owner)))
    send = client.post if address in READS else client.get
    assert (await send(f"/requests/{run.id}/{address}")).status_code == 405


async def test_the_columns_of_the_wire_have_an_entry_for_each_event(client: AsyncClient, owner: Any) -> None:
    run = put(tell(live_run(owner), stream("one two three", thinking="hm")))
    wire = (await client.get(f"/requests/{run.id}/wire/")).json()
    assert {len(column) for column in wire["columns"].values()} == {run.event_count}
    assert wire["blocks"] == {"0": "thinking", "1": "text"}
    names = [wire["names"][number] for number in wire["columns"]["name"]]
    assert names[:4] == ["message_start", "content_block_start", "thinking_delta", "content_block_stop"]
    rows = (await client.get(f"/requests/{run.id}/wire/?first=3")).json()["rows"]
    assert rows[0][0] == 3
    assert "thinking_delta" in rows[0][1]


# --- Examples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "stream"])
@pytest.mark.parametrize("address", ["", *(address for address in READS if address != "answer/")])
def test_an_example_has_all_the_views_of_an_answer(kind: str, address: str) -> None:
    from django.test import Client

    found = Client().get(f"/examples/{kind}/{address}", headers={"hx-request": "true"})
    assert found.status_code == (404 if kind == "json" and address == "wire/1/" else 200)


def test_there_is_no_third_example() -> None:
    from django.test import Client

    assert Client().get("/examples/other/").status_code == 404
