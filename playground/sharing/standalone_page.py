"""The assets of a page that stands alone as one file."""

from __future__ import annotations

from functools import cache

from django.contrib.staticfiles import finders

SHEETS = ("tokens", "base", "layout", "controls", "code", "answer", "wire", "share", "conformance")


@cache
def style_text(more: tuple[str, ...] = ()) -> str:
    """All style sheets of the reader's page, and `more`, one after another."""
    texts = []
    for name in (*SHEETS, *more):
        path = finders.find(f"css/{name}.css")
        if isinstance(path, str):
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path of ours
                texts.append(file.read())
    return "\n".join(texts).replace("</", "<\\/")
