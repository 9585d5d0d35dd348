"""Pages of the log: by keyset, so that the thousandth costs what the first does; and what the filter offers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from playground.models import Run, RunContent
from playground.protocol.whole_numbers import read_whole
from playground.rendering.log_columns import READ
from playground.request_log.filters import COLUMNS, Filter
from playground.search import index

if TYPE_CHECKING:
    from playground.models.run import RunQuerySet

ROWS = 50
MOST_SEARCHED = 600  # matches that one page looks through for those that have what no index of words knows
OUT_OF_ORDER = 1_000  # contents, at most, between one and a run that was started before it
_SEARCH_STEPS = (200, 400)


@dataclass(frozen=True)
class Page:
    """Runs, newest first. `next` is the cursor of the page below, empty at the end.

    `is_cut`: a search has looked through as many matches as one page may; the next page goes on from there.
    """

    runs: list[Run]
    next: str = ""
    is_cut: bool = False


def page(owner: Any, log_filter: Filter, *, before: str = "", rows: int = ROWS) -> Page:
    """One page of this owner's log. An invalid cursor begins at the top."""
    if log_filter.q:
        return _found(owner, log_filter, before, rows)
    # First the ids, from an index alone; then the rows of those that are shown.
    matching = log_filter.apply(Run.objects.owned_by(owner)).newest_first(_run_id(before))
    ids = list(matching.values_list("pk", flat=True)[: rows + 1])
    runs = list(shown(Run.objects.filter(pk__in=ids[:rows]).order_by("-pk")))
    return Page(runs, next=str(ids[rows - 1]) if len(ids) > rows else "")


def shown(runs: RunQuerySet) -> RunQuerySet:
    return runs.only(*READ)


def _found(owner: Any, log_filter: Filter, before: str, rows: int) -> Page:
    pairs, at = search_pairs(owner, log_filter, before, rows + 1)
    is_full = len(pairs) > rows
    chosen = pairs[:rows]
    by_id = {run.pk: run for run in shown(Run.objects.filter(pk__in=[run_id for _, run_id in chosen]))}
    runs = [by_id[run_id] for _, run_id in chosen if run_id in by_id]
    if is_full:
        return Page(runs, next=str(chosen[-1][0]))
    return Page(runs, next=str(at) if at else "", is_cut=at is not None)


def search_pairs(
    owner: Any, log_filter: Filter, before: str, most: int, *, look_at: int = MOST_SEARCHED
) -> tuple[list[tuple[int, UUID]], int | None]:
    """(content id, run id) of the newest runs with the words that the rest of the filter wants, at most `most`.

    Walks through the matches of the words, newest first. The second value is where it stopped because it had looked
    at `look_at` of them; None when there is nothing below.
    """
    terms = log_filter.terms
    if not terms:
        return [], None
    at, looked_at = _content_id(before), 0
    if log_filter.ids:
        low, high = _content_range(log_filter)
        at = min(at or high, high)
    else:
        low = 0
    kept: list[tuple[int, UUID]] = []
    for step in _steps(most) if log_filter.others or log_filter.ids else itertools.repeat(most):
        matches = index.find(owner.pk, terms, facets=log_filter.facets, after=low, before=at, most=step)
        kept += _wanted_of(owner, log_filter, matches)
        looked_at += len(matches)
        if len(kept) >= most or len(matches) < step:
            return kept[:most], None
        at = matches[-1][0]
        if looked_at >= look_at:
            break
    return kept, at


def _steps(most: int) -> Iterator[int]:
    """Yield how many matches are looked at together: few at first, for most filters fit many of them."""
    first, *later = _SEARCH_STEPS
    yield max(first, most)
    yield from later
    while True:
        yield later[-1]


