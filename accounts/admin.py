"""Operators' pages. They show no secret: of a credential the last four characters, of a key its hint."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.addresses import ConnectionValueError
from accounts.forms.account_forms import AdminPasswordForm, AdminUserForm
from accounts.forms.connection_form import ConnectionForm
from accounts.models import AccessKey, Connection, User
from accounts.models.connection import DefaultHeader


@admin.register(User)
class AccountAdmin(UserAdmin):
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Log", {"fields": ("keep_content",)}))
    add_form = AdminUserForm
    change_password_form = AdminPasswordForm


class OperatorConnectionForm(ConnectionForm):
    """Upstreams for everyone. Default headers are written one a line, and as little shown again as the credential."""

    headers = None  # type: ignore[assignment]  # as Django takes a field of the class above away
    headers_field = "header_lines"
    header_lines = forms.CharField(
        required=False,
        label="secret default headers",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One per line, as Name: value. It and the field below replace all stored headers; leave both "
        "empty to keep them.",
    )
    public_header_lines = forms.CharField(
        required=False,
        label="default headers that are not secret",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The same, for values that are no secrets, such as a title or a referer.",
    )

    class Meta(ConnectionForm.Meta):
        fields: tuple[str, ...] = (*ConnectionForm.Meta.fields, "visitors_allowed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, owner=None, **kwargs)

    def typed_headers(self) -> list[DefaultHeader] | None:
        headers = [*self._lines("header_lines", is_secret=True), *self._lines("public_header_lines", is_secret=False)]
        if not headers:
            if self.url_changes and self.instance.default_headers:
                raise ConnectionValueError("The base URL has changed: type the default headers again.")
            return None
        return headers

    def _lines(self, field: str, *, is_secret: bool) -> list[DefaultHeader]:
        lines = (line.partition(":") for line in self.cleaned_data.get(field, "").splitlines() if line.strip())
        return [DefaultHeader(name.strip(), value.strip(), is_secret) for name, _colon, value in lines]


@admin.register(Connection)
class ConnectionAdmin(admin.ModelAdmin):
    """Upstreams for everyone can be made and changed; those of users only seen and deleted."""

    list_display = ("name", "owner_name", "base_url", "auth_style", "credential_shown", "visitors_allowed", "tested_at")
    list_filter = ("auth_style", "visitors_allowed")
    search_fields = ("name", "base_url", "owner__username")
    list_select_related = ("owner",)
    readonly_fields = ("owner_name", "credential_shown", "created_at", "tested_at", "test_passed", "test_result")
    fields = (
        "name",
        "owner_name",
        "base_url",
        "auth_style",
        "anthropic_version",
        "credential_shown",
        "credential",
        "remove_credential",
        "header_lines",
        "public_header_lines",
        "visitors_allowed",
        "created_at",
        "tested_at",
        "test_passed",
        "test_result",
    )

    @admin.display(description="owner", ordering="owner__username")
    def owner_name(self, connection: Connection) -> str:
        return connection.owner.username if connection.owner else "everyone"

    @admin.display(description="stored credential")
    def credential_shown(self, connection: Connection) -> str:
        return connection.masked_credential or "none"

    def has_change_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        is_own = obj is None or obj.is_for_everyone
        return is_own and super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any) -> Any:
        # As it is, not remade by Django: it would refuse a field for the encrypted column, even one that only goes in.
        if self.has_change_permission(request, obj):
            return OperatorConnectionForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        secrets = {"credential", "remove_credential", "header_lines", "public_header_lines"}
        if obj is not None and not obj.is_for_everyone:  # the form is not there, so neither are its own fields
            return [name for name in self.fields or () if name not in secrets]
        return self.fields


@admin.register(AccessKey)
class AccessKeyAdmin(admin.ModelAdmin):
    """To look at and to revoke. Keys are made by their owners, who alone see them."""

    list_display = ("name", "owner", "connection", "masked", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("owner", "connection")
    search_fields = ("name", "owner__username")
    exclude = ("digest",)
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessKey | None = None) -> bool:
        return False

    @admin.action(description="Revoke the selected keys", permissions=["delete"])
    def revoke(self, request: HttpRequest, keys: QuerySet[AccessKey]) -> None:
        for key in keys:
            key.revoke()
        self.message_user(request, "Revoked. The next request with one of them is refused.")
