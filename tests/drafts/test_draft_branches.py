"""Branches of a request that was not saved: kept when turns are edited or dropped. Visitors have them too."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.attachments import attachment_store
from playground.conversations import autosave, versions
from playground.export import account_export
from playground.models import Conversation, ConversationVersion, Draft
from tests.support.drafting import begin, body, change, edit, log_in, page_headers, page_of, stored

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


def talk(*texts: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
    return {"model": "sandbox-echo", "max_tokens": 100, "messages": messages}


def texts() -> list[str]:
    return [turn["content"] for turn in body()["messages"]]


def write(client: Client, value: Any) -> None:
    edit(client, **{":json": json.dumps(value)})


def was_sent() -> None:
    versions.sent(Draft.objects.get())


def page(client: Client) -> str:
    return page_of(client)


def go_to(client: Client, label: str) -> Any:
    """Press the button with this accessible name."""
    match = re.search(rf'data-to-branch="([0-9a-f-]+)"[^>]*aria-label="{re.escape(label)}"', page(client))
    assert match, label
    draft = Draft.objects.get()
    posted = {":version": draft.version, ":mode": "form", ":branch": match[1]}
    return client.post(reverse("draft-branch"), posted, headers=page_headers(draft))


def run_from(client: Client, index: int) -> None:
    assert change(client, "run-from", f"messages[{index}]").status_code == 200
    was_sent()


# --- kept


def test_running_again_from_an_earlier_turn_keeps_the_later_turns(client: Client) -> None:
    begin(client, talk("one", "answer", "two", "end"))
    run_from(client, 0)
    assert texts() == ["one"]
    assert "Later messages saved as branch 1 of 2" in page(client)
    go_to(client, "Restore branch 1 of 2")
    assert texts() == ["one", "answer", "two", "end"]


def test_an_edited_turn_and_the_turns_after_it_are_two_whole_branches(client: Client) -> None:
    begin(client, talk("one", "answer", "two", "end"))
    edit(client, **{"messages[0].content": "on"})
    edit(client, **{"messages[0].content": "another"})
    run_from(client, 0)
    assert ">2 of 2<" in page(client)
    assert "Later messages saved as branch 1 of 2" in page(client)
    write(client, talk("another", "its answer", ""))
    go_to(client, "Version 1 of messages[0]")
    assert texts() == ["one", "answer", "two", "end"]
    go_to(client, "Version 2 of messages[0]")
    assert texts() == ["another", "its answer", ""]


def test_words_typed_after_the_edit_are_kept_too(client: Client) -> None:
    begin(client, talk("one", "answer", "two"))
    edit(client, **{"messages[0].content": "another"})
    edit(client, **{"messages[2].content": "two, longer"})
    run_from(client, 0)
    kept = [json.loads(version.body_text)["messages"][-1]["content"] for version in Draft.objects.get().versions.all()]
    assert sorted(kept) == ["another", "two", "two, longer"]


def test_an_earlier_turn_edited_after_a_run_and_sent_with_all_that_follows_is_a_branch(client: Client) -> None:
    begin(client, talk("one"))
    was_sent()
    write(client, talk("one", "answer", "two"))
    edit(client, **{"messages[0].content": "another"})
    was_sent()
    go_to(client, "Version 1 of messages[0]")
    assert texts() == ["one", "answer", "two"]


def test_a_conversation_written_by_hand_can_be_corrected_without_a_branch(client: Client) -> None:
    begin(client, talk("one", "answer", "two"))
    edit(client, **{"messages[0].content": "on"})
    was_sent()
    assert Draft.objects.get().versions.count() == 1


def test_an_edit_that_is_taken_back_makes_no_branch(client: Client) -> None:
    begin(client, talk("one"))
    was_sent()
    write(client, talk("one", "answer", "two"))
    for text in ("another", "one"):
        edit(client, **{"messages[0].content": text})
    was_sent()
    assert Draft.objects.get().versions.count() == 1


def test_going_on_with_a_conversation_makes_no_branch(client: Client) -> None:
    begin(client, talk("one"))
    was_sent()
    write(client, talk("one", "answer", ""))
    write(client, talk("one", "answer", "two"))
    was_sent()
    assert Draft.objects.get().versions.count() == 1
    assert "data-to-branch" not in page(client)


def test_what_was_typed_and_not_sent_is_there_after_a_switch(client: Client) -> None:
    begin(client, talk("one"))
    was_sent()
    edit(client, **{"messages[0].content": "another"})
    go_to(client, "Version 1 of messages[0]")
    assert texts() == ["one"]
    go_to(client, "Version 2 of messages[0]")
    assert texts() == ["another"]


def test_a_switch_made_upon_an_older_draft_changes_nothing(client: Client) -> None:
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    before = ConversationVersion.objects.count()
    posted = {":version": "1", ":mode": "form", ":branch": str(Draft.objects.get().versions.first().pk)}
    assert client.post(reverse("draft-branch"), posted).status_code == 409
    assert (texts(), ConversationVersion.objects.count()) == (["one"], before)


def test_nobody_goes_to_a_branch_of_somebody_else(client: Client, owner: User) -> None:
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    theirs = ConversationVersion.objects.first()
    assert theirs is not None
    client.force_login(owner)
    posted = {":version": "0", ":mode": "form", ":branch": str(theirs.pk)}
    Draft.objects.filter(user=None).update(visitor="somebody else")
    assert client.post(reverse("draft-branch"), posted).status_code == 404
    assert client.post(reverse("draft-branch"), posted | {":branch": "x"}).status_code == 404


# --- replaced, saved, forgotten


def test_another_request_is_no_branch_of_this_one(client: Client) -> None:
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    version = Draft.objects.get().version
    client.post(reverse("draft-start"), {":version": version, ":mode": "form", ":start": "empty"})
    assert ConversationVersion.objects.count() == 0


def test_a_pasted_request_that_begins_alike_is_a_branch(client: Client) -> None:
    begin(client, talk("one", "answer", "two"))
    pasted = json.dumps(talk("one", "another answer"))
    client.post(reverse("draft-import"), {":version": Draft.objects.get().version, ":pasted": pasted})
    go_to(client, "Version 1 of messages[1]")
    assert texts() == ["one", "answer", "two"]


def test_saving_takes_the_branches_along(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(talk("one", "answer"))})
    edit(client, **{"messages[0].content": "another"})
    run_from(client, 0)
    client.post(reverse("conversation-save"))
    conversation = Conversation.objects.get()
    assert conversation.versions.filter(pinned=True).count() >= 2
    assert Draft.objects.get().versions.count() == 0
    go_to(client, "Version 1 of messages[0]")
    assert texts() == ["one", "answer"]


def test_in_a_saved_conversation_nothing_is_lost_either(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(talk("one"))})
    client.post(reverse("conversation-save"))
    write(client, talk("one", "answer", "two"))
    edit(client, **{"messages[0].content": "another"})
    run_from(client, 0)
    assert "Later messages saved as branch 1 of 2" in page(client)
    go_to(client, "Restore branch 1 of 2")
    assert texts() == ["one", "answer", "two"]
    assert Conversation.objects.get().versions.count() == ConversationVersion.objects.count()


def test_what_a_visitor_kept_goes_along_when_they_log_in(client: Client, owner: User) -> None:
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    log_in(client)
    edit(client, max_tokens="7")
    assert Draft.objects.get().user == owner
    go_to(client, "Restore branch 1 of 2")
    assert texts() == ["one", "answer"]


def test_a_new_request_saves_a_draft_that_is_blank_but_has_branches(client: Client, owner: User) -> None:
    client.force_login(owner)
    client.post(reverse("edit"), {":version": "0", ":mode": "json", ":json": json.dumps(talk("one", "answer"))})
    run_from(client, 0)
    write(client, talk(""))
    client.post(reverse("conversation-new"))
    assert Conversation.objects.count() == 1


def test_branches_are_in_the_export_and_go_with_the_account(client: Client, owner: User) -> None:
    draft = stored(talk("one", "canary words"), user=owner)
    versions.keep(draft, draft.body_text, talk("one", "canary words"), note="sent")
    Draft.objects.update(body=b"{}")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(account_export.zipped(owner))))
    assert "canary words" in json.loads(archive.read("drafts.jsonl"))["versions"][0]["body_text"]
    owner.delete()
    assert ConversationVersion.objects.count() == 0


def test_a_file_that_only_a_branch_refers_to_is_not_swept(client: Client, owner: User, settings: Any) -> None:
    from django.utils import timezone

    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
    file = attachment_store.store(png, "x.png", user=owner, visitor="")
    draft = stored(talk("one"), user=owner)
    versions.keep(draft, f'"{file.reference}"', talk("one"), note="sent")
    later = timezone.now() + attachment_store.KEPT_UNUSED * 2
    assert attachment_store.sweep(later) == 0
    draft.versions.all().delete()
    assert attachment_store.sweep(later) == 1


# --- its end


def test_the_oldest_branches_make_room_and_the_page_says_so(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(versions, "MOST_BRANCHES", 3)
    begin(client, talk("one"))
    for number in range(5):
        edit(client, **{"messages[0].content": f"number {number}"})
        was_sent()
    kept = Draft.objects.get().versions.order_by("made_at")
    assert [json.loads(version.body_text)["messages"][0]["content"][-1] for version in kept] == ["2", "3", "4"]
    assert "The 2 oldest branches were removed" in " ".join(page(client).split())


def test_branches_have_a_size_in_all_and_the_newest_always_stays(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(versions, "MOST_BYTES", 10)
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    edit(client, **{"messages[0].content": "another"})
    was_sent()
    assert Draft.objects.get().versions.count() == 1


# --- folded


def test_a_folded_turn_and_a_gap_show_their_switch(client: Client) -> None:
    long = [f"turn {number}" for number in range(301)]
    begin(client, talk(*long))
    was_sent()
    for number in (3, 290):
        write(client, talk(*long[:number], f"another {number}", *long[number + 1 :]))
        was_sent()
    html = page(client)
    gap = html[html.index('id="turns-0"') :]
    assert "messages[3]" in gap[: gap.index("</div>")]
    assert ">1 of 2<" in gap[: gap.index("</div>")]
    folded = html[html.index('data-place="messages[290]"') :]
    assert 'data-branch="290"' in folded[: folded.index("</div>")]
    assert ">2 of 2<" in folded[: folded.index("</div>")]
    go_to(client, "Version 2 of messages[3]")
    assert texts()[3] == "another 3"


def test_the_switches_can_be_asked_for_after_a_request_was_sent(client: Client) -> None:
    begin(client, talk("one"))
    was_sent()
    edit(client, **{"messages[0].content": "another"})
    was_sent()
    html = client.get(reverse("draft-branches")).content.decode()
    assert "2 of 2" in html
    assert 'id="branch-note"' in html


def test_a_body_brought_by_a_link_shows_no_branches_of_the_draft(client: Client) -> None:
    begin(client, talk("one", "answer"))
    run_from(client, 0)
    html = client.get(reverse("playground"), {"prompt": "from a link"}).content.decode()
    assert "data-to-branch" not in html


def test_saved_settings_go_along_with_a_branch(client: Client) -> None:
    begin(client, talk("one"))
    edit(client, **{":anthropic-version": "2023-01-01"})
    was_sent()
    edit(client, **{"messages[0].content": "another", ":anthropic-version": "2023-06-01"})
    was_sent()
    go_to(client, "Version 1 of messages[0]")
    assert autosave.settings_of(Draft.objects.get())["anthropic_version"] == "2023-01-01"


def test_sending_asks_the_database_as_often_however_many_branches_there_are(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    begin(client, talk("first"))
    asked = []
    for number in range(8):
        write(client, talk(f"branch {number}"))
        with django_assert_max_num_queries(100) as queries:
            was_sent()
        asked.append(len(queries))
    assert Draft.objects.get().versions.count() == 8
    assert asked[-1] == asked[2]
