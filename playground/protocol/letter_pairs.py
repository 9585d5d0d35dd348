"""Lists which letters stand beside each other in words, to tell words from chance."""

from __future__ import annotations

from typing import Final

# By a letter, those that follow it in words of eighteen languages written in Latin letters, with accents left out and
# umlauts written as two letters. Pairs that are fewer than one in two thousand of every language's are left out, but
# for those of everyday names: `box`, `proxy`, `sql`, `db`. Of two letters by chance every third pair is none of these.
_FOLLOWERS: Final = {
    "a": "abcdefghijklmnopqrstuvwxyz",
    "b": "abceijlmorsuy",
    "c": "acehijklmnorstuyz",
    "d": "abdefgijlmnorstuyz",
    "e": "abcdefghijklmnopqrstuvwxyz",
    "f": "adefgilorstuy",
    "g": "adeghijklmnorstuy",
    "h": "adeijklmnorstuvwy",
    "i": "abcdefghijklmnopqrstuvxyz",
    "j": "adeiklnosuz",
    "k": "aeijklmnorstuvwy",
    "l": "abcdefghijklmnopstuvy",
    "m": "abdeilmnopstu",
    "n": "abcdefghijklmnopstuvyz",
    "o": "abcdefghijklmnoprstuvwxyz",
    "p": "adefgilnoprstuy",
    "q": "lu",
    "r": "abcdefghijklmnoprstuvwyz",
    "s": "abcdefghijklmnopqrstuvwyz",
    "t": "acdefghiklmnoprstuvwyz",
    "u": "abcdefghijklmnoprstuvwxz",
    "v": "aeinoruy",
    "w": "aehinorsy",
    "x": "ceipty",
    "y": "abcdeghijklmnopstvy",
    "z": "aeinotuyz",
}
_PAIRS: Final = frozenset(first + second for first, following in _FOLLOWERS.items() for second in following)


def is_rare_pair(first: str, second: str) -> bool:
    """Return whether hardly a word has these two letters one after the other."""
    return (first + second).lower() not in _PAIRS
