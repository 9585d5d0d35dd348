"""Full-text search over a user's runs: FTS5 on SQLite, `tsvector` on PostgreSQL, one meaning.

A query is a list of terms, all of which must occur: words, beginnings*, "exact phrases", and -excluded ones. A word
that is several to the search, such as `req_011CVx4`, is a phrase.

The owner is a term of every query inside the index, so nobody's search reads through other people's matches. So are
the facets of a run: the figures that the log filters by. A search with a filter is answered by the index alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import connection

from playground.rendering.log_columns import FACETS
from playground.search import terms as search_text

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_MOST_TERMS = 12
_MOST_WORDS = 40
_SHORTEST_BEGINNING = 3  # all the words that begin like a shorter one are too many to be gathered


@dataclass(frozen=True, slots=True)
class Term:
    words: tuple[str, ...]
    excluded: bool = False
    is_beginning: bool = False  # the last word may go on


@dataclass(frozen=True, slots=True)
class Entry:
    """The searchable text of one run. `content_id` is its `RunContent`'s; `facets` are its columns named `FACETS`."""

    content_id: int
    owner_id: int
    words: list[str]
    facets: Mapping[str, Any] = field(default_factory=dict)


def read_query(text: str, *, beginnings: bool = False) -> list[Term]:
    """The terms of what somebody typed; empty when there is nothing in it to look for.

    With `beginnings` every word outside quotes may go on: for tables that are small enough.
    """
    terms = []
    for minus, phrase, word in _TERM.findall(text)[:_MOST_TERMS]:
        words = tuple(search_text.words(phrase or word)[:_MOST_WORDS])
        if words:
            may_go_on = word.endswith("*") or (beginnings and not phrase)
            beginning = may_go_on and len(words[-1]) >= _SHORTEST_BEGINNING
            terms.append(Term(words, bool(minus), beginning))
    return terms if any(not term.excluded for term in terms) else []


def find(
    owner_id: int,
    terms: list[Term],
    *,
    facets: Mapping[str, Any] | None = None,
    after: int = 0,
    before: int | None = None,
    most: int,
) -> list[tuple[int, UUID]]:
    """Ids of the owner's matching contents and of their runs, newest first, at most `most`.

    The contents are between `after` and `before`. `facets` gives values that columns named in `FACETS` must have.
    """
    if not terms:
        return []
    marks = [_owner_mark(owner_id), *(_mark(name, value) for name, value in (facets or {}).items())]
    sql, query = _FINDERS[connection.vendor](marks, terms)
    values: dict[str, Any] = {
        "query": query,
        "owner": owner_id,
        "after": after,
        "before": before or 2**62,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        # As the driver gives it, SQLite's id of a run is text.
        return [(row[0], row[1] if isinstance(row[1], UUID) else UUID(row[1])) for row in cursor.fetchall()]


def index(entries: Iterable[Entry]) -> None:
    """Make these runs searchable; an entry for the same run replaces the earlier one."""
    rows: list[dict[str, Any]] = [
        {"id": entry.content_id, "marks": " ".join(marks_of(entry)), "words": WRITTEN[connection.vendor](entry)}
        for entry in entries
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        for statement in _INDEXERS[connection.vendor]:
            cursor.executemany(statement, rows)


def forget(content_ids: list[int]) -> None:
    """Take these out of the index. Deleting a `RunContent` does so by itself."""
    if content_ids and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM playground_search WHERE rowid = %s", [(each,) for each in content_ids])


def marks_of(entry: Entry) -> list[str]:
    """The terms of an entry that nobody can type: its owner and its facets."""
    facets = [_mark(name, entry.facets[name]) for name in FACETS if entry.facets.get(name) not in (None, "")]
    return [_owner_mark(entry.owner_id), *facets]


def _owner_mark(owner_id: int) -> str:
    return f"o{owner_id}"


def _mark(name: str, value: Any) -> str:
    """A facet as one word, whatever text its value is."""
    digest = blake2b(f"{name}={value}".encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"f{FACETS.index(name)}{digest}"


# --- SQLite ---


def _sqlite_query(marks: list[str], terms: list[Term]) -> tuple[str, str]:
    def written(term: Term) -> str:
        phrase = '"' + " ".join(term.words) + '"'  # words hold no quotes
        return f"words : {phrase}{' *' if term.is_beginning else ''}"

    clauses = [f'marks : "{mark}"' for mark in marks] + [written(term) for term in terms if not term.excluded]
    query = " AND ".join(clauses)
    for term in terms:
        if term.excluded:
            query = f"({query}) NOT ({written(term)})"
    sql = (
        "SELECT found.rowid, content.run_id FROM playground_search found "
        "CROSS JOIN playground_runcontent content ON content.id = found.rowid "
        "WHERE playground_search MATCH %(query)s AND found.rowid < %(before)s AND found.rowid > %(after)s "
        "AND content.owner_id = %(owner)s ORDER BY found.rowid DESC LIMIT %(most)s"
    )
    return sql, query


# --- PostgreSQL ---


def _postgres_query(marks: list[str], terms: list[Term]) -> tuple[str, str]:
    def written(term: Term) -> str:
        phrase = " <-> ".join(f"'{word}'" for word in term.words)
        return f"{'!' if term.excluded else ''}({phrase}{':*' if term.is_beginning else ''})"

    query = " & ".join([*(f"'{mark}:'" for mark in marks), *(written(term) for term in terms)])
    sql = (
        "SELECT id, run_id FROM playground_runcontent WHERE owner_id = %(owner)s AND words @@ %(query)s::tsquery "
        "AND id < %(before)s AND id > %(after)s ORDER BY id DESC LIMIT %(most)s"
    )
    return sql, query


def _postgres_words(entry: Entry) -> str:
    """A `tsvector` in its written form. Made here, because PostgreSQL's parser cuts words its own way."""
    positions: dict[str, list[int]] = {}
    for position, word in enumerate(entry.words[:16_000], start=1):  # positions end at 16,383
        if len(known := positions.setdefault(word, [])) < 255:
            known.append(position)
    written = [f"'{word}':{','.join(map(str, at))}" for word, at in positions.items()]
    return " ".join([*(f"'{mark}:'" for mark in marks_of(entry)), *written])  # a colon is in no word


_FINDERS = {"sqlite": _sqlite_query, "postgresql": _postgres_query}
WRITTEN = {"sqlite": lambda entry: " ".join(entry.words), "postgresql": _postgres_words}
_INDEXERS = {
    "sqlite": [
        "DELETE FROM playground_search WHERE rowid = %(id)s",
        "INSERT INTO playground_search (rowid, marks, words) VALUES (%(id)s, %(marks)s, %(words)s)",
    ],
    "postgresql": ["UPDATE playground_runcontent SET words = %(words)s::tsvector WHERE id = %(id)s"],
}
