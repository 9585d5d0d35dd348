"""When the server counts as its operator's own, and may call model servers on the same machine."""

from __future__ import annotations

from typing import Any

import pytest

from playground.management.commands.serve import Command


@pytest.mark.parametrize(
    ("hosts", "public_url", "may_call_loopback"),
    [
        (["localhost", "127.0.0.1", "[::1]"], "", True),
        (["playground.example"], "", False),
        (["localhost", "127.0.0.1", "[::1]"], "https://playground.example", False),
    ],
)
def test_behind_a_proxy_a_loopback_address_does_not_make_it_a_personal_tool(
    settings: Any, hosts: list[str], public_url: str, may_call_loopback: bool
) -> None:
    settings.ALLOW_LOOPBACK_UPSTREAMS, settings.MAX_BIG_BODIES_PER_ADDRESS = False, 2
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = hosts, public_url
    Command().check_host("127.0.0.1")
    assert settings.ALLOW_LOOPBACK_UPSTREAMS is may_call_loopback
    # Nobody else's large bodies are in the way of the only user's.
    assert (settings.MAX_BIG_BODIES if may_call_loopback else 2) == settings.MAX_BIG_BODIES_PER_ADDRESS
