"""The events of an answer as they may be shared: filtered, masked across their pieces, with their times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from playground.engine.events import Streamed
from playground.protocol.catalogue.block_types import DELTA_TYPES, block_type
from playground.protocol.json.received_json import try_object
from playground.sharing.allow_list import USAGE, AllowList, only
from playground.sharing.masking import mask_text, mask_within

Event = list[Any]  # [number, at_ms, name, data]
PIECES = tuple(each.member for each in DELTA_TYPES.values() if each.is_text)


def share_events(streamed: Iterable[Streamed], allow_list: AllowList, secrets: list[str]) -> list[Event]:
    """The events a reader may see, renumbered. Events we do not know stay with the owner."""
    kept: list[tuple[float, dict[str, Any]]] = []
    dropped: set[Any] = set()
    for one in streamed:
        data = try_object(one.event.data)
        shared = _share(data, allow_list, dropped) if data else None
        if shared is not None:
            kept.append((round(one.at_ms, 1), shared))
    _mask([data for _, data in kept], secrets)
    return [
        [number, at_ms, data["type"], json.dumps(data, ensure_ascii=False, separators=(",", ":"))]
        for number, (at_ms, data) in enumerate(kept, 1)
    ]


def _share(data: dict[str, Any], allow_list: AllowList, dropped: set[Any]) -> dict[str, Any] | None:
    kind, index = data.get("type"), data.get("index")
    if kind == "message_start":
        message = data.get("message")
        return {"type": kind, "message": allow_list.answer(message if isinstance(message, dict) else {})}
    if kind == "content_block_start":
        return _share_start(data, allow_list, dropped)
    if kind == "content_block_delta" and index not in dropped:
        return _share_delta(data, allow_list)
    if kind == "content_block_stop" and index not in dropped:
        return {"type": kind, "index": index}
    if kind == "message_delta":
        return _share_message_delta(data, allow_list)
    if kind == "error":
        error = data.get("error")
        return {"type": kind, "error": only(error, ("type", "message")) if isinstance(error, dict) else {}}
    return {"type": kind} if kind in ("message_stop", "ping") else None


def _share_start(data: dict[str, Any], allow_list: AllowList, dropped: set[Any]) -> dict[str, Any] | None:
    block, index = data.get("content_block"), data.get("index")
    part = block_type(block.get("type")).share_part if isinstance(block, dict) else None
    if part and not allow_list.allows(part):
        dropped.add(index)
        return None
    shared = allow_list.block(block) if isinstance(block, dict) else None
    if shared is None or (isinstance(block, dict) and shared.get("type") != block.get("type")):
        dropped.add(index)
        return None
    return {"type": "content_block_start", "index": index, "content_block": shared}


def _share_delta(data: dict[str, Any], allow_list: AllowList) -> dict[str, Any] | None:
    delta = data.get("delta")
    kind = delta.get("type") if isinstance(delta, dict) else None
    if not isinstance(delta, dict) or not isinstance(kind, str) or kind not in DELTA_TYPES:
        return None
    part = block_type(DELTA_TYPES[kind].home).share_part
    if part and not allow_list.allows(part):
        return None
    if kind == "citations_delta" and not (allow_list.allows("attachments") & allow_list.allows("tool_results")):
        return None
    shared = {"type": kind, **only(delta, (DELTA_TYPES[kind].member,))}
    return {"type": "content_block_delta", "index": data.get("index"), "delta": shared}


def _share_message_delta(data: dict[str, Any], allow_list: AllowList) -> dict[str, Any]:
    delta = data.get("delta")
    shared = only(delta, ("stop_reason",)) if isinstance(delta, dict) else {}
    shared["stop_sequence"] = (
        delta.get("stop_sequence") if isinstance(delta, dict) and "parameters" in allow_list.parts else None
    )
    event: dict[str, Any] = {"type": "message_delta", "delta": shared}
    if "figures" in allow_list.parts and isinstance(data.get("usage"), dict):
        event["usage"] = only(data["usage"], USAGE)
    return event


def _mask(events: list[dict[str, Any]], secrets: list[str]) -> None:
    """Mask secrets in place, also those that are cut in two by the end of an event."""
    if not secrets:
        return
    streams: dict[tuple[Any, str], list[dict[str, Any]]] = {}
    for data in events:
        delta = data.get("delta")
        for name in PIECES:
            if isinstance(delta, dict) and isinstance(delta.get(name), str):
                streams.setdefault((data.get("index"), name), []).append(delta)
    for (_, name), deltas in streams.items():
        # A secret inside a tool's input stands there in JSON's escapes.
        words = [json.dumps(secret)[1:-1] for secret in secrets] + secrets if name == "partial_json" else secrets
        for delta, text in zip(deltas, mask_text([delta[name] for delta in deltas], words), strict=True):
            delta[name] = text
    for data in events:
        masked = mask_within(data, secrets)
        data.clear()
        data.update(masked)
