"""Makes text of others fit to be kept, shown or sent. It stays text: nothing here makes markup of it."""

from __future__ import annotations


def storable(text: str | None, length: int | None = None) -> str:
    """Fit for a column and for UTF-8: NUL and half surrogates are replaced, and it has at most `length` characters."""
    return (text or "")[:length].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def encodable(text: str) -> str:
    """Fit for UTF-8: half surrogates, which JSON can hold, are replaced, and two that belong together become one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def truncated(text: str, most: int) -> str:
    """Return at most `most` characters; where some are missing, the last one is an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def without_controls(text: str, replacement: str = "") -> str:
    """Return the text on one line: no line ends, no control characters, no half surrogates."""
    return "".join(character if character.isprintable() else replacement for character in text)
