"""What a browser had before somebody signed in with it: theirs from the log-in on, beside what they had."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from playground.attachments import attachment_store
from playground.composer.request_examples import CHART_PNG
from playground.drafts import claim
from playground.identity import visitors
from playground.models import Attachment, Draft, ToolMock, tool_mock
from playground.models.tool_mock import digest_of
from tests.support.drafting import HELLO, begin, log_in, page_headers, stored

pytestmark = pytest.mark.django_db
PNG = base64.b64decode(CHART_PNG)


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def visitor_of(client: Client) -> str:
    client.get("/")
    visitor = visitors.read(client.cookies[visitors.COOKIE].value)
    assert visitor
    return visitor


def picture(reference: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": reference}}


def upload(client: Client) -> Attachment:
    client.get("/")
    answer = client.post(reverse("attachments"), {"file": SimpleUploadedFile("chart.png", PNG, "image/png")})
    return Attachment.objects.get(pk=answer.json()["reference"].removeprefix("attachment:"))


def saved_result(result: Any, *, name: str = "get_weather", tool_input: Any = None, **owner: Any) -> ToolMock:
    digest = "" if tool_input is None else digest_of(tool_input)
    return ToolMock.objects.create(tool_name=name, input_digest=digest, result=result, **owner)


def results(**owner: Any) -> dict[str, Any]:
    return dict(ToolMock.objects.filter(**owner).values_list("tool_name", "result"))


# --- the draft and its files


def test_a_file_of_the_visit_is_sent_from_any_device_as_soon_as_its_request_was_saved(
    client: Client, owner: User
) -> None:
    file = upload(client)
    begin(client, HELLO | {"messages": [{"role": "user", "content": [picture(file.reference)]}]})
    log_in(client)
    client.post(reverse("conversation-save"))
    other = Client()
    other.force_login(owner)
    sent = json.loads(other.get(reverse("draft-body"), headers=page_headers(Draft.objects.get())).content)
    assert sent["messages"][0]["content"] == [picture(CHART_PNG)]
    assert Draft.objects.get().user == Attachment.objects.get().user == owner


def test_signing_up_takes_along_what_logging_in_does(client: Client, db: None) -> None:
    begin(client, HELLO | {"max_tokens": 7})
    saved_result("18 degrees", visitor=visitor_of(client))
    client.post(
        reverse("signup"), {"username": "mira", "password1": "a-long-enough-one", "password2": "a-long-enough-one"}
    )
    mira = User.objects.get()
    assert json.loads(Draft.objects.get(user=mira).body_text)["max_tokens"] == 7
    assert results(user=mira) == {"get_weather": "18 degrees"}


def test_an_account_with_a_draft_keeps_it_and_the_browser_keeps_its_own(client: Client, owner: User) -> None:
    begin(client, HELLO | {"max_tokens": 7})
    stored(HELLO | {"max_tokens": 8}, user=owner)
    log_in(client)
    assert json.loads(client.get(reverse("draft-body")).content)["max_tokens"] == 8
    client.post(reverse("logout"))
    assert json.loads(client.get(reverse("draft-body")).content)["max_tokens"] == 7


def test_nothing_goes_to_whoever_signs_in_with_another_browser(client: Client, owner: User) -> None:
    begin(client, HELLO)
    saved_result("18 degrees", visitor=visitor_of(client))
    log_in(Client())
    assert Draft.objects.get().user is None
    assert results(user=owner) == {}


# --- saved results


def test_saved_results_come_along_and_the_accounts_own_stay(client: Client, owner: User) -> None:
    visitor = visitor_of(client)
    saved_result("of the visit", visitor=visitor)
    saved_result("of the visit", name="get_time", visitor=visitor)
    saved_result("of the visit", name="get_place", tool_input={"near": "Rome"}, visitor=visitor)
    saved_result("the account's", user=owner)
    saved_result("the account's", name="get_place", user=owner)
    log_in(client)
    own = ToolMock.objects.filter(user=owner).values_list("tool_name", "input_digest", "result")
    assert set(own) == {
        ("get_weather", "", "the account's"),
        ("get_time", "", "of the visit"),
        ("get_place", "", "the account's"),
        ("get_place", digest_of({"near": "Rome"}), "of the visit"),
    }
    assert results(visitor=visitor) == {"get_weather": "of the visit"}


def test_no_more_saved_results_come_along_than_an_account_may_have(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_mock, "MOST", 3)
    visitor = visitor_of(client)
    for number in range(3):
        saved_result("of the visit", name=f"visit_{number}", visitor=visitor)
    saved_result("the account's", user=owner)
    log_in(client)
    assert set(results(user=owner)) == {"get_weather", "visit_1", "visit_2"}
    assert set(results(visitor=visitor)) == {"visit_0"}


def test_an_image_among_them_is_the_accounts_and_still_the_drafts_of_the_visit(client: Client, owner: User) -> None:
    file = upload(client)
    begin(client, HELLO | {"messages": [{"role": "user", "content": [picture(file.reference)]}]})
    saved_result([picture(file.reference)], visitor=visitor_of(client))
    stored(HELLO, user=owner)
    log_in(client)
    mock = ToolMock.objects.get(user=owner)
    copied = Attachment.objects.get(user=owner)
    assert mock.image == copied.reference
    assert copied.read() == PNG
    assert Attachment.objects.get(pk=file.pk).user is None


def test_an_image_without_room_stays_with_the_browser(client: Client, owner: User, settings: Any) -> None:
    file = upload(client)
    visitor = visitor_of(client)
    saved_result([picture(file.reference)], visitor=visitor)
    saved_result("18 degrees", name="get_time", visitor=visitor)
    settings.MAX_ATTACHMENT_BYTES_PER_USER = len(PNG) - 1
    log_in(client)
    assert results(user=owner) == {"get_time": "18 degrees"}
    assert results(visitor=visitor) == {"get_weather": [picture(file.reference)]}


def test_an_image_whose_file_the_account_has_anyway_is_not_kept_twice(client: Client, owner: User) -> None:
    own = attachment_store.store(PNG, "own.png", user=owner, visitor="")
    saved_result([picture(upload(client).reference)], visitor=visitor_of(client))
    log_in(client)
    assert ToolMock.objects.get().image == own.reference
    assert Attachment.objects.filter(user=owner).count() == 1


def test_a_browser_that_had_nothing_costs_a_log_in_few_queries(
    rf: RequestFactory, owner: User, django_assert_num_queries: Any
) -> None:
    request: Any = rf.post("/")
    request.visitor, request.visitor_is_new = "some-visitor", False
    with django_assert_num_queries(6):  # drafts, asked and moved between two of a savepoint; both's results
        claim.claim_visitor_data(request, owner)
    request.visitor_is_new = True
    with django_assert_num_queries(0):
        claim.claim_visitor_data(request, owner)


def test_nobody_is_kept_out_by_what_cannot_be_moved(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("database is locked")

    begin(client, HELLO)
    monkeypatch.setattr(claim, "_claim_draft", fail)
    log_in(client)
    assert client.get(reverse("account")).status_code == 200
