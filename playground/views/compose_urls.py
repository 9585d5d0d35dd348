"""Addresses of the playground page and of what it posts."""

from django.urls import URLPattern, path

from playground.views import (
    attachments,
    compose,
    draft_branches,
    draft_change,
    draft_comparison,
    draft_difference,
    draft_models,
    draft_send,
    draft_start,
    draft_tools,
    draft_undo,
    parameter_help,
    recent_requests,
    saved_tools,
    snippet,
)

patterns: list[URLPattern] = [
    path("", compose.playground, name="playground"),
    path("send", draft_send.send, name="send"),
    path("recent-requests/", recent_requests.recent_requests, name="recent-requests"),
    path("draft/edit", compose.edit, name="edit"),
    path("draft/change", draft_change.change, name="change"),
    path("draft/form", compose.draft_form, name="draft-form"),
    path("draft/part", compose.draft_part, name="draft-part"),
    path("draft/branches", draft_branches.switches, name="draft-branches"),
    path("draft/branch", draft_branches.open_branch, name="draft-branch"),
    path("draft/start", draft_start.start, name="draft-start"),
    path("parameter", parameter_help.show, name="parameter-help"),
    path("draft/undo", draft_undo.step, name="draft-undo"),
    path("draft/import", draft_start.import_pasted, name="draft-import"),
    path("draft/tools", draft_tools.paste, name="draft-tools"),
    path("draft/tools/save", saved_tools.save, name="draft-tool-save"),
    path("draft/tools/insert", saved_tools.insert, name="draft-tool-insert"),
    path("tools/", saved_tools.saved_tools, name="saved-tools"),
    path("tools/<int:tool_id>/rename/", saved_tools.rename, name="saved-tool-rename"),
    path("tools/<int:tool_id>/delete/", saved_tools.delete, name="saved-tool-delete"),
    path("tools/<int:tool_id>/undelete/", saved_tools.undelete, name="saved-tool-undelete"),
    path("draft/body", draft_start.body_text, name="draft-body"),
    path("draft/snippet", snippet.snippet_text, name="draft-snippet"),
    path("draft/models", draft_models.models, name="draft-models"),
    path("draft/tokens", draft_models.tokens, name="draft-tokens"),
    path("draft/figures", draft_comparison.figures, name="draft-figures"),
    path("attachments/", attachments.upload, name="attachments"),
    path("attachments/<uuid:attachment_id>/", attachments.show, name="attachment"),
]
run_patterns: list[URLPattern] = [
    path("open/", draft_start.open_run, name="open-run"),
    path("difference/", draft_difference.difference, name="draft-difference"),
]
