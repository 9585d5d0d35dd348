"""Filters of the server's log: which request a record belongs to, and no secret address in it."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

from django.core.exceptions import SuspiciousOperation

from playground.databases.availability import is_database_away

current_request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Put the id of the request being answered on each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class ShareTokenFilter(logging.Filter):
    """Keep secret addresses out of the log: Django names the path of whatever failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_SHARE_TOKEN.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


class OneLineFilter(logging.Filter):
    """No traceback for what is no fault of the program: a request for a foreign host, a database that is away."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = record.exc_info[1] if record.exc_info else None
        if isinstance(fault, SuspiciousOperation):
            record.exc_info = record.exc_text = None
        elif is_database_away(fault):
            record.msg, record.args = f"{record.getMessage()} ({type(fault).__name__}: {fault})".replace("\n", " "), ()
            record.exc_info = record.exc_text = None
        return True


_SHARE_TOKEN = re.compile(r"(/s/\w{0,5})[\w-]{12,}")  # as much stays as the owner's list of links shows
