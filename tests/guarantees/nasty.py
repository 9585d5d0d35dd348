"""Input that nobody means: each has broken some parser, database or template somewhere."""

from __future__ import annotations

import json

TEXTS = {
    "empty": "",
    "NUL": "a\x00b",
    "only NUL": "\x00",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029",
    "half a pair": "x\ud800y",
    "other half": "\udfff",
    "not a character": "\uffff\ufffe\U0010ffff",
    "right to left": "\u202e\u2066txet",
    "combining": "e" + "\u0301" * 500,
    "wide": "\U0001d573\U0001d58a " + "\U0001f469\u200d\U0001f467 " * 200,
    "long": "x" * 300_000,
    "long line of digits": "9" * 5_000,
    "dots": "../../../../etc/passwd",
    "percent": "%00%2e%2e%2f%s%n%d",
    "template": "{{ 7|add:'x' }}{% load x %}${7*7}",
    "sql": "'; DROP TABLE accounts_user; --",
    "like": "%_\\%",
    "fts": '"AND OR NEAR( * ^ :x {a b}',
    "quotes": "\"'`<>&",
    "line breaks": "a\r\nx-evil: 1\r\n\r\nb",
    "surrogate escape": b"\xff\xfe\x80".decode("utf-8", "surrogateescape"),
    "number": "1e400",
    "negative": "-1",
    "huge number": "9" * 40,
    "not a number": "NaN",
    "other digits": "٣²½Ⅷ",
    "uuid-like": "00000000-0000-0000-0000-00000000000g",
    "date-like": "2026-02-31",
    "far date": "99999-01-01",
}
# The few of them that have broken something here or are the likeliest to, for what is tried very often.

WORST = {
    name: TEXTS[name]
    for name in ("NUL", "half a pair", "huge number", "other digits", "uuid-like", "far date", "fts", "not a number")
}

MESSAGES = '"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}]'
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" \n\t",
    "not JSON": b"{not json",
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a text": b'"x"',
    "a list": b"[]",
    "an empty object": b"{}",
    "NaN": b'{"temperature":NaN,%s}' % MESSAGES.encode(),
    "Infinity": b'{"temperature":-Infinity,%s}' % MESSAGES.encode(),
    "twice the same": b'{"model":"a","model":"b",%s}' % MESSAGES.encode(),
    "not UTF-8": b'{"model":"\xff\xfe","messages":[]}',
    "UTF-16": f"{{{MESSAGES}}}".encode("utf-16"),
    "a mark at the front": b"\xef\xbb\xbf{%s}" % MESSAGES.encode(),
    "NUL inside": b'{"model":"a\\u0000b",%s}' % MESSAGES.encode()[12:],
    "raw NUL": b'{"model":"a\x00b"}',
    "half a pair": b'{"model":"\\ud800","messages":[{"role":"user","content":"\\udfff \\ud83d"}],"max_tokens":1}',
    "a huge number": b'{"max_tokens":%s,%s}' % (b"9" * 400, MESSAGES.encode()),
    "too large a float": b'{"temperature":1e999999,%s}' % MESSAGES.encode(),
    "too long a number": b'{"max_tokens":%s}' % (b"1" * 50_000),
    "deep lists": b"[" * 100_000,
    "deep and closed": b'{"messages":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "deep objects": b'{"messages":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
    "many tokens": b'{"messages":[' + b"1," * 250_000 + b"1]}",
    "many members": json.dumps({f"m{number}": number for number in range(20_000)}).encode(),
    "a long key": json.dumps({"k" * 200_000: 1}).encode(),
    "an odd key": json.dumps({"__proto__": {"x": 1}, "constructor": 1, "": 2, "a[0].b": 3, "messages[0]": 4}).encode(),
    "a long model": json.dumps({"model": "m" * 100_000, "messages": []}).encode(),
    "stream as text": b'{"stream":"yes",%s}' % MESSAGES.encode(),
}
WRONG = [None, True, 1, -1, 1.5, "x", "", [], {}, [None], [[]], {"a": None}, [{"type": None}], {"type": []}]
MEMBERS = (
    "model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "top_k", "stop_sequences",
    "metadata", "thinking", "tools", "tool_choice", "service_tier", "container", "mcp_servers", "context_management",
    "output_config", "cache_control",
)  # fmt: skip


def wrong_bodies() -> dict[str, bytes]:
    """Every member of the body, and every member of a turn and of a block, with a value of each wrong type."""
    good = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    found = {}
    for number, wrong in enumerate(WRONG):
        found[f"all members {number}"] = json.dumps(good | dict.fromkeys(MEMBERS, wrong)).encode()
        for name in MEMBERS:
            found[f"{name} {number}"] = json.dumps(good | {name: wrong}).encode()
        turns = [{"role": wrong, "content": "x"}, {"role": "user", "content": wrong}, wrong]
        blocks = [{"type": wrong}, {"type": "text", "text": wrong}, {"type": "image", "source": wrong}, wrong]
        blocks += [{"type": "tool_use", "id": wrong, "name": wrong, "input": wrong}]
        blocks += [{"type": "tool_result", "tool_use_id": wrong, "content": wrong}]
        blocks += [{"type": "document", "source": {"type": "base64", "media_type": wrong, "data": wrong}}]
        turns.append({"role": "assistant", "content": blocks})
        found[f"turns {number}"] = json.dumps(good | {"messages": turns}).encode()
        tools = [{"name": wrong, "input_schema": wrong}, {"type": wrong}, wrong]
        found[f"tools {number}"] = json.dumps(good | {"tools": tools}).encode()
    return found
