"""A captured stream of server-sent events: what an API answered, which is no request."""

from __future__ import annotations

import re

from playground.protocol.importers.result import ReadingError, RequestParts

IS_SSE = re.compile(r"\A\s*(?::[^\n]*\n\s*)*(?:event:[ \t]*\w+|data:[ \t]*(?:\{|\[DONE\])|id:[^\n]*\n(?:event|data):)")
MODEL = re.compile(r'"model"\s*:\s*"([^"\\]{1,100})"')


def read_sse(pasted: str) -> list[RequestParts]:
    """Always a problem, which says what the text is."""
    model = MODEL.search(pasted[:20_000])
    by = f" by {model[1]}" if model else ""
    raise ReadingError(f"This is a response{by}: a stream of events, not a request. Paste the request that was sent.")
