"""The theme that a browser chose holds on pages that stand alone, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from playground.identity.theme import COOKIE, theme_of
from playground.views.server_error import server_error

if TYPE_CHECKING:
    from django.http import HttpResponse


@pytest.mark.parametrize(
    ("cookies", "theme"),
    [
        ({}, None),
        ({COOKIE: "light"}, "light"),
        ({COOKIE: "dark"}, "dark"),
        ({COOKIE: ""}, None),
        ({COOKIE: '"><script>'}, None),
    ],
)
def test_only_the_two_themes_are_taken_from_the_cookie(cookies: dict[str, str], theme: str | None) -> None:
    assert theme_of(cookies) == theme


@pytest.mark.django_db
@pytest.mark.parametrize(("chosen", "tag"), [("dark", '<html lang="en" data-theme="dark">'), ("", '<html lang="en">')])
def test_the_page_of_an_expired_form_keeps_the_theme(chosen: str, tag: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[COOKIE] = chosen
    response = client.post(reverse("login"), {"username": "ann"})
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()
    assert tag in response.content.decode()


def page_of(problem: Exception) -> HttpResponse:
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = "dark"
    try:
        raise problem
    except type(problem):
        return server_error(request)


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (ZeroDivisionError(), 500, "Something went wrong"),
        (OperationalError("database is locked"), 503, "Retry"),
    ],
)
def test_the_page_of_a_failure_keeps_the_theme(problem: Exception, status: int, words: str) -> None:
    response = page_of(problem)
    assert response.status_code == status
    assert words in response.content.decode() or words in str(response.headers)
    assert 'data-theme="dark"' in response.content.decode()
