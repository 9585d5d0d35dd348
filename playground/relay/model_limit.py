"""Access keys that are limited to some models: which models a body could reach."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from playground.dispatch.launch import Refused
from playground.protocol.json.received_json import loads

if TYPE_CHECKING:
    from playground.relay.access import Admission

_LARGE: Final = 256 * 1024  # bytes of JSON that are parsed off the event loop


async def check_model(body: bytes, admission: Admission) -> None:
    """Raises Refused unless the body names exactly one model, and the key may ask for it and for all it may fall
    back to.

    A second `model` in another place or spelling could be the one that the upstream reads.
    """
    named = _models_named(body) if len(body) < _LARGE else await asyncio.to_thread(_models_named, body)
    if named is None or len(named.first) != 1 or not isinstance(named.first[0], str):
        raise Refused("This access key is limited to some models, and the request does not name exactly one.", 400)
    for model in (named.first[0], *named.fallbacks):
        if not isinstance(model, str) or not admission.key.may_ask_for(model):
            raise Refused(f"This access key may not ask for the model {str(model)[:200]}.", 403)


class _Named(NamedTuple):
    """Each value of the body's `model`, and of the models that `fallbacks` names."""

    first: list[Any]
    fallbacks: list[Any]


def _models_named(body: bytes) -> _Named | None:
    try:
        pairs = loads(body, object_pairs_hook=list)  # objects as lists of pairs: a name can come twice
    except ValueError:
        return None
    if not isinstance(pairs, list):
        return None
    fallbacks: list[Any] = []
    for value in _values(pairs, "fallbacks"):
        if value is not None:
            entries = value if isinstance(value, list) else [value]  # "default": whatever the upstream chooses
            fallbacks += [model for entry in entries for model in (_values(entry, "model") or [entry])]
    return _Named(_values(pairs, "model"), fallbacks)


def _values(pairs: Any, member: str) -> list[Any]:
    if not isinstance(pairs, list):
        return []
    members = [pair for pair in pairs if isinstance(pair, tuple)]
    return [value for name, value in members if name.casefold() == member]
