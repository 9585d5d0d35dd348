"""Every address of the site: whose it is, how it is asked, and what makes a good address of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.guarantees.stage import Stage

Arguments = Callable[[Stage], dict[str, Any]]
NOTHING: Arguments = lambda _stage: {}  # noqa: E731 - a value of the table


@dataclass(frozen=True)
class Route:
    """`arguments` makes the address of something of the owner's.

    `who`: "owner" - others get 404 or are sent to log in; "user" - a page about whoever asks, who has to be signed in;
    "anyone" - a page about whoever asks; "link" - whoever has the address.
    """

    methods: str
    who: str
    arguments: Arguments = NOTHING
    query: Callable[[Stage], dict[str, Any]] = NOTHING
    post: dict[str, Any] = field(default_factory=dict)


def methods(route: Route) -> list[str]:
    return route.methods.split()


def run(stage: Stage) -> dict[str, Any]:
    return {"run_id": stage.run.pk}


def with_run(**more: Any) -> Arguments:
    return lambda stage: {"run_id": stage.run.pk, **more}


def conversation(stage: Stage) -> dict[str, Any]:
    return {"conversation_id": stage.conversation.pk}


def connection(stage: Stage) -> dict[str, Any]:
    return {"connection_id": stage.connection.pk}


def share(stage: Stage) -> dict[str, Any]:
    return {"share_id": stage.share.pk}


def session(stage: Stage) -> dict[str, Any]:
    return {"session_id": stage.session.pk}


def report(stage: Stage) -> dict[str, Any]:
    return {"report_id": stage.report.pk}


GET, POST, BOTH = "GET", "POST", "GET POST"
OF_A_COPY: dict[str, tuple[str, dict[str, Any]]] = {
    "": (BOTH, {}),
    "-json": (GET, {}),
    "-markdown": (GET, {}),
    "-code": (GET, {"language": "python"}),
    "-file": (GET, {}),
    "-replay": (GET, {"turn": 1}),
    "-events": (GET, {"turn": 1}),
    "-inside": (GET, {"name": "1.png"}),
    "-fork": (BOTH, {}),
    "-steps": (GET, {}),
    "-step": (GET, {"number": 1}),
    "-badge": (GET, {}),
    "-export": (GET, {"kind": "json"}),
    "-charts": (GET, {}),
    "-result": (GET, {"number": 1, "result": 1}),
}


def copies() -> Iterator[tuple[str, Route]]:
    """A shared copy in its three ways: at its secret address, inside the site, as the owner's preview."""
    for ending, (methods, more) in OF_A_COPY.items():
        yield f"share{ending}", Route(methods, "link", lambda stage, more=more: {"token": stage.token, **more})
        yield f"shared{ending}", Route(methods, "owner", lambda stage, more=more: {"share_id": stage.share.pk, **more})
        yield (
            f"share-preview{ending}",
            Route(methods, "owner", lambda stage, more=more: {"share_id": stage.prepared.pk, **more}),
        )


