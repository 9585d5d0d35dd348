from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from accounts.rotation import unknown_keys


@register(Tags.database)
def server_keys_are_there(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Say at once when stored credentials need a server key that is missing, not at the first request that fails."""
    if not databases:
        return []
    try:
        missing = unknown_keys()
    except DatabaseError:
        return []  # before the first migration there is no table
    return [
        Error(
            f"Stored credentials were encrypted with the server key {key}, which is not configured.",
            hint="Put it back: PLAYGROUND_VAULT_KEYS, or the vault_key file of the data folder. Nothing was changed.",
            id="accounts.E001",
        )
        for key in sorted(missing)
    ]
