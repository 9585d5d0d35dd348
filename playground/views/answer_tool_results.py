"""The results of an answer's tool calls, as its form gives them, sent as the next turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from playground.answer import continuation
from playground.answer.continuation import CannotContinue
from playground.attachments import attachment_store
from playground.attachments.file_types import UnknownFileError, recognise
from playground.drafts import editing
from playground.models import Attachment, ToolMock
from playground.models.storage_quota import StorageQuotaError
from playground.protocol.json.received_json import loads
from playground.protocol.tool_loop import ToolResult
from playground.views.answer_actions import Change, Origin, answer_with

if TYPE_CHECKING:
    from django.http import HttpRequest

    from playground.answer.block_drawing import BlockDrawing

MAX_IMAGE_BYTES = 5 * 2**20


@require_POST
async def send_results(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Answer the calls of an answer: its turn and one turn with all results are added, and the body runs again."""
    answers: list[tuple[BlockDrawing, ToolResult | None]] = []

    def prepare(origin: Origin) -> Change:
        calls = [drawn for drawn in origin.drawing.blocks if drawn.type == "tool_use"]
        typed = [_result(request, drawn.block.index, drawn.id) for drawn in calls]
        results = [result for result in typed if result is not None]
        if len(results) < len(calls) and not request.POST.get("anyway"):
            raise CannotContinue("Some calls have no result yet. Fill them in, or choose Send anyway.")
        answers.extend(zip(calls, typed, strict=True))
        origin.say_what_is_left_out()
        return lambda body: continuation.with_results(body, origin.content, results)

    def remember() -> None:
        for drawn, result in answers:
            _remember(request, drawn, result)

    return await answer_with(request, run_id, prepare, keep_draft=True, afterwards=remember)


def _remember(request: HttpRequest, drawn: BlockDrawing, result: ToolResult | None) -> None:
    """Save a result that is to answer this tool from now on, or forget the one that was."""
    index = drawn.block.index
    if result is not None and request.POST.get(f"remember-{index}"):
        tool_input = drawn.block.value.get("input") if request.POST.get(f"only-{index}") else None
        mocks = ToolMock.objects.all()
        mocks.keep(request, drawn.name, tool_input, result.content, result.is_error)
    elif request.POST.get(f"was-saved-{index}") and not request.POST.get(f"remember-{index}"):
        ToolMock.objects.of(request).forget(drawn.name)


def _result(request: HttpRequest, index: int, tool_use_id: str) -> ToolResult | None:
    """One call's result as the form gives it; None when nothing was filled in."""
    is_error = bool(request.POST.get(f"is_error-{index}"))
    way = next((value for name, value in request.POST.items() if name.startswith(f"way-{index}-")), "text")
    content: str | list[dict[str, Any]] | None
    if way == "image":
        content = _image(request, request.FILES.get(f"image-{index}"), request.POST.get(f"image-file-{index}", ""))
    elif way == "form":
        content = _from_fields(request, index)
    else:
        content = request.POST.get(f"{way}-{index}" if way == "json" else f"text-{index}", "").strip() or None
    if content is None and not is_error:
        return None
    return ToolResult(tool_use_id, content if content is not None else "", is_error=is_error)


def _from_fields(request: HttpRequest, index: int) -> str | None:
    """The fields as a JSON object. A text that is JSON keeps its type, unless the example has a string there."""
    prefix = f"field-{index}-"
    values: dict[str, Any] = {}
    for name, text in request.POST.items():
        if name.startswith(prefix) and isinstance(text, str):
            member = name.removeprefix(prefix)
            try:
                values[member] = text if f"kind-{index}-{member}" in request.POST else loads(text)
            except ValueError:
                values[member] = text
    return json.dumps(values, ensure_ascii=False) if values else None


def _image(request: HttpRequest, upload: Any, chosen: str) -> list[dict[str, Any]] | None:
    """An image as a result: the uploaded file, else the chosen one. It is kept as a file, which the result names.

    The type counts by the bytes, not by the file's name.
    """
    if upload is None:
        files = Attachment.objects.of(request).filter(media_type__startswith="image/")
        file = next((file for file in files if file.reference == chosen), None) if chosen else None
        if chosen and file is None:
            raise CannotContinue("This image was deleted.")
        if file is None:
            return None
        files.touch([file.reference])
        return [_image_block(file.media_type, file.reference)]
    if upload.size > MAX_IMAGE_BYTES:
        raise CannotContinue(f"The image is larger than {MAX_IMAGE_BYTES // 2**20} MiB.")
    data = upload.read()
    try:
        media_type = recognise(data).media_type
    except UnknownFileError:
        media_type = ""
    if not media_type.startswith("image/"):
        raise CannotContinue("The file is not a PNG, JPEG, GIF or WebP image.")
    try:
        stored = attachment_store.store(data, upload.name or "", **editing.owner_fields(request))
    except StorageQuotaError as problem:
        raise CannotContinue(str(problem)) from None
    return [_image_block(media_type, stored.reference)]


def _image_block(media_type: str, reference: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": reference}}
