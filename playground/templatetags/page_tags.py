"""Small words of the templates."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import Context, Node
from django.template.defaultfilters import date as date_format
from django.template.defaulttags import URLNode, url
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join

from accounts.requests import page_asking
from playground.models import storage_quota
from playground.recording import retention
from playground.rendering import formatting

if TYPE_CHECKING:
    from datetime import datetime

    from django.template import NodeList
    from django.template.base import Parser, Token
    from django.utils.safestring import SafeString

    from accounts.models import User

register = template.Library()

TONES = {"success": "good", "warning": "warn", "error": "bad"}


@register.filter
def tone(level: str) -> str:
    """The tone of a banner for Django's message level."""
    return TONES.get(level, "plain")


@register.simple_tag
def moment(at: datetime | str | None, form: str = "j M Y, H:i") -> SafeString | str:
    """A moment, or its text in ISO 8601, in the reader's time zone, which is named on hover."""
    if not at:
        return ""
    local = timezone.localtime(parse_datetime(at) if isinstance(at, str) else at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), formatting.zoned(local), date_format(local, form)
    )


@register.simple_tag(takes_context=True)
def add_words(context: Context) -> str:
    """Return the label of the button that adds an answer: on pages of the log it leads to the playground."""
    request = context.get("request")
    if request is None:
        return "Add to conversation"
    page = page_asking(request) if request.htmx else request.path
    return "Continue in the playground" if "/requests/" in page else "Add to conversation"


@register.filter
def zoned(at: datetime) -> str:
    """A moment whole, with the reader's time zone: what a shortened one says on hover."""
    return formatting.zoned(timezone.localtime(at))


@register.filter
def zone(at: datetime) -> str:
    """The reader's time zone at that moment, in short."""
    return formatting.zone(timezone.localtime(at))


@register.simple_tag
def kept_bytes(user: User) -> list[dict[str, Any]]:
    """Return how many bytes are stored of a user's, by kind, and how many may be (0: any)."""
    return [
        {"what": "requests", "size": retention.size_of_content(user.pk), "most": settings.MAX_CONTENT_BYTES_PER_USER},
        {"what": "files", "size": storage_quota.bytes_of_files(user), "most": settings.MAX_ATTACHMENT_BYTES_PER_USER},
        {
            "what": "conversations",
            "size": storage_quota.bytes_of_versions(user.pk),
            "most": settings.MAX_VERSION_BYTES_PER_USER,
        },
        {
            "what": "shared copies",
            "size": storage_quota.bytes_of_copies(user.pk),
            "most": settings.MAX_SHARE_BYTES_PER_USER,
        },
    ]


@register.simple_tag
def style_sheets(entry: str) -> SafeString:
    """The links of a file below `static/entries/`: one to all that it imports, joined; or, where static files are not
    collected, one to each."""
    address = static(entry)
    addresses = map(static, _imported(entry)) if address.endswith(entry) else [address]
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((each,) for each in addresses))


@cache
def _imported(entry: str) -> list[str]:
    path = finders.find(entry)
    assert path is not None
    return re.findall(r'^@import "\.\./([^"]+)";$', Path(path).read_text(), re.MULTILINE)


@register.tag(name="url")
def url_tag(parser: Parser, token: Token) -> Node:
    """Django's `url`; the address of a page without parameters is looked up once."""
    node = url(parser, token)
    return node if node.args or node.kwargs or node.asvar else PlainAddress(node)


class PlainAddress(Node):
    def __init__(self, node: URLNode) -> None:
        self.node = node
        self.known: dict[tuple[str, str], str] = {}  # no more than there are pages, times what the site is served below

    def render(self, context: Context) -> str:
        name = self.node.view_name.resolve(context)
        if ":" in name:  # its namespace depends on the page
            return self.node.render(context)
        key = get_script_prefix(), name
        if key not in self.known:
            self.known[key] = self.node.render(context)
        return self.known[key]


@register.tag
def once(parser: Parser, _token: Token) -> Once:
    """`{% once %} … {% endonce %}`: what is the same for everybody, drawn once for as long as the process lives.

    It is drawn without the page's context, so nothing of whoever asks first can get into it.
    """
    nodes = parser.parse(("endonce",))
    parser.delete_first_token()
    return Once(nodes)


class Once(Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.drawn: SafeString | None = None

    def render(self, context: Context) -> SafeString:
        if self.drawn is None or settings.DEBUG:
            alone = Context()
            assert context.template is not None  # while a template is being drawn
            with alone.bind_template(context.template):
                self.drawn = self.nodelist.render(alone)
        return self.drawn
