"""Everything the playground keeps for one person, as a zip that is made while it is sent."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from accounts.models import AccessKey, Connection
from playground.export import run_files
from playground.models import Attachment, Conversation, ConversationVersion, Draft, Run, ShareLink, ToolMock
from playground.protocol.json import json_text

_README = """What Messages Playground keeps for you.

account.json        who you are here
connections.json    your connections; credentials are never exported
access_keys.json    your access keys; their secrets are not stored
conversations.jsonl your conversations with all their versions
tool_results.jsonl  results you saved for tools
saved_tools.json    definitions of tools you saved
drafts.jsonl        requests you were working on, with their branches
shares.json         your share links; their addresses are not stored
attachments/        files you uploaded
runs.jsonl          your requests, one a line, with what was sent, answered and every event
"""


class _Pipe(io.RawIOBase):
    """A file that cannot be sought and hands over what was written to it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zipped(user: Any, on_progress: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """The zip in pieces. Nothing of it is held in memory but the piece at hand. `on_progress` hears of each run."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, pieces in _files(user, on_progress):
            with archive.open(name, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece.encode("utf-8", "replace") if isinstance(piece, str) else piece)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()


def _files(user: Any, on_progress: Callable[[int], None]) -> Iterator[tuple[str, Iterator[str | bytes]]]:
    yield "README.txt", iter([_README])
    yield "account.json", _json(_columns(user, "username", "email", "date_joined", "last_login", "keep_content"))
    yield "connections.json", _json([_connection(row) for row in Connection.objects.owned_by(user)])
    yield "access_keys.json", _json([_access_key(row) for row in AccessKey.objects.owned_by(user)])
    yield "conversations.jsonl", _lines(_conversation(row) for row in _each(Conversation.objects.owned_by(user)))
    yield "drafts.jsonl", _lines(_draft(row) for row in _each(Draft.objects.filter(user=user)))
    yield "tool_results.jsonl", _lines(_tool_result(row) for row in _each(ToolMock.objects.filter(user=user)))
    yield "saved_tools.json", _json([_columns(row, "name", "definition", "saved_at") for row in user.saved_tools.all()])
    yield "shares.json", _json([_share(row) for row in ShareLink.objects.owned_by(user)])
    for attachment in _each(Attachment.objects.filter(user=user)):
        yield f"attachments/{attachment.pk}-{_file_name(attachment.name)}", _chunks(attachment.file)
    yield "runs.jsonl", run_files.jsonl(Run.objects.owned_by(user), with_events=True, on_progress=on_progress)


def _each(rows: Any) -> Iterator[Any]:
    """Row by row, without a cursor that stays open as long as the download takes."""
    for key in list(rows.values_list("pk", flat=True)):
        if (row := rows.filter(pk=key).first()) is not None:
            yield row


def _json(value: Any) -> Iterator[str]:
    yield run_files.json_text(value) + "\n"


def _lines(values: Any) -> Iterator[str]:
    for value in values:
        yield run_files.json_text(value, indent=None) + "\n"


def _columns(row: Any, *names: str) -> dict[str, Any]:
    return {name: run_files.plain(getattr(row, name)) for name in names}


def _connection(row: Connection) -> dict[str, Any]:
    names = ("name", "base_url", "auth_style", "anthropic_version", "masked_credential", "created_at")
    return _columns(row, *names)


def _access_key(row: AccessKey) -> dict[str, Any]:
    names = ("name", "masked", "connection_name", "created_at", "expires_at", "last_used_at", "revoked_at")
    return _columns(row, *names) | {"models": row.models}


def _conversation(row: Conversation) -> dict[str, Any]:
    record = _columns(row, "id", "title", "starred", "created_at", "changed_at", "archived_at") | {"tags": row.tags}
    record["runs"] = [str(each) for each in row.run_links.values_list("run_id", flat=True)]
    record["versions"] = [_version(version) for version in row.versions.order_by("made_at")]
    return record


def _draft(row: Draft) -> dict[str, Any]:
    record = _columns(row, "id", "saved_at", "anthropic_version", "accept", "body_text")
    record |= {"betas": row.betas, "tool_examples": row.tool_examples, "columns": bytes(row.columns).decode()}
    return record | {"versions": [_version(version) for version in row.versions.order_by("made_at")]}


def _tool_result(row: ToolMock) -> dict[str, Any]:
    record = _columns(row, "tool_name", "is_error", "saved_at") | {"for_every_input": not row.input_digest}
    return record | {"result": row.result}


def _version(row: ConversationVersion) -> dict[str, Any]:
    return _columns(row, "id", "parent_id", "note", "pinned", "made_at", "body_text") | {"settings": row.settings}


def _share(row: ShareLink) -> dict[str, Any]:
    names = ("id", "title", "hint", "state", "made_at", "expires_at", "revoked_at", "opened_count")
    return _columns(row, *names) | {"snapshot": json.loads(json_text.dump(row.snapshot, indent=None))}


def _chunks(file: Any) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from opened.chunks()


def _file_name(name: str) -> str:
    """A label as part of a path inside the zip: no folders, nothing hidden."""
    kept = "".join(sign if sign.isalnum() or sign in "-_. " else "_" for sign in name)
    return kept.strip(". ")[:80] or "file"
