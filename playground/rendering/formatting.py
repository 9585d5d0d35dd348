"""Numbers as the pages write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

UNKNOWN = "\N{EN DASH}"


def count(number: int | None) -> str:
    """1,234; a dash for a number that is not known."""
    return UNKNOWN if number is None else f"{number:,}"


def duration(ms: float | None) -> str:
    """Milliseconds in the unit that reads best: 640 ms, 7.42 s, 2 min 05 s."""
    if ms is None:
        return UNKNOWN
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_995:
        return f"{ms / 1000:.2f} s"
    seconds = round(ms / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def size(count: int) -> str:
    """Bytes or characters: 35 B, 41.2 kB, 5.0 MB."""
    if count < 1000:
        return f"{count} B"
    if count < 999_950:
        return f"{count / 1000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"


def cost(usd: Decimal) -> str:
    """US dollars with four digits after the point, more for what would read as nothing, two for nothing itself."""
    if not usd:
        return "$0.00"
    if usd < Decimal("0.0001"):
        return f"${usd:.6f}"
    return f"${usd:.4f}" if usd < 100 else f"${usd:,.2f}"


def price(usd: Decimal) -> str:
    """US dollars with at least two digits after the point: $3.00, $0.10, $0.025."""
    return f"${usd:.2f}" if usd == round(usd, 2) else f"${usd.normalize():f}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def zoned(local: datetime) -> str:
    """A moment whole, with its time zone: "29 Nov 2026, 23:19:17 GMT+05:45 (Asia/Kathmandu)"."""
    name = str(local.tzinfo)
    place = "" if name == "UTC" else f" ({name})"
    return f"{local.day} {local:%b %Y, %H:%M:%S} {zone(local)}{place}"


def zone(local: datetime) -> str:
    """The time zone in short: UTC, GMT+05:45."""
    offset = f"{local:%z}"
    return "UTC" if str(local.tzinfo) == "UTC" else f"GMT{offset[:3]}:{offset[3:]}"
