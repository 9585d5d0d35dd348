from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms.account_forms import style
from accounts.models import AccessKey, Connection, User
from accounts.models.connection import SANDBOX

MOST_MODELS = 50
LONGEST_MODEL = 200
LIFETIMES = (("", "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))


class AccessKeyForm(forms.Form):
    """A new key of `owner`. Connections are those the owner can use; none chosen is the sandbox."""

    name = forms.CharField(max_length=80, label="Name", help_text="Where it is used, such as on a laptop.")
    connection = forms.ModelChoiceField(
        Connection.objects.none(),
        required=False,
        label="Connection",
        empty_label=SANDBOX,
        help_text="Where its requests are sent.",
    )
    lifetime_days = forms.ChoiceField(choices=LIFETIMES, required=False, label="Expires")
    models = forms.CharField(
        required=False,
        label="Models",
        max_length=MOST_MODELS * LONGEST_MODEL,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One per line. Empty allows all.",
    )
    requests_per_minute = forms.IntegerField(
        required=False, label="Requests per minute", min_value=1, max_value=100_000, help_text="Empty: no limit."
    )
    tokens_per_day = forms.IntegerField(
        required=False, label="Tokens per day", min_value=1, max_value=10**15, help_text="Empty: no limit."
    )
    keep_content = forms.BooleanField(required=False, initial=True, label="Store content")

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        connections = self.fields["connection"]
        assert isinstance(connections, forms.ModelChoiceField)
        connections.queryset = Connection.objects.usable_by(owner)
        style(self)
        self.fields["models"].widget.attrs["class"] = "field field-code"

    def clean_name(self) -> str:
        """Two working keys of one name could not be told apart when one has to be revoked."""
        name: str = self.cleaned_data["name"]
        if AccessKey.objects.owned_by(self.owner).filter(name__iexact=name, revoked_at=None).exists():
            raise forms.ValidationError("You already have a key with this name.")
        return name

    def clean_models(self) -> list[str]:
        models = list(dict.fromkeys(re.split(r"[\s,]+", self.cleaned_data["models"].strip())))
        models = [model for model in models if model]
        if len(models) > MOST_MODELS or any(len(model) > LONGEST_MODEL for model in models):
            raise forms.ValidationError(f"At most {MOST_MODELS} models of {LONGEST_MODEL} characters each.")
        return models

    def issue(self) -> tuple[AccessKey, str]:
        """Make the key that was asked for; the second value is its secret, to be shown once."""
        values = dict(self.cleaned_data)
        days = values.pop("lifetime_days")
        expires_at = timezone.now() + dt.timedelta(days=int(days)) if days else None
        return AccessKey.objects.issue(owner=self.owner, expires_at=expires_at, **values)
