"""Rules of cache marks, citations, output format, and of members that exclude one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.protocol.catalogue.caching import MOST_CACHE_MARKS
from playground.protocol.json.paths import Path
from playground.protocol.rules.problems import Problem, Repair
from playground.protocol.rules.request_view import RequestView, blocks_in
from playground.protocol.rules.tool_schemas import format_problems

# Members that do not go together, the second is the one to leave out. Source: the vendor's pages on each.
EXCLUDING = (("compaction", "context_management"), ("fallbacks", "fallback_credit_token"))
WITH_A_KEPT_THREAD = ("system", "tools")
PERHAPS_NOT_WITH_THREADS = ("cache_control", "context_management", "fallbacks", "thinking")


def feature_rules(request: RequestView) -> Iterator[Problem]:
    """Yield the problems of features that several members make up together."""
    yield from _cache_marks(request)
    yield from _citations(request)
    yield from _format(request)
    yield from _later_forms(request)
    yield from _excluding(request)
    yield from _thread(request)
    yield from _stop_sequences(request)


def cache_marks(request: RequestView) -> list[tuple[Path, dict[str, Any]]]:
    """Every `cache_control` that is set, in the order of the cached prefix: tools, system, messages, the whole body."""
    marks = [(tool.path, tool.members) for tool in request.tools]
    marks += [(block.path, block.members) for block in blocks_in(request.body.get("system"), ("system",))]
    for _, block in request.blocks():
        marks.append((block.path, block.members))
        if block.type == "tool_result":
            place = (*block.path, "content")
            marks += [(inner.path, inner.members) for inner in blocks_in(block.members.get("content"), place)]
    marks.append(((), request.body))
    return [
        ((*path, "cache_control"), members["cache_control"])
        for path, members in marks
        if isinstance(members.get("cache_control"), dict)
    ]


def _cache_marks(request: RequestView) -> Iterator[Problem]:
    marks = cache_marks(request)
    for path, _ in marks[MOST_CACHE_MARKS:]:
        message = f"{len(marks)} cache marks, at most {MOST_CACHE_MARKS} are allowed"
        yield Problem(path, message, repair=Repair("Remove this mark", (("remove", path, None),)))
    shorter = False
    for path, mark in marks:
        if mark.get("ttl") != "1h":
            shorter = True
        elif shorter and len(path) > 1:
            repair = Repair("Set it to 5 minutes", (("remove", (*path, "ttl"), None),))
            yield Problem((*path, "ttl"), "A 1h mark cannot come after a 5m mark", repair=repair)


def _documents(request: RequestView) -> Iterator[tuple[Path, dict[str, Any]]]:
    for _, block in request.blocks():
        if block.type == "document":
            yield block.path, block.members


def _is_cited(members: dict[str, Any]) -> bool:
    citations = members.get("citations")
    return isinstance(citations, dict) and citations.get("enabled") is True


def _citations(request: RequestView) -> Iterator[Problem]:
    documents = list(_documents(request))
    cited = [path for path, members in documents if _is_cited(members)]
    if cited and len(cited) != len(documents):
        edits = tuple(("set", (*path, "citations"), {"enabled": True}) for path, _ in documents)
        repair = Repair("Cite all documents", edits)  # type: ignore[arg-type]
        for path, members in documents:
            if not _is_cited(members):
                message = "Citations must be on for all documents of a request, or for none"
                yield Problem((*path, "citations"), message, repair=repair)
    if cited and request.part("output_config").get("format") is not None:
        place = ("output_config", "format")
        repair = Repair("Remove the format", (("remove", place, None),))
        yield Problem(place, "An output format cannot be used with citations", repair=repair)


def _format(request: RequestView) -> Iterator[Problem]:
    old, new = request.body.get("output_format"), request.part("output_config").get("format")
    yield from format_problems(("output_config", "format"), new)
    yield from format_problems(("output_format",), old)
    if old is None:
        return
    edits: list[Any] = [("remove", ("output_format",), None)]
    if new is None:
        edits.append(("set", ("output_config",), {**request.part("output_config"), "format": old}))
    repair = Repair("Move it to output_config.format", tuple(edits))
    yield Problem(("output_format",), "output_format is deprecated: use output_config.format", "warning", repair)


def _later_forms(request: RequestView) -> Iterator[Problem]:
    """Forms that came a month after their member, with a beta value of their own. The pairing is not confirmed."""
    for name, is_later, beta in (
        ("fallbacks", request.body.get("fallbacks") == "default", "server-side-fallback-2026-07-01"),
        ("fallback_credit_token", bool(request.part("fallback_credit_token")), "fallback-credit-2026-07-01"),
    ):
        # Without any beta at all the catalogue has said so already.
        has_older = any(known.startswith(beta[:-10]) for known in request.betas)
        if is_later and has_older and beta not in request.betas:
            repair = Repair(f"Add the beta {beta}", betas=(beta,))
            yield Problem((name,), f"This form of {name} needs the anthropic-beta {beta}", "warning", repair)


def _excluding(request: RequestView) -> Iterator[Problem]:
    for one, other in EXCLUDING:
        if request.body.get(one) is not None and request.body.get(other) is not None:
            repair = Repair(f"Leave {other} out", (("remove", (other,), None),))
            yield Problem((other,), f"{other} cannot be used with {one}", repair=repair)


def _thread(request: RequestView) -> Iterator[Problem]:
    if not request.part_type("thread"):
        return
    if request.continues_a_thread:
        for name in WITH_A_KEPT_THREAD:
            if request.body.get(name) is not None:
                repair = Repair(f"Leave {name} out", (("remove", (name,), None),))
                yield Problem((name,), f"A continued thread keeps its {name}: remove it", repair=repair)
    for name in PERHAPS_NOT_WITH_THREADS:
        if request.body.get(name) is not None:
            yield Problem((name,), f"Some uses of {name} do not work with threads", "warning")


def _stop_sequences(request: RequestView) -> Iterator[Problem]:
    sequences = request.body.get("stop_sequences")
    for index, sequence in enumerate(sequences if isinstance(sequences, list) else ()):
        if isinstance(sequence, str) and sequence and not sequence.strip():
            message = "A stop sequence of only white space may be refused"
            yield Problem(("stop_sequences", index), message, "warning")
