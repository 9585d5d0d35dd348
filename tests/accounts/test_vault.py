"""Secrets at rest: what is sealed opens in its own place only, with a key that the server has."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import vault
from accounts.vault import BlobDamagedError, Place, ServerKeyMissingError, Vault, VaultError
from tests.support.examples import examples

HERE = Place("accounts_connection", "credential", "row-1", "7")
SECRETS = st.binary(max_size=300)
FEW = examples(60)


@given(SECRETS)
@FEW
def test_what_is_sealed_opens_again(secret: bytes) -> None:
    assert Vault(["key"]).open(Vault(["key"]).seal(secret, HERE), HERE) == secret


@given(st.binary(min_size=8, max_size=100))
@FEW
def test_a_blob_does_not_hold_its_secret(secret: bytes) -> None:
    assert secret not in Vault(["key"]).seal(secret, HERE)


def test_the_same_secret_never_gives_the_same_blob() -> None:
    assert len({Vault(["key"]).seal(b"secret", HERE) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("accounts_other", "credential", "row-1", "7"),
        Place("accounts_connection", "default_headers", "row-1", "7"),
        Place("accounts_connection", "credential", "row-2", "7"),
        Place("accounts_connection", "credential", "row-1", "8"),
        Place("accounts_connection", "credential", "row-1", "everyone"),
        Place("accounts_connectioncredential", "", "row-1", "7"),
    ],
)
def test_a_blob_does_not_open_anywhere_else(elsewhere: Place) -> None:
    blob = Vault(["key"]).seal(b"secret", HERE)
    with pytest.raises(BlobDamagedError):
        Vault(["key"]).open(blob, elsewhere)


@given(st.data())
@FEW
def test_a_changed_or_cut_blob_is_refused_and_not_misread(data: st.DataObject) -> None:
    blob = Vault(["key"]).seal(b"a secret of some length", HERE)
    at = data.draw(st.integers(0, len(blob) - 1))
    changed = blob[:at] + bytes([blob[at] ^ data.draw(st.integers(1, 255))]) + blob[at + 1 :]
    for broken in (changed, blob[:at]):
        with pytest.raises(VaultError):
            Vault(["key"]).open(broken, HERE)


def test_a_missing_server_key_is_named_without_giving_anything_away() -> None:
    blob = Vault(["old key"]).seal(b"secret", HERE)
    with pytest.raises(ServerKeyMissingError) as refused:
        Vault(["new key"]).open(blob, HERE)
    assert vault.key_id(blob).hex() in str(refused.value)
    assert "old key" not in str(refused.value)


def test_a_server_without_any_key_says_so() -> None:
    with pytest.raises(VaultError, match="PLAYGROUND_VAULT_KEYS"):
        Vault(["", ""])


def test_the_first_key_seals_and_all_open() -> None:
    old, both, new = Vault(["old"]), Vault(["new", "old"]), Vault(["new"])
    assert both.open(old.seal(b"before", HERE), HERE) == b"before"
    assert new.open(both.seal(b"after", HERE), HERE) == b"after"


@given(SECRETS)
@FEW
def test_rewrapping_changes_the_key_and_keeps_the_secret(secret: bytes) -> None:
    old, both, new = Vault(["old"]), Vault(["new", "old"]), Vault(["new"])
    rewrapped = both.rewrap(old.seal(secret, HERE), HERE)
    assert rewrapped is not None
    assert new.open(rewrapped, HERE) == secret
    assert both.rewrap(rewrapped, HERE) is None


def test_a_blob_of_another_place_is_not_rewrapped() -> None:
    blob = Vault(["old"]).seal(b"secret", HERE)
    with pytest.raises(BlobDamagedError):
        Vault(["new", "old"]).rewrap(blob, Place("accounts_connection", "credential", "row-2", "7"))


def test_the_hint_is_four_characters_and_none_for_a_short_secret() -> None:
    assert vault.hint("sk-ant-0123456789f3a9") == "f3a9"
    assert vault.hint("ollama") == ""


def test_access_keys_are_long_and_random_and_stored_as_sha_256() -> None:
    keys = {vault.new_access_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("mpk_") and len(key) >= 4 + 43 for key in keys)
    assert vault.digest("mpk_x") == hashlib.sha256(b"mpk_x").hexdigest()
