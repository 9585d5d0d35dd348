"""The reader's time zone: a browser's cookie names it, and times are written and dates read in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE_COOKIE = "time_zone"
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{1,63}")


def zone_of(cookies: Mapping[str, str]) -> ZoneInfo | None:
    """The zone that the cookie names, if there is such a zone."""
    name = cookies.get(ZONE_COOKIE, "")
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None
