"""Looks through a copy for what should not be published: keys, tokens, e-mail addresses, private addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from accounts.vault import ACCESS_KEY_PREFIX
from playground.protocol.headers import mask

MOST_FINDINGS = 100  # that are no secrets; of secrets as many are found as one page can hold
MOST_SECRETS = 300  # what holds as many is not published: a secret beyond them would not be masked
# What stands behind a name that ends so is a secret.
_NAME = (
    r"(?:password|passwd|passphrase|pwd|secret|credentials?"
    r"|(?:api|access|account|private|secret)[_-]?key|(?:access|auth|authorization|refresh|session)[_-]?token)"
)
# Quantifiers have upper bounds, so that no text makes a pattern slow.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,8000}?"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)"
        ),
    ),
    (
        "key",
        re.compile(
            r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,200}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,50}"
            r"|\bgh[pousr]_[A-Za-z0-9]{20,255}|\bgithub_pat_[A-Za-z0-9_]{20,255}|\bglpat-[A-Za-z0-9_-]{16,100}"
            r"|\bxox[abeprs]-[A-Za-z0-9-]{10,250}|\bhf_[A-Za-z0-9]{20,100}"
            r"|\b" + ACCESS_KEY_PREFIX + r"[A-Za-z0-9_-]{20,100}"
            r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,200}|\bnpm_[A-Za-z0-9]{30,60}|\bgsk_[A-Za-z0-9]{20,200}"
            r"|\bxai-[A-Za-z0-9]{20,200}|\bya29\.[A-Za-z0-9_-]{10,500}"
            r"|\bSG\.[A-Za-z0-9_-]{10,50}\.[A-Za-z0-9_-]{20,100}"
            r"|\bhttps://hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"
        ),
    ),
    ("token", re.compile(r"\beyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{5,1000}")),
    ("token", re.compile(r"(?i)\bbearer ([\w.~+/=-]{16,2000})")),
    ("token", re.compile(r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic ([\w+/=-]{8,2000})")),
    (
        "password or key",
        re.compile(r"(?i)(?<![a-z])" + _NAME + r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?([^\s\"'<>{},;]{8,200})"),
    ),
    (
        "private address",
        re.compile(
            r"\b[a-z][a-z0-9+]{1,15}://[^\s/@\"'<>]{1,100}:[^\s/@\"'<>]{1,100}@[^\s\"'<>]{1,500}"
            r"|\bhttps?://(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|10\.\d{1,3}\.\d{1,3}\.\d{1,3}"
            r"|192\.168\.\d{1,3}\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])\.\d{1,3}\.\d{1,3}|169\.254\.\d{1,3}\.\d{1,3}"
            r"|\[(?:::1|f[cd][0-9a-f:]{1,40}|fe80[0-9a-f:]{1,40})\]"
            r"|(?:[a-z0-9-]{1,63}\.){0,8}(?:[a-z0-9-]{1,63}\.)(?:internal|local|lan|corp|intranet|home|test)\b)"
            r"(?::\d{1,5})?[^\s\"'<>)\]]{0,500}",
            re.IGNORECASE,
        ),
    ),
    (
        "e-mail address",
        re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}\b"),
    ),
)


_SECRET_MEMBER = re.compile(rf"(?i)(?:.*(?<![a-z]))?{_NAME}", re.DOTALL)
_SECRET_VALUE = re.compile(r".{8,200}")
SECRETS = frozenset({"private key", "key", "token", "password or key"})
_USER_AND_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+]{1,15}://[^\s/@]{1,100}:[^\s/@]{1,100}@")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in the copy. `where` is the first place, in words; `count` says in how many texts it stands."""

    kind: str
    text: str
    where: str
    count: int = 1

    @property
    def is_secret(self) -> bool:
        """Whether it opens something: masked unless the owner says, twice, that readers may have it."""
        return self.kind in SECRETS or (self.kind == "private address" and bool(_USER_AND_PASSWORD.match(self.text)))

    @property
    def shown(self) -> str:
        """Enough to know it by: the owner looks at this, perhaps with others."""
        is_address = self.kind == "private address" and "@" not in self.text[8:]  # else a password may be in it
        return self.text if is_address or self.kind == "e-mail address" else mask(self.text)


def scan(snapshot: dict[str, Any]) -> list[Finding]:
    """Return the findings, each text once, in the order of the copy. Ends at `MOST_SECRETS` secrets."""
    findings: dict[str, Finding] = {}
    secrets = 0
    for where, text in _texts(snapshot):
        for one in _found_in(text, where):
            if (known := findings.get(one.text)) is not None:
                findings[one.text] = replace(known, count=known.count + 1)
            elif one.is_secret or len(findings) - secrets < MOST_FINDINGS:
                if any(one.text in other for other in findings):
                    continue
                findings[one.text] = one
                secrets += one.is_secret
                if secrets >= MOST_SECRETS:
                    return list(findings.values())
    return list(findings.values())


def has_too_many(findings: list[Finding]) -> bool:
    """Return whether there may be secrets beyond those that were looked for."""
    return sum(one.is_secret for one in findings) >= MOST_SECRETS


def _found_in(text: str, where: str) -> Iterator[Finding]:
    if _SECRET_MEMBER.fullmatch(where) and _SECRET_VALUE.fullmatch(text):  # a member's name stands last in its place
        yield Finding("password or key", text, where)
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            yield Finding(kind, match.group(match.lastindex or 0), where)


def _texts(snapshot: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "title", str(snapshot.get("title") or "")
    yield from _walk(snapshot.get("body"), "")
    for answer in snapshot.get("answers") or []:
        yield from _walk(answer.get("message"), f"response to message {answer.get('turn')}")
    for branch in snapshot.get("branches") or []:
        yield from _walk(branch.get("messages"), f"branch at message {branch.get('turn', 0) + 1}")
    for number, step in enumerate(snapshot.get("steps") or [], 1):
        yield from _walk(step, f"step {number}")
    for miss in snapshot.get("misses") or []:
        yield from _walk(miss, f"cache miss at step {miss.get('step')}")
    for block in snapshot.get("blocks") or []:
        yield from _walk(block, "words of a block")
    yield "client", str(snapshot.get("client") or "")
    yield from _texts_of_report(snapshot.get("report") or {})


def _texts_of_report(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("name", "base_url", "model", "server"):
        yield from _walk(report.get(name), name)
    for result in report.get("results") or []:
        yield from _walk({name: result.get(name) for name in ("message", "sent", "evidence")}, f"check {result['id']}")


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            if not (name == "data" and value.get("type") == "base64"):
                yield from _walk(member, f"{path}.{name}" if path else name)
            yield path, name
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, f"{path}[{number}]")
