"""What browsers are told to remember of a site behind HTTPS: a year, and nothing for other names, unless asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving.rig import manage
from tests.support.examples import one_of_each

YEAR = "max-age=31536000"
PUBLIC = {"PLAYGROUND_PUBLIC_URL": "https://play.example"}
TOLD = """
from django.test import Client
from playground.serving.early_answers import early_answer
page = Client(headers={"host": "play.example"}).get("/accounts/login/", secure=True)
path = next(path for path in __import__("playground.serving.static_files", fromlist=["x"])._served_files().files)
file = dict(early_answer({"method": "GET", "path": path, "headers": []})[0]["headers"])
print("TOLD", [page.headers.get("strict-transport-security", ""), file.get(b"strict-transport-security", b"").decode()])
"""


@pytest.mark.parametrize(
    ("environment", "expected"),
    one_of_each(
        [
            ({}, ""),
            ({"PLAYGROUND_HTTPS": "1"}, YEAR),
            (PUBLIC, YEAR),
            (PUBLIC | {"PLAYGROUND_HTTPS": "0"}, ""),
            (PUBLIC | {"PLAYGROUND_HSTS": "600"}, "max-age=600"),
            (PUBLIC | {"PLAYGROUND_HSTS": "0"}, ""),
            (PUBLIC | {"PLAYGROUND_HSTS_SUBDOMAINS": "1"}, f"{YEAR}; includeSubDomains"),
            (
                PUBLIC | {"PLAYGROUND_HSTS_SUBDOMAINS": "1", "PLAYGROUND_HSTS_PRELOAD": "1"},
                f"{YEAR}; includeSubDomains; preload",
            ),
            ({"PLAYGROUND_HSTS": "600", "PLAYGROUND_HSTS_PRELOAD": "1"}, ""),
        ],
        lambda case: case[1] == "",
    ),
)
def test_pages_and_files_tell_browsers_the_same_of_https(
    environment: dict[str, str], expected: str, used_folder: Any
) -> None:
    told = manage(used_folder.path, "shell", "-c", TOLD, PLAYGROUND_ALLOWED_HOSTS="play.example", **environment)
    assert f"TOLD {[expected, expected]}" in told.stdout
    assert "PLAYGROUND_" not in told.stderr
