"""Secrets at rest: credentials are encrypted, access keys are kept as digests only.

A stored credential ("blob") is

    version 1 | key id 8 | nonce 12 | wrapped data key 48 | nonce 12 | ciphertext and tag

Each blob has a data key of its own, wrapped by the server's key (`settings.VAULT_KEYS`: the first encrypts, all
decrypt). Both layers are AES-256-GCM with the blob's place as associated data: pasted into another column, row or
owner's row, a blob does not decrypt. A new server key rewraps the data keys and never touches what they encrypt.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from accounts.exceptions import AccountsError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12
WRAPPED_BYTES = 32 + 16
HEAD_BYTES = len(VERSION) + KEY_ID_BYTES + NONCE_BYTES + WRAPPED_BYTES
SHORTEST_BLOB = HEAD_BYTES + NONCE_BYTES + 16

ACCESS_KEY_PREFIX = "mpk_"
# A secret shorter than this is not hinted at: its last four characters would be too much of it.
SHORTEST_HINTED = 8


class VaultError(AccountsError):
    """A stored secret cannot be read. The text is for the user and holds nothing secret."""


class ServerKeyMissingError(VaultError):
    """The blob was encrypted with a server key that is not among those configured."""


class BlobDamagedError(VaultError):
    """The blob was altered, or belongs to another row, column or owner."""


@dataclass(frozen=True, slots=True)
class Place:
    """The row and column that a blob belongs to. It decrypts nowhere else."""

    table: str
    column: str
    row: str
    owner: str

    def associated_data(self) -> bytes:
        return json.dumps(["messages-playground", self.table, self.column, self.row, self.owner]).encode()


@dataclass(frozen=True, slots=True)
class ServerKey:
    """One of the server's keys, derived from the string in the settings."""

    id: bytes
    cipher: AESGCM

    @classmethod
    def of(cls, passphrase: str) -> ServerKey:
        def derive(purpose: bytes, length: int) -> bytes:
            hkdf = HKDF(algorithm=SHA256(), length=length, salt=None, info=b"messages-playground vault " + purpose)
            return hkdf.derive(passphrase.encode())

        return cls(id=derive(b"key id", KEY_ID_BYTES), cipher=AESGCM(derive(b"wrapping key", 32)))


class Vault:
    """Seals and opens blobs with the server's keys: the first one seals, all of them open."""

    def __init__(self, passphrases: Sequence[str]) -> None:
        keys = [ServerKey.of(passphrase) for passphrase in passphrases if passphrase]
        if not keys:
            raise VaultError("The server has no vault key. Set PLAYGROUND_VAULT_KEYS.")
        self._first = keys[0]
        self._keys = {key.id: key for key in keys}

    def seal(self, secret: bytes, place: Place) -> bytes:
        data_key, nonce, bound_to = AESGCM.generate_key(256), os.urandom(NONCE_BYTES), place.associated_data()
        return self._wrap(data_key, bound_to) + nonce + AESGCM(data_key).encrypt(nonce, secret, bound_to)

    def open(self, blob: bytes, place: Place) -> bytes:
        """Raises `ServerKeyMissingError` or `BlobDamagedError`."""
        bound_to = place.associated_data()
        data_key, rest = self._unwrap(blob, bound_to), blob[HEAD_BYTES:]
        return _decrypt(AESGCM(data_key), rest[:NONCE_BYTES], rest[NONCE_BYTES:], bound_to)

    def rewrap(self, blob: bytes, place: Place) -> bytes | None:
        """The blob with its data key wrapped by the first server key; None when it is so already. Raises as `open`."""
        if key_id(blob) == self._first.id:
            return None
        bound_to = place.associated_data()
        return self._wrap(self._unwrap(blob, bound_to), bound_to) + blob[HEAD_BYTES:]

    def knows(self, blob: bytes) -> bool:
        """Return whether the server key that this blob needs is configured."""
        return key_id(blob) in self._keys

    def _wrap(self, data_key: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + self._first.id + nonce + self._first.cipher.encrypt(nonce, data_key, bound_to)

    def _unwrap(self, blob: bytes, bound_to: bytes) -> bytes:
        if len(blob) < SHORTEST_BLOB or blob[:1] != VERSION:
            raise BlobDamagedError("The stored secret is damaged or was written by a newer version.")
        key = self._keys.get(key_id(blob))
        if key is None:
            raise ServerKeyMissingError(
                f"The stored secret was encrypted with the server key {key_id(blob).hex()}, which this server "
                "does not have. Put that key back (PLAYGROUND_VAULT_KEYS or the vault_key file)."
            )
        nonce, wrapped = blob[9 : 9 + NONCE_BYTES], blob[9 + NONCE_BYTES : HEAD_BYTES]
        return _decrypt(key.cipher, nonce, wrapped, bound_to)


def key_id(blob: bytes) -> bytes:
    """Return which server key wraps this blob's data key. It says nothing about the key itself."""
    return bytes(blob[1 : 1 + KEY_ID_BYTES])


def _decrypt(cipher: AESGCM, nonce: bytes, data: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, data, bound_to)
    except InvalidTag:
        raise BlobDamagedError("The stored secret does not belong to this row and owner, or was altered.") from None


@lru_cache(maxsize=8)
def _vault_of(passphrases: tuple[str, ...]) -> Vault:
    return Vault(passphrases)


def current() -> Vault:
    """The vault with the keys of the settings."""
    return _vault_of(tuple(settings.VAULT_KEYS))


def hint(secret: str) -> str:
    """The last four characters; nothing for a secret so short that they would give it away."""
    return secret[-4:] if len(secret) >= SHORTEST_HINTED else ""


def new_access_key() -> str:
    """A new access key with 256 random bits. Only its digest may be stored."""
    return ACCESS_KEY_PREFIX + secrets.token_urlsafe(32)


def digest(access_key: str) -> str:
    """SHA-256 as hex. Enough for 256 random bits: there is nothing to guess that a slow hash would protect."""
    return hashlib.sha256(access_key.encode("utf-8", "surrogatepass")).hexdigest()
