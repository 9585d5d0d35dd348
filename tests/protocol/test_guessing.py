"""A secret is told from a name, an address and a placeholder by how long and random it is."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable

import pytest

from playground.protocol.guessing import is_unguessable, secret_words

CHANCE = random.Random(20261129)


def some(alphabet: str, length: int) -> str:
    return "".join(CHANCE.choice(alphabet) for _ in range(length))


DIGITS, LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
RANDOM: dict[str, Callable[[], str]] = {
    "hex": lambda: CHANCE.randbytes(16).hex(),
    "base64": lambda: base64.b64encode(CHANCE.randbytes(24)).decode(),
    "base64 for addresses": lambda: base64.urlsafe_b64encode(CHANCE.randbytes(24)).decode(),
    "base32": lambda: base64.b32encode(CHANCE.randbytes(20)).decode(),
    "letters and digits": lambda: some(LOWER + UPPER + DIGITS, 32),
    "uuid": lambda: str(uuid.UUID(bytes=CHANCE.randbytes(16), version=4)),
    "digits": lambda: some(DIGITS, 24),
    "with a prefix": lambda: f"gw_live_{some(LOWER + UPPER + DIGITS, 24)}",
}


@pytest.mark.parametrize("kind", RANDOM)
def test_what_a_generator_of_keys_makes_is_a_secret(kind: str) -> None:
    made = [RANDOM[kind]() for _ in range(500)]
    assert sum(map(is_unguessable, made)) >= 490, [text for text in made if not is_unguessable(text)]


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api03-abcdefghijklmnop-f3a9",
        "sk-proj-of-our-team-5521-goldammer",
        "mpk_hZx0Q2r8Lw5sT1vB7nK3yD6fJ9gC4mPe",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ],
)
def test_a_key_that_begins_as_vendors_keys_do_is_a_secret(text: str) -> None:
    assert is_unguessable(text)
    assert secret_words(f"Bearer {text}") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "lm-studio",
        "ollama",
        "EMPTY",
        "none",
        "not-needed-not-needed",
        "sk-no-key-required",
        "sk-lm-studio-local-key",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        "your-api-key-goes-here",
        "dummy-key-12345678",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "Team Playground",
        "team-playground-2024",
        "https://example.com",
        "https://eu-west-1.api.corp.internal:8443/v2/route",
        "https://github.com/anthropics/anthropic-sdk-python",
        "context-1m-2025-08-07,interleaved-thinking-2025-05-14",
        "claude-haiku-4-5-20251001",
        "messages-playground/1.2.3 (linux; x86_64)",
        "internationalisation-of-the-organisation",
        "production-environment-for-everybody",
    ],
)
def test_names_addresses_and_placeholders_are_no_secrets(text: str) -> None:
    assert secret_words(text) == []
