"""The site below a path of its host, whether the proxy in front passes the path on or takes it off."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.serving.rig import get, post
from tests.serving.test_server_sockets import WebSocket

QUESTION = {"model": "sandbox-echo", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def site(serve_all: Any) -> tuple[Any, str]:
    serving = serve_all(
        PLAYGROUND_PUBLIC_URL="http://127.0.0.1:1/tools/playground", PLAYGROUND_ALLOWED_HOSTS="127.0.0.1"
    )
    line = serving.until("Messages Playground is at")
    assert "http://127.0.0.1:1/tools/playground/" in line
    match = re.search(r"listening on port (\d+)", line)
    assert match is not None
    return serving, f"http://127.0.0.1:{match[1]}"


def test_pages_files_relay_sockets_redirects_and_cookies_lie_below_it(site: tuple[Any, str]) -> None:
    serving, host = site
    base = f"{host}/tools/playground"
    page = get(f"{base}/")
    assert page.status_code == 200
    inside = re.findall(r'(?:href|src|action|hx-get|hx-post|data-[\w-]+)="(/[^"]*)"', page.text)
    assert inside
    assert [address for address in inside if not address.startswith("/tools/playground/")] == []
    files = [address for address in inside if "/static/" in address and "." in address.rpartition("/")[2]]
    assert {get(host + address).status_code for address in files} == {200}
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all("Path=/tools/playground/" in cookie for cookie in cookies)
    gone_to = get(f"{base}/connections/").headers["location"]
    assert gone_to.startswith("/tools/playground/accounts/login/")
    headers = {"x-api-key": serving.new_key()}
    assert post(f"{base}/v1/messages", json=QUESTION, headers=headers).status_code == 200
    assert get(f"{base}/v1/nothing", headers=headers).json()["type"] == "error"
    assert get(f"{base}/healthz").text == "ok\n"
    opened = WebSocket(f"{host}/", "/tools/playground/ws/requests/", cookie="none")
    opened.socket.close()
    assert opened.status in {101, 403}


def test_a_proxy_may_take_the_path_off(site: tuple[Any, str]) -> None:
    serving, host = site
    page = get(f"{host}/")
    assert page.status_code == 200
    assert 'data-root="/tools/playground/"' in page.text
    assert get(f"{host}/connections/").headers["location"].startswith("/tools/playground/accounts/login/")
    headers = {"x-api-key": serving.new_key()}
    assert post(f"{host}/v1/messages", json=QUESTION, headers=headers).status_code == 200


def test_large_bodies_are_let_in_below_it_too(site: tuple[Any, str]) -> None:
    _, host = site
    sent = post(f"{host}/tools/playground/send", content=b"x" * 2_000_000)
    assert sent.status_code != 413
    assert post(f"{host}/tools/playground/accounts/login/", content=b"x" * 2_000_000).status_code == 413
