"""Decides whether something typed into an older body may go into a newer one: in a list, a path may lead elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from playground.protocol import body as edit
from playground.protocol.json.paths import Path, PathError, parse_path


def moved(body: Any, edited: Collection[str], shown: Mapping[str, str]) -> list[str]:
    """The edited places that may mean something else in this body.

    `shown` is what the controls of the page said before they were edited. A place in a list means the same if all that
    the page showed of the list stands there now.
    """
    return [place for place in edited if _list_of(place) is not None and not _stands(body, place, shown)]


def _stands(body: Any, place: str, shown: Mapping[str, str]) -> bool:
    around = [(name, text) for name, text in shown.items() if _list_of(name) == _list_of(place)]
    # A control that comes back as it was drawn changes nothing.
    after, unreadable = edit.apply(body, around)
    return place in shown and after is body and not unreadable


def _list_of(place: str) -> Path | None:
    """The outermost list that a place is in."""
    try:
        path = parse_path(place)
    except PathError:
        return None
    at = next((at for at, step in enumerate(path) if isinstance(step, int)), None)
    return None if at is None else path[:at]
