"""Where a secret could come out: what was told to a browser, what is stored, what is logged."""

from __future__ import annotations

import base64
import io
import json
import logging
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from django.db import connection


def shapes_of(secret: str) -> set[bytes]:
    """The secret as it might stand somewhere: as it is, escaped, in hex, or inside base64 at any of three offsets."""
    raw = secret.encode()
    shapes = {raw, raw[::-1], raw.hex().encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw)
        # The first and last group also hold bits of their neighbours.
        shapes |= {coded[4:-4], coded[4:-4].replace(b"+", b"-").replace(b"/", b"_")}
    return shapes


def opened(data: bytes) -> Iterator[bytes]:
    """The bytes, and what is in them if they are packed."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    try:
        yield zlib.decompress(data)
    except zlib.error:
        return


def places_of(secret: str, places: dict[str, bytes]) -> list[str]:
    shapes = shapes_of(secret)
    return [place for place, data in places.items() if any(shape in part for part in opened(data) for shape in shapes)]


def stored() -> dict[str, bytes]:
    """Every value of every table, read past Django's models."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for number, row in enumerate(cursor.fetchall()):
                for column, value in zip(columns, row, strict=True):
                    found[f"{table}.{column} row {number}"] = _bytes_of(value)
    return found | _sessions()


def _bytes_of(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode("utf-8", "replace")


def _sessions() -> dict[str, bytes]:
    from django.contrib.sessions.models import Session

    return {f"session {row.pk}": json.dumps(row.get_decoded()).encode() for row in Session.objects.all()}


class Keeper(logging.Handler):
    """Every record, formatted with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def everything_logged() -> Iterator[Keeper]:
    """All loggers at DEBUG, also those of the HTTP clients, which the settings keep quiet.

    But for the templates': it writes down whatever a page was given, so the settings close it for good.
    """
    keeper = Keeper()
    keeper.filters = next(each for each in logging.getLogger().handlers if each.name == "console").filters
    names = [name for name in logging.Logger.manager.loggerDict if name != "django.template"]
    named = [logging.getLogger(name) for name in names]
    loggers = [logging.getLogger(), *(each for each in named if isinstance(each, logging.Logger))]
    before = [(each, each.level) for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
        if each is logging.getLogger() or not each.propagate:
            each.addHandler(keeper)
    yield keeper
    for each, level in before:
        each.setLevel(level)
        each.removeHandler(keeper)


@dataclass
class Browser:
    """A person's browser. `told` holds everything it was ever told, but for what it was told on purpose."""

    client: httpx.Client
    name: str
    told: dict[str, bytes] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._keep(self.client.get(path, **options), f"GET {path}")

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        if "csrftoken" not in self.client.cookies:
            self.client.get("/accounts/login/")
        headers = {"x-csrftoken": self.client.cookies["csrftoken"]}
        return self._keep(self.client.post(path, data=data, headers=headers, **options), f"POST {path}")

    def _keep(self, response: httpx.Response, what: str) -> httpx.Response:
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.told[f"{self.name} {what} ({response.status_code}) #{len(self.told)}"] = (
            head.encode() + b"\n\n" + response.content
        )
        self.told[f"{self.name} {what} body #{len(self.told)}"] = response.content
        return response

    def forget_last(self) -> None:
        """The last answer was meant to show a secret, this once."""
        for key in list(self.told)[-2:]:
            del self.told[key]
