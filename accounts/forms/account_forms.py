"""Sign up, change the password, delete the account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from accounts.requests import AuthenticatedHttpRequest

WRONG_PASSWORD = "Wrong password."  # noqa: S105


def style(form: forms.BaseForm) -> None:
    """Give every text field the look of the pages."""
    for field in form.fields.values():
        if not isinstance(field.widget, forms.CheckboxInput):
            field.widget.attrs.setdefault("class", "field")
        field.widget.attrs.pop("autofocus", None)


@sensitive_variables("password")
def password_is_right(request: HttpRequest, password: str) -> bool:
    """Ask the way a log-in does, so that wrong guesses count towards the lock-out."""
    return authenticate(request, username=request.user.get_username(), password=password) == request.user


class LoginForm(auth_forms.AuthenticationForm):
    """Says the same of an unknown name, a wrong password and a deactivated account."""

    error_messages = {
        "invalid_login": "Wrong username or password.",
        "inactive": "Wrong username or password.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style(self)


class ErrorsAtFirstPasswordField(auth_forms.SetPasswordMixin):
    """What is wrong with a new password is said at its own field, not where it is repeated, as Django does."""

    def validate_password_for_user(self, user: AbstractBaseUser, password_field_name: str = "password2") -> None:  # noqa: S107
        super().validate_password_for_user(user, password_field_name=password_field_name.removesuffix("2") + "1")


class SignUpForm(ErrorsAtFirstPasswordField, auth_forms.BaseUserCreationForm):
    """A name and a password. No mail address is asked for, because none is needed."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style(self)
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["password1"].help_text = "At least 8 characters, not common, not only digits."
        self.fields["password2"].label = "Password again"
        self.fields["password2"].help_text = ""

    def clean_username(self) -> str:
        """Names that differ only in case would be mistaken for each other."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError("This name is taken.")
        return username


class PasswordChangeForm(ErrorsAtFirstPasswordField, auth_forms.PasswordChangeForm):
    def __init__(self, request: AuthenticatedHttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(request.user, *args, **kwargs)
        style(self)
        self.fields["old_password"].label = "Current password"
        self.fields["new_password1"].help_text = "At least 8 characters, not common, not only digits."
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not password_is_right(self.request, password):
            raise forms.ValidationError(WRONG_PASSWORD)
        return password


class AdminPasswordForm(auth_forms.AdminPasswordChangeForm):
    """A new password for somebody who has forgotten theirs, set in the admin."""

    def validate_password_for_user(self, user: AbstractBaseUser, **kwargs: Any) -> None:
        at_its_own = kwargs | {"password_field_name": "password1"}
        super().validate_password_for_user(user, **at_its_own)  # type: ignore[misc]  # not in the stubs


class AdminUserForm(auth_forms.AdminUserCreationForm):
    """Somebody new, made in the admin."""

    def validate_password_for_user(self, user: AbstractBaseUser, **kwargs: Any) -> None:
        at_its_own = kwargs | {"password_field_name": "password1"}
        super().validate_password_for_user(user, **at_its_own)


class DeleteAccountForm(forms.Form):
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "field"})
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not password_is_right(self.request, password):
            raise forms.ValidationError(WRONG_PASSWORD)
        return password


class KeepContentForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("keep_content",)
