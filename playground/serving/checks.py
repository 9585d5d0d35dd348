"""System checks: what is wrong with the settings and does not keep the site from running."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning

from playground.settings import env


@register()
def settings_are_known(**_: Any) -> list[CheckMessage]:
    """A misspelled variable has no effect, which is not seen until it matters."""
    return [
        CheckWarning(
            f"{name} is not a setting.",
            hint=f"Is {nearest} meant?" if nearest else "README.md has the table of settings.",
            id="playground.W001",
        )
        for name, nearest in env.unknown_names()
    ]
