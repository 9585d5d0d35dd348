"""Ctrl+K reaches every page and every action of the page, by keys and by touch; skip links lead past the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import get_resolver, reverse

from playground.conversations import autosave
from playground.views.command_catalogue import ACTIONS, NAVIGATION, PAGES
from tests.support.browser import expect
from tests.support.drafting import HELLO
from tests.support.runs import stored_run

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]
# Of pages without an address of their own to go to, and of what is only there at times.
ONLY_AT_TIMES = {"Stop", "Show the form", "Show the request form", "Add the response to the conversation", "Log out"}
ONLY_AT_TIMES |= {"Show the response", "Show the request", "Add a message", "Unstar"}
OF_A_RESPONSE = {"Show the message", "Show the events", "Show the response as JSON", "Show the response headers"}
OF_A_RESPONSE |= {"Copy the response"}
# Addresses that can be opened and are no page to go to: for programs, parts of pages, and pages of what was chosen.
NO_PAGES = {"healthz", "readyz", "commands", "parameter-help", "favicon", "shortcuts", "admin:index", "account-export"}
NO_PAGES |= {"run-compare", "conformance-compare"}


def open_menu(page: Any) -> Any:
    page.keyboard.press("Control+k")
    menu = page.locator("#command-menu")
    expect(menu).to_be_visible()
    return menu


def test_each_page_of_the_catalogue_has_an_address_and_the_navigation_is_part_of_it() -> None:
    addresses = [page.address for page in PAGES]
    assert all(addresses)
    assert len(set(addresses)) == len(addresses)
    assert {name for name, _ in NAVIGATION} <= {page.name for page in PAGES}
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {name for action in ACTIONS for name in action.pages} <= known


def test_every_page_without_an_argument_is_in_the_menu(client: Client, owner: User) -> None:
    client.force_login(owner)
    html = client.get(reverse("commands")).content.decode()
    for name, words in NAVIGATION:
        assert f'data-href="{reverse(name)}"' in html
        assert words in html
    for name in names_without_an_argument() - NO_PAGES:
        response = client.get(reverse(name))
        if response.status_code == 200 and b"<html" in response.content[:300]:
            assert f'data-href="{reverse(name)}"' in html, name


def names_without_an_argument() -> set[str]:
    known = get_resolver().reverse_dict
    return {name for name in known if isinstance(name, str) and any(not each[1] for each in known.getlist(name)[0][0])}


def test_visitors_see_what_they_may_do(client: Client) -> None:
    html = client.get(reverse("commands"), {"on": "playground"}).content.decode()
    assert f'data-href="{reverse("login")}"' in html
    assert reverse("connections") not in html
    assert reverse("admin:index") not in html


def test_the_menu_is_worked_with_the_keys(page: Any) -> None:
    page.goto("/")
    menu = open_menu(page)
    field = menu.get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.type("choose an example")
    chosen = menu.locator('[aria-selected="true"]')
    expect(chosen).to_have_text("Choose an example")
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    expect(page.locator("#examples-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    menu = open_menu(page)
    first = menu.locator('[aria-selected="true"]').inner_text()
    page.keyboard.press("ArrowDown")
    assert menu.locator('[aria-selected="true"]').inner_text() != first
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(menu.locator('[role="option"]:not([hidden])').last).to_have_attribute("aria-selected", "true")
    page.keyboard.type("no such thing")
    expect(menu.get_by_role("status")).to_have_text("No results.")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


@pytest.mark.slow
def test_it_goes_to_pages_and_conversations(page: Any, log_in: Any, owner: User) -> None:
    conversation = autosave.create(owner, HELLO, {}, "Planets")
    log_in(page, owner)
    page.goto("/requests/")
    open_menu(page)
    page.keyboard.type("planets")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/conversations/{conversation.pk}/")
    open_menu(page)
    page.keyboard.type("access")
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/")


@pytest.mark.slow
def test_an_action_runs_the_request(page: Any) -> None:
    page.goto("/")
    open_menu(page)
    page.keyboard.type("try it")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    open_menu(page)
    page.keyboard.type("show the events")
    page.keyboard.press("Enter")
    expect(page.locator("#answer [role=tab][data-view=events]")).to_have_attribute("aria-selected", "true")


@pytest.mark.slow
def test_each_action_of_the_catalogue_is_found_on_its_page(page: Any, log_in: Any, owner: User) -> None:
    conversation = autosave.create(owner, HELLO, {}, "Planets")
    _, run, _ = (stored_run(owner) for _ in range(3))
    log_in(page, owner)
    places = {
        "playground": "/",
        "conversation": f"/conversations/{conversation.pk}/",
        "conversation-read": f"/conversations/{conversation.pk}/read/",
        "conversations": "/conversations/",
        "runs": "/requests/",
        "run": f"/requests/{run.pk}/",
    }
    found: set[str] = set()
    for place in places.values():
        page.goto(place)
        found |= {action.words for action in ACTIONS if page.locator(action.selector).count()}
    assert {action.words for action in ACTIONS} - found <= ONLY_AT_TIMES | OF_A_RESPONSE


@pytest.mark.slow
def test_a_phone_opens_it_by_touch_and_it_is_accessible(new_page: Any, axe: Any) -> None:
    page = new_page(width=390, height=844)
    page.goto("/")
    page.locator(".sitenav-narrow summary").click()
    page.locator(".sitenav-narrow").get_by_role("button", name="Commands").click()
    expect(page.locator("#command-menu")).to_be_visible()
    axe(page, in_both_themes=True)
    page.locator("#command-menu [role=option]", has_text="Import curl").click()
    expect(page.locator("#import-dialog")).to_be_visible()


def test_skip_links_lead_to_the_form_the_response_and_the_log(page: Any) -> None:
    page.goto("/")
    links = page.locator(".skip-link")
    targets = [links.nth(at).get_attribute("href") for at in range(links.count())]
    assert targets == ["#ask", "#response", "/requests/"]
    page.keyboard.press("Tab")
    expect(links.first).to_be_focused()
    expect(links.first).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#response")).to_be_focused()