def _wanted_of(owner: Any, log_filter: Filter, matches: list[tuple[int, UUID]]) -> list[tuple[int, UUID]]:
    """Return those of the contents whose run the filter wants, in the same order."""
    first, end = log_filter.ids.get("pk__gte"), log_filter.ids.get("pk__lt")
    within = [pair for pair in matches if (first is None or pair[1] >= first) and (end is None or pair[1] < end)]
    if not log_filter.others or not within:
        return within
    runs = Run.objects.owned_by(owner).filter(**log_filter.others)
    fitting = set(runs.filter(pk__in=one_of(run_id for _, run_id in within)).values_list("pk", flat=True))
    return [pair for pair in within if pair[1] in fitting]


def one_of(ids: Iterable[UUID]) -> RawSQL:
    """Ids for `__in` as one value: to write a query with a parameter for each takes longer than to answer it."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::uuid[])", [list(ids)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps([run_id.hex for run_id in ids])])


def _content_range(log_filter: Filter) -> tuple[int, int]:
    """Ids of contents somewhat outside the filter's dates: contents are numbered as they are stored, about by time."""
    within = RunContent.objects.filter(
        **{name.replace("pk", "run_id"): value for name, value in log_filter.ids.items()}
    )
    first = within.order_by("run_id").values_list("pk", flat=True).first()
    last = within.order_by("-run_id").values_list("pk", flat=True).first()
    return (0, 1) if first is None or last is None else (max(0, first - OUT_OF_ORDER), last + OUT_OF_ORDER)


def newest_values(owner: Any, log_filter: Filter, columns: Sequence[Any], most: int) -> list[tuple[Any, ...]]:
    """Columns of the newest runs that match, at most `most`; without making objects of them."""
    runs: Any = Run.objects.owned_by(owner).order_by("-pk").values_list(*columns)
    if not log_filter.q:
        matches: Any = log_filter.apply(runs)[:most]
        return list(matches)
    pairs, _ = search_pairs(owner, log_filter, "", most)
    return list(runs.filter(pk__in=one_of(run_id for _, run_id in pairs)))


def _run_id(cursor: str) -> UUID | None:
    try:
        return UUID(cursor)
    except ValueError:
        return None


def _content_id(cursor: str) -> int | None:
    return read_whole(cursor, longest=18)


def neighbours(owner: Any, run_id: UUID, log_filter: Filter) -> tuple[UUID | None, UUID | None]:
    """The ids of the next older and the next newer run of this owner that the filter wants."""
    # Stepping goes from run to run; words would have to be searched for both ways.
    runs = log_filter.apply(Run.objects.owned_by(owner))
    older = runs.newest_first(run_id).values_list("pk", flat=True).first()
    newer = runs.oldest_first(run_id).values_list("pk", flat=True).first()
    return older, newer


def count(owner: Any, log_filter: Filter, most: int = 100_000) -> int | None:
    """Count the runs that match, no further than `most`; None for a search, which is not counted."""
    if log_filter.q:
        return None
    matching = log_filter.apply(Run.objects.owned_by(owner)).order_by()
    return matching[:most].count() if most else 0


def names_in_use(owner_id: int, name: str, most: int = 100) -> list[str]:
    """The values of a column in this owner's log, in their order.

    Steps from one value to the next in the index, so the cost is that of the values and not of the rows.
    """
    column = COLUMNS[name]
    table = Run._meta.db_table
    sql = f"""
        WITH RECURSIVE step (value, number) AS (
            SELECT (SELECT MIN({column}) FROM {table} WHERE owner_id = %(owner)s AND {column} > ''), 1
            UNION ALL
            SELECT (SELECT MIN({column}) FROM {table} WHERE owner_id = %(owner)s AND {column} > step.value), number + 1
            FROM step WHERE step.value IS NOT NULL AND number <= %(most)s
        )
        SELECT value FROM step WHERE value IS NOT NULL
    """  # noqa: S608 - the names are our own, out of the table above
    with connection.cursor() as cursor:
        cursor.execute(sql, {"owner": owner_id, "most": most})
        return [row[0] for row in cursor.fetchall()]
