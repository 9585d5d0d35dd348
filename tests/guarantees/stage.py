"""One owner with one of everything, each holding a word that nobody else may ever read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile

from accounts.models import AccessKey, Connection, User
from playground.conformance.check import Result, Sent
from playground.conformance.plan import Plan, chosen
from playground.conformance.runner import Totals
from playground.conversations import autosave
from playground.models import (
    AgentSession,
    Attachment,
    ConformanceReport,
    Conversation,
    Draft,
    Run,
    SavedTool,
    ShareLink,
    ToolMock,
)
from playground.recording.session_writer import add_run
from playground.reports import storing
from playground.sharing import parts, publishing
from playground.sharing.publishing import Choices
from tests.support.runs import body_of, live_run, store, stream, tell

CANARY = "kanarienvogel"  # stands in everything that is the owner's
CREDENTIAL = "sk-ant-api03-goldammer-credential-0123456789"
HEADER_VALUE = "goldammer-header-value-0123456789"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02")


@dataclass
class Stage:
    owner: User
    connection: Connection
    key: AccessKey
    key_secret: str
    run: Run
    other_run: Run
    conversation: Conversation
    share: ShareLink
    token: str
    prepared: ShareLink
    attachment: Attachment
    draft: Draft
    mock: ToolMock
    report: ConformanceReport
    session: AgentSession
    tool: SavedTool
    ids: dict[str, Any] = field(default_factory=dict)


def set_up(owner: User) -> Stage:
    owner.email = f"{CANARY}@example.org"
    owner.save()
    connection = Connection(owner=owner, name=f"{CANARY} connection", base_url=f"https://{CANARY}.example")
    connection.set_credential(CREDENTIAL)
    connection.set_headers([("X-Team", HEADER_VALUE)])
    connection.save()
    key, secret = AccessKey.objects.issue(owner=owner, name=f"{CANARY} key", connection=connection)
    run, other = _run(owner, connection, "first"), _run(owner, connection, "second")
    conversation = _conversation(owner, run)
    prepared = publishing.prepare(run, owner, Choices(parts.chosen(["replay", "figures"])))
    share = publishing.prepare(conversation, owner, Choices(parts.chosen(["replay"])))
    token = publishing.publish(share, lasts="month", until=None, passphrase="", public=True)
    attachment = Attachment(
        user=owner, name=f"{CANARY}.png", media_type="image/png", size=len(PNG), sha256="0" * 64, width=1, height=1
    )
    attachment.file.save(attachment.pk.hex, ContentFile(PNG + CANARY.encode()), save=False)
    attachment.save()
    draft = Draft.objects.get_or_create(user=owner, defaults={"body": b"{}"})[0]
    draft.body, draft.connection = body_of(f"{CANARY} draft"), connection
    assert draft.keep()
    mock = ToolMock.objects.create(user=owner, tool_name=f"{CANARY} tool", result=CANARY)
    report = _report(owner, connection, run)
    tool, _ = SavedTool.objects.keep(owner, {"name": f"{CANARY}_tool", "input_schema": {"type": "object"}})
    digest = add_run(run, run.request_body or b"", run.message())
    assert digest is not None
    return Stage(
        owner, connection, key, secret, run, other, conversation, share, token or "", prepared, attachment, draft, mock,
        report, digest.session, tool,
    )  # fmt: skip


def _run(owner: User, connection: Connection, text: str) -> Run:
    live = live_run(
        owner,
        body=body_of(f"{CANARY} {text}"),
        connection_id=connection.pk,
        connection_name=connection.name,
        base_url=connection.base_url,
    )
    return store(tell(live, stream(f"{CANARY} answer to {text}.")))


def _report(owner: User, connection: Connection, run: Run) -> ConformanceReport:
    """A finished report whose one finding holds the word."""
    report = storing.create(owner, connection, Plan(f"{CANARY}-model", chosen(["answer"])))
    sent = Sent("POST", f"https://{CANARY}.example/v1/messages", (), f'{{"text": "{CANARY}"}}', 30)
    result = Result("answer.role", "failed", "role is missing", sent=(sent,), run_ids=(str(run.pk),))
    storing.save_progress(report.pk, [result], [run.pk], Totals(1), state="done")
    report.refresh_from_db()
    return report


def _conversation(owner: User, run: Run) -> Conversation:
    conversation = autosave.create(owner, json.loads(body_of(f"{CANARY} first")), {}, f"{CANARY} title")
    version = autosave.add_version(conversation, body_of(f"{CANARY} first").decode(), {}, pinned=True, note="sent")
    conversation.run_links.create(run_id=run.pk, version=version)
    return conversation


# What changes by itself: sessions are touched by every log-in, openings of a share are counted for its owner.
UNCOUNTED = {"sessions.Session": None, "playground.ShareLink": {"opened_count", "last_opened_at"}}


def everything_stored() -> dict[str, list[Any]]:
    """All rows of all tables, to compare before and after."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        left_out = UNCOUNTED.get(model._meta.label, set())
        if left_out is None:
            continue
        rows = model._default_manager.order_by("pk").values()
        found[model._meta.label] = [
            {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
            for row in rows
        ]
        for row in found[model._meta.label]:
            for name in left_out:
                row.pop(name, None)
    return found


def changed_tables(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> list[str]:
    return [label for label in before if before[label] != after[label]]
