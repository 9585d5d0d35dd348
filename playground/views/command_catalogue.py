"""Every page, and every action of a page, that the command menu leads to. The navigation shows some of the same pages.

An action is the page's own control, found by a CSS selector: the menu presses it, so nothing is done in two ways, and
what is not on the page at the moment, or cannot be pressed, is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import NoReverseMatch, reverse

if TYPE_CHECKING:
    from django.http import HttpRequest

EVERYONE, USER, VISITOR, STAFF = "everyone", "user", "visitor", "staff"
# URL name and words of the main navigation's entries.
NAVIGATION = (
    ("playground", "Playground"),
    ("runs", "Requests"),
    ("conversations", "Conversations"),
    ("connections", "Connections"),
    ("access-keys", "Access keys"),
)


@dataclass(frozen=True)
class Page:
    """A page by its URL name. `also` are other words that it is found by."""

    name: str
    words: str
    whose: str = EVERYONE
    also: str = ""

    @property
    def address(self) -> str:
        try:
            return reverse(self.name)
        except NoReverseMatch:  # pragma: no cover - a test looks each of them up
            return ""


@dataclass(frozen=True)
class Action:
    """A control of the pages with these URL names (none: of every page)."""

    words: str
    selector: str
    pages: tuple[str, ...] = ()
    keys: str = ""
    also: str = ""


PAGES = (
    *(Page(name, words, EVERYONE if name in ("playground", "conversations") else USER) for name, words in NAVIGATION),
    Page("sessions", "Sessions", USER, "agent timeline"),
    Page("shares", "Shared links", USER, "publish"),
    Page("saved-tools", "Saved tools", USER, "functions"),
    Page("conformance", "Conformance reports", USER, "check an endpoint"),
    Page("conversation-import-form", "Import a conversation", USER),
    Page("session-import", "Import a session", USER),
    Page("connection-add", "Add a connection", USER, "upstream key base url"),
    Page("account", "Account", USER, "profile"),
    Page("password-change", "Change password", USER),
    Page("account-export", "Export my data", USER, "download"),
    Page("account-delete", "Delete my account", USER),
    Page("admin:index", "Administration", STAFF, "admin"),
    Page("login", "Log in", VISITOR),
    Page("signup", "Sign up", VISITOR, "register"),
)
_FORM = ("playground", "conversation")
_RUN = ("run",)
_STARRED = ("run", "session", "conversation-read")
ACTIONS = (
    Action("Try It!", "#try-it", _FORM, "Ctrl ⏎", "send run"),
    Action("Stop", "[data-stop-run]:not([disabled])", _FORM, "Esc"),
    Action("Show the form", "#as-form[aria-selected=false]", _FORM),
    Action("Show the request as JSON", "#as-json[aria-selected=false]", _FORM),
    Action("Show the response", 'input[name="view"][value="response"]', _FORM),
    Action("Show the request", 'input[name="view"][value="request"]', _FORM),
    Action("Save", "#form-actions [data-save], #form-actions [data-opens=name-dialog]", _FORM, also="version name"),
    Action("Share", '#form-actions [aria-label="Share"]', _FORM, also="link publish"),
    Action("Rename the conversation", "#intro [data-opens=name-dialog]", _FORM, also="title"),
    Action("Versions and requests of the conversation", "#intro a[href*='/read/']", _FORM, also="history runs links"),
    Action("Choose a model", ".model-pick", _FORM),
    Action("Compare models or settings", "#compare-start", _FORM),
    Action("Count tokens", "[data-count-tokens]", _FORM),
    Action("Add a message", "[data-op=add-turn]", _FORM, also="turn"),
    Action("Prefill the response", "[data-op=add-turn][data-kind=assistant]", _FORM, also="assistant message"),
    Action("Add a tool", "[data-op=insert][data-kind=custom]", _FORM, also="function"),
    Action("Paste a tool", "[data-opens=tool-dialog]", _FORM, also="json schema openapi python typescript function"),
    Action("Import curl, JSON or HAR", "[data-opens=import-dialog]", _FORM, also="paste request"),
    Action("Choose an example", "[data-opens=examples-dialog]", _FORM),
    Action("Start empty", '[data-start="empty"]', _FORM, also="new request clear"),
    Action("Copy the body", "#ask [data-copies-from]", _FORM),
    Action("Fold the request form away", "[data-fold-form]", _FORM, "["),
    Action("Show the request form", ".rail [data-unfold]", _FORM, "["),
    Action("Recent Requests", ".recent-open", _FORM),
    Action("Add the response to the conversation", "#answer [data-add-answer]", _FORM, also="continue"),
    Action("Show the message", "#answer .answer-panel [role=tab][data-view=message]", (*_FORM, *_RUN)),
    Action("Show the events", "#answer .answer-panel [role=tab][data-view=events]", (*_FORM, *_RUN), also="sse stream"),
    Action("Show the response as JSON", "#answer .answer-panel [role=tab][data-view=json]", (*_FORM, *_RUN)),
    Action("Show the response headers", "#answer .answer-panel [role=tab][data-view=headers]", (*_FORM, *_RUN)),
    Action("Show the code", "#answer .answer-panel [role=tab][data-view=code]", _FORM, also="snippet curl sdk"),
    Action("Show the code", "#sent-code-tab", _RUN, also="snippet curl sdk"),
    Action("Copy the response", "#answer [data-copy-answer=markdown]", (*_FORM, *_RUN), also="markdown"),
    Action("Continue in the playground", "#answer [data-add-answer]", _RUN, also="conversation"),
    Action("Open in the playground", "form[action$='/open/'] button", (*_RUN, "conversation-read")),
    Action("Run again", "main [hx-post$='/again/']", _RUN),
    Action("Compare with another request", "a[href*='/compare/?a=']", _RUN),
    Action("Share", "main a[href$='/share/']", (*_RUN, "conversation-read"), also="link publish"),
    Action("Star", "main [aria-label=Star][aria-pressed=false]", _STARRED, also="favourite"),
    Action("Unstar", "main [aria-label=Star][aria-pressed=true]", _STARRED, also="favourite"),
    Action("Newer request", "[data-step=newer]", _RUN, "k", also="next"),
    Action("Older request", "[data-step=older]", _RUN, "j", also="previous"),
    Action("Download as JSON", "main a[href$='/download/json/']", _RUN, also="save export"),
    Action("Download raw SSE", "main a[href$='/download/sse/']", _RUN, also="save export events"),
    Action("Download HAR", "main a[href$='/download/har/']", _RUN, also="save export"),
    Action("Delete this request", "[data-opens=delete-run]", _RUN),
    Action("Search", "main input[type=search]", ("runs", "conversations", "sessions"), also="find filter"),
    Action("Export as JSON lines", "[data-export=jsonl]", ("runs",), also="download"),
    Action("Export as CSV", "[data-export=csv]", ("runs",), also="download"),
    Action("New conversation", "form[action$='/conversations/new/'] button", ("conversations",)),
    Action("Light or dark", "[data-theme-switch]", also="theme colours"),
    Action("Keyboard shortcuts", "[data-shows-shortcuts]", _FORM, "?", "keys help"),
    Action("Log out", "form[action$='/logout/'] button"),
)


def pages_for(request: HttpRequest) -> list[Page]:
    """The pages that the asker may open."""
    user = request.user
    may = {EVERYONE, USER if user.is_authenticated else VISITOR, STAFF if getattr(user, "is_staff", False) else ""}
    return [page for page in PAGES if page.whose in may and (page.name != "signup" or settings.SIGN_UP_OPEN)]


def actions_on(page: str) -> list[Action]:
    """Return the actions that the page with this URL name may offer."""
    return [action for action in ACTIONS if not action.pages or page in action.pages]
