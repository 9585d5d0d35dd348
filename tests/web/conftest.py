from __future__ import annotations

import pytest

from playground.sharing import guesses


@pytest.fixture
def no_guesses_yet() -> None:
    """No passphrase was tried from anywhere: the counts outlive a test."""
    guesses.forget_all()
