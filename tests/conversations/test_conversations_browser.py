"""Conversations and shares in a browser: save, branch, return; choose, preview, publish, read, replay, fork."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from playground.conversations import autosave
from playground.models import Conversation, Draft, ShareLink
from playground.sharing import parts
from tests.support.browser import expect, settle
from tests.support.sharing_rig import FAKE_KEY, published, rich_conversation

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_guesses_yet")]
PHONE = {"width": 390, "height": 844, "color_scheme": "dark"}


def write_first_turn(page: Any, text: str) -> None:
    page.get_by_label("messages[0].content", exact=True).fill(text)
    settle(page)


def run_it(page: Any, about: str) -> None:
    page.locator("#try-it").click()
    expect(page.locator("#answer [data-blocks]")).to_contain_text(about)
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")


def save(page: Any, title: str) -> None:
    page.locator("#form-actions").get_by_role("button", name="Save", exact=True).click()
    page.locator("#name-dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"Saved as “{title}”")).to_be_visible()


def turn_switch(page: Any) -> Any:
    return page.locator("#ask [data-branch='0']")


def send(page: Any) -> None:
    """Press Try It!, and "Send anyway" where the form has objections: a fork may lack what was left out."""
    page.locator("#try-it").click()
    anyway = page.locator("#send-anyway button")
    expect(page.locator("#answer .answer-panel[data-run], #send-anyway button").first).to_be_visible()
    if anyway.count():
        anyway.first.click()


# --- save, branch, return


def test_saving_branching_and_returning(page: Any, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    page.goto("/")
    write_first_turn(page, "Talk about apples")
    save(page, "Talk about apples")
    run_it(page, "apples")
    write_first_turn(page, "Talk about pears")
    run_it(page, "pears")
    expect(turn_switch(page)).to_contain_text("2 of 2")
    page.get_by_role("button", name="Version 1 of messages[0]").click()
    expect(page.get_by_label("messages[0].content", exact=True)).to_have_value("Talk about apples")
    expect(turn_switch(page)).to_contain_text("1 of 2")
    page.get_by_role("button", name="Version 2 of messages[0]").click()
    expect(page.get_by_label("messages[0].content", exact=True)).to_have_value("Talk about pears")
    conversation = Conversation.objects.get()
    assert conversation.run_links.count() == 2


@pytest.mark.slow
def test_what_was_being_written_is_saved_before_something_else_is_opened(page: Any, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    page.goto("/")
    write_first_turn(page, "Words that nobody saved")
    page.goto("/conversations/")
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator("#banners")).to_contain_text("saved as “Words that nobody saved”")
    expect(page.get_by_label("messages[0].content", exact=True)).to_have_value("")
    page.goto("/conversations/")
    page.get_by_role("link", name="Words that nobody saved").click()
    expect(page.get_by_label("messages[0].content", exact=True)).to_have_value("Words that nobody saved")


@pytest.mark.slow
def test_the_list_narrows_as_one_types_and_deleting_can_be_undone(page: Any, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    conversation = rich_conversation(owner)
    page.goto("/conversations/")
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.locator("#conversation-rows")).to_contain_text("No conversations match")
    page.get_by_role("searchbox").fill("visiblequestion")
    expect(page.locator("#conversation-rows")).to_contain_text("A title")
    page.get_by_label("More for A title").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#conversation-rows")).to_contain_text("No conversations yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A title")
    conversation.refresh_from_db()
    assert conversation.deleted_at is None


# --- publish and read


def publish(page: Any, conversation: Conversation) -> str:
    page.goto(f"/conversations/{conversation.pk}/share/")
    page.get_by_role("button", name="Publish").click()
    return page.get_by_label("Link", exact=True).input_value()


@pytest.mark.slow
def test_the_preview_looks_as_a_fresh_browser_sees_it(
    new_page: Any, log_in: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)  # each copy says when it was made
    page = new_page()
    log_in(page, owner)
    conversation = rich_conversation(owner)
    page.goto(f"/conversations/{conversation.pk}/share/")
    page.get_by_role("switch", name="System prompt").click()
    with page.expect_popup() as opening:
        page.get_by_role("button", name="Preview as a visitor").click()
    preview = opening.value
    preview.wait_for_load_state()
    text = preview.locator("body").inner_text()
    assert "canarysystem" in text
    assert "canarythought" not in text
    page.get_by_role("button", name="Publish").click()
    fresh = new_page()
    fresh.goto(page.get_by_label("Link", exact=True).input_value())
    assert fresh.locator("body").inner_text() == text


@pytest.mark.slow
def test_leaving_a_part_out_looks_through_the_rest_again(page: Any, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    body = {"system": "Mail ann@example.org", "messages": [{"role": "user", "content": f"The key: {FAKE_KEY}"}]}
    conversation = autosave.create(owner, body, {})
    page.goto(f"/conversations/{conversation.pk}/share/")
    findings = page.locator("#share-findings")
    key = page.get_by_role("switch", name=re.compile("^Mask this key"))
    expect(key).to_be_checked()  # keys are masked unless somebody says otherwise
    expect(findings).not_to_contain_text("E-mail address")
    page.get_by_role("switch", name="System prompt").click()
    expect(findings).to_contain_text("E-mail address")
    page.get_by_role("switch", name="System prompt").click()
    expect(findings).not_to_contain_text("E-mail address")
    expect(key).to_be_checked()
    page.get_by_role("button", name="Publish").click()
    page.goto(page.get_by_label("Link", exact=True).input_value())
    expect(page.locator("main")).to_contain_text("•••••")
    assert FAKE_KEY not in page.content()


@pytest.mark.slow
def test_on_a_phone_words_stand_beside_their_picture_and_labels_above_their_fields(
    new_page: Any, log_in: Any, owner: User, axe: Any
) -> None:
    page = new_page(width=390)
    log_in(page, owner)
    body = {"messages": [{"role": "user", "content": f"The key: {FAKE_KEY}"}]}
    page.goto(f"/conversations/{autosave.create(owner, body, {}).pk}/share/")
    page.get_by_role("switch", name=re.compile("^Mask this key")).click()
    page.get_by_role("button", name="Publish").click()
    page.locator("#share-confirm").wait_for()
    for banner in page.locator("#share-form .banner").all():
        picture, words = (banner.locator(part).first.bounding_box() for part in ("> svg", "> svg + *"))
        assert words["x"] >= picture["x"] + picture["width"]
        assert words["y"] <= picture["y"]
    for name in ("passphrase", "audience", "lasts"):
        label, field = (page.locator(part).bounding_box() for part in (f"[for='{name}']", f"#{name}"))
        assert label["y"] + label["height"] <= field["y"]
        assert field["x"] == label["x"]
    axe(page, in_both_themes=True)
    new_page.noise.clear()  # the browser itself says "422"


@pytest.mark.slow
def test_a_title_of_one_long_word_breaks_into_lines_on_a_phone(new_page: Any, log_in: Any, owner: User) -> None:
    page = new_page(width=390)
    log_in(page, owner)
    conversation = autosave.create(owner, {"messages": [{"role": "user", "content": "Hi"}]}, {})
    Conversation.objects.filter(pk=conversation.pk).update(title="long" * 40)
    conversation.refresh_from_db()
    share, token = published(conversation)
    own = f"/conversations/{conversation.pk}"
    shared = (f"/s/{token}/", f"/s/{token}/fork/", f"/shares/{share.pk}/preview/", "/shares/")
    for address in (f"{own}/share/", f"{own}/read/", f"{own}/", "/conversations/", *shared):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


@pytest.mark.slow
def test_revoking_from_the_page_closes_the_link(new_page: Any, log_in: Any, owner: User) -> None:
    page, reader = new_page(), new_page()
    log_in(page, owner)
    conversation = rich_conversation(owner)
    address = publish(page, conversation)
    reader.goto(address)
    expect(reader.get_by_role("heading", level=1)).to_have_text("A title")
    page.goto(f"/conversations/{conversation.pk}/read/")
    expect(page.locator("#links")).to_contain_text("opened 1 time")
    page._thread.call(lambda: page._target.once("dialog", lambda dialog: dialog.dismiss()))
    page.get_by_role("button", name="Revoke").click()
    assert ShareLink.objects.get().state == "open", "one press does not throw the copy away"
    page._thread.call(lambda: page._target.once("dialog", lambda dialog: dialog.accept()))
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("#links")).to_contain_text("revoked")
    reader.goto(address)
    expect(reader.get_by_role("heading", level=1)).to_have_text("Page not found")
    new_page.noise.clear()  # the browser notes the 404


@pytest.mark.slow
def test_a_passphrase_is_asked_for(new_page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), passphrase="open sesame")
    page = new_page()
    page.goto(f"/s/{token}/")
    page.get_by_label("Passphrase").fill("open sesame")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("main")).to_contain_text("visiblequestion")
    new_page.noise[:] = [line for line in new_page.noise if "403" not in line]  # the browser notes the first answer


@pytest.mark.slow
def test_the_page_of_a_copy_makes_no_foreign_request(page: Any, live_url: str, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES)
    asked: list[str] = []
    page._thread.call(lambda: page._target.on("request", lambda request: asked.append(request.url)))
    page.goto(f"/s/{token}/")
    expect(page.get_by_role("button", name="Replay")).to_be_visible()
    assert [url for url in asked if not url.startswith((live_url, "data:"))] == []


@pytest.mark.slow
def test_a_copy_can_be_read_without_scripts(new_page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES)
    page = new_page(java_script_enabled=False)
    page.goto(f"/s/{token}/")
    for words in ("visiblequestion", "visibleanswer", "visibleending", "canarysystem"):
        expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    page.get_by_role("link", name="Open a copy").click()
    page.get_by_role("button", name="Open in my playground").click()
    assert "visiblequestion" in Draft.objects.get().body_text


@pytest.mark.slow
def test_the_replay_draws_in_the_original_order_and_rhythm(page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES)
    page.goto(f"/s/{token}/")
    before = page.locator("#turn-3 [data-blocks]").inner_text()
    page.evaluate(
        "window.seen = [];"
        "document.addEventListener('replay:frame', ({detail}) => window.seen.push([detail.at, detail.now]))"
    )
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("#turn-3")).to_have_attribute("data-state", "whole")
    seen = page.evaluate("window.seen")
    times = [at for at, _ in seen]
    assert times == sorted(times)
    assert len(times) > 3
    assert all(now >= at for at, now in seen)  # nothing is drawn before its time
    assert page.locator("#turn-3 [data-blocks]").inner_text() == before


# --- fork


@pytest.mark.slow
def test_a_visitor_forks_and_runs(page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), "parameters")
    page.goto(f"/s/{token}/")
    page.get_by_role("link", name="Open a copy").click()
    page.get_by_role("button", name="Open in my playground").click()
    expect(page.locator("#try-it")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("model", exact=True).fill("sandbox-stories")
    settle(page)
    send(page)
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")


@pytest.mark.slow
def test_a_user_forks_into_a_conversation(page: Any, log_in: Any, owner: User, stranger: User) -> None:
    _, token = published(rich_conversation(owner), "parameters")
    log_in(page, stranger)
    page.goto(f"/s/{token}/fork/")
    page.get_by_role("button", name="Open in my playground").click()
    expect(page.get_by_text("Copied as “A title”")).to_be_visible()
    forked = Conversation.objects.get(owner=stranger)
    assert forked.forked_from == ShareLink.objects.get()
    assert forked.title == "A title"
    page.wait_for_load_state()
    page.get_by_label("model", exact=True).fill("sandbox-stories")
    settle(page)
    send(page)
    expect(page.locator("#answer .answer-panel")).to_have_attribute("data-state", "completed")
    assert forked.run_links.count() == 1


# --- how it looks


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide and light", "narrow and dark"])
def test_the_pages_are_accessible_and_fit(new_page: Any, log_in: Any, axe: Any, owner: User, options: Any) -> None:
    page = new_page(**options)
    conversation = rich_conversation(owner)
    _, token = published(conversation, *parts.NAMES)
    log_in(page, owner)
    own = f"/conversations/{conversation.pk}/"
    places = ["/conversations/", own, f"{own}read/", f"/conversations/{conversation.pk}/share/"]
    places += ["/shares/", "/conversations/import/", f"/s/{token}/", f"/s/{token}/events/3/", f"/s/{token}/fork/"]
    first = conversation.versions.get(parent=None)
    for place in [*places, f"/conversations/{conversation.pk}/difference/?old={first.pk}"]:
        page.goto(place)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


@pytest.mark.slow
def test_on_paper_there_are_only_the_words(page: Any, owner: User) -> None:
    _, token = published(rich_conversation(owner), *parts.NAMES)
    page.goto(f"/s/{token}/")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Open a copy")).to_be_hidden()
    expect(page.get_by_role("button", name="Replay")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("visiblequestion")
