"""Make or change a connection. The credential and the headers' values go in and never come out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from accounts import addresses
from accounts.forms.people import style
from accounts.models import Connection, User
from accounts.models.connection import SANDBOX
from accounts.vault import VaultError

ASK_AGAIN = "The base URL has changed: type {what} again, so that no secret goes where you did not send it."


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One row of the default headers in the form. `kept` is the place of a stored header whose value stays."""

    name: str = ""
    masked: str = ""
    kept: str = ""


class ConnectionForm(forms.ModelForm):
    """`owner` None makes or changes an upstream for everyone.

    Header rows arrive as three lists of the same length: `header_name`, `header_value`, `header_kept`.
    """

    credential = forms.CharField(
        required=False,
        label="credential",
        help_text="The provider's key. Encrypted when stored, never shown again.",
        max_length=addresses.LONGEST_SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    headers = forms.Field(required=False)  # not shown as such: it carries the problems of the rows
    remove_credential = forms.BooleanField(required=False, label="Remove the credential")

    headers_field = "headers"

    class Meta:
        model = Connection
        fields = ("name", "base_url", "auth_style", "anthropic_version")
        labels = {
            "name": "name",
            "base_url": "base URL",
            "auth_style": "auth",
            "anthropic_version": "anthropic-version",
        }
        help_texts = {
            "name": "What you choose it by.",
            "base_url": "With or without /v1 at its end. Requests go to …/v1/messages.",
            "anthropic_version": "The header's value, unless a request says otherwise.",
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
            self.fields["credential"].widget.attrs["placeholder"] = f"{self.instance.masked_credential} (stays)"

    # --- Fields one by one ---------------------------------------------------------------------------------------

    def clean_name(self) -> str:
        """One name, one upstream: a name must not stand for two of those a user can choose from."""
        name = self.cleaned_data["name"]
        others = Connection.objects.exclude(pk=self.instance.pk).filter(Q(owner=self.owner) | Q(owner=None))
        if name.lower() == SANDBOX.lower() or others.filter(name__iexact=name).exists():
            raise forms.ValidationError("There is a connection of this name already.")
        return name

    def clean_base_url(self) -> str:
        try:
            return addresses.clean_base_url(self.cleaned_data["base_url"])
        except addresses.RefusedError as refused:
            raise forms.ValidationError(str(refused)) from None

    def clean_anthropic_version(self) -> str:
        version = self.cleaned_data["anthropic_version"]
        if not version.isascii() or not version.replace("-", "").replace(".", "").isalnum():
            raise forms.ValidationError("A version looks like 2023-06-01.")
        return version

    @sensitive_variables()
    def clean_credential(self) -> str:
        try:
            return addresses.clean_credential(self.cleaned_data["credential"])
        except addresses.RefusedError as refused:
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
                addresses.check_headers(self.new_headers)
        except addresses.RefusedError as refused:
            self.add_error(self.headers_field, str(refused))
        except VaultError as problem:
            self.add_error(self.headers_field, str(problem))
        return values

    @sensitive_variables()
    def typed_headers(self) -> list[tuple[str, str]] | None:
        """The headers to store; None when they stay as they are. Raises `RefusedError` and `VaultError`."""
        rows = list(zip(*(self.data.getlist(f"header_{part}") for part in ("name", "value", "kept")), strict=False))
        rows = [(name.strip(), value.strip(), kept) for name, value, kept in rows if name.strip() or value.strip()]
        stored = self.stored_headers_if_needed(rows)
        headers = []
        for name, value, kept in rows:
            if not value and kept.isdecimal() and int(kept) < len(stored):
                if self.url_changes:
                    raise addresses.RefusedError(ASK_AGAIN.format(what=f"the value of {name}"))
                value = stored[int(kept)][1]
            headers.append((name, value))
        return None if headers == stored and not self.url_changes else headers

    def stored_headers_if_needed(self, rows: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
        """Stored headers that cannot be read must not stop somebody from typing all of them anew."""
        try:
            return self.instance.headers()
        except VaultError:
            if all(value for _name, value, _kept in rows) and (rows or not self.url_changes):
                return []
            raise

    @property
    def header_rows(self) -> list[HeaderRow]:
        """The rows to show: stored ones masked, what was typed without its value, and an empty one."""
        try:
            stored = self.instance.masked_headers()
        except VaultError:
            stored = []
        if not self.is_bound:
            return [*(HeaderRow(name, masked, str(at)) for at, (name, masked) in enumerate(stored)), HeaderRow()]
        typed = zip(self.data.getlist("header_name"), self.data.getlist("header_kept"), strict=False)
        rows = []
        for name, kept in typed:
            is_stored = kept.isdecimal() and int(kept) < len(stored)
            rows.append(HeaderRow(name, stored[int(kept)][1] if is_stored else "", kept if is_stored else ""))
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
        connection = super().save(commit=False)
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
