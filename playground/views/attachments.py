"""Files for a request: uploaded once, shown as a thumbnail, named in the body by their id."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from playground.attachments import attachment_store
from playground.attachments.file_types import UnknownFileError
from playground.drafts import editing
from playground.models import Attachment
from playground.models.storage_quota import StorageQuotaError

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Store one file and answer with its id and what the body's source has to say. The bytes decide what it is."""
    uploaded = request.FILES.get("file")
    if uploaded is None:
        return _refused("Choose a file.", 400)
    limit = editing.upload_limit(request)
    size = uploaded.size or 0
    if size > limit:
        return _refused(f"{uploaded.name} has {size:,} bytes; at most {limit:,} are taken.", 413)
    try:
        stored = attachment_store.store(uploaded.read(), uploaded.name or "", **editing.owner_fields(request))
    except UnknownFileError as problem:
        return _refused(f"{uploaded.name}: {problem}", 415)
    except StorageQuotaError as problem:
        return _refused(f"{uploaded.name}: {problem}", 413)
    return JsonResponse({"reference": stored.reference, "media_type": stored.media_type, "name": stored.name})


def _refused(reason: str, status: int) -> HttpResponse:
    return JsonResponse({"problem": reason}, status=status)


@require_safe
def show(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """The bytes, for their owner only: an image to look at, anything else as a download that cannot run."""
    attachment = get_object_or_404(Attachment.objects.of(request), pk=attachment_id)
    # Read whole: the server is asynchronous, and a file's own iterator would be read in its way anyhow.
    data = attachment.read()
    media_type = attachment.media_type if attachment.is_image else "application/octet-stream"
    response = HttpResponse(data, content_type=media_type)
    disposition = content_disposition_header(not attachment.is_image, attachment.name)
    if disposition:
        response["Content-Disposition"] = disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
