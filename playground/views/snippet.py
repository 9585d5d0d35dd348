"""The request as source text, in the language that was chosen last.

It calls this server with an access key, which leads to the connection that the key was made for, or to the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from playground.attachments.references import resolve
from playground.composer.header_problems import OF_THEIR_OWN, chosen_accept
from playground.composer.variables import fill
from playground.drafts import editing
from playground.protocol import snippets
from playground.protocol.snippets import AttachedFile, Language, SnippetRequest
from playground.rendering import markdown

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from playground.composer.request_form import RequestForm

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
        first: dict[str, Language] = {}
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
    chosen = request.POST.get(":language") or request.COOKIES.get(COOKIE, "")
    language = BY_ID.get(chosen, snippets.LANGUAGES[0])
    draft = form.draft
    if form.error is not None:
        text = "No code yet: the body is not valid JSON."
        return Shown(language, text, text)
    text = snippets.snippet(
        language.id,
        SnippetRequest(
            body=with_texts(fill(form.body, draft.variables), form),
            base_url=request.build_absolute_uri("/").rstrip("/"),
            calls_playground=True,
            version=draft.anthropic_version,
            betas=tuple(draft.betas),
            accept=chosen_accept(draft.accept),
            extra_headers=tuple((name, value) for name, value in draft.extra_headers if name not in OF_THEIR_OWN),
            attachments={ref: AttachedFile(file.name, file.media_type) for ref, file in form.attachments.items()},
        ),
    )
    return Shown(language, text, _coloured(text[:MOST_SHOWN], language.lexer), is_cut=len(text) > MOST_SHOWN)


@lru_cache(maxsize=32)
def _coloured(text: str, lexer: str) -> SafeString:
    """The same text is asked for by the page, by what was typed last, and by Try It!."""
    return markdown.highlight_code(text, lexer)


def with_texts(body: Any, form: RequestForm) -> Any:
    """The body with text documents as text: only the base64 of other files becomes reading a file."""
    texts = {reference: file for reference, file in form.attachments.items() if file.media_type == "text/plain"}

    def read(reference: str) -> bytes | None:
        if reference not in texts:
            return None
        with texts[reference].file.open("rb") as file:
            return bytes(file.read())

    return resolve(body, read) if texts else body


@require_safe
def snippet_text(request: HttpRequest) -> HttpResponse:
    """The whole snippet as plain text, for copying: the page shows the beginning of a long one."""
    shown = snippet_of(request, editing.open_form(request))
    return HttpResponse(shown.text, content_type="text/plain; charset=utf-8")