ROUTES: dict[str, Route] = {
    # the playground page and what it posts: always about the asker's own draft
    "playground": Route(GET, "anyone"),
    **dict.fromkeys(
        (
            "send", "edit", "change", "draft-form", "draft-part", "draft-start", "draft-import", "draft-tools",
            "draft-models", "draft-tokens", "attachments", "draft-branch", "draft-undo",
        ),
        Route(POST, "anyone"),
    ),
    **dict.fromkeys(("draft-body", "draft-snippet", "draft-branches", "draft-figures"), Route(GET, "anyone")),
    **dict.fromkeys(("draft-tool-save", "draft-tool-insert"), Route(POST, "user")),
    "saved-tools": Route(GET, "user"),
    **dict.fromkeys(
        ("saved-tool-rename", "saved-tool-delete", "saved-tool-undelete"),
        Route(POST, "owner", lambda stage: {"tool_id": stage.tool.pk}, post={"name": "mine now"}),
    ),
    "attachment": Route(GET, "owner", lambda stage: {"attachment_id": stage.attachment.pk}),
    "healthz": Route(GET, "anyone"),
    "readyz": Route(GET, "anyone"),
    **dict.fromkeys(("favicon", "commands", "shortcuts", "answer-start", "recent-requests"), Route(GET, "anyone")),
    "parameter-help": Route(GET, "anyone", query=lambda _: {"path": "max_tokens"}),
    "answer-example": Route(GET, "anyone", lambda _: {"kind": "stream"}),
    **dict.fromkeys(
        (f"example-{part}" for part in ("json", "text", "frames", "wire")),
        Route(GET, "anyone", lambda _: {"kind": "stream"}),
    ),
    **dict.fromkeys(
        ("example-at-event", "example-event"), Route(GET, "anyone", lambda _: {"kind": "stream", "number": 1})
    ),
    "example-rest": Route(GET, "anyone", lambda _: {"kind": "stream", "index": 0}),
    # one run
    **dict.fromkeys(
        (
            "answer", "answer-json", "answer-frames", "answer-text", "answer-wire", "run", "run-code",
            "draft-difference",
        ),
        Route(GET, "owner", run),
    ),
    "answer-rest": Route(GET, "owner", with_run(index=0)),
    "run-earlier-turns": Route(GET, "owner", with_run(end=1)),
    "answer-at-event": Route(GET, "owner", with_run(number=1)),
    "answer-event": Route(GET, "owner", with_run(number=1)),
    "run-download": Route(GET, "owner", with_run(kind="json")),
    **dict.fromkeys(
        (
            "open-run", "run-again", "compare-runs", "answer-continue", "send-results", "answer-to-draft", "run-star",
            "run-delete", "stop-run",
        ),
        Route(POST, "owner", run, post={"column": "1"}),
    ),
    "run-note": Route(POST, "owner", run, post={"note": "mine now"}),
    "run-share": Route(BOTH, "owner", run, post={"do": "publish", "public": "1"}),
    # the log
    **dict.fromkeys(("runs", "run-rows", "run-charts"), Route(GET, "user")),
    "run-export": Route(GET, "user", query=lambda _: {"format": "jsonl"}),
    "run-export-progress": Route(GET, "user"),
    "run-selection": Route(POST, "user", post={"do": "delete"}),
    "run-compare": Route(GET, "owner", query=lambda stage: {"a": stage.run.pk, "b": stage.other_run.pk}),
    # conversations and shares
    "conversations": Route(GET, "anyone"),
    **dict.fromkeys(("conversation-save", "conversation-new", "conversation-import"), Route(POST, "user")),
    "conversation-import-form": Route(GET, "user"),
    **dict.fromkeys(("conversation", "conversation-read"), Route(GET, "owner", conversation)),
    "conversation-difference": Route(
        GET, "owner", conversation, query=lambda stage: {"old": stage.conversation.versions.first().pk}
    ),
    "conversation-export": Route(GET, "owner", lambda stage: {**conversation(stage), "form": "json"}),
    "conversation-change": Route(POST, "owner", conversation, post={"title": "mine now"}),
    **dict.fromkeys(
        ("conversation-open", "conversation-duplicate", "conversation-delete", "conversation-undelete"),
        Route(POST, "owner", conversation),
    ),
    "conversation-share": Route(BOTH, "owner", conversation, post={"do": "publish", "public": "1"}),
    "shares": Route(GET, "user"),
    "share-change": Route(POST, "owner", share, post={"do": "revoke"}),
    "share-update": Route(POST, "owner", share),
    **dict(copies()),
    # sessions of agents
    **dict.fromkeys(("sessions", "session-sorting", "session-import-progress"), Route(GET, "user")),
    "session-import": Route(BOTH, "user"),
    "session-key": Route(POST, "user"),
    "session-page-file": Route(GET, "owner", session),
    **dict.fromkeys(("session", "session-steps", "session-charts", "session-export"), Route(GET, "owner", session)),
    "session-step": Route(GET, "owner", lambda stage: {**session(stage), "number": 1}),
    "session-result": Route(GET, "owner", lambda stage: {**session(stage), "number": 1, "result": 1}),
    "session-share": Route(BOTH, "owner", session, post={"do": "publish", "public": "1"}),
    "session-of-run": Route(GET, "owner", run),
    **dict.fromkeys(("session-star", "session-delete"), Route(POST, "owner", session)),
    "session-note": Route(POST, "owner", session, post={"note": "mine now"}),
    # conformance reports
    "conformance": Route(GET, "user"),
    "conformance-estimate": Route(GET, "user"),
    "conformance-start": Route(POST, "user"),
    "conformance-compare": Route(
        GET, "owner", query=lambda stage: {"before": stage.report.pk, "after": stage.report.pk}
    ),
    "conformance-report": Route(GET, "owner", report),
    **dict.fromkeys(("conformance-stop", "conformance-delete"), Route(POST, "owner", report)),
    "conformance-share": Route(BOTH, "owner", report, post={"do": "publish", "public": "1"}),
    "conformance-export": Route(GET, "owner", lambda stage: {**report(stage), "kind": "json"}),
    # people, connections, keys
    **dict.fromkeys(("login", "signup"), Route(BOTH, "anyone")),
    "logout": Route(POST, "anyone"),
    "account": Route(GET, "user"),
    "account-export": Route(GET, "user"),
    "password-change": Route(BOTH, "user"),
    "account-keep-content": Route(POST, "user"),
    "account-delete": Route(BOTH, "user"),
    "connections": Route(GET, "user"),
    "connection-add": Route(BOTH, "user"),
    "connection-header-row": Route(GET, "user"),
    "connection-edit": Route(BOTH, "owner", connection, post={"name": "mine now", "base_url": "https://evil.example"}),
    "connection-delete": Route(POST, "owner", connection),
    "connection-test": Route(POST, "owner", connection),
    "connection-use": Route(POST, "owner", connection),
    "connection-use-sandbox": Route(POST, "user"),
    "access-keys": Route(BOTH, "user"),
    "access-key-revoke": Route(POST, "owner", lambda stage: {"key_id": stage.key.pk}),
}  # fmt: skip


def served(patterns: Any = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the resolver, with its name; `admin:` before those of the operators' pages."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from served(pattern.url_patterns, namespace + inner)
        else:
            yield f"{namespace}{pattern.name}", pattern
