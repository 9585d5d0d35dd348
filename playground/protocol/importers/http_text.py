"""A raw HTTP request, as proxies show it and `.http` files of editors write it."""

from __future__ import annotations

import re

from playground.protocol.importers.result import ReadingError, RequestParts

IS_HTTP = re.compile(r"\A\s*(?:(?:###|#|//|@)[^\n]*\n\s*)*(?:POST|GET|PUT)[ \t]+\S+(?:[ \t]+HTTP/[\d.]+)?[ \t]*\r?\n")
START = re.compile(r"^(?:POST)[ \t]+(\S+)(?:[ \t]+HTTP/[\d.]+)?[ \t]*$", re.MULTILINE)


def read_http(pasted: str) -> list[RequestParts]:
    """The POST requests of the text: first line, headers, an empty line, the body up to `###` or the end."""
    text = pasted.replace("\r\n", "\n")
    starts = list(START.finditer(text))
    requests = []
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        head, _, body = text[start.end() : end].lstrip("\n").partition("\n\n")
        body = re.split(r"^###", body, maxsplit=1, flags=re.MULTILINE)[0].strip()
        lines = [line.partition(":") for line in head.split("\n")]
        headers = [(name.strip(), value.strip()) for name, colon, value in lines if colon]
        host = next((value for name, value in headers if name.lower() == "host"), "")
        url = start[1] if "://" in start[1] else f"https://{host}{start[1]}" if host else start[1]
        if body:
            requests.append(RequestParts(body, url, list(headers), label=f"POST {url[:60]}"))
    if not requests:
        raise ReadingError("This HTTP request has no body.")
    return requests
