"""Addresses of sessions, below `/sessions/`."""

from django.urls import URLPattern, path

from playground.views import session_files, sessions, share_owner

patterns: list[URLPattern] = [
    path("", sessions.sessions, name="sessions"),
    path("key/", sessions.session_key, name="session-key"),
    path("sorting/", sessions.session_sorting, name="session-sorting"),
    path("import/", session_files.session_import, name="session-import"),
    path("import/progress/", session_files.session_import_progress, name="session-import-progress"),
    path("of/<uuid:run_id>/", sessions.session_of_run, name="session-of-run"),
    path("<uuid:session_id>/", sessions.session, name="session"),
    path("<uuid:session_id>/charts/", sessions.session_charts, name="session-charts"),
    path("<uuid:session_id>/steps/", sessions.session_steps, name="session-steps"),
    path("<uuid:session_id>/steps/<int:number>/", sessions.session_step, name="session-step"),
    path("<uuid:session_id>/steps/<int:number>/results/<int:result>/", sessions.session_result, name="session-result"),
    path("<uuid:session_id>/star/", sessions.session_star, name="session-star"),
    path("<uuid:session_id>/note/", sessions.session_note, name="session-note"),
    path("<uuid:session_id>/delete/", sessions.session_delete, name="session-delete"),
    path("<uuid:session_id>/share/", share_owner.share_session, name="session-share"),
    path("<uuid:session_id>/export/", session_files.session_export, name="session-export"),
    path("<uuid:session_id>/page.html", session_files.session_page_file, name="session-page-file"),
]
