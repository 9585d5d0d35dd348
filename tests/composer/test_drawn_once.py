"""What is the same for everybody is drawn once, and holds nothing of whoever came first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.template import engines
from django.urls import reverse

from playground.models import SavedTool

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User


def drawn(text: str) -> Any:
    return engines["django"].from_string(text)


def test_it_is_drawn_without_the_context_of_the_page() -> None:
    template = drawn("{% once %}<b>{{ name }}</b>{% endonce %}{{ name }}")
    assert [template.render({"name": name}) for name in ("anna", "ben")] == ["<b></b>anna", "<b></b>ben"]


def test_it_is_drawn_once() -> None:
    template = drawn("{% once %}{% lorem 40 w random %}{% endonce %}")
    assert template.render() == template.render()
    assert drawn("{% lorem 40 w random %}").render() != drawn("{% lorem 40 w random %}").render()


def test_an_icon_is_the_packages_own_with_the_attributes_asked_for() -> None:
    small, large = (drawn(f'{{% lucide "x" size={size} aria_hidden="true" %}}').render() for size in (14, 16))
    assert small.startswith("<svg")
    assert 'width="14"' in small
    assert 'aria-hidden="true"' in small
    assert 'width="16"' in large


@pytest.mark.django_db
def test_the_tools_that_one_user_has_saved_are_not_drawn_for_another(
    client: Client, owner: User, stranger: User
) -> None:
    SavedTool.objects.create(owner=owner, name="zephyr_lookup", definition={"name": "zephyr_lookup"})
    pages = {}
    for user in (None, stranger, owner, stranger, None):
        if user is None:
            client.logout()
        else:
            client.force_login(user)
        pages.setdefault(user, []).append(client.get("/").content.decode())
    assert all("zephyr_lookup" in page for page in pages[owner])
    assert not any("zephyr_lookup" in page for user in (None, stranger) for page in pages[user])
    assert all("Log in to save tools" in page for page in pages[None])
    assert not any("Log in to save tools" in page for page in pages[stranger])


@pytest.mark.django_db
def test_a_parameter_shows_its_value_after_it_was_drawn_without_one(client: Client) -> None:
    assert 'data-param="top_k"' in client.get("/").content.decode()
    assert 'value="17"' not in client.get("/").content.decode()
    client.post(reverse("edit"), {"top_k": "17", ":version": "0"})
    assert 'value="17"' in client.get("/").content.decode()
