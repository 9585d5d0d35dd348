"""A request as source text, in eight languages; what is sent is the body exactly, its numbers spelled as they are.

Languages with text literals that take JSON as it is get the body as text, for the official client where there is one
and for plain HTTP. Python and Node get their own values,
and text only when a number or a half surrogate would not arrive as it was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.protocol.endpoints import Endpoint
from playground.protocol.snippets.csharp import csharp
from playground.protocol.snippets.csharp_client import csharp_client
from playground.protocol.snippets.go import go
from playground.protocol.snippets.go_client import go_client
from playground.protocol.snippets.http_request import AttachedFile, SnippetRequest
from playground.protocol.snippets.java import java
from playground.protocol.snippets.java_client import java_client
from playground.protocol.snippets.node_source import fetch
from playground.protocol.snippets.node_source import official as node_client
from playground.protocol.snippets.php import php
from playground.protocol.snippets.php_client import php_client
from playground.protocol.snippets.python_source import httpx
from playground.protocol.snippets.python_source import official as python_client
from playground.protocol.snippets.ruby import ruby
from playground.protocol.snippets.ruby_client import ruby_client
from playground.protocol.snippets.shell import curl

__all__ = ["LANGUAGES", "AttachedFile", "Language", "SnippetRequest", "languages_for", "snippet"]


@dataclass(frozen=True, slots=True)
class Language:
    """One way to write a request. `lexer` is the name that Pygments knows; `tab` gathers variants of a language."""

    id: str
    label: str
    lexer: str
    tab: str
    write: Callable[[SnippetRequest], str]

    @property
    def variant(self) -> str:
        """The words that tell it from the others of its tab, such as "official client"."""
        return self.label.removeprefix(self.tab).strip(" ()")


LANGUAGES = (
    Language("shell", "Shell (curl)", "bash", "Shell", curl),
    Language("python", "Python (official client)", "python", "Python", python_client),
    Language("python-httpx", "Python (httpx)", "python", "Python", httpx),
    Language("node", "Node (official client)", "javascript", "Node", node_client),
    Language("node-fetch", "Node (fetch)", "javascript", "Node", fetch),
    Language("ruby-client", "Ruby (official client)", "ruby", "Ruby", ruby_client),
    Language("ruby", "Ruby (net/http)", "ruby", "Ruby", ruby),
    Language("php-client", "PHP (official client)", "php", "PHP", php_client),
    Language("php", "PHP (HTTP stream)", "php", "PHP", php),
    Language("go-client", "Go (official client)", "go", "Go", go_client),
    Language("go", "Go (net/http)", "go", "Go", go),
    Language("java-client", "Java (official client)", "java", "Java", java_client),
    Language("java", "Java (java.net.http)", "java", "Java", java),
    Language("csharp-client", "C# (official client)", "csharp", "C#", csharp_client),
    Language("csharp", "C# (HttpClient)", "csharp", "C#", csharp),
)
# The snippets of official clients create messages; plain HTTP goes to any endpoint.
PLAIN_HTTP = tuple(language for language in LANGUAGES if language.variant != "official client")
_BY_ID = {language.id: language for language in LANGUAGES}


def languages_for(endpoint: Endpoint) -> tuple[Language, ...]:
    """Return the languages that a request to this endpoint can be written in."""
    return LANGUAGES if endpoint == "messages" else PLAIN_HTTP


def snippet(language_id: str, request: SnippetRequest) -> str:
    """Return `request` as source text. Raises KeyError for a language that is not in `LANGUAGES`."""
    return _BY_ID[language_id].write(request)
