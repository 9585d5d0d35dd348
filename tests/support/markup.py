"""Pages as tests read them."""

from __future__ import annotations

import re
from typing import Any


def markup(page: Any) -> str:
    """The HTML of a response, or a string, with its lines joined: where a template breaks them is not tested."""
    html = page if isinstance(page, str) else page.content.decode()
    return re.sub(r" (?=>)", "", re.sub(r"\s+", " ", html))
