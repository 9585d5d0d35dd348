"""Make or change a connection. The credential and the headers' values go in and never come out again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from accounts import addresses
from accounts.forms.account_forms import style
from accounts.models import Connection, User
from accounts.models.connection import SANDBOX, DefaultHeader
from accounts.vault import VaultError

if TYPE_CHECKING:
    from django.http import QueryDict

ASK_AGAIN = "The base URL has changed: enter {what} again, so that no secret is sent to a new address by accident."


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One row of the default headers in the form. `kept` is the place of a stored header whose value stays; `value`
    is shown of those that are no secrets."""

    name: str = ""
    masked: str = ""
    kept: str = ""
    value: str = ""
    is_secret: bool = True


class ConnectionForm(forms.ModelForm):
    """`owner` None makes or changes an upstream for everyone.

    Header rows arrive as lists of the same length: `header_name`, `header_value`, `header_kept` and `header_secret`
    (`no` for a value that may be shown).
    """

    credential = forms.CharField(
        required=False,
        label="Credential",
        help_text="The key from the provider. Encrypted when stored, never shown again.",
        max_length=addresses.LONGEST_SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    headers = forms.Field(required=False)  # not shown as such: it carries the problems of the rows
    remove_credential = forms.BooleanField(required=False, label="Remove the credential")

    headers_field = "headers"

    class Meta:
        model = Connection
        fields: tuple[str, ...] = ("name", "base_url", "auth_style", "anthropic_version")
        labels = {
            "name": "Name",
            "base_url": "Base URL",
            "auth_style": "Authentication",
            "anthropic_version": "anthropic-version",
        }
        help_texts = {
            "name": "Shown in the connection menu.",
            "base_url": "With or without /v1 at its end. Requests go to …/v1/messages.",
            "anthropic_version": "Sent unless a request sets another one.",
        }
        widgets = {
            "base_url": forms.TextInput(
                attrs={"placeholder": "https://api.anthropic.com", "inputmode": "url", "spellcheck": "false"}
            ),
            "auth_style": forms.RadioSelect,
        }

    def __init__(self, *args: Any, owner: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.stored_url = self.instance.base_url
        self.is_new = self.instance._state.adding
        style(self)
        self.fields["auth_style"].widget.attrs.pop("class")
        for name in ("base_url", "credential", "anthropic_version"):
            self.fields[name].widget.attrs["class"] = "field field-code"
        if self.instance.has_credential:
            self.fields["credential"].widget.attrs["placeholder"] = f"{self.instance.masked_credential} (unchanged)"

    # --- Fields one by one ---------------------------------------------------------------------------------------

    def clean_name(self) -> str:
        """One name, one upstream: a name must not stand for two of those a user can choose from."""
        name: str = self.cleaned_data["name"]
        others = Connection.objects.exclude(pk=self.instance.pk).filter(Q(owner=self.owner) | Q(owner=None))
        if name.lower() == SANDBOX.lower() or others.filter(name__iexact=name).exists():
            raise forms.ValidationError("You already have a connection with this name.")
        return name

    def clean_base_url(self) -> str:
        try:
            return addresses.clean_base_url(self.cleaned_data["base_url"])
        except addresses.ConnectionValueError as refused:
            raise forms.ValidationError(str(refused)) from None

    def clean_anthropic_version(self) -> str:
        version: str = self.cleaned_data["anthropic_version"]
        if not version.isascii() or not version.replace("-", "").replace(".", "").isalnum():
            raise forms.ValidationError("A version looks like 2023-06-01.")
        return version

    @sensitive_variables()
    def clean_credential(self) -> str:
        try:
            return addresses.clean_credential(self.cleaned_data["credential"])
        except addresses.ConnectionValueError as refused:
            raise forms.ValidationError(str(refused)) from None

    # --- Together ------------------------------------------------------------------------------------------------

    @property
    def url_changes(self) -> bool:
        return not self.is_new and self.cleaned_data.get("base_url", self.stored_url) != self.stored_url

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        keeps = self.instance.has_credential and not values.get("credential") and not values.get("remove_credential")
        if self.url_changes and keeps and "credential" not in self.errors:
            self.add_error("credential", ASK_AGAIN.format(what="the credential"))
        try:
            self.new_headers = self.typed_headers()
            if self.new_headers is not None:
                addresses.check_headers([(header.name, header.value) for header in self.new_headers])
        except addresses.ConnectionValueError as refused:
            self.add_error(self.headers_field, str(refused))
        except VaultError as problem:
            self.add_error(self.headers_field, str(problem))
        return values

    @sensitive_variables()
    def typed_headers(self) -> list[DefaultHeader] | None:
        """The headers to store; None when they stay as they are. Raises `ConnectionValueError` and `VaultError`."""
        rows = [row for row in self.typed_rows() if row.name or row.value]
        stored = self.stored_headers_if_needed(rows)
        headers = []
        for row in rows:
            value = row.value
            if not value and row.kept.isdecimal() and int(row.kept) < len(stored):
                kept = stored[int(row.kept)]
                if self.url_changes and kept.is_secret:
                    raise addresses.ConnectionValueError(ASK_AGAIN.format(what=f"the value of {row.name}"))
                if kept.is_secret and not row.is_secret:
                    raise addresses.ConnectionValueError(f"Enter the value of {row.name} again, as it will be visible.")
                value = kept.value
            headers.append(DefaultHeader(row.name, value, row.is_secret))
        return None if headers == stored and not self.url_changes else headers

    def typed_rows(self) -> list[HeaderRow]:
        posted = cast("QueryDict", self.data)
        lists = (posted.getlist(f"header_{part}") for part in ("name", "value", "kept", "secret"))
        rows = itertools.zip_longest(*lists, fillvalue="")
        return [
            HeaderRow(name.strip(), kept=kept, value=value.strip(), is_secret=mark != "no")
            for name, value, kept, mark in rows
        ]

    def stored_headers_if_needed(self, rows: list[HeaderRow]) -> list[DefaultHeader]:
        """Stored headers that cannot be read must not stop somebody from typing all of them again."""
        try:
            headers: list[DefaultHeader] = self.instance.marked_headers()
            return headers
        except VaultError:
            if all(row.value for row in rows) and (rows or not self.url_changes):
                return []
            raise

    @property
    def header_rows(self) -> list[HeaderRow]:
        """The rows to show: secrets masked, without a value that was just typed, and an empty one."""
        try:
            stored = self.instance.marked_headers()
            masked = [shown for _name, shown in self.instance.masked_headers()]
        except VaultError:
            stored, masked = [], []
        if not self.is_bound:
            rows = [
                HeaderRow(
                    header.name,
                    masked=masked[at] if header.is_secret else "",
                    kept=str(at),
                    value="" if header.is_secret else header.value,
                    is_secret=header.is_secret,
                )
                for at, header in enumerate(stored)
            ]
            return [*rows, HeaderRow()]
        rows = []
        for row in self.typed_rows():
            is_stored = row.kept.isdecimal() and int(row.kept) < len(stored)
            kept = stored[int(row.kept)] if is_stored else None
            rows.append(
                HeaderRow(
                    row.name,
                    masked=masked[int(row.kept)] if kept is not None and kept.is_secret else "",
                    kept=row.kept if is_stored else "",
                    value="" if row.is_secret else row.value,
                    is_secret=row.is_secret,
                )
            )
        return rows or [HeaderRow()]

    @property
    def unreadable(self) -> str:
        """Why the stored secrets cannot be read; "" when they can."""
        try:
            self.instance.secrets()
        except VaultError as problem:
            return str(problem)
        return ""

    @sensitive_variables()
    def save(self, commit: bool = True) -> Connection:
        connection: Connection = super().save(commit=False)
        if self.is_new:
            connection.owner = self.owner
        if self.cleaned_data["credential"] or self.cleaned_data["remove_credential"]:
            connection.set_credential(self.cleaned_data["credential"])
        if self.new_headers is not None:
            connection.set_headers(self.new_headers)
        if self.changed_data or self.new_headers is not None:
            connection.tested_at = connection.test_passed = None
            connection.test_result = ""
        if commit:
            connection.save()
        return connection
