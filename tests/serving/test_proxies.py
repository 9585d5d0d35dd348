"""The documented settings of nginx and Caddy, with those servers in front: nothing is delayed, sockets pass, the
client's address is right."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving.rig import ROOT, get

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW = {
    "model": "sandbox-slow",
    "max_tokens": 4000,
    "stream": True,
    "messages": [{"role": "user", "content": "Explain server-sent events, with a table."}],
}


SESSION = (
    "from django.contrib.auth import *; from accounts.models import User; from importlib import import_module; "
    "from django.conf import settings; s = import_module(settings.SESSION_ENGINE).SessionStore(); "
    "u = User.objects.get(); "
    "s[SESSION_KEY] = str(u.pk); s[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]; "
    "s[HASH_SESSION_KEY] = u.get_session_auth_hash(); s.save(); print(s.session_key)"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def nginx(folder: Path, port: int, upstream: str) -> list[str]:
    text = (ROOT / ".deploy/nginx.conf").read_text()
    text = re.sub(r"ssl_certificate\S* [^;]+;", "", text).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8000", upstream).replace("$scheme", "https")  # as if TLS had ended here
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    http = f"http {{ access_log off; {paths} {text} }}"
    main = f"pid {folder}/pid; error_log {folder}/log; daemon off; events {{}} {http}"
    (folder / "nginx.conf").write_text(main)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, upstream: str) -> list[str]:
    text = (ROOT / ".deploy/Caddyfile").read_text().replace("127.0.0.1:8000", upstream)
    text = text.replace("\nplayground.example {", f"\nhttp://playground.example:{port} {{")
    text = text.replace("flush_interval -1", "flush_interval -1\n\t\theader_up X-Forwarded-Proto https")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def behind(request: pytest.FixtureRequest, serve: Any, tmp_path: Path) -> Iterator[tuple[Any, str]]:
    if shutil.which(request.param.__name__) is None:
        pytest.skip(f"{request.param.__name__} is not installed")
    serving = serve(
        PLAYGROUND_PUBLIC_URL="https://playground.example",
        PLAYGROUND_ALLOWED_HOSTS="playground.example",
        PLAYGROUND_TRUSTED_PROXIES="1",
    )
    match = re.search(r"port (\d+)", serving.until("listening on port"))
    assert match is not None
    port = free_port()
    command = request.param(tmp_path, port, f"127.0.0.1:{match[1]}")
    with subprocess.Popen(command, cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin"}) as proxy:
        try:
            url = f"http://127.0.0.1:{port}/"
            for _ in range(100):
                try:
                    if get(url + "healthz", headers={"host": "playground.example"}).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield serving, url
        finally:
            proxy.terminate()


@pytest.mark.slow
def test_nothing_is_delayed_or_lost_behind_the_documented_proxy(behind: tuple[Any, str]) -> None:
    serving, url = behind
    named = {"host": "playground.example", "x-forwarded-for": "9.9.9.9"}
    assert get(url, headers=named).status_code == 200
    headers = named | {"x-api-key": serving.new_key()}
    with httpx.stream("POST", f"{url}v1/messages", json=SLOW, headers=headers, timeout=90) as answer:
        chunks = answer.iter_text()  # kept: a forgotten iterator hangs up
        assert "message_start" in next(chunks)
        rows: list[tuple[str, str]] = []
        while not rows:
            with sqlite3.connect(serving.data / "playground.sqlite3") as database:
                rows = database.execute("SELECT state, client_address FROM playground_run").fetchall()
        assert rows == [("running", "127.0.0.1")]  # the first event is here, the last one is far away
    upgrade = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13"}
    upgrade |= {"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "origin": "https://playground.example"}
    cookie = {"cookie": f"sessionid={serving.manage('shell', '--no-imports', '-c', SESSION).split()[-1]}"}
    assert get(f"{url}ws/requests/", headers=named | upgrade | cookie).status_code == 101
    large = httpx.post(f"{url}v1/messages", content=b"x" * 20_000_000, headers=named, timeout=90)
    assert large.status_code == 401


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_readme_names_the_files(name: str) -> None:
    assert f"(.deploy/{name})" in (ROOT / "README.md").read_text()
