from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models as db
from django.db.models import F, Q
from django.utils import timezone

from accounts import vault
from accounts.models.connection import SANDBOX, Connection


class AccessKeyQuerySet(db.QuerySet["AccessKey"]):
    def owned_by(self, user: Any) -> AccessKeyQuerySet:
        return self.filter(owner=user.pk)

    def valid(self) -> AccessKeyQuerySet:
        """Not revoked, not expired, of an active owner who may still use the connection."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            Q(connection=None) | Q(connection__owner=None) | Q(connection__owner=F("owner")),
            revoked_at=None,
            owner__is_active=True,
        )

    def find(self, secret: str) -> AccessKey | None:
        """The valid key with this secret, its owner and connection loaded; None for any other text."""
        if not secret.startswith(vault.ACCESS_KEY_PREFIX):
            return None
        keys = self.valid().filter(digest=vault.digest(secret))
        return keys.select_related("owner", "connection").first()

    def issue(self, **values: Any) -> tuple[AccessKey, str]:
        """Make a key. The second value is its secret, which is stored nowhere and cannot be had again."""
        secret = vault.new_access_key()
        key = self.create(digest=vault.digest(secret), hint=vault.hint(secret), **values)
        return key, secret


class AccessKey(db.Model):
    """A key that the playground issues, for the relay. `connection=None` is the sandbox.

    Saved and deleted as instances (`save`, `delete`), so that caches of keys can listen to Django's model signals;
    only `touch` goes past them.
    """

    owner = db.ForeignKey(settings.AUTH_USER_MODEL, db.CASCADE, related_name="access_keys")
    # Deleted with its connection: set to null it would quietly become a key of the sandbox.
    connection = db.ForeignKey(Connection, db.CASCADE, null=True, blank=True, related_name="access_keys")
    name = db.CharField(max_length=80)
    digest = db.CharField(max_length=64, unique=True, editable=False)
    hint = db.CharField(max_length=4, editable=False)
    created_at = db.DateTimeField(auto_now_add=True)
    expires_at = db.DateTimeField(null=True, blank=True)
    models = db.JSONField(default=list, blank=True, help_text="Model ids it may ask for. Empty: any.")
    requests_per_minute = db.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    tokens_per_day = db.PositiveBigIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    keep_content = db.BooleanField(default=True, help_text="Off: only figures of its requests are kept.")
    last_used_at = db.DateTimeField(null=True, blank=True, editable=False)
    last_used_from = db.CharField(max_length=64, default="", blank=True, editable=False)
    revoked_at = db.DateTimeField(null=True, blank=True, editable=False)

    objects = AccessKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def masked(self) -> str:
        return f"{vault.ACCESS_KEY_PREFIX}…{self.hint}"

    @property
    def connection_name(self) -> str:
        return self.connection.name if self.connection else SANDBOX

    @property
    def has_limits(self) -> bool:
        """Whether it may do less than its owner: in models, amounts or time, or in what is stored."""
        limits = (self.models, self.requests_per_minute, self.tokens_per_day, self.expires_at)
        return any(limits) or not self.keep_content

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def may_ask_for(self, model: str) -> bool:
        return not self.models or model in self.models

    def revoke(self) -> None:
        """Refuse the key from the next request on. A revoked key stays revoked, with its first date."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def touch(self, address: str, at: dt.datetime | None = None) -> None:
        """Note when and from where the key was used, without the signals of a save."""
        changes = {"last_used_at": at or timezone.now(), "last_used_from": address[:64]}
        type(self).objects.filter(pk=self.pk).update(**changes)
