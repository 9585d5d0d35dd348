"""Numbers as the pages write them."""

from __future__ import annotations

from decimal import Decimal


def duration(ms: float | None) -> str:
    """Milliseconds in the unit that reads best: 640 ms, 7.42 s, 2 min 05 s."""
    if ms is None:
        return "\N{EN DASH}"
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
    """US dollars with four digits after the point, more for what would read as nothing."""
    if usd and usd < Decimal("0.0001"):
        return f"${usd:.6f}"
    return f"${usd:.4f}" if usd < 100 else f"${usd:,.2f}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clean(text: str) -> str:
    """Text that can be encoded: halves of surrogate pairs, which JSON can hold and UTF-8 cannot, are replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
