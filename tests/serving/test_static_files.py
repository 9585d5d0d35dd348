"""Static files as a browser gets them from `serve`: few bytes the first time, none the second."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from django.templatetags.static import static

from tests.serving.rig import get, head, post


def test_pages_name_hashed_files_that_are_compressed_and_never_asked_for_again(serve: Any) -> None:
    serving = serve()
    url = serving.url()
    with httpx.Client(base_url=url, timeout=90, headers={"accept-encoding": "gzip"}) as client:
        page = client.get("/").text
        names = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
        assert len(names) > 5
        for name in names:
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), f"{name} has no hash"
            answer = client.get(name)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            if len(answer.content) > 1_000 and not name.endswith((".png", ".woff2")):
                assert answer.headers["content-encoding"] == "gzip", name
        others = re.findall(r'<script type="module"[^>]*src="([^"]+)"', client.get("/accounts/login/").text)
        scripts = [client.get(name).text for name in others]  # those of the first page are joined
        imports = {each for text in scripts for each in re.findall(r'(?:from|import)\s*\(?"(\.[^"]+)"', text)}
        assert imports
        assert all(re.search(r"\.[0-9a-f]{12}\.js$", each) for each in imports), imports
        ace = client.get("/static/django_ace/ace/mode-json.js")
        assert (ace.status_code, ace.headers["cache-control"]) == (200, "max-age=86400, public")
        assert client.get("/static/../settings.py").status_code == 404
        assert client.get("/static/none.js").status_code == 404
        name = min(names)
        assert client.head(name).status_code == 200
        unchanged = client.get(name, headers={"if-modified-since": client.get(name).headers["last-modified"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.slow
def test_healthz_is_answered_for_any_name_and_before_the_database(serve: Any) -> None:
    url = serve().url()
    answer = get(f"{url}healthz", headers={"host": "10.1.2.3"})
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "set-cookie" not in answer.headers
    assert (head(f"{url}healthz").status_code, post(f"{url}healthz").status_code) == (200, 405)
    assert get(url, headers={"host": "10.1.2.3"}).status_code == 400


def test_a_browser_that_asks_for_a_favicon_is_led_to_the_icon_and_gets_no_cookie(client: Any) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["location"]) == (302, static("img/icon.svg"))
    assert not answer.cookies  # they would displace those of a page that is just being opened


@pytest.mark.slow
def test_a_foreign_host_costs_one_line_of_the_log(serve: Any) -> None:
    serving = serve()
    get(serving.url(), headers={"host": "other.example"})
    printed = serving.end().splitlines()
    assert len([line for line in printed if "other.example" in line]) == 1
    assert not any("Traceback" in line or line.startswith("  ") for line in printed)
