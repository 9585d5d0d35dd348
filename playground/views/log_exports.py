"""Runs as downloads. Foreign bytes leave as attachments that no browser takes for a page."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from playground.export import account_export, run_files
from playground.identity.requests import AuthenticatedHttpRequest
from playground.models import Run
from playground.request_log.filters import Filter
from playground.request_log.keyset_pages import count, search_pairs

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_FOUND = 20_000  # of a search that is exported
MOST_LOOKED_AT = 200_000
MOST_WATCHED = 200  # downloads whose progress is remembered, in this process
_TABLES: dict[str, tuple[Callable[..., Iterator[str]], str]] = {
    "jsonl": (run_files.jsonl, "application/x-ndjson"),
    "csv": (run_files.csv_text, "text/csv; charset=utf-8"),
}


@login_required
@require_safe
def run_download(request: AuthenticatedHttpRequest, run_id: UUID, kind: str) -> HttpResponseBase:
    """One run as `json`, `sse` (the bytes of the answer) or `har`."""
    run = Run.objects.owned_by(request.user).select_related("content").filter(pk=run_id).first()
    if run is None:
        raise Http404("no such run")
    name = f"run-{run.started_at:%Y%m%d-%H%M%S}-{run.pk.hex[-6:]}"
    if kind == "json":
        return attachment(run_files.json_text(run_files.as_json(run)), f"{name}.json", "application/json")
    if run.stored_content is None:
        raise Http404("the content of this run is not kept")
    if kind == "har":
        return attachment(run_files.json_text(run_files.as_har(run)), f"{name}.har", "application/json")
    if kind == "sse":
        return streamed(run.raw(), f"{name}.sse.txt", "text/plain; charset=utf-8")
    return attachment(run.request_body or b"", f"{name}-request.txt", "text/plain; charset=utf-8")


@dataclass
class Progress:
    """The progress of one download: runs written, and how many there are; None when that was not counted."""

    total: int | None
    done: int = 0
    is_over: bool = False

    def add(self, count: int) -> None:
        self.done += count


Response = TypeVar("Response", HttpResponse, StreamingHttpResponse)
_watched: OrderedDict[tuple[int | None, str], Progress] = OrderedDict()


@login_required
@require_safe
def run_export(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """All that the filter finds. `token`, any word the page makes up, names a download when its progress is asked."""
    log_filter = Filter.read(request.GET)
    runs = Run.objects.owned_by(request.user)
    ids = None
    if log_filter.q:
        pairs, _ = search_pairs(request.user, log_filter, "", MOST_FOUND, look_at=MOST_LOOKED_AT)
        ids = [run_id for _, run_id in pairs]
    progress = progress_of(request, len(ids) if ids is not None else count(request.user, log_filter))
    return table(runs if ids is not None else log_filter.apply(runs), request.GET.get("format", ""), progress, ids)


def progress_of(request: HttpRequest, total: int | None) -> Progress:
    """The progress of a download that begins, kept for `run_export_progress` if the page gave it a name."""
    progress = Progress(total)
    query = request.POST if request.method == "POST" else request.GET
    if token := query.get("token", "")[:64]:
        _watched[request.user.pk, token] = progress
        while len(_watched) > MOST_WATCHED:
            _watched.popitem(last=False)
    return progress


def progress_named(request: HttpRequest) -> Progress | None:
    """The progress of what the page gave this name."""
    return _watched.get((request.user.pk, request.GET.get("token", "")[:64]))


@login_required
@require_safe
def run_export_progress(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """The progress of a download. Status 286 tells htmx to ask no more."""
    progress = progress_named(request)
    is_over = progress is not None and progress.is_over
    context = {"progress": progress}
    return render(request, "playground/log/_export.html", context, status=286 if is_over else 200)


def table(runs: Any, kind: str, progress: Progress, ids: list[UUID] | None = None) -> HttpResponseBase:
    """Many runs as JSON lines or CSV, sent while they are read. `ids` narrows them to these, however many."""
    if kind not in _TABLES:
        return HttpResponseBadRequest("format is jsonl or csv")
    write, content_type = _TABLES[kind]
    pieces = write(runs, on_progress=progress.add) if ids is None else _of_ids(write, runs, ids, progress)
    return streamed(_watch(pieces, progress), f"requests-{timezone.now():%Y%m%d-%H%M%S}.{kind}", content_type)


def _watch(pieces: Iterator[Any], progress: Progress) -> Iterator[Any]:
    try:
        yield from pieces
    finally:
        progress.is_over = True


def _of_ids(write: Callable[..., Iterator[str]], runs: Any, ids: list[UUID], progress: Progress) -> Iterator[str]:
    """Yield the file in parts that a database takes as parameters; only the first part brings the head of a table."""
    for start in range(0, max(1, len(ids)), 500):
        pieces = write(runs.filter(pk__in=ids[start : start + 500]), on_progress=progress.add)
        if start and write is run_files.csv_text:
            next(pieces)
        yield from pieces


@login_required
@require_safe
def account_download(request: AuthenticatedHttpRequest) -> HttpResponseBase:
    """Everything that is kept for the signed-in user."""
    name = f"messages-playground-{timezone.now():%Y%m%d}.zip"
    progress = progress_of(request, Run.objects.owned_by(request.user).count())
    return streamed(_watch(account_export.zipped(request.user, progress.add), progress), name, "application/zip")


def attachment(data: str | bytes, name: str, content_type: str) -> HttpResponse:
    return _harmless(HttpResponse(data, content_type=content_type), name)


def streamed(pieces: Iterator[str] | Iterator[bytes], name: str, content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_in_thread(pieces), content_type=content_type)
    response.headers["X-Accel-Buffering"] = "no"
    return _harmless(response, name)


def _harmless(response: Response, name: str) -> Response:
    """Make a response that a browser saves: whatever is in it is not shown, not sniffed, and would run in a sandbox."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


async def _in_thread(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    """Take piece after piece in the database's thread, so that one download does not hold the loop."""
    end = object()
    take = database_sync_to_async(lambda: next(pieces, end))
    while (piece := await take()) is not end:
        yield piece
