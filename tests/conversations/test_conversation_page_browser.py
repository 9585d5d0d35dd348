"""A saved conversation in the playground: its address, its name, and two tabs with two requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.conversations import autosave
from playground.models import Conversation, Draft
from tests.support.browser import expect, settle
from tests.support.drafting import HELLO

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
PROMPT = "messages[0].content"


def write(page: Any, text: str) -> None:
    page.get_by_label(PROMPT, exact=True).fill(text)
    settle(page)


def run_it(page: Any, about: str) -> None:
    page.locator("#try-it").click()
    expect(page.locator("#answer [data-blocks]")).to_contain_text(about)
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")


def save_as(page: Any, name: str) -> Conversation:
    page.locator("#form-actions").get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Name", exact=True).fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Saved as “{name}”")).to_be_visible()
    return Conversation.objects.get(title=name)


def address_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/"


def test_saving_asks_for_a_name_and_the_page_goes_on_at_an_address_of_its_own(
    page: Any, log_in: Any, live_url: str, owner: User
) -> None:
    log_in(page, owner)
    page.goto("/")
    write(page, "Talk about apples")
    run_it(page, "apples")
    conversation = save_as(page, "Fruit")
    assert page.url == live_url.rstrip("/") + address_of(conversation)
    assert page.title() == "Fruit · Messages Playground"
    expect(page.locator("#title-link")).to_contain_text("Fruit")
    expect(page.locator("#answer [data-blocks]")).to_contain_text("apples")  # nothing was loaded anew
    write(page, "Talk about pears")
    page.reload()
    expect(page.get_by_label(PROMPT, exact=True)).to_have_value("Talk about pears")
    expect(page.locator("#answer [data-blocks]")).to_contain_text("apples")
    conversation.refresh_from_db()
    assert conversation.head is not None
    assert "pears" in conversation.head.body_text


@pytest.mark.slow
def test_two_tabs_hold_two_requests(new_page: Any, log_in: Any, owner: User) -> None:
    first, second = (autosave.create(owner, HELLO, {}, title) for title in ("One", "Two"))
    left = new_page()
    log_in(left, owner)
    right = left.context.new_page()
    rest = left.context.new_page()
    left.goto(address_of(first))
    right.goto(address_of(second))
    rest.goto("/")
    for page, words in ((left, "apples"), (right, "pears"), (rest, "plums")):
        write(page, f"Talk about {words}")
    write(left, "Talk about red apples")
    for page, words in ((left, "red apples"), (right, "pears"), (rest, "plums")):
        expect(page.locator("#conflict")).to_be_empty()
        run_it(page, words)
        page.reload()
        expect(page.get_by_label(PROMPT, exact=True)).to_have_value(f"Talk about {words}")
        expect(page.locator("#answer [data-blocks]")).to_contain_text(words)
    assert [each.run_links.count() for each in (first, second)] == [1, 1]
    assert Draft.objects.filter(user=owner).count() == 3


@pytest.mark.slow
def test_a_conversation_is_renamed_where_it_is_written(page: Any, log_in: Any, owner: User) -> None:
    conversation = autosave.create(owner, HELLO, {}, "Old name")
    log_in(page, owner)
    page.goto(address_of(conversation))
    page.get_by_role("button", name="Rename the conversation").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Old name")
    page.get_by_label("Name", exact=True).fill("<b>New</b> name")
    page.locator("#name-dialog").get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#intro")).to_contain_text("<b>New</b> name")
    expect(page.locator("#name-dialog")).to_be_hidden()
    expect(page.locator("#toast")).to_contain_text("Renamed to “<b>New</b> name”")
    assert page.title() == "<b>New</b> name · Messages Playground"
    write(page, "Still the same page")
    expect(page.locator("#conflict")).to_be_empty()


@pytest.mark.slow
def test_save_keeps_a_version_and_the_reading_page_is_one_press_away(page: Any, log_in: Any, owner: User) -> None:
    conversation = autosave.create(owner, HELLO, {}, "Mine")
    log_in(page, owner)
    page.goto(address_of(conversation))
    write(page, "A second version")
    page.locator("#form-actions").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as a version")).to_be_visible()
    write(page, "A third one")  # upon what was saved, without a conflict
    expect(page.locator("#conflict")).to_be_empty()
    page.get_by_role("link", name="Versions, requests and links").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    assert conversation.versions.filter(pinned=True).count() == 2
    page.get_by_role("button", name="Restore").last.click()
    expect(page.get_by_label(PROMPT, exact=True)).to_have_value("Hi")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label(PROMPT, exact=True)).to_have_value("A third one")


@pytest.mark.slow
def test_an_example_never_goes_into_the_open_conversation(page: Any, log_in: Any, live_url: str, owner: User) -> None:
    conversation = autosave.create(owner, HELLO, {}, "Mine")
    log_in(page, owner)
    page.goto(address_of(conversation))
    page.get_by_label("More for the request").click()
    page.get_by_role("button", name="Choose an example").click()
    page.locator("#examples-dialog").get_by_role("button", name="Tool use").click()
    page.wait_for_url(live_url)
    expect(page.locator("#toast")).to_contain_text("Request replaced by the example")
    page.goto(address_of(conversation))
    expect(page.get_by_label(PROMPT, exact=True)).to_have_value("Hi")


@pytest.mark.slow
def test_a_conversation_deleted_in_another_tab_is_not_written_to(new_page: Any, log_in: Any, owner: User) -> None:
    page = new_page()
    conversation = autosave.create(owner, HELLO, {}, "Mine")
    log_in(page, owner)
    page.goto(address_of(conversation))
    write(page, "kept")
    Conversation.objects.update(deleted_at="2026-01-01T00:00Z")
    write_only = page.get_by_label(PROMPT, exact=True)
    write_only.fill("not kept")
    expect(page.locator("#conflict")).to_contain_text("This conversation was deleted")
    assert "not kept" not in Draft.objects.get().body_text
    new_page.noise.clear()  # the browser notes the 404
