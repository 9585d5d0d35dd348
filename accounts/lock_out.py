"""Locks somebody out for a while after wrong passwords, which axes counts in the database."""

from __future__ import annotations

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt, AccessLog
from django.db.models import Sum
from django.utils import timezone

# So many times as many wrong passwords as one address may send for one account are let pass in all: for one account
# from all addresses, and from one address for all accounts. Else many addresses, or many names, would be no limit.
WIDE = 5
KNOWN_DAYS = 90  # for which it is remembered from where somebody has logged in


class Handler(AxesDatabaseHandler):
    """Axes' own, and the wide limits. They are not for an address from which the account was logged in to before:
    otherwise a stranger could lock out a known user."""

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        pair: int = super().get_failures(request, credentials)
        username, address = get_client_username(request, credentials), request.axes_ip_address
        recent = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
        sums = (
            recent.filter(**whose).aggregate(all=Sum("failures_since_start"))["all"] or 0
            for whose in ({"username": username}, {"ip_address": address})
        )
        wide = max(sums) // WIDE
        if wide <= pair or AccessLog.objects.filter(username=username, ip_address=address).exists():
            return pair
        return wide


def forget_old() -> None:
    """Delete what no longer counts. Axes itself does so for attempts, but only when somebody logs in, fails to or logs
    out."""
    AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - get_cool_off()).delete()
    Handler().reset_logs(age_days=KNOWN_DAYS)
