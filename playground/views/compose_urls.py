"""Addresses of the playground page and of what it posts."""

from django.urls import path

from playground.views import attachments, compare, compose, draft_branches, draft_models, draft_start, snippet

patterns = [
    path("", compose.playground, name="playground"),
    path("send", compose.send, name="send"),
    path("draft/edit", compose.edit, name="edit"),
    path("draft/change", compose.change, name="change"),
    path("draft/form", compose.draft_form, name="draft-form"),
    path("draft/part", compose.draft_part, name="draft-part"),
    path("draft/branches", draft_branches.switches, name="draft-branches"),
    path("draft/branch", draft_branches.open_branch, name="draft-branch"),
    path("draft/start", draft_start.start, name="draft-start"),
    path("draft/import", draft_start.import_pasted, name="draft-import"),
    path("draft/body", draft_start.body_text, name="draft-body"),
    path("draft/snippet", snippet.snippet_text, name="draft-snippet"),
    path("draft/models", draft_models.models, name="draft-models"),
    path("draft/tokens", draft_models.tokens, name="draft-tokens"),
    path("draft/figures", compare.figures, name="draft-figures"),
    path("attachments/", attachments.upload, name="attachments"),
    path("attachments/<uuid:attachment_id>/", attachments.show, name="attachment"),
]
run_patterns = [path("open/", draft_start.open_run, name="open-run")]
