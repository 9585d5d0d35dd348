"""Sockets of one session that open, or are checked, at about the same time ask for it once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from accounts import login_sessions
from playground.sockets import session_checks
from playground.sockets.session_checks import Asker, SharedAnswers, still_stands, with_user

if TYPE_CHECKING:
    from accounts.models import User


class Asked:
    """Counts how often it was asked."""

    def __init__(self, answer: Any = "yes") -> None:
        self.times = 0
        self.answer = answer

    async def __call__(self) -> Any:
        self.times += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_those_that_ask_together_ask_once() -> None:
    answers, ask = SharedAnswers(), Asked()
    assert await asyncio.gather(*(answers.get("a", 60, ask) for _ in range(20))) == ["yes"] * 20
    assert await answers.get("b", 60, ask) == "yes"
    assert ask.times == 2


async def test_an_old_answer_counts_for_nobody() -> None:
    answers, ask = SharedAnswers(), Asked()
    await answers.get("a", 60, ask)
    await answers.get("a", -1, ask)
    assert ask.times == 2


async def test_a_failure_is_told_to_who_waits_and_not_kept() -> None:
    answers, ask = SharedAnswers(), Asked(ConnectionError("away"))
    with pytest.raises(ConnectionError):
        await answers.get("a", 60, ask)
    ask.answer = "yes"
    assert await answers.get("a", 60, ask) == "yes"


async def test_a_session_that_ends_is_forgotten_at_once() -> None:
    answers, ask = SharedAnswers(), Asked()
    await answers.get("a", 60, ask)
    await asyncio.to_thread(login_sessions.sessions_ended.send, None, user=None, user_pk=7, session_key=None)
    await answers.get("a", 60, ask)
    assert ask.times == 2


async def test_one_that_hangs_up_takes_the_answer_from_nobody() -> None:
    answers, ask = SharedAnswers(), Asked()
    first = asyncio.ensure_future(answers.get("a", 60, ask))
    second = asyncio.ensure_future(answers.get("a", 60, ask))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "yes"


@pytest.mark.django_db(transaction=True)
async def test_a_socket_is_told_whose_it_is(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    await asyncio.to_thread(client.force_login, owner)
    key = client.cookies["sessionid"].value
    told: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        told.append((scope["user"].pk, login_sessions.session_key(scope), scope["cookies"].get("other")))

    monkeypatch.setattr(session_checks, "answers", SharedAnswers())
    serve = with_user(application)

    def scope(cookie: str) -> dict[str, Any]:
        return {"type": "websocket", "headers": [(b"cookie", cookie.encode())]}

    await asyncio.gather(*(serve(scope(f"sessionid={key}; other={n}"), None, None) for n in range(2)))
    await serve(scope(""), None, None)
    await serve(scope("sessionid=unknown"), None, None)
    assert sorted(told[:2]) == [(owner.pk, key, "0"), (owner.pk, key, "1")]
    assert told[2:] == [(None, None, None), (None, None, None)]


@pytest.mark.django_db(transaction=True)
async def test_a_check_of_a_session_that_is_gone_fails(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    await asyncio.to_thread(client.force_login, owner)
    monkeypatch.setattr(session_checks, "answers", SharedAnswers())
    session = await asyncio.to_thread(lambda: client.session)
    scope = {"user": owner, "session": session}
    assert await still_stands(scope, 60)
    await asyncio.to_thread(session.delete)
    assert await still_stands(scope, 60)  # as it was found a moment ago
    assert not await still_stands(scope, -1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends_meanwhile", [False, True])
async def test_who_has_just_pressed_try_it_is_looked_up_again_only_if_a_session_ended_meanwhile(
    owner: User, monkeypatch: pytest.MonkeyPatch, *, ends_meanwhile: bool
) -> None:
    monkeypatch.setattr(session_checks, "answers", SharedAnswers())
    client = Client()
    await asyncio.to_thread(client.force_login, owner)
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = client.cookies["sessionid"].value
    request.session = await asyncio.to_thread(lambda: client.session)
    request.user = owner
    asker = Asker()
    if ends_meanwhile:
        login_sessions.sessions_ended.send(None, user=None, user_pk=7, session_key=None)
    asker.remember(request)
    ask = Asked({})
    known = await session_checks.answers.get(("user", request.COOKIES["sessionid"]), 60, ask)
    assert (ask.times, known.get("user")) == ((1, None) if ends_meanwhile else (0, owner))


async def test_a_visitor_and_a_session_that_was_renewed_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_checks, "answers", SharedAnswers())
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = "the one before"
    request.session, request.user = SessionStore("the new one"), AnonymousUser()
    Asker().remember(request)
    ask = Asked()
    await session_checks.answers.get(("user", "the one before"), 60, ask)
    assert ask.times == 1
