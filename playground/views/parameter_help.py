"""The full help of one parameter, for the card that its (i) opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.composer.labels import type_words
from playground.drafts import editing
from playground.protocol.catalogue.help import HELP, REFERENCE, help_for
from playground.protocol.catalogue.kinds import Choice, OneOf, Variants
from playground.protocol.catalogue.parameters import HEADERS, find
from playground.protocol.json.paths import PathError, parse_path

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.protocol.catalogue.help import Help
    from playground.protocol.catalogue.kinds import Parameter

HEADER_NAMES = {":anthropic-version": "anthropic-version", ":betas": "anthropic-beta", ":accept": "Accept"}


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The help of the parameter at a path. The body that is being written decides between variants."""
    place = request.GET.get("path", "")[:500]
    is_header = place in HEADER_NAMES
    if is_header:
        parameter = next(header for header in HEADERS if header.name == HEADER_NAMES[place])
        more = HELP.get(place)
    else:
        parameter, more = _body_parameter(request, place)
    context = {
        "parameter": parameter,
        "name": parameter.name if is_header else place,
        "more": more,
        "type": type_words(parameter.kind),
        "values": _values(parameter),
        "reference": REFERENCE,
    }
    return render(request, "playground/composer/_help.html", context)


def _body_parameter(request: HttpRequest, place: str) -> tuple[Parameter, Help | None]:
    """The parameter at a path of the body, and its full text. Raises `Http404` where there is none."""
    try:
        path = parse_path(place)
    except PathError:
        raise Http404("not a path") from None
    parameter = find(path, editing.open_form(request).body) if path else None
    if parameter is None:
        raise Http404("no such parameter")
    return parameter, help_for(path)


def _values(parameter: Parameter) -> str:
    """Return the possible values, where they are a list: of strings, or of the kinds of an object."""
    kinds = parameter.kind.kinds if isinstance(parameter.kind, OneOf) else (parameter.kind,)
    for kind in kinds:
        if isinstance(kind, Choice):
            return " · ".join(kind.values)
        if isinstance(kind, Variants) and 1 < len(kind.variants) < 8:
            return " · ".join(variant.name for variant in kind.variants)
    return ""
