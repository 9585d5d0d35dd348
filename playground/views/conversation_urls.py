"""Addresses of conversations and of shares. A copy is read in three ways, with the same pages below each."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path

from playground.views import compose, conversations, share_owner, share_reader


def reader_patterns(name: str, mode: str) -> list[URLPattern]:
    """The pages of a copy for one way in; their names begin with `name`."""
    more: dict[str, Any] = {"mode": mode}
    return [
        path("", share_reader.page, more, name=name),
        path("request.json", share_reader.as_json, more, name=f"{name}-json"),
        path("text.md", share_reader.as_markdown, more, name=f"{name}-markdown"),
        path("code/<str:language>/", share_reader.as_code, more, name=f"{name}-code"),
        path("page.html", share_reader.as_page_file, more, name=f"{name}-file"),
        path("replay/<int:turn>/", share_reader.replay, more, name=f"{name}-replay"),
        path("events/<int:turn>/", share_reader.events, more, name=f"{name}-events"),
        path("files/<str:name>/", share_reader.as_file_inside, more, name=f"{name}-inside"),
        path("badge.svg", share_reader.report_badge, more, name=f"{name}-badge"),
        path("export/<str:kind>/", share_reader.report_export, more, name=f"{name}-export"),
        path("charts/", share_reader.session_charts, more, name=f"{name}-charts"),
        path("steps/", share_reader.session_steps, more, name=f"{name}-steps"),
        path("steps/<int:number>/", share_reader.session_step, more, name=f"{name}-step"),
        path("steps/<int:number>/results/<int:result>/", share_reader.session_result, more, name=f"{name}-result"),
        path("fork/", share_reader.fork, more, name=f"{name}-fork"),
    ]


conversation_patterns: list[URLPattern | URLResolver] = [
    path("", compose.conversation, name="conversation"),
    path("read/", conversations.conversation, name="conversation-read"),
    path("change/", conversations.change, name="conversation-change"),
    path("open/", conversations.open_conversation, name="conversation-open"),
    path("duplicate/", conversations.duplicate, name="conversation-duplicate"),
    path("delete/", conversations.delete, name="conversation-delete"),
    path("undelete/", conversations.undelete, name="conversation-undelete"),
    path("difference/", conversations.difference, name="conversation-difference"),
    path("export/<str:form>/", conversations.export, name="conversation-export"),
    path("share/", share_owner.share_conversation, name="conversation-share"),
]

patterns: list[URLPattern | URLResolver] = [
    path("conversations/", conversations.conversations, name="conversations"),
    path("conversations/save/", conversations.save, name="conversation-save"),
    path("conversations/new/", conversations.start_anew, name="conversation-new"),
    path("conversations/import/", conversations.import_form, name="conversation-import-form"),
    path("conversations/import/read/", conversations.import_conversation, name="conversation-import"),
    path("conversations/<uuid:conversation_id>/", include(conversation_patterns)),
    path("requests/<uuid:run_id>/share/", share_owner.share_run, name="run-share"),
    path("shares/", share_owner.shares, name="shares"),
    path("shares/<uuid:share_id>/change/", share_owner.change_share, name="share-change"),
    path("shares/<uuid:share_id>/update/", share_owner.update_share, name="share-update"),
    path("shares/<uuid:share_id>/preview/", include(reader_patterns("share-preview", "preview"))),
    path("shared/<uuid:share_id>/", include(reader_patterns("shared", "inside"))),
    path("s/<str:token>/", include(reader_patterns("share", "link"))),
]
