"""Knows which requests are the relay's, and what to tell clients whose base URL leads somewhere else."""

from __future__ import annotations

import re
from typing import Final

from django.urls import Resolver404, resolve

PREFIX: Final = "/v1/"
SERVED: Final = "This relay serves /v1/messages, /v1/messages/count_tokens and /v1/models."
_ENDPOINT: Final = r"(messages(/count_tokens|/batches.*)?|models(/[^/]+)?)"
_WITH_VERSION: Final = re.compile(rf"(?P<before>.*)/v1/{_ENDPOINT}")
_WITHOUT_VERSION: Final = re.compile(rf"(?P<before>.*)/{_ENDPOINT}")
_OTHER_APIS: Final = {
    "/chat/completions": "OpenAI's Chat Completions API",
    "/responses": "OpenAI's Responses API",
    "/completions": "OpenAI's Completions API",
    "/embeddings": "OpenAI's Embeddings API",
    "/complete": "the Text Completions API",
}
_OF_AN_API: Final = re.compile(
    r"/v1(/|$)|/(messages(/count_tokens)?|chat/completions|completions|complete|responses|embeddings)/*$"
    r"|^/+((api|anthropic)/+)*models(/[^/]*)?/*$"
)


def is_relays(path: str) -> bool:
    """Return whether an API client meant this path: the relay's own, and the wrong ones that no page has."""
    if path.startswith(PREFIX):
        return True
    if not _OF_AN_API.search(path):
        return False
    try:
        resolve(path)
    except Resolver404:
        return True
    return False


def advice(path: str) -> str:
    """Return why nothing is served at a path, in words about the base URL that led there."""
    plain = "/" + "/".join(step for step in path.split("/") if step)
    for ending, name in _OTHER_APIS.items():
        if plain.endswith(ending):
            return f"This is an address of {name}; the relay speaks the Messages API. {SERVED}"
    if match := _WITH_VERSION.fullmatch(plain):
        before = match["before"]
        if before:
            return f"Clients add /v1/messages to the base URL themselves: leave {before[:200]} out at its end. {SERVED}"
        if "/batches" in plain:
            return f"Message batches are not relayed. {SERVED}"
        return f"There is a slash too many in {path[:200]}: the base URL must not end in one. {SERVED}"
    if match := _WITHOUT_VERSION.fullmatch(plain):
        if match["before"]:
            return f"This client's base URL should end in /v1 instead of {match['before'][:200]}. {SERVED}"
        return f"This client adds no /v1 of its own, so its base URL has to end in it. {SERVED}"
    return SERVED
