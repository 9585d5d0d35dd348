"""Short news for all processes of a site: what ended a session or a key, what a cache must forget.

`tell` may be called anywhere: in a view's thread, in a command. What it announces is heard in every server process but
the one that tells, which knows. Handlers are called on the event loop and must be quick. News can be lost with Redis,
so everything that listens also looks for itself now and then.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

_SEND: Final = "playground.cluster.redis_link.announce"  # a site of one process never imports it
Handler = Callable[..., None]
_handlers: defaultdict[str, list[Handler]] = defaultdict(list)


def on(kind: str, handler: Handler) -> None:
    """Call `handler(**details)` when another process has announced this."""
    _handlers[kind].append(handler)


def tell(kind: str, **details: Any) -> None:
    """Announce this when the transaction that is going on, if any, has been committed."""
    if settings.REDIS_URL:
        transaction.on_commit(lambda: import_string(_SEND)(kind, details))


def details_of(entry: Mapping[bytes, bytes]) -> Any:
    return json.loads(entry[b"details"])


def hear(entry: Mapping[bytes, bytes], own_id: str) -> None:
    """One entry of the stream, in a process that listens."""
    if entry[b"from"].decode() == own_id:
        return
    details = details_of(entry)
    for handler in _handlers[entry[b"kind"].decode()]:
        try:
            handler(**details)
        except Exception as fault:
            logger.error("an announcement could not be followed: %s", type(fault).__name__)
