"""Changes of a request that are not of its body: where it goes, its headers, its examples. One function per change.

Each takes the posted value and returns what is wrong with it, in words; None when the change was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import Connection
from playground.composer import tool_examples
from playground.composer.header_problems import A_SECRET, LONGEST_NAME, MOST_HEADERS, OF_THEIR_OWN, problem_of_betas
from playground.protocol.headers import is_secret, refused_default_header
from playground.protocol.whole_numbers import read_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from playground.composer.request_form import RequestForm


def connect(request: HttpRequest, form: RequestForm, key: str) -> str | None:
    """Send by the connection with this id; "": by the sandbox."""
    connection = None
    if key:
        usable: Any = Connection.objects.usable_by(request.user)
        connection = next((each for each in usable if str(each.pk) == key), None)
        if connection is None:
            return "This connection was deleted."
    form.draft.connection = connection
    if connection is not None:
        form.draft.anthropic_version = connection.anthropic_version
    form.go_to(connection)
    return None


def add_betas(request: HttpRequest, form: RequestForm, names: str) -> str | None:
    added = [name.strip() for name in names.split(",") if name.strip()]
    betas = list(dict.fromkeys([*form.draft.betas, *added]))
    if problem := problem_of_betas(betas):
        return problem
    form.draft.betas = betas
    return None


def remove_beta(request: HttpRequest, form: RequestForm, beta: str) -> None:
    form.draft.betas = [name for name in form.draft.betas if name != beta]


def add_header(request: HttpRequest, form: RequestForm, name: str) -> str | None:
    """Add an empty one of this name; its value is typed into the form."""
    draft, name = form.draft, name.strip().lower()
    if name in OF_THEIR_OWN:
        return f"{name} has a field of its own."
    if is_secret(name):
        return f"{name}: {A_SECRET}"
    if problem := refused_default_header(name, ""):
        return problem
    if len(name) > LONGEST_NAME:
        return f"A header's name has at most {LONGEST_NAME} characters."
    if len(draft.extra_headers) >= MOST_HEADERS:
        return f"A request has at most {MOST_HEADERS} extra headers."
    draft.extra_headers = [*draft.extra_headers, [name, ""]]
    return None


def remove_header(request: HttpRequest, form: RequestForm, number: str) -> None:
    form.draft.extra_headers = [pair for at, pair in enumerate(form.draft.extra_headers) if at != read_whole(number)]


def remove_example(request: HttpRequest, form: RequestForm, tool: str) -> None:
    """Forget the example of a tool's output."""
    emptied = {f"{tool_examples.PREFIX}{tool}": ""}
    form.draft.tool_examples = tool_examples.typed(form.draft.tool_examples, form.body, emptied)


CHANGES: dict[str, Callable[[HttpRequest, RequestForm, str], str | None]] = {
    "connection": connect,
    "beta-add": add_betas,
    "beta-remove": remove_beta,
    "header-add": add_header,
    "header-remove": remove_header,
    "example-remove": remove_example,
}
