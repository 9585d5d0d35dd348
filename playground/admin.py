"""Operators' pages about runs and shares: figures, titles and readers, never what was sent, answered or shared."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from playground.models import Run, ShareLink


class LookOnlyAdmin(admin.ModelAdmin):
    show_full_result_count = False  # a second count of all rows, for one number

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(LookOnlyAdmin):
    list_display = ("started_at", "owner", "model", "state", "http_status", "source", "duration_ms", "cost_usd")
    list_select_related = ("owner",)
    ordering = ("-pk",)
    search_fields = ("owner__username", "request_id")
    fields = (
        "id",
        "owner",
        "started_at",
        "state",
        "failure_kind",
        "http_status",
        "request_id",
        "source",
        "endpoint",
        "model",
        "stream",
        "connection_name",
        "access_key_name",
        "user_agent",
        "client_address",
        "request_size",
        "received_size",
        "event_count",
        "first_byte_ms",
        "first_token_ms",
        "duration_ms",
        "input_tokens",
        "output_tokens",
        "counted_tokens",
        "cost_usd",
        "content_kept",
    )


@admin.register(ShareLink)
class ShareLinkAdmin(LookOnlyAdmin):
    """To find a share that somebody complained about, and to close it."""

    list_display = ("hint", "title", "owner", "state", "audience", "made_at", "expires_at", "opened_count")
    list_select_related = ("owner",)
    ordering = ("-made_at",)
    search_fields = ("owner__username", "hint")
    fields = ("hint", "title", "owner", "state", "audience", "made_at", "expires_at", "revoked_at", "taken_down_at")
    actions = ["take_down"]

    def has_take_down_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("playground.change_sharelink")

    @admin.action(description="Take the selected shares down", permissions=["take_down"])
    def take_down(self, request: HttpRequest, shares: QuerySet[ShareLink]) -> None:
        shares.filter(taken_down_at=None).update(taken_down_at=timezone.now())
        self.message_user(request, "Taken down. Whoever opens one now is told that it is not there.")
