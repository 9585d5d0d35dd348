"""The theme that a browser chose: a cookie, so that no page flashes in the other one first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "theme"


def theme_of(cookies: Mapping[str, str]) -> str | None:
    """The chosen theme; None for the system's."""
    theme = cookies.get(COOKIE)
    return theme if theme in {"light", "dark"} else None
