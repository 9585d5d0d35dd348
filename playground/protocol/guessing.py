"""Decides which texts are long and random enough to be secrets, and how an answer may spell them.

A secret is masked wherever it stands in an answer. A name, an address or the placeholder that a local server takes for
a key may stand in any answer by right, and masking it there would change what the model said.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from urllib.parse import quote

from playground.protocol.letter_pairs import is_rare_pair

SHORTEST_SECRET = 16  # characters
_SHORTEST_ISSUED = 20  # of a key with a known beginning
# How vendors' keys begin.
_ISSUED = re.compile(
    r"((sk|pk|rk)[-_]|mpk_|gsk_|xai-|hf_|gh[oprsu]_|github_pat_|glpat-|xox[abprs]-|AIza|AKIA|eyJ)[A-Za-z0-9]"
)
# What local servers and their documentation write where a key would stand.
_PLACEHOLDER = re.compile(
    r"\b(no-(key|auth)|not-(needed|required|used|set)|none|null|empty|unused|placeholder|dummy|fake|example|sample|your"
    r"|change|insert|replace|anything|local|ollama|lm-?studio|vllm|llama|xxx|my-|test-?key)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"%[0-9A-F]{2}")
_PUBLIC_BEGINNING = re.compile(r"([A-Za-z]+\d{0,3}[-_])*")
_FEWEST_CHARACTERS = 7  # different ones
_BETWEEN_WORDS = re.compile(r"[\s\"'`,;<>()\[\]{}]+")
_PARTS = re.compile(r"[A-Za-z0-9]{6,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHORT_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[0-9a-f]*[0-9][a-f]+[0-9])[0-9a-f]{4,}(?![0-9A-Za-z])")
# Words and a number of ten digits, as people make up a secret by hand.
_NUMBERED = re.compile(r"^[A-Za-z]+(?:[-_][A-Za-z]+)+[-_]\d{10,12}$")
_LONG_WITH_NUMBER = 24  # characters
_HEX = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
_MOST_STEPS = 0.6  # of neighbours that are the same or next to each other, as in 123456 and abcdef
_LONGEST_DIGITS_BY_CHANCE = 15  # an account, a moment in milliseconds
# How many places no word, name or version would have, in all and as a part of all places.
_FEWEST_ODD_PLACES, _ODD_SHARE = 4, 0.25
_FEWEST_ODD_PLACES_OF_LETTERS, _ODD_SHARE_OF_LETTERS = 3, 0.12
_FEWEST_RANDOM = 11  # characters; what is put behind a machine's name to tell it from others has ten
_LONGEST_WORD = 12  # of letters only: a shorter one may be any name


def secret_words(value: str) -> list[str]:
    """Return the words of a credential or header value that are secrets: `Bearer abc…` is told by its second one. Of
    `Basic …` the password counts too."""
    words = _BETWEEN_WORDS.split(value)
    if len(words) == 2 and words[0].lower() == "basic":
        words.append(_password(words[1]))
    return [word for word in words if is_unguessable(word)]


def _password(basic: str) -> str:
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def spellings(secret: str) -> list[str]:
    """Return the secret as it is, and as JSON and addresses may write it: most escape some of what is no letter or
    digit, each another part."""
    in_json = [secret.replace("/", "\\/")]
    for escaped in ("=&<>'", "+&<>'", "/+=&<>'"):
        lower = {ord(character): f"\\u{ord(character):04x}" for character in escaped}
        upper = {ord(character): f"\\u{ord(character):04X}" for character in escaped}
        in_json += [secret.translate(lower), secret.translate(upper)]
    in_address = [quote(secret, safe=""), quote(secret)]
    in_address += [_ESCAPED.sub(lambda match: match.group().lower(), text) for text in in_address]
    return list(dict.fromkeys([secret, *in_json, *in_address]))


def public_length(secret: str) -> int:
    """Return how many of the first characters are in other people's keys as well: `sk-ant-api03-`."""
    beginning = _PUBLIC_BEGINNING.match(secret)
    return beginning.end() if beginning else 0


def is_unguessable(word: str) -> bool:
    """Return whether this text is so long and random that it stands nowhere by chance."""
    period = (word + word).find(word, 1)
    if min(len(word), period) < SHORTEST_SECRET or len(set(word)) < _FEWEST_CHARACTERS:
        return False
    if _UUID.search(word):
        return True
    is_placeholder = _PLACEHOLDER.search(word.replace("_", "-"))
    if len(word) >= _SHORTEST_ISSUED and _ISSUED.match(word) and not is_placeholder:
        return True
    may_have_digest = len(word) >= _SHORTEST_ISSUED and not is_placeholder and ":" not in word
    if may_have_digest and any(not _is_walk(match[0]) for match in _SHORT_HEX.finditer(word)):
        return True
    if len(word) >= _LONG_WITH_NUMBER and _NUMBERED.search(word) and not is_placeholder:
        return True
    parts = [part for part in _PARTS.findall(word) if not _is_walk(part)]
    return any(_is_number_like(part) for part in parts) or _are_random(parts)


def _are_random(parts: list[str]) -> bool:
    length = odd = 0
    for part in parts:
        places = _odd_places(part)
        if _is_word_like(part):
            if len(part) < _LONGEST_WORD or places < len(part) * _ODD_SHARE_OF_LETTERS:
                continue
            if places >= _FEWEST_ODD_PLACES_OF_LETTERS and len(part) >= SHORTEST_SECRET:
                return True
        elif places < (len(part) - 1) * _ODD_SHARE:
            continue
        length, odd = length + len(part), odd + places
    return length >= _FEWEST_RANDOM and odd >= _FEWEST_ODD_PLACES


def _is_word_like(part: str) -> bool:
    """Return whether these are letters in the case of a word."""
    return part.isalpha() and (part.isupper() or part[1:].islower())


def _odd_places(part: str) -> int:
    """Return how often two characters stand beside each other as in hardly a word: of another kind (`Playground2024`
    has that once, `k8s` twice), or two letters."""
    kinds = "".join("d" if c.isdigit() else "u" if c.isupper() else "l" for c in part)
    kinds = re.sub(r"ul+", lambda match: "l" * len(match.group()), kinds)  # a capital begins a word
    places = 0
    for at in range(len(part) - 1):
        before, after = part[at], part[at + 1]
        if kinds[at] != kinds[at + 1]:
            places += 1
        elif kinds[at] != "d" and not (before.islower() and after.isupper()):
            places += is_rare_pair(before, after)
    return places


def _is_walk(part: str) -> bool:
    """Return whether most characters follow from those before them: `0123456789abcdef`."""
    steps = sum(abs(ord(before) - ord(after)) <= 1 for before, after in itertools.pairwise(part))
    return steps >= (len(part) - 1) * _MOST_STEPS


def _is_number_like(part: str) -> bool:
    digits = sum(c.isdigit() for c in part)
    if part.isdigit():
        return digits > _LONGEST_DIGITS_BY_CHANCE and not _DATE.match(part)
    return bool(_HEX.fullmatch(part)) and digits >= 3
