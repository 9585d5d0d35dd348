"""The parts of the composer that are drawn again after a change, and what every drawing of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import Connection
from playground.composer.request_form import RequestForm
from playground.drafts import editing
from playground.protocol.json.paths import to_text
from playground.views import draft_comparison
from playground.views.snippet import snippet_of

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True)
class Region:
    """A part of the form to draw again: its template, and the node it shows."""

    template: str
    node: Any = None


BODY = Region("playground/composer/_form_body.html")


HEADERS = Region("playground/composer/_form_headers.html")


DESTINATION = Region("playground/composer/_form_destination.html")


SNIPPETS = Region("playground/composer/_snippets.html")


NAMED = Region("playground/composer/_form_named.html")


VARIABLES = Region("playground/composer/_form_variables.html")


def page_context(request: HttpRequest, form: RequestForm, mode: str, *, is_unchanged: bool = False) -> dict[str, Any]:
    """What the templates need. `is_unchanged`: the page shows already what is made of the request."""
    return {
        "form": form,
        "mode": mode,
        "is_unchanged": is_unchanged,
        "focus": to_text(form.focus) if form.focus else "",
        "snippet": None if is_unchanged else snippet_of(request, form),
        "choices": Connection.objects.usable_by(request.user),
        "has_form": True,
        **draft_comparison.context_of(request, form),
    }


def parts(
    request: HttpRequest,
    form: RequestForm,
    regions: list[Region] | None = None,
    *,
    said: str = "",
    first_problem: bool = False,
) -> HttpResponse:
    """Draw again what a change has touched, all of it out of band: the focus and the fields stay as they are."""
    mode = mode_of(request, form)
    if mode == "json":
        regions = [each for each in regions or [] if each in (DESTINATION, SNIPPETS, NAMED)]
    context = page_context(request, form, mode)
    context |= {"regions": regions or [], "said": said, "conflict_solved": ":overwrite" in request.POST}
    if first_problem and form.errors:
        context["focus"] = form.errors[0].place
    response = render(request, "playground/composer/_draft_parts.html", context)
    response["HX-Reswap"] = "none"  # also where the page asked for the whole form: nothing is to be put in its place
    return response


def mode_of(request: HttpRequest, form: RequestForm) -> str:
    return "json" if request.POST.get(":mode") == "json" or not form.can_be_drawn else "form"


def conflicting(request: HttpRequest, conflict: editing.ConflictError) -> HttpResponse:
    """A banner: nothing of this tab was stored, and the other tab's version was not touched."""
    if isinstance(conflict, editing.TooLargeError):
        context = {"most": editing.most_body_bytes(request), "words": conflict.words}
        return render(request, "playground/composer/_form_too_large.html", context, status=413)
    places = conflict.places if isinstance(conflict, editing.MovedError) else []
    context = {"draft": conflict.form.draft, "moved": places}
    return render(request, "playground/composer/_form_conflict.html", context, status=409)
