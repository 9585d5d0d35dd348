"""Column types for foreign data."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class ForeignJson(models.TextField):
    """JSON made of foreign text, kept as ASCII text.

    PostgreSQL's own JSON type refuses NUL and half surrogates, which upstreams and clients do send; escaped in ASCII
    they pass both databases unharmed.
    """

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or "null"


def clean(text: str | None, length: int) -> str:
    """Foreign text made fit for a text column: no NUL, no half surrogate, at most `length` characters."""
    if not text:
        return ""
    return text[:length].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
