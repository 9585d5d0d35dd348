"""Conversations: saved with versions and branches, found, opened again, taken in and out; nobody else's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from playground.conversations import autosave, body_summary, branches, file_formats, version_diff, versions
from playground.models import Conversation, ConversationRun, Draft, Run
from playground.protocol.importers import ImportProblem
from playground.protocol.json import json_text
from playground.sharing import snapshot
from playground.views import conversations as conversation_views
from tests.support.markup import markup
from tests.support.runs import stored_run

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db


def body_of(*turns: Any, **members: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(turns)]
    return {"model": "claude-sonnet-5-5", "max_tokens": 1024, "messages": messages, **members}


def draft_of(user: User, body: dict[str, Any]) -> Draft:
    draft = Draft.objects.filter(user=user).first() or Draft(user=user)
    draft.body_text = json_text.dump(body)
    assert draft.keep()
    return draft


def saved(user: User, *turns: str, title: str = "", **members: Any) -> Conversation:
    return autosave.create(user, body_of(*turns, **members), {}, title)


def test_saving_keeps_the_body_and_proposes_a_title(client: Client, owner: User) -> None:
    client.force_login(owner)
    draft_of(owner, body_of("Why is the sky blue?\nPlease explain.", temperature=1.0))
    client.post(reverse("conversation-save"))
    conversation = Conversation.objects.get(owner=owner)
    assert conversation.title == "Why is the sky blue? Please explain."
    assert '"temperature": 1.0' in conversation.head.body_text
    assert Draft.objects.get(user=owner).conversation == conversation


def test_a_title_of_ones_own_stays_and_a_proposed_one_follows(owner: User) -> None:
    draft = draft_of(owner, body_of("First"))
    conversation = autosave.save(draft, owner)
    draft.body_text = json_text.dump(body_of("Second"))
    autosave.save(draft, owner)
    conversation.refresh_from_db()
    assert conversation.title == "Second"
    autosave.save(draft, owner, "My title")
    draft.body_text = json_text.dump(body_of("Third"))
    autosave.save(draft, owner)
    conversation.refresh_from_db()
    assert conversation.title == "My title"


def test_typing_changes_one_version_and_saving_begins_another(owner: User) -> None:
    draft = draft_of(owner, body_of("a"))
    conversation = autosave.save(draft, owner)
    for text in ("ab", "abc", "abcd"):
        draft.body_text = json_text.dump(body_of(text))
        autosave.autosave(draft)
    assert [version.pinned for version in conversation.versions.all()] == [False, True]
    conversation.refresh_from_db()
    assert body_summary.turns(body_summary.parse(conversation.head.body_text))[0]["content"] == "abcd"


def test_what_was_only_typed_thins_out_and_what_was_saved_stays(owner: User) -> None:
    conversation = saved(owner, "saved")
    for number in range(autosave.MOST_UNPINNED + 5):
        autosave.add_version(conversation, json_text.dump(body_of(f"typed {number}")), {})
        long_ago = timezone.now() - autosave.NEW_VERSION_AFTER * 2
        conversation.versions.filter(pinned=False).update(made_at=long_ago)
        conversation.head.refresh_from_db()
    assert conversation.versions.filter(pinned=False).count() == autosave.MOST_UNPINNED + 1
    assert conversation.versions.filter(pinned=True).count() == 1


def test_editing_an_earlier_turn_makes_a_sibling_and_nothing_is_lost(owner: User) -> None:
    draft = draft_of(owner, body_of("one", "answer", "two"))
    conversation = autosave.save(draft, owner)
    for last in ("two, again", "two, once more"):
        draft.body_text = json_text.dump(body_of("one", "answer", last))
        autosave.record_run(draft, uuid4())
    conversation.refresh_from_db()
    found = branches.branches(versions.pinned_of(conversation), conversation.head.chain)
    assert list(found) == [2]
    assert (found[2].number, found[2].count) == (3, 3)
    assert "two, again" in found[2].before.body_text
    assert found[2].after is None
    assert conversation.run_links.count() == 2


# --- runs that were made before the first saving


def send(draft: Draft, owner: User, *turns: Any) -> UUID:
    """A run in the log, made from the draft with these turns."""
    draft.body_text = json_text.dump(body_of(*turns))
    assert draft.keep()
    run = stored_run(owner)
    autosave.record_run(draft, run.pk)
    return run.pk


def test_runs_made_before_the_first_saving_are_the_conversations(client: Client, owner: User) -> None:
    draft = draft_of(owner, body_of("one"))
    first, again = send(draft, owner, "one"), send(draft, owner, "one")
    second = send(draft, owner, "one", "answer", "two")
    elsewhere = stored_run(owner).pk
    conversation = autosave.save(draft, owner)
    assert {run.pk for run in conversation_views.runs_of(conversation)} == {first, again, second}
    asked = {link.run_id: len(link.asked) for link in conversation.run_links.all()}
    assert asked == {first: 1, again: 1, second: 3}
    client.force_login(owner)
    listed = client.get(reverse("runs"), {"conversation": str(conversation.pk)}).content.decode()
    assert [str(run) in listed for run in (first, again, second, elsewhere)] == [True, True, True, False]
    assert "4 requests in 2 groups" in markup(client.get(reverse("runs"), {"group": "conversation"}))


def test_each_turn_that_is_shared_has_the_answer_of_its_run_though_it_was_made_before_saving(owner: User) -> None:
    draft = draft_of(owner, body_of("one"))
    answer = Run.objects.get(pk=send(draft, owner, "one")).message()
    assert answer
    send(draft, owner, "one", answer["content"], "two")
    shared = snapshot.of_conversation(autosave.save(draft, owner), frozenset({"figures"}), [])
    assert [answer["turn"] for answer in shared["answers"]] == [1, 3]


def test_runs_of_another_request_that_was_not_saved_stay_without_a_conversation(owner: User) -> None:
    draft = draft_of(owner, body_of("one"))
    send(draft, owner, "one")
    versions.replaced(draft, draft.body_text, body_of("one"), body_of("something else"))
    made = send(draft, owner, "something else")
    assert list(autosave.save(draft, owner).run_links.values_list("run_id", flat=True)) == [made]


def test_a_run_stays_with_the_conversation_it_was_made_in(owner: User) -> None:
    draft = draft_of(owner, body_of("one"))
    first = autosave.save(draft, owner)
    made = send(draft, owner, "one")
    draft.conversation = None
    second = autosave.save(draft, owner)
    assert first.run_links.get().run_id == made
    assert not second.run_links.exists()


def test_a_visitors_runs_are_in_no_log_and_so_in_no_conversation(owner: User) -> None:
    draft = Draft(visitor="somebody", body=json_text.dump(body_of("one")).encode())
    assert draft.keep()
    autosave.record_run(draft, uuid4())
    assert not ConversationRun.objects.exists()


def test_saving_asks_no_more_however_many_runs_there_were(
    owner: User, stranger: User, django_assert_num_queries: Any
) -> None:
    few, many = draft_of(owner, body_of("one")), draft_of(stranger, body_of("one"))
    send(few, owner, "one")
    for _ in range(20):
        send(many, stranger, "one")
    with CaptureQueriesContext(connection) as asked:
        autosave.save(few, owner)
    with django_assert_num_queries(len(asked)):
        autosave.save(many, stranger)
    assert ConversationRun.objects.filter(conversation__owner=stranger).count() == 20


def test_a_longer_version_is_no_branch(owner: User) -> None:
    conversation = saved(owner, "one")
    autosave.add_version(conversation, json_text.dump(body_of("one", "two", "three")), {}, pinned=True)
    assert branches.branches(versions.pinned_of(conversation), conversation.head.chain) == {}


def test_going_back_to_a_version_changes_only_its_conversation(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, "old")
    old = conversation.head
    autosave.add_version(conversation, json_text.dump(body_of("new")), {"betas": ["b-1"]}, pinned=True)
    unsaved = draft_of(owner, body_of("something else that is being written"))
    opened = client.post(reverse("conversation-open", args=[conversation.pk]), {"version": str(old.pk)})
    assert opened["Location"] == reverse("conversation", args=[conversation.pk])
    assert '"old"' in Draft.objects.get(conversation=conversation).body_text
    assert Draft.objects.get(user=owner, conversation=None).body_text == unsaved.body_text
    client.post(reverse("conversation-open", args=[conversation.pk]))
    conversation.refresh_from_db()
    assert conversation.head == old  # what was opened last is what is worked on
    assert conversation.versions.count() == 2


def test_a_version_never_brings_in_a_connection_of_somebody_else(client: Client, owner: User, stranger: User) -> None:
    from accounts.models import Connection

    foreign = Connection.objects.create(owner=stranger, name="theirs", base_url="https://a.example")
    conversation = autosave.create(owner, body_of("hi"), {"connection": str(foreign.pk)})
    client.force_login(owner)
    headers = {"X-Conversation": str(conversation.pk)}
    client.post(reverse("edit"), {":version": "0", ":mode": "form", "max_tokens": "7"}, headers=headers)
    assert Draft.objects.get(conversation=conversation).connection is None


def listed(client: Client, **query: str) -> str:
    response = client.get(reverse("conversations"), query, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


# --- the page


def test_the_page_shows_turns_branches_versions_and_hostile_text_as_text(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, "<script>alert(1)</script> **bold**")
    autosave.add_version(conversation, json_text.dump(body_of("another first turn")), {}, pinned=True, note="saved")
    page = client.get(reverse("conversation-read", args=[conversation.pk])).content.decode()
    assert "2 of 2" in page
    first = conversation.versions.get(parent=None)
    older = client.get(reverse("conversation", args=[conversation.pk]), {"version": str(first.pk)}, follow=True)
    page = older.content.decode()
    assert "<script>alert" not in page
    assert "<strong>bold</strong>" in page
    assert "1 of 2" in page


def test_of_a_long_conversation_the_last_turns_are_shown(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, *(f"turn number {number}." for number in range(100)))
    address = reverse("conversation-read", args=[conversation.pk])
    page = client.get(address).content.decode()
    assert "turn number 99." in page
    assert "turn number 10." not in page
    assert "turn number 10." in client.get(address, {"all": "1"}).content.decode()


def test_the_difference_of_two_versions_is_shown_line_by_line(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = saved(owner, "old words")
    old = conversation.head
    new = autosave.add_version(conversation, json_text.dump(body_of("new words")), {}, pinned=True)
    kinds = {(line.kind, line.text.strip()) for line in version_diff.difference(old, new) or []}
    assert ("removed", '"content": "old words"') in kinds
    assert ("added", '"content": "new words"') in kinds
    page = client.get(reverse("conversation-difference", args=[conversation.pk]), {"old": str(old.pk)})
    assert "new words" in page.content.decode()


@pytest.mark.parametrize(
    "body_text", ["", "no JSON", "[1]", '{"messages": 5}', '{"messages": [1, {"role": 2, "content": {}}]}']
)
def test_a_body_of_any_shape_can_be_saved_and_shown(client: Client, owner: User, body_text: str) -> None:
    client.force_login(owner)
    conversation = Conversation(owner=owner)
    autosave.add_version(conversation, body_text, {}, pinned=True)
    assert client.get(reverse("conversation", args=[conversation.pk])).status_code == 200
    assert client.get(reverse("conversation-export", args=[conversation.pk, "json"])).status_code == 200


# --- in and out


def test_an_export_comes_back_as_it_was(client: Client, owner: User) -> None:
    client.force_login(owner)
    conversation = autosave.create(owner, body_of("one", n=json_text.parse("1.0")), {"betas": ["b-1"]}, "Title")
    autosave.add_version(conversation, json_text.dump(body_of("one", "two \ud83e \x00")), {}, pinned=True)
    text = client.get(reverse("conversation-export", args=[conversation.pk, "json"])).content.decode()
    client.post(reverse("conversation-import"), {"text": text})
    back = Conversation.objects.exclude(pk=conversation.pk).get()
    assert back.title == "Title"
    assert [v.body_text for v in back.versions.order_by("made_at")] == [
        v.body_text for v in conversation.versions.order_by("made_at")
    ]
    assert back.versions.order_by("made_at").first().settings["betas"] == ["b-1"]


def test_markdown_holds_the_turns_and_fences_cannot_be_broken(owner: User) -> None:
    content = [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "```\nx"}},
        {"type": "text", "text": "Done."},
    ]
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}]}
    text = file_formats.to_markdown("Title", body)
    assert text.startswith("# Title\n\n*m*\n\n## user\n\nHi\n\n## assistant")
    assert "Done." in text


def test_a_workbench_prompt_and_a_list_of_messages_can_be_imported() -> None:
    prompt = {
        "name": "Greeter",
        "system_prompt": "Be kind.",
        "model_name": "claude-3",
        "parameters": {"max_tokens_to_sample": 99, "temperature": 0.5},
        "messages": [{"role": "user", "content": "Hi {{name}}"}],
        "prompt_variables": {"name": "Ann"},
    }
    imported = file_formats.from_text(json.dumps(prompt))
    body, settings, _ = imported.versions[0]
    assert (imported.title, body["system"], body["model"], body["max_tokens"]) == (
        "Greeter",
        "Be kind.",
        "claude-3",
        99,
    )
    assert settings["variables"] == {"name": "Ann"}
    assert (
        file_formats.from_text('[{"role": "user", "content": "Hi"}]').versions[0][0]["messages"][0]["content"] == "Hi"
    )


@pytest.mark.parametrize(
    "text", ["", "what is this", '{"format": "messages-playground.conversation", "versions": "x"}', "[" * 300]
)
def test_what_cannot_be_imported_is_a_problem_on_the_page(client: Client, owner: User, text: str) -> None:
    client.force_login(owner)
    assert isinstance(file_formats.from_text(text), ImportProblem)
    response = client.post(reverse("conversation-import"), {"text": text})
    assert response.status_code == 422
    assert not Conversation.objects.exists()


def test_between_far_changes_the_difference_says_which_line_comes_next() -> None:
    old = "\n".join(f"line {number}" for number in range(1, 41))
    new = old.replace("line 20", "line XX").replace("line 40", "line YY")
    lines = version_diff.difference_of(old, new) or []
    assert [line.text for line in lines if line.kind == "gap"] == ["Line 17", "Line 37"]
    assert [line.text for line in lines if line.kind == "added"] == ["line XX", "line YY"]
    assert version_diff.difference_of(old, old) == []
    assert version_diff.difference_of("\n" * (version_diff.MOST_LINES + 1), old) is None
