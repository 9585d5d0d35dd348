"""Decides which texts are long and random enough to be secrets.

A secret is masked wherever it stands in an answer. A name, an address or the placeholder that a local server takes for
a key may stand in any answer by right, and masking it there would change what the model said.
"""

from __future__ import annotations

import itertools
import re

SHORTEST_SECRET = 16  # characters
_SHORTEST_ISSUED = 20  # of a key with a known beginning
_CHANGES_OF_RANDOM = 4  # of the kind of character, within its alphanumeric parts
_LONGEST_DIGITS_BY_CHANCE = 9  # a date has eight
# How vendors' keys begin.
_ISSUED = re.compile(r"(sk|pk|rk|key|mp|mpk|ak|gsk|xai|hf|ghp|github_pat|glpat|pat|AIza|AKIA|eyJ)[-_A-Za-z0-9]")
# What local servers and their documentation write where a key would stand.
_PLACEHOLDER = re.compile(
    r"\b(no-(key|auth)|not-(needed|required|used|set)|none|null|empty|unused|placeholder|dummy|fake|example|sample|your|change|insert|replace|anything"
    r"|local|ollama|lm-?studio|vllm|llama|xxx)",
    re.IGNORECASE,
)
_FEWEST_CHARACTERS = 7  # different ones
_BETWEEN_WORDS = re.compile(r"[\s\"'`,;<>()\[\]{}]+")
_PARTS = re.compile(r"[A-Za-z0-9]+")
_SHORT_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[0-9a-f]*[0-9][a-f]+[0-9])[0-9a-f]{4,}(?![0-9A-Za-z])")
_HEX = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")


def secret_words(value: str) -> list[str]:
    """The words of a credential or header value that are secrets: `Bearer abc…` is told by its second one."""
    return [word for word in _BETWEEN_WORDS.split(value) if is_unguessable(word)]


def is_unguessable(word: str) -> bool:
    """Return whether this text is so long and random that it stands nowhere by chance."""
    if len(word) < SHORTEST_SECRET or len(set(word)) < _FEWEST_CHARACTERS:
        return False
    if len(word) >= _SHORTEST_ISSUED and _ISSUED.match(word) and not _PLACEHOLDER.search(word.partition("-")[2]):
        return True
    if len(word) >= _SHORTEST_ISSUED and "://" not in word and _SHORT_HEX.search(word):
        return True
    parts = _PARTS.findall(word)
    return sum(_changes(part) for part in parts) >= _CHANGES_OF_RANDOM or any(_is_number_like(part) for part in parts)


def _changes(part: str) -> int:
    """Count how often a part goes from one kind of character to another, as words do not; and letters that no word has
    in a row. `Playground2024` does so once, `k8s` twice."""
    if len(part) < 6:
        return 0
    kinds = "".join("d" if c.isdigit() else "u" if c.isupper() else "l" for c in part)
    words = re.sub(r"ul+", lambda match: "l" * len(match.group()), kinds)  # a capital begins a word
    changes = sum(before != after for before, after in itertools.pairwise(words))
    pronounceable = 4 if len(part) < 16 else 3  # consonants in a row; hardly a word is as long as this
    runs = re.findall(r"[^aeiouyAEIOUY\d]+", part)
    return changes + sum(max(0, len(run) - pronounceable) for run in runs)


def _is_number_like(part: str) -> bool:
    digits = sum(c.isdigit() for c in part)
    if part.isdigit():
        return digits > _LONGEST_DIGITS_BY_CHANCE
    return bool(_HEX.fullmatch(part)) and digits >= 3
