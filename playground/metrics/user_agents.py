"""User agents in short: who is calling, in words that fit a column.

The header is foreign text and often a lie; the short form is a label for people, nothing is decided by it.
"""

from __future__ import annotations

import re

_SYSTEMS = (
    ("Android", re.compile(r"Android")),
    ("iOS", re.compile(r"iPhone|iPad|iPod")),
    ("macOS", re.compile(r"Macintosh|Mac OS X")),
    ("Windows", re.compile(r"Windows")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Linux", re.compile(r"Linux|X11")),
)
# The order matters: Edge and Opera name Chrome too, and Chrome names Safari.
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+)[\d.]* .*Safari/")),
)
# The official clients call themselves `Anthropic/Python 2.12.0`, `AsyncAnthropic/Python …`, `Anthropic/JS …`.
_CLIENT = re.compile(r"^(?:Async)?Anthropic(?:\w*)/(Python|JS|Go|Java|Ruby|PHP|C#|\w+) v?([\w.+-]+)")
_LANGUAGES = {"JS": "typescript"}
_PRODUCT = re.compile(r"^([\w.@+-][\w .@+-]{0,40}?)/v?(\d[\w.+-]*)")


def label(user_agent: str) -> str:
    """`Chrome 146 on macOS`, `anthropic-python 2.12.0`, `curl 8.16`; the beginning of what is not understood."""
    text = user_agent.strip()[:500]
    if client := _CLIENT.match(text):
        language, version = client.groups()
        return f"anthropic-{_LANGUAGES.get(language, language.lower())} {version}"[:80]
    if text.startswith("Mozilla/"):
        system = next((name for name, pattern in _SYSTEMS if pattern.search(text)), None)
        for name, pattern in _BROWSERS:
            if match := pattern.search(text):
                return f"{name} {match[1]}" + (f" on {system}" if system else "")
    if product := _PRODUCT.match(text):
        return f"{product[1]} {product[2]}"[:80]
    return text[:80]
