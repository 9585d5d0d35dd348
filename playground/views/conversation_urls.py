"""Addresses of conversations and of shares. A copy is read in three ways, with the same pages below each."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, include, path

from playground.views import conversations, shared, sharing


def reader_patterns(name: str, way: str) -> list[URLPattern]:
    """The pages of a copy for one way in; their names begin with `name`."""
    more: dict[str, Any] = {"way": way}
    return [
        path("", shared.page, more, name=name),
        path("request.json", shared.as_json, more, name=f"{name}-json"),
        path("text.md", shared.as_markdown, more, name=f"{name}-markdown"),
        path("code/<str:language>/", shared.as_code, more, name=f"{name}-code"),
        path("page.html", shared.as_page_file, more, name=f"{name}-file"),
        path("replay/<int:turn>/", shared.replay, more, name=f"{name}-replay"),
        path("events/<int:turn>/", shared.events, more, name=f"{name}-events"),
        path("files/<str:name>/", shared.as_file_inside, more, name=f"{name}-inside"),
        path("fork/", shared.fork, more, name=f"{name}-fork"),
    ]


conversation_patterns = [
    path("", conversations.conversation, name="conversation"),
    path("change/", conversations.change, name="conversation-change"),
    path("open/", conversations.open_conversation, name="conversation-open"),
    path("duplicate/", conversations.duplicate, name="conversation-duplicate"),
    path("delete/", conversations.delete, name="conversation-delete"),
    path("undelete/", conversations.undelete, name="conversation-undelete"),
    path("difference/", conversations.difference, name="conversation-difference"),
    path("export/<str:form>/", conversations.export, name="conversation-export"),
    path("share/", sharing.share_conversation, name="conversation-share"),
]

patterns = [
    path("conversations/", conversations.conversations, name="conversations"),
    path("conversations/save/", conversations.save, name="conversation-save"),
    path("conversations/new/", conversations.start_anew, name="conversation-new"),
    path("conversations/import/", conversations.import_form, name="conversation-import-form"),
    path("conversations/import/read/", conversations.import_conversation, name="conversation-import"),
    path("conversations/<uuid:conversation_id>/", include(conversation_patterns)),
    path("requests/<uuid:run_id>/share/", sharing.share_run, name="run-share"),
    path("shares/", sharing.shares, name="shares"),
    path("shares/<uuid:share_id>/change/", sharing.change_share, name="share-change"),
    path("shares/<uuid:share_id>/update/", sharing.update_share, name="share-update"),
    path("shares/<uuid:share_id>/preview/", include(reader_patterns("share-preview", "preview"))),
    path("shared/<uuid:share_id>/", include(reader_patterns("shared", "inside"))),
    path("s/<str:token>/", include(reader_patterns("share", "link"))),
]
