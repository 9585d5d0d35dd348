from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts import deletion, vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AnonymousUser

    from accounts.models.user import User

# The name of the upstream inside the app. It is no row: `connection=None` stands for it everywhere.
SANDBOX = "Sandbox"
EVERYONE = "everyone"


class DefaultHeader(NamedTuple):
    """A header that is sent with every request. `is_secret` is its owner's mark: the value is never shown again."""

    name: str
    value: str
    is_secret: bool = True


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def usable_by(self, user: User | AnonymousUser) -> ConnectionQuerySet:
        """The user's own connections and the operator's; for a visitor those the operator opened to visitors."""
        if not user.is_authenticated:
            return self.filter(owner=None, visitors_allowed=True)
        return self.filter(Q(owner=user.pk) | Q(owner=None))

    def owned_by(self, user: User) -> ConnectionQuerySet:
        """The user's own connections, which are those that the user may change."""
        return self.filter(owner=user.pk)


class Connection(models.Model):
    """A named upstream. Without an owner it is the operator's, for everyone."""

    class AuthStyle(models.TextChoices):
        X_API_KEY = "x-api-key", "x-api-key"
        BEARER = "bearer", "Authorization: Bearer"

    # Random, and known before the row is written: the encrypted columns are bound to it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="connections", editable=False
    )
    name = models.CharField(max_length=80)
    base_url = models.CharField("base URL", max_length=500)
    auth_style = models.CharField(max_length=16, choices=AuthStyle.choices, default=AuthStyle.X_API_KEY)
    anthropic_version = models.CharField("anthropic-version", max_length=32, default="2023-06-01")
    credential = models.BinaryField(default=b"", blank=True, editable=False)
    credential_hint = models.CharField(max_length=4, default="", blank=True, editable=False)
    default_headers = models.BinaryField(default=b"", blank=True, editable=False)
    visitors_allowed = models.BooleanField(default=False, help_text="Only for upstreams without an owner.")
    created_at = models.DateTimeField(auto_now_add=True)
    # What the last test found, in our own words; None before the first.
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_passed = models.BooleanField(null=True, blank=True, editable=False)
    test_result = models.CharField(max_length=300, default="", blank=True, editable=False)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="connection_name_per_owner"),
            models.UniqueConstraint(Lower("name"), condition=Q(owner=None), name="connection_name_for_everyone"),
        ]

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return deletion.retried(lambda: super(Connection, self).delete(*args, **kwargs))

    @property
    def is_for_everyone(self) -> bool:
        return self.owner_id is None

    def is_usable_by(self, user: User | AnonymousUser) -> bool:
        """Return whether it is among `Connection.objects.usable_by(user)`."""
        if self.owner_id is None:
            return user.is_authenticated or self.visitors_allowed
        return user.is_authenticated and self.owner_id == user.pk

    @property
    def has_credential(self) -> bool:
        return bool(self.credential)

    @property
    def masked_credential(self) -> str:
        """The credential as it may be shown: nothing, dots, or dots and its last four characters."""
        return f"••••{self.credential_hint}" if self.credential else ""

    @property
    def test_words(self) -> str:
        return {None: "not tested", True: "tested", False: "last test failed"}[self.test_passed]

    @property
    def test_tone(self) -> str:
        return {None: "", True: "good", False: "bad"}[self.test_passed]

    def place(self, column: str) -> vault.Place:
        owner = EVERYONE if self.owner_id is None else str(self.owner_id)
        return vault.Place("accounts_connection", column, str(self.pk), owner)

    def secrets(self) -> tuple[str, list[tuple[str, str]]]:
        """The credential ("" for none) and the default headers. Raises `VaultError` when they cannot be read."""
        return self._open("credential").decode(), self.headers()

    def headers(self) -> list[tuple[str, str]]:
        """The default headers with their secret values. Raises `VaultError` when they cannot be read."""
        return [(header.name, header.value) for header in self.marked_headers()]

    def marked_headers(self) -> list[DefaultHeader]:
        """Return the default headers with their owner's marks; those stored without one are secret. Raises
        `VaultError`."""
        return [DefaultHeader(*header) for header in json.loads(self._open("default_headers") or b"[]")]

    def masked_headers(self) -> list[tuple[str, str]]:
        """The default headers as they may be shown. Raises `VaultError` when they cannot be read."""
        return [
            (header.name, f"••••{vault.hint(header.value)}" if header.is_secret else header.value)
            for header in self.marked_headers()
        ]

    def _open(self, column: str) -> bytes:
        blob = bytes(getattr(self, column))
        return vault.current().open(blob, self.place(column)) if blob else b""

    def set_credential(self, credential: str) -> None:
        """Encrypt the credential; "" removes it. The row is not saved."""
        sealed = vault.current().seal(credential.encode(), self.place("credential")) if credential else b""
        self.credential, self.credential_hint = sealed, vault.hint(credential)

    def set_headers(self, headers: Sequence[DefaultHeader | tuple[str, str]]) -> None:
        """Encrypt the default headers; none removes them. A pair is a secret header. The row is not saved."""
        text = json.dumps([DefaultHeader(*header) for header in headers]).encode()
        self.default_headers = vault.current().seal(text, self.place("default_headers")) if headers else b""
