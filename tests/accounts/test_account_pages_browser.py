"""The pages about accounts, connections and keys, as a person uses them."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from accounts.models import AccessKey, Connection, User
from playground.sandbox.model_catalogue import MODELS
from tests.accounts.conftest import CREDENTIAL, MakeConnection
from tests.conftest import PASSWORD
from tests.support.browser import expect
from tests.support.raw_upstream import Exchange, serving


@pytest.fixture
def upstream() -> Iterator[str]:
    """The address of another server on loopback that lists two models and counts, to whoever brings the credential."""
    started, stop, found = threading.Event(), asyncio.Event(), {}
    models = json.dumps({"data": [{"id": "model-one"}, {"id": "model-two"}], "has_more": False}).encode()

    async def script(exchange: Exchange) -> None:
        status = "200 OK" if CREDENTIAL.encode() in exchange.head else "401 Unauthorized"
        body = models if exchange.head.startswith(b"GET") else b'{"input_tokens":8}'
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        await exchange.say(f"{head}connection: close\r\n\r\n".encode() + body)

    async def serve() -> None:
        async with serving(script) as server:
            found["url"], found["loop"] = server.url, asyncio.get_running_loop()
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    assert started.wait(10)
    yield found["url"]
    found["loop"].call_soon_threadsafe(stop.set)
    thread.join(10)


def fill(page: Any, **values: str) -> None:
    for label, value in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


@pytest.mark.slow
def test_sign_up_add_a_connection_test_it_and_log_out(page: Any, upstream: str, settings: Any) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    page.goto(reverse("signup"))
    fill(page, Username="mira", Password="a-long-enough-one", Password_again="a-long-enough-one")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator(".user-name")).to_have_text("mira")

    page.goto(reverse("connections"))
    page.get_by_role("link", name="Add connection").click()
    fill(page, Name="Next door", Base_URL=f"{upstream}/v1", Credential=CREDENTIAL)
    page.get_by_role("button", name="Save").click()
    # Saving tests it, and what answers is what the playground sends to.
    expect(page.locator("#try-it")).to_be_visible()
    expect(page.locator("body")).to_contain_text(re.compile(r"Connected to Next door: 2 models, \d+ ms"))
    expect(page.get_by_label("model", exact=True)).to_have_value("model-one")
    assert CREDENTIAL not in page.content()

    page.goto(reverse("connections"))
    page.get_by_role("button", name="Test Next door").click()
    card = page.locator("article", has_text="Next door")
    expect(card).to_contain_text(re.compile(r"2 models, \d+ ms"))
    expect(card).to_contain_text("model-one, model-two")
    expect(page.locator("#test-said")).to_contain_text("Next door: 2 models")
    assert CREDENTIAL not in page.content()

    for name, model in (("the sandbox", MODELS[0].id), ("Next door", "model-one")):
        page.goto(reverse("connections"))
        page.get_by_role("button", name=f"Use {name} in the playground").click()
        expect(page.locator("#try-it")).to_be_visible()
        expect(page.locator("body")).to_contain_text(f"Requests are sent to {name}.")
        expect(page.get_by_label("model", exact=True)).to_have_value(model)

    page.locator("summary", has_text="mira").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("banner").get_by_role("link", name="Log in")).to_be_visible()


@pytest.mark.slow
def test_logging_in_leads_back_to_the_page_that_asked(page: Any, owner: User) -> None:
    page.goto(reverse("access-keys"))
    fill(page, Username="owner", Password="wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong username or password.")
    fill(page, Username="owner", Password=PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Access keys")).to_be_visible()


def test_a_new_key_is_shown_until_the_page_is_left(page: Any, owner: User, log_in: Any) -> None:
    log_in(page, owner)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": 1024, "height": 560})
    page.goto(reverse("access-keys"))
    fill(page, Name="laptop")
    page.get_by_role("button", name="Create key").click()
    field = page.get_by_label("New access key")
    expect(field).to_be_visible()
    page.wait_for_function("scrollY === 0")  # the key is read under the head of the page, not at the window's edge
    secret = field.input_value()
    assert AccessKey.objects.find(secret) is not None
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.reload()
    expect(page.get_by_role("row", name=re.compile("laptop"))).to_be_visible()
    assert secret not in page.content()
    assert AccessKey.objects.count() == 1


@pytest.mark.slow
def test_a_button_pressed_after_the_session_ended_leads_to_the_log_in_and_back(
    page: Any, owner: User, log_in: Any
) -> None:
    log_in(page, owner)
    page.goto(reverse("access-keys"))
    Session.objects.all().delete()
    fill(page, Name="laptop")
    page.get_by_role("button", name="Create key").click()
    fill(page, Username="owner", Password=PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Access keys")).to_be_visible()
    assert not AccessKey.objects.exists()


@pytest.mark.slow
def test_revoking_asks_first(page: Any, owner: User, log_in: Any) -> None:
    AccessKey.objects.issue(owner=owner, name="laptop")
    log_in(page, owner)
    page.goto(reverse("access-keys"))
    questions: list[str] = []
    answers = iter(("dismiss", "accept"))

    def answer(dialog: Any) -> None:
        questions.append(dialog.message)
        getattr(dialog, next(answers))()

    page._thread.call(lambda: page._target.on("dialog", answer))
    page.get_by_role("button", name="Revoke laptop").click()
    assert AccessKey.objects.get().revoked_at is None
    page.get_by_role("button", name="Revoke laptop").click()
    expect(page.locator(".keys .tag")).to_contain_text("revoked")
    assert len(questions) == 2
    assert "Revoke the key laptop?" in questions[0]


@pytest.mark.slow
def test_header_rows_are_added_and_removed(page: Any, owner: User, connection: Connection, log_in: Any) -> None:
    log_in(page, owner)
    page.goto(reverse("connection-edit", args=[connection.pk]))
    expect(page.get_by_label("value of X-Team")).to_have_attribute("placeholder", re.compile(r"••••77c1 \(unchanged\)"))
    page.get_by_role("button", name="Add header").click()
    expect(page.locator(".header-row")).to_have_count(3)
    page.get_by_label("header name").last.fill("X-Zone")
    page.get_by_label("header value").last.fill("north")
    page.get_by_role("button", name="Remove X-Team").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    assert Connection.objects.get().headers() == [("X-Zone", "north")]


@pytest.mark.slow
def test_deleting_a_connection_asks_in_a_dialog(page: Any, owner: User, connection: Connection, log_in: Any) -> None:
    log_in(page, owner)
    page.goto(reverse("connection-edit", args=[connection.pk]))
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Cancel").click()
    assert Connection.objects.exists()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    assert not Connection.objects.exists()


@pytest.mark.slow
def test_deleting_the_account_leads_out(page: Any, owner: User, connection: Connection, log_in: Any) -> None:
    log_in(page, owner)
    page.goto(reverse("account"))
    page.get_by_role("link", name="Delete my account…").click()
    expect(page.locator("main li")).to_have_text(["1 connection"])
    fill(page, Password=PASSWORD)
    page.get_by_role("button", name="Delete my account and everything in it").click()
    expect(page.get_by_role("banner").get_by_role("link", name="Log in")).to_be_visible()
    assert not User.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_do_not_scroll_sideways(
    new_page: Any,
    axe: Any,
    log_in: Any,
    owner: User,
    connection: Connection,
    make_connection: MakeConnection,
    width: int,
) -> None:
    long_name = "A house gateway whose name is as long as names may be, or nearly so, for " + "x" * 7
    make_connection(None, long_name, base_url="https://gateway.example.org/" + "long-path/" * 20)
    key, _secret = AccessKey.objects.issue(
        owner=owner, name="ci-nightly", connection=connection, models=["m" * 200], tokens_per_day=10**15
    )
    key.touch("2001:db8:1111:2222:3333:4444:5555:6666")
    page = new_page(width=width)

    def look(address: str) -> None:
        page.goto(address)
        axe(page, in_both_themes=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address

    for name in ("login", "signup"):
        look(reverse(name))
    log_in(page, owner)
    for name in ("account", "password-change", "account-delete", "connections", "connection-add", "access-keys"):
        look(reverse(name))
    look(reverse("connection-edit", args=[connection.pk]))
    page.get_by_role("button", name="Delete…").click()
    axe(page, in_both_themes=True)
    page.goto(reverse("access-keys"))
    fill(page, Name="laptop")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_label("New access key")).to_be_visible()
    axe(page, in_both_themes=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_from_add_connection_to_the_first_response_takes_at_most_five_presses(
    page: Any, upstream: str, settings: Any, owner: User, log_in: Any
) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    log_in(page, owner)
    page.goto("/")
    presses = 0

    def press(target: Any) -> None:
        nonlocal presses
        presses += 1
        target.click()

    press(page.locator("#connection-menu summary"))
    press(page.get_by_role("link", name="Add connection"))
    fill(page, Name="Next door", Base_URL=f"{upstream}/v1", Credential=CREDENTIAL)
    press(page.get_by_role("button", name="Save"))
    expect(page.get_by_label("model", exact=True)).to_have_value("model-one")
    expect(page.locator("#connection-menu summary")).to_contain_text("Next door")
    press(page.locator("#try-it"))
    expect(page.locator("#answer .answer-panel[data-run]")).to_be_visible()
    assert presses <= 5
    page.locator("#connection-menu summary").click()
    current = page.locator("#connection-menu [aria-current=true], #connection-menu [aria-checked=true]")
    expect(current).to_contain_text("Next door")
    expect(current).to_contain_text("2 models")
