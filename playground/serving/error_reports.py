"""The page about an internal error while `PLAYGROUND_DEBUG` is on."""

from __future__ import annotations

from collections.abc import ItemsView
from typing import Any

from django.views.debug import SafeExceptionReporterFilter


class HiddenValuesFilter(SafeExceptionReporterFilter):
    """Shows where it broke, without any value: every frame may hold a credential, and so may what was posted.

    Django's own filter does nothing at all while DEBUG is on.
    """

    def is_active(self, request: Any) -> bool:
        return True

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def get_post_parameters(self, request: Any) -> Any:
        posted = request.POST.copy() if request is not None else {}
        for name in posted:
            posted[name] = self.cleansed_substitute
        return posted

    def get_safe_request_meta(self, request: Any) -> dict[str, Any]:
        return {name: value for name, value in super().get_safe_request_meta(request).items() if name[:5] != "HTTP_"}

    def get_safe_cookies(self, request: Any) -> dict[str, Any]:
        return dict.fromkeys(super().get_safe_cookies(request), self.cleansed_substitute)
