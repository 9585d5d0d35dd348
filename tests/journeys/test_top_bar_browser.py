"""The bar above every page and the menus of a page: whole at every width, whoever is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import open_whole
from tests.support.sharing_rig import published, rich_conversation

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.front_end,
    pytest.mark.usefixtures("no_guesses_yet"),
]

OUT_OF_WINDOW = """selector => [...document.querySelectorAll(selector)]
  .filter((element) => element.checkVisibility())
  .filter((element) => { const box = element.getBoundingClientRect()
    return box.left < 0 || box.right > document.documentElement.clientWidth })
  .map((element) => element.outerHTML.slice(0, 100))"""
COVERED = """() => [...document.querySelectorAll(".sitenav a")]
  .filter((link) => link.checkVisibility())
  .filter((link) => { const box = link.getBoundingClientRect()
    return !link.contains(document.elementFromPoint(box.right - 2, box.top + box.height / 2)) })
  .map((link) => link.textContent)"""


@pytest.mark.slow
def test_a_long_user_name_hides_no_part_of_the_navigation(new_page: Any, log_in: Any, owner: User) -> None:
    owner.username = "maximiliana.featherstonehaugh-cholmondeley@example.org"
    owner.save()
    page = new_page()
    log_in(page, owner)
    open_whole(page, "/accounts/")
    for width in (1440, 1024, 900, 390, 320):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate(COVERED) == []
        assert page.evaluate(OUT_OF_WINDOW, ".topbar :is(a, summary, button), main :is(p, .panel)") == []
        page.locator(".topbar .end details.menu > summary").click()
        assert page.evaluate(OUT_OF_WINDOW, ".topbar .menu-list") == []
        page.keyboard.press("Escape")


def test_a_menu_at_the_left_of_a_phone_opens_inside_the_window(new_page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), "parameters")
    page = new_page(390, 844)
    open_whole(page, f"/s/{token}/")
    page.get_by_text("Copy", exact=True).first.click()
    page.get_by_role("link", name="Text as markdown").wait_for()
    assert page.evaluate(OUT_OF_WINDOW, ".menu-list") == []
