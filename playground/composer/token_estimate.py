"""A rough estimate of a value's tokens: shown with "about", never sent, never billed.

Source of the divisors: the vendor's documentation gives 3.5 to 4 characters a token for English text, and width times
height over 750 for an image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CHARACTERS_PER_TOKEN = 3.7
PIXELS_PER_TOKEN = 750
LARGEST_IMAGE_TOKENS = 1_600
TOKENS_PER_MESSAGE = 4
UNKNOWN_IMAGE_TOKENS = 1_000

# Given the `data` of a base64 source, the tokens of the image it stands for, or None.
ImageTokens = Callable[[str], int | None]


def image_tokens(width: int, height: int) -> int:
    """The tokens of an image; the API scales larger ones down."""
    return min(width * height // PIXELS_PER_TOKEN, LARGEST_IMAGE_TOKENS)


def tokens(value: Any, image: ImageTokens = lambda _data: None) -> int:
    """The tokens of a message, a block, a tool or a whole body, about."""
    return int(_characters(value, image) / CHARACTERS_PER_TOKEN)


def _characters(value: Any, image: ImageTokens) -> float:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(_characters(each, image) for each in value)
    if not isinstance(value, dict):
        return 2.0
    if value.get("type") == "base64" and isinstance(value.get("data"), str):
        return (image(value["data"]) or UNKNOWN_IMAGE_TOKENS) * CHARACTERS_PER_TOKEN
    characters = TOKENS_PER_MESSAGE * CHARACTERS_PER_TOKEN if "role" in value else 0.0
    for name, each in value.items():
        # Names are part of what the model reads in tools and inputs, the API's own words are not.
        characters += _characters(each, image) + (0 if name in {"type", "text", "content", "role"} else len(name))
    return characters


def body_tokens(body: Any, image: ImageTokens = lambda _data: None) -> int:
    """The input tokens of a request, about: what the model reads of it."""
    if not isinstance(body, dict):
        return 0
    read = ("system", "messages", "tools", "mcp_servers")
    return sum(tokens(body[name], image) for name in read if name in body)


def words(count: int) -> str:
    """ "about 1,060 tokens": small counts as they are, large ones to three figures."""
    rounded = count if count < 1_000 else round(count, 2 - len(str(count)) + 1)
    return f"about {rounded:,} tokens"
