"""Column types for foreign data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from playground.protocol.json.received_json import read_stored_json, write_json

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField  # takes no type arguments at run time


class ForeignJson(_TextField):
    """JSON made of foreign text, kept as ASCII text.

    PostgreSQL's own JSON type refuses NUL and half surrogates, which upstreams and clients do send; escaped in ASCII
    they pass both databases unharmed. A number that no double holds keeps its spelling.
    """

    if TYPE_CHECKING:  # for the Django plugin: any JSON goes in and comes out
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: object) -> Any:
        return None if value is None else read_stored_json(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else write_json(value)

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or "null"
