"""The scheme of the sandbox's addresses, by which a run names it."""

from __future__ import annotations

from typing import Final

SCHEME: Final = "sandbox"
BASE_URL: Final = f"{SCHEME}://playground"


def is_sandbox_url(base_url: str) -> bool:
    return base_url.startswith(f"{SCHEME}:")
