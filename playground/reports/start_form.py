"""The form that starts a report."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms

from accounts.models import Connection
from playground.conformance.checks import AREAS, CHECKS
from playground.conformance.direct_sender import SANDBOX_FAILING_MODEL
from playground.conformance.plan import MOST_AT_ONCE, Estimate, Plan, chosen, estimate

if TYPE_CHECKING:
    from accounts.models import User

SANDBOX = "sandbox"
SANDBOX_MODEL = "sandbox-stories"


class StartForm(forms.Form):
    """Chooses the server, the model and the extent. It offers only one's own connections, and the sandbox."""

    connection = forms.ChoiceField()
    model = forms.CharField(max_length=200, strip=True, initial=SANDBOX_MODEL)
    areas = forms.MultipleChoiceField(choices=list(AREAS.items()), initial=list(AREAS))
    cap_usd = forms.DecimalField(min_value=Decimal(0), max_value=1000, required=False, initial=Decimal("0.50"))
    cap_tokens = forms.IntegerField(min_value=1, max_value=10**9, required=False, initial=200_000)
    pace = forms.IntegerField(min_value=1, max_value=6_000, required=False)
    at_once = forms.TypedChoiceField(
        choices=[(number, str(number)) for number in range(1, MOST_AT_ONCE + 1)], coerce=int, initial=2
    )
    failing_model = forms.CharField(max_length=200, required=False, strip=True)

    def __init__(self, user: User, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.connections = {str(each.pk): each for each in Connection.objects.owned_by(user)}
        if user.is_staff:
            self.connections |= {str(each.pk): each for each in Connection.objects.filter(owner=None)}
        self.fields["connection"].choices = [  # type: ignore[attr-defined]
            (SANDBOX, "Sandbox"),
            *((pk, f"{each.name} · {each.base_url}") for pk, each in self.connections.items()),
        ]

    def chosen_connection(self) -> Connection | None:
        """None is the sandbox. Of a form that is valid."""
        return self.connections.get(self.cleaned_data["connection"])

    def plan(self) -> Plan:
        """Return the plan of a valid form."""
        data = self.cleaned_data
        is_sandbox = data["connection"] == SANDBOX
        failing = data["failing_model"] or (SANDBOX_FAILING_MODEL if is_sandbox else "")
        return Plan(
            data["model"],
            chosen(data["areas"]),
            data["at_once"],
            data["pace"],
            data["cap_usd"],
            data["cap_tokens"],
            failing,
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_complete = data.get("model") and data.get("areas")
        if is_complete and data.get("cap_tokens") is None and estimate_of(data["areas"], data["model"]).usd is None:
            self.add_error("cap_tokens", "The price of this model is unknown. Set a limit in tokens instead.")
        return data


def estimate_of(areas: list[str], model: str) -> Estimate:
    """Estimate what these areas will send; areas that are unknown count as none."""
    known = [area for area in areas if area in AREAS]
    return estimate(chosen(known) if known else (), model)


def area_choices() -> list[dict[str, Any]]:
    """Each area with its figures."""
    choices = []
    for area, title in AREAS.items():
        own = [check for check in CHECKS if check.area == area]
        choices.append({"name": area, "title": title, "checks": len(own), "requests": estimate(own, "").requests})
    return choices
