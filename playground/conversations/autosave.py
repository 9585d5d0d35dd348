"""Saves the draft as a conversation, and opens it again. Nothing that was typed is lost on the way."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Connection, User
from playground.composer.request_examples import HELLO
from playground.conversations import body_summary, versions
from playground.conversations.versions import SETTINGS, digest_of, settings_of
from playground.models import Conversation, ConversationRun, ConversationVersion, Draft, storage_quota
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.foreign_text import storable
from playground.protocol.json import json_text

if TYPE_CHECKING:
    from playground.conversations.file_formats import ImportedConversation

NEW_VERSION_AFTER = timedelta(minutes=10)  # until then typing changes the version it began
MOST_UNPINNED = 50
MOST_TAGS = 20


# --- the draft ---


def is_blank(draft: Draft) -> bool:
    """Return whether the draft holds nothing that anybody might miss."""
    body = body_summary.parse(draft.body_text)
    if not body:
        return not draft.body_text.strip()
    return not body.get("system") and not any(
        isinstance(turn, dict) and turn.get("content") for turn in body_summary.turns(body)
    )


def keep_draft(draft: Draft) -> None:
    """Store a draft that replaces whatever is there: another tab notices by the version."""
    while not draft.keep():
        own = Draft.objects.filter(user=draft.user, visitor=draft.visitor, conversation=draft.conversation)
        drafts = Draft.objects.filter(pk=draft.pk) | own
        current = drafts.only("pk", "version").order_by("pk").first()
        if current is not None:
            draft.pk, draft.version, draft._state.adding = current.pk, current.version, False
        else:
            draft._state.adding = True


# --- saving ---


@transaction.atomic
def save(draft: Draft, user: User, title: str = "", note: str = "saved") -> Conversation:
    """Save the draft as a version that stays: of the conversation it belongs to, else of a new one."""
    conversation = draft.conversation
    is_new = conversation is None or conversation.owner_id != user.pk or conversation.deleted_at is not None
    if conversation is None or is_new:
        conversation = Conversation(owner=user)
    _give_title(conversation, title)
    add_version(conversation, draft.body_text, settings_of(draft), pinned=True, note=note)
    if is_new:
        versions.hand_over(draft, conversation)
    _go_on_in(draft, conversation)
    return conversation


def _give_title(conversation: Conversation, title: str) -> None:
    """A blank one leaves the conversation with a title that is proposed."""
    if title.strip():
        conversation.title, conversation.title_is_own = storable(title.strip(), 200), True


def _go_on_in(draft: Draft, conversation: Conversation | None) -> None:
    """Store the draft as what the conversation holds."""
    draft.conversation, draft.is_behind = conversation, False
    keep_draft(draft)


def autosave(draft: Draft) -> None:
    """Let the conversation follow what is typed. Call it when the draft was stored."""
    conversation = _followed(draft)
    if conversation is not None:
        _follow(draft, conversation)
        draft.conversation = conversation  # its proposed title may be another one now


def _followed(draft: Draft) -> Conversation | None:
    if draft.conversation_id is None:
        return None
    return Conversation.objects.filter(pk=draft.conversation_id, deleted_at=None).first()


def _follow(draft: Draft, conversation: Conversation, **how: Any) -> ConversationVersion | None:
    """The draft as a version of the conversation. None: there is no room, and the draft says so as long as that is."""
    version = None
    with suppress(StorageQuotaError), transaction.atomic():  # the draft has it all the same
        version = add_version(conversation, draft.body_text, settings_of(draft), **how)
    if draft.is_behind != (version is None):
        draft.is_behind = version is None
        Draft.objects.filter(pk=draft.pk).update(is_behind=draft.is_behind)
    return version


@transaction.atomic(savepoint=False)
def record_run(draft: Draft, run_id: UUID) -> None:
    """Note that a run was made from the draft as it is now; the version it was made from stays."""
    version = versions.sent(draft)
    conversation = _followed(draft)
    if conversation is not None:
        version = _follow(draft, conversation, pinned=True, note="sent")
    if version is not None and draft.user_id is not None:  # a visitor's runs are in no log
        made = ConversationRun(run_id=run_id, conversation=conversation, version=version, turns=len(version.chain))
        ConversationRun.objects.bulk_create([made], ignore_conflicts=True)  # a resend brings it twice


def add_version(
    conversation: Conversation, body_text: str, settings: dict[str, Any], *, pinned: bool = False, note: str = ""
) -> ConversationVersion:
    """Make this state the head. It changes the head in place while that was only typed, and not long ago.

    Raises `StorageQuotaError`."""
    settings = settings_of(Draft()) | settings
    digest = digest_of(body_text, settings)
    head = conversation.head
    body = body_summary.parse(body_text)
    if head is None or head.digest != digest:
        version = _changed_or_new(conversation, head)
        before = len(version.packed_body)
        version.body_text, version.settings = body_text, settings
        version.digest, version.chain = digest, body_summary.chain(body)
        version.changed_at = timezone.now()
        if len(version.packed_body) > before:
            storage_quota.make_for_version(conversation.owner_id, len(version.packed_body) - before, keep=[version.pk])
    else:
        version = head
    if pinned and not version.pinned:
        version.pinned, version.note = True, note
    _describe(conversation, body)
    conversation.save()
    version.conversation = conversation
    version.save()
    if conversation.head_id != version.pk:
        conversation.head = version
        conversation.save(update_fields=["head"])
        _thin_out(conversation)
    return version


def _changed_or_new(conversation: Conversation, head: ConversationVersion | None) -> ConversationVersion:
    if head is not None and not head.pinned and not head.note and timezone.now() - head.made_at < NEW_VERSION_AFTER:
        return head
    return ConversationVersion(conversation=conversation, parent=head)


def _describe(conversation: Conversation, body: dict[str, Any]) -> None:
    if not conversation.title_is_own or not conversation.title:
        conversation.title = body_summary.proposed_title(body)
    conversation.model = storable(body["model"], 200) if isinstance(body.get("model"), str) else ""
    conversation.turn_count = len(body_summary.said(body_summary.turns(body)))
    conversation.changed_at = timezone.now()
    conversation.index_words(body_summary.texts(body))


def _thin_out(conversation: Conversation) -> None:
    """Drop the oldest of what was only typed."""
    head: Any = conversation.head_id
    typed = conversation.versions.filter(pinned=False).exclude(pk=head).order_by("-changed_at")
    old = list(typed.values_list("pk", flat=True)[MOST_UNPINNED:])
    conversation.versions.filter(pk__in=old).delete()


# --- opening ---


def put_aside(draft: Draft) -> Conversation | None:
    """Save what is being written before something else takes its place. Visitors have nowhere to put it.

    Raises `StorageQuotaError`."""
    if draft.user is None or draft.conversation_id:
        return None
    is_nothing = is_blank(draft) or draft.body_text == json_text.dump(HELLO.make())
    if is_nothing and not versions.has_others(draft):
        return None
    return save(draft, draft.user, note="put aside")


@transaction.atomic
def open_version(draft: Draft, conversation: Conversation, version: ConversationVersion) -> None:
    """Put a version of its conversation into the draft; the state before stays among the versions."""
    if not draft._state.adding:
        _follow(draft, conversation)
        conversation.refresh_from_db()
    if conversation.head_id != version.pk:
        Conversation.objects.filter(pk=conversation.pk).update(head=version)
        conversation.head = version
    fill_draft(draft, version.body_text, version.settings)
    _go_on_in(draft, conversation)


def begin(draft: Draft, conversation: Conversation) -> None:
    """Let a new draft hold what the conversation has. It is stored with its first change."""
    draft.conversation, head = conversation, conversation.head
    if head is not None:
        fill_draft(draft, head.body_text, head.settings)


@transaction.atomic
def switch(draft: Draft, version: ConversationVersion) -> None:
    """Go to another branch of what the draft holds, which stays where it is. The draft is not stored yet."""
    versions.put_away(draft, draft.body_text, body_summary.parse(draft.body_text))
    conversation = versions.home(draft)
    if conversation is not None:
        Conversation.objects.filter(pk=conversation.pk).update(head=version)
        conversation.head = version
    examples = draft.tool_examples
    fill_draft(draft, version.body_text, version.settings)
    draft.tool_examples = {**draft.tool_examples, **examples}


def fill_draft(draft: Draft, body_text: str, settings: dict[str, Any]) -> None:
    """Replace what is in the draft; the connection only by one that its owner may still use."""
    draft.body_text = body_text
    for name in SETTINGS:
        if name in settings:
            setattr(draft, name, settings[name])
    usable = Connection.objects.usable_by(draft.user) if draft.user and settings.get("connection") else None
    if usable is not None:
        draft.connection = usable.filter(pk=settings["connection"]).first()


@transaction.atomic
def open_body(draft: Draft, body: dict[str, Any], settings: dict[str, Any]) -> Conversation | None:
    """Put a body of any origin into the draft: an import, a shared copy read by a visitor."""
    aside = put_aside(draft)
    versions.forget(draft)
    fill_draft(draft, json_text.dump(body), settings)
    _go_on_in(draft, None)
    return aside


@transaction.atomic
def create(
    user: User, body: dict[str, Any], settings: dict[str, Any], title: str = "", note: str = "saved"
) -> Conversation:
    """A new conversation with one version."""
    conversation = Conversation(owner=user)
    _give_title(conversation, title)
    add_version(conversation, json_text.dump(body), settings, pinned=True, note=note)
    return conversation


@transaction.atomic
def create_from(user: User, incoming: ImportedConversation) -> Conversation:
    """A new conversation with all the versions of an import."""
    conversation = Conversation(owner=user, tags=read_tags(",".join(incoming.tags)))
    _give_title(conversation, incoming.title)
    for body, settings, note in incoming.versions:
        add_version(conversation, json_text.dump(body), settings, pinned=True, note=storable(note, 60) or "imported")
    return conversation


@transaction.atomic
def duplicate(conversation: Conversation) -> Conversation:
    """A second conversation with the newest state of this one; versions and runs stay with the first."""
    copied = Conversation(owner=conversation.owner, title_is_own=True, tags=list(conversation.tags))
    copied.title = storable(f"Copy of {conversation.title}", 200)
    head = conversation.head
    add_version(copied, head.body_text if head else "{}", head.settings if head else {}, pinned=True, note="duplicated")
    return copied


def read_tags(text: str) -> list[str]:
    """Tags as typed, separated by commas."""
    tags = (storable(" ".join(part.split()), 40) for part in text.split(","))
    return list(dict.fromkeys(tag for tag in tags if tag))[:MOST_TAGS]
