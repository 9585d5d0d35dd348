"""Count tokens on the page: of what was typed last, with the key typed there, and said where it can be seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from accounts.models import Connection
from playground.models import Draft
from tests.support.browser import expect, settle
from tests.support.upstream import KEY, Handler, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
SMALL = re.compile(r"^\s*\d+ input\s+tokens · <1 % of\s+context\s*$")


def count(page: Any) -> Any:
    page.get_by_label("More ways to send").click()
    page.get_by_role("button", name="Count tokens").click()
    return page.locator("#token-count")


def tokens_in(place: Any) -> int:
    return int(place.locator("b").text_content().replace(",", ""))


@pytest.fixture
def counting(settings: Any) -> Iterator[Upstream]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    server = Upstream(lambda handler: Handler.send_json(handler, 200, {"input_tokens": 4321}))
    yield server
    server.close()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1024, 768), (1440, 900)])
def test_a_small_count_says_less_than_one_percent_where_it_can_be_seen(
    new_page: Any, axe: Any, width: int, height: int
) -> None:
    page = new_page(width, height)
    page.goto("/")
    said = count(page)
    expect(said).to_have_text(SMALL)
    expect(said).to_be_in_viewport(ratio=1)
    assert said.evaluate("place => place.scrollWidth <= place.clientWidth"), "the count is cut off"
    axe(page, in_both_themes=True)
    said.evaluate("place => place.firstElementChild.append(' · estimate $0.0550 to $0.0704')")
    expect(said).to_be_in_viewport(ratio=1)
    assert said.evaluate("place => place.scrollWidth <= place.clientWidth"), "an estimate is cut off"
    bar = page.locator("#run").bounding_box()
    assert width > 896 or said.bounding_box()["y"] >= bar["y"] + bar["height"], "it is under the bar"


def test_what_was_typed_just_before_is_counted_and_a_count_goes_when_the_request_changes(page: Any) -> None:
    page.goto("/")
    said = count(page)
    expect(said).to_have_text(SMALL)
    before = tokens_in(said)
    page.get_by_label("messages[0].content", exact=True).fill("word " * 500)
    expect(said).to_be_empty()
    page.get_by_label("messages[0].content", exact=True).fill("word " * 1000)
    expect(count(page).locator("b")).to_be_visible()
    assert tokens_in(said) > before + 500


# Keeping what was typed takes longer than counting it.
KEEP_LATE = """() => {
  const { open, send } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isLate = url.includes("/draft/edit")
    return open.call(this, method, url, ...rest)
  }
  XMLHttpRequest.prototype.send = function (body) {
    setTimeout(() => send.call(this, body), this.isLate ? 2500 : 0)
  }
}"""


@pytest.mark.slow
def test_a_count_that_is_answered_before_what_was_typed_is_kept_stays(page: Any) -> None:
    page.goto("/")
    page.evaluate(KEEP_LATE)
    typed = page.get_by_label("messages[0].content", exact=True)
    with page.expect_response("**/draft/edit"):
        typed.fill("word " * 300)
        page.wait_for_timeout(700)  # until it is on its way to be kept
        said = count(page)
        expect(said.locator("b")).to_be_visible()
    settle(page)
    assert tokens_in(said) > 300
    typed.fill("word")
    expect(said).to_be_empty()


@pytest.mark.slow
def test_of_a_request_from_a_link_that_request_is_counted(page: Any) -> None:
    page.goto("/")
    before = count(page)
    expect(before).to_have_text(SMALL)
    small = tokens_in(before)
    page.goto("/?prompt=" + "word+" * 300)
    expect(count(page).locator("b")).to_be_visible()
    assert tokens_in(page.locator("#token-count")) > small + 100
    assert not Draft.objects.filter(body__contains=b"word word").exists(), "counting stores nothing"


@pytest.mark.slow
def test_a_count_that_fails_says_so(new_page: Any) -> None:
    page = new_page()
    page.goto("/")
    page.route("**/draft/tokens", lambda route: route.fulfill(status=502))
    expect(count(page)).to_have_text("Could not count the tokens. Try again.")
    new_page.noise.clear()  # the browser itself says "502"


@pytest.mark.slow
def test_a_key_typed_for_this_visit_lists_the_models_and_counts(
    page: Any, owner: User, log_in: Any, counting: Upstream
) -> None:
    connection = Connection.objects.create(owner=owner, name="Second", base_url=counting.url)
    log_in(page, owner)
    page.goto("/")
    page.locator("#connection-menu summary").click()
    page.locator(f"#connection-menu [data-kind='{connection.pk}']").click()
    expect(page.locator("#connection-menu .connection-name")).to_have_text("Second")
    page.locator("#connection-menu summary").click()
    page.locator("#key").fill(KEY)
    page.keyboard.press("Escape")
    page.locator(".model-pick").click()
    page.locator("#models-dialog").get_by_role("button", name="Refresh").click()
    page.locator('[data-model="second-1"]').click()
    expect(page.locator("#model-pick")).to_have_text("second-1")
    expect(count(page)).to_contain_text("4,321 input tokens")
    assert KEY not in page.content()
