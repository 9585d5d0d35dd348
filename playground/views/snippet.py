"""The request as source text, in the language that was chosen last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from playground import markdown
from playground.forms.attachments import resolve
from playground.forms.variables import fill
from playground.protocol import snippets
from playground.protocol.snippets import AttachedFile, Language, SnippetRequest
from playground.views import drafts

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from playground.forms.request_form import RequestForm

COOKIE = "language"
MOST_SHOWN = 8_000  # characters; more is copied, not read
BY_ID = {language.id: language for language in snippets.LANGUAGES}


@dataclass(frozen=True)
class Shown:
    """A snippet ready to be drawn, with what else could be chosen."""

    language: Language
    text: str
    html: SafeString | str
    is_cut: bool = False

    @property
    def tabs(self) -> list[Language]:
        """One language for each tab: the chosen one on its own tab, else the tab's first."""
        first = {}
        for language in snippets.LANGUAGES:
            if language.tab == self.language.tab:
                language = self.language
            first.setdefault(language.tab, language)
        return list(first.values())

    @property
    def tab_id(self) -> str:
        return self.language.id

    @property
    def variants(self) -> list[Language]:
        return [language for language in snippets.LANGUAGES if language.tab == self.language.tab]


def snippet_of(request: HttpRequest, form: RequestForm) -> Shown:
    wanted = request.POST.get(":language") or request.COOKIES.get(COOKIE, "")
    language = BY_ID.get(wanted, snippets.LANGUAGES[0])
    draft = form.draft
    if form.error is not None:
        text = "The body is not JSON yet: there is nothing to write."
        return Shown(language, text, text)
    text = snippets.snippet(
        language.id,
        SnippetRequest(
            body=with_texts(fill(form.body, draft.variables), form),
            base_url=base_url(request, form),
            auth_style=form.to.auth_style,
            version=draft.anthropic_version,
            betas=tuple(draft.betas),
            accept=draft.accept or None,
            extra_headers=tuple((name, value) for name, value in draft.extra_headers),
            attachments={ref: AttachedFile(file.name, file.media_type) for ref, file in form.attachments.items()},
        ),
    )
    if len(text) > MOST_SHOWN:
        return Shown(language, text, markdown.highlight_code(text[:MOST_SHOWN], language.lexer), is_cut=True)
    return Shown(language, text, markdown.highlight_code(text, language.lexer))


def with_texts(body: Any, form: RequestForm) -> Any:
    """The body with text documents as text: only the base64 of other files becomes reading a file."""
    texts = {reference: file for reference, file in form.attachments.items() if file.media_type == "text/plain"}

    def read(reference: str) -> bytes | None:
        if reference not in texts:
            return None
        with texts[reference].file.open("rb") as file:
            return bytes(file.read())

    return resolve(body, read) if texts else body


def base_url(request: HttpRequest, form: RequestForm) -> str:
    """What a snippet calls: the connection; for the sandbox, which has no address, this server's own relay."""
    connection = form.draft.connection
    return connection.base_url if connection else request.build_absolute_uri("/").rstrip("/")


@require_GET
def snippet_text(request: HttpRequest) -> HttpResponse:
    """The whole snippet as plain text, for copying: the page shows the beginning of a long one."""
    shown = snippet_of(request, drafts.open_form(request))
    return HttpResponse(shown.text, content_type="text/plain; charset=utf-8")
