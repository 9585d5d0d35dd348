from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts import deletion, login_sessions


class User(AbstractUser):
    """A person who signed up."""

    keep_content = models.BooleanField(
        "keep content",
        default=True,
        help_text="Off: of new requests only figures are kept, not what was sent and answered.",
    )

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **kwargs: Any) -> User:
        user = super().from_db(db, field_names, values, **kwargs)
        user._stored = user._access_state()
        return user

    def _access_state(self) -> tuple[str | None, bool | None]:
        """Return the fields that sessions depend on; None for one that was not loaded."""
        return self.__dict__.get("password"), self.__dict__.get("is_active")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and end the user's sockets if the password changed or the account was switched off."""
        before = getattr(self, "_stored", None)
        super().save(*args, **kwargs)
        self._stored = self._access_state()
        if before is not None and before != self._stored:
            login_sessions.end_all(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        login_sessions.end_all(self)
        return deletion.retried(lambda: super(User, self).delete(*args, **kwargs))
