"""Secrets go in and are found nowhere: not in a page, a frame, an export, a row, a file or a line of the log."""

from __future__ import annotations

import json
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from django.urls import reverse

from accounts.models import Connection, User
from playground.models import Conversation, Run, ShareLink
from tests.conftest import PASSWORD
from tests.guarantees import secrets_rig
from tests.guarantees.routes import ROUTES, methods
from tests.guarantees.secrets_rig import Browser, everything_logged, places_of
from tests.guarantees.stage import HEADER_VALUE, Stage, set_up
from tests.support.upstream import KEY, Handler, Upstream, text_events

TYPED = "sk-ant-typed-for-one-visit-goldammer-5521"
NEW_PASSWORD = "goldammer-is-my-password-77"


def repeats_what_it_was_told(handler: Handler) -> None:
    """A careless upstream: it says the key and the header's value in texts, errors and headers."""
    offered = handler.headers.get("x-api-key") or handler.headers.get("authorization") or ""
    words = f"your key is {offered} and your team is {handler.headers.get('x-team')}"
    if b"please fail" in handler.body:
        error = {"type": "invalid_request_error", "message": words}
        handler.send_json(400, {"type": "error", "error": error, "request_id": f"req_{offered}"})
    else:
        handler.send_events(text_events("Hello. ", words))


class Telling(Handler):
    """Answers whatever key it is offered, and keeps the body for the answering function."""

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.requests.append((self.path, dict(self.headers), self.body))
        if self.path.startswith("/v1/models"):
            self.send_json(200, {"data": [{"type": "model", "id": f"for-{self.headers.get('x-api-key')}"}]})
        elif self.path.endswith("count_tokens"):
            self.send_json(400, {"type": "error", "error": {"type": "x", "message": str(self.headers)}})
        else:
            self.server.answer(self)

    do_GET = do_POST = answer  # noqa: N815 - the names that the standard library calls


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream(repeats_what_it_was_told)
    server.RequestHandlerClass = Telling
    yield server
    server.close()


@dataclass
class Site:
    url: str
    served: Any
    stage: Stage
    logs: secrets_rig.Keeper
    upstream: Upstream

    browsers: list[Browser] = field(default_factory=list)

    def browser(self, name: str) -> Browser:
        self.browsers.append(Browser(httpx.Client(base_url=self.url, timeout=30), name))
        return self.browsers[-1]

    def settle(self) -> None:
        from playground.dispatch import process

        self.served.server.call(lambda: process.current().recorder.settle())

    def everywhere(self) -> dict[str, bytes]:
        """All that was told, stored and logged."""
        told = {place: data for browser in self.browsers for place, data in browser.told.items()}
        logs = {f"log line {number}: {line[:60]}": line.encode() for number, line in enumerate(self.logs.lines)}
        return told | secrets_rig.stored() | logs


@pytest.fixture
def site(live_url: str, served: Any, owner: User, upstream: Upstream, settings: Any, tmp_path: Any) -> Iterator[Site]:
    settings.ALLOW_LOOPBACK_UPSTREAMS = True
    settings.MEDIA_ROOT = tmp_path / "files"
    with everything_logged() as logs:
        stage = set_up(owner)
        connection = stage.connection
        connection.base_url = upstream.url
        connection.set_credential(KEY)
        connection.set_headers([("X-Team", HEADER_VALUE)])
        connection.save()
        made = Site(live_url, served, stage, logs, upstream)
        yield made
        for browser in made.browsers:
            browser.client.close()


def log_in(site: Site, name: str = "owner") -> Browser:
    browser = site.browser(name)
    answer = browser.post("/accounts/login/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def status_of(url: str) -> int:
    """Asked in a way that logs nothing here: the log is the server's."""
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def draft_of(text: str, **members: Any) -> str:
    turns = [{"role": "user", "content": text}]
    return json.dumps({"model": "second-1", "max_tokens": 20, "stream": True, "messages": turns} | members)


def version_of(browser: Browser) -> str:
    return re.search(r'data-version="(\d+)"', browser.get("/").text)[1]


def send(browser: Browser, text: str, **fields: str) -> str:
    """Press Try It!; the id of the run."""
    fields = {":version": version_of(browser), ":mode": "json", ":json": draft_of(text), ":anyway": "1"} | fields
    answer = browser.post("/send", fields)
    return re.search(r'data-run="([0-9a-f-]{36})"', answer.text)[1]


def wait_for_end(browser: Browser, run_id: str) -> None:
    for _ in range(1200):
        if 'data-state="running"' not in browser.get(f"/requests/{run_id}/answer/").text:
            return
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def visit_everything(browser: Browser, site: Site) -> None:
    """Every page that can be read, for each run, and all forms of each export."""
    languages = ("shell", "python", "python-httpx", "node", "node-fetch", "ruby", "php", "go", "java", "csharp")
    for run in Run.objects.owned_by(site.stage.owner):
        site.stage.run = run
        for name, route in ROUTES.items():
            if "GET" in methods(route):
                browser.get(reverse(name, kwargs=route.arguments(site.stage)), params=route.query(site.stage))
        for kind in ("json", "sse", "har", "request"):
            browser.get(f"/requests/{run.pk}/download/{kind}/")
        for language in languages:
            browser.get(f"/requests/{run.pk}/code/", params={"language": language})
    for query in ("format=csv", "format=jsonl", "q=hello&format=jsonl"):
        browser.get(f"/requests/export/?{query}")


@pytest.mark.slow
@pytest.mark.timeout(300)  # it opens every page of five runs, and their code in every language
def test_a_credential_and_its_default_headers_go_to_the_upstream_and_nowhere_else(site: Site) -> None:
    browser = log_in(site)
    for text in ("Hello", "please fail"):
        wait_for_end(browser, send(browser, text))
    relay = {"x-api-key": site.stage.key_secret}
    for text in ("Hello", "please fail"):
        answer = httpx.post(f"{site.url}v1/messages", content=draft_of(text), headers=relay)
        browser.told[f"relay {text}"] = (str(answer.headers) + answer.text).encode()
    browser.told["models"] = httpx.get(f"{site.url}v1/models", headers=relay).content
    counted = httpx.post(f"{site.url}v1/messages/count_tokens", content=draft_of("Hello"), headers=relay)
    browser.told["token count"] = (str(counted.headers) + counted.text).encode()
    browser.post(f"/connections/{site.stage.connection.pk}/test/")
    browser.post("/draft/models", {":refresh": "1"})
    browser.post("/draft/tokens", {":version": version_of(browser)})
    site.settle()
    run_ids = list(Run.objects.filter(base_url=site.upstream.url).values_list("pk", flat=True))
    assert len(run_ids) == 5, "two of the page, and two messages and a token count of the relay"
    for run_id in run_ids:
        browser.post(f"/requests/{run_id}/share/", {"do": "publish", "public": "1", "part": ["replay", "parameters"]})
        browser.post(f"/requests/{run_id}/again/")
        browser.post(f"/requests/{run_id}/open/")
    visit_everything(browser, site)
    sent = [{name.lower(): value for name, value in headers.items()} for _, headers, _ in site.upstream.requests]
    assert {headers.get("x-api-key") for headers in sent} == {KEY}
    assert {headers.get("x-team") for headers in sent} == {HEADER_VALUE}
    places = site.everywhere()
    assert len(places) > 300
    assert places_of("Hello", places), "what is no secret is found"
    assert places_of(KEY, places) == []
    assert places_of(HEADER_VALUE, places) == []


def test_a_key_typed_for_one_visit_lives_in_its_request_only(site: Site) -> None:
    listed = Connection(owner=None, name="House", base_url=site.upstream.url, visitors_allowed=True)
    listed.save()
    for browser in (site.browser("visitor"), log_in(site)):
        browser.post("/draft/change", {":version": version_of(browser), ":op": "connection", ":kind": str(listed.pk)})
        for text in ("Hello", "please fail"):
            run_id = send(browser, text, **{":key": TYPED})
            wait_for_end(browser, run_id)
            for name in ("", "json/", "frames/", "text/"):
                browser.get(f"/requests/{run_id}/answer/{name}")
            browser.get(f"/requests/{run_id}/wire/?first=1")
        browser.post("/draft/tokens", {":version": version_of(browser), ":key": TYPED})
        browser.post("/draft/models", {":refresh": "1", ":key": TYPED})
        browser.post("/draft/edit", {":version": version_of(browser), ":key": TYPED})
        site.settle()
        assert places_of(TYPED, site.everywhere()) == []
    offered = {headers.get("x-api-key") or headers.get("X-Api-Key") for _, headers, _ in site.upstream.requests}
    assert TYPED in offered


@pytest.mark.slow
def test_an_access_key_and_a_share_token_are_shown_once_and_stored_as_a_digest(site: Site) -> None:
    browser = log_in(site)
    shown = browser.post("/keys/", {"name": "laptop", "connection": str(site.stage.connection.pk)})
    key = re.search(r"mpk_[\w-]{30,}", shown.text)[0]
    browser.forget_last()
    for wrong in (key, f"{key}x"):
        answer = httpx.post(f"{site.url}v1/messages", content=draft_of("Hello"), headers={"x-api-key": wrong})
        browser.told[f"relay {len(wrong)}"] = (str(answer.headers) + answer.text).encode()
    conversation = Conversation.objects.get(owner=site.stage.owner)
    done = browser.post(f"/conversations/{conversation.pk}/share/", {"do": "publish", "public": "1", "part": "replay"})
    token = re.search(r"/s/([\w-]{40,})/", done.text)[1]
    browser.forget_last()
    page = f"{site.url}s/{token}/"
    assert status_of(page) == 200
    site.settle()
    visit_everything(browser, site)
    share = ShareLink.objects.get(hint=f"{token[:5]}…{token[-2:]}")
    browser.post(f"/shares/{share.pk}/change/", {"do": "revoke"})
    assert status_of(page) == 404
    places = site.everywhere()
    assert places_of(key, places) == []
    assert places_of(token, places) == []


def test_a_share_that_breaks_is_logged_without_its_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from playground.views import share_reader

    monkeypatch.setattr(share_reader, "page_context", None)
    assert status_of(f"{site.url}s/{site.stage.token}/") == 500
    assert any("TypeError" in line and "/s/" in line for line in site.logs.lines)
    assert places_of(site.stage.token, site.everywhere()) == []


@pytest.mark.slow
def test_a_password_is_nowhere(site: Site) -> None:
    browser = log_in(site)
    answer = browser.post(
        "/accounts/password/",
        {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
    )
    assert answer.status_code == 302
    newcomer = site.browser("newcomer")
    newcomer.post("/accounts/signup/", {"username": "new", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    newcomer.post("/accounts/login/", {"username": "owner", "password": f"{NEW_PASSWORD}-wrong"})
    visit_everything(browser, site)
    places = site.everywhere()
    assert places_of(PASSWORD, places) == []
    assert places_of(NEW_PASSWORD, places) == []


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_of_ours_tells_no_secret(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    from playground.dispatch import launch, process

    browser = log_in(site)
    version = version_of(browser)

    def broken() -> None:
        raise RuntimeError("broken on purpose")

    settings.DEBUG = debug
    monkeypatch.setattr(process, "limits", broken)
    fields = {":version": version, ":mode": "json", ":json": draft_of("Hello"), ":anyway": "1", ":key": TYPED}
    answer = browser.post("/send", fields)
    assert answer.status_code == 500
    tested = browser.post(f"/connections/{site.stage.connection.pk}/test/")
    assert tested.status_code == 500
    monkeypatch.setattr(launch, "fetch", None)
    relay = {"x-api-key": site.stage.key_secret}
    answer = httpx.post(f"{site.url}v1/messages", content=draft_of("Hello"), headers=relay)
    browser.told["relay"] = (str(answer.headers) + answer.text).encode()
    assert answer.status_code == 500
    places = site.everywhere()
    assert any("broken on purpose" in line for line in site.logs.lines), "the operator is told"
    for secret in (KEY, HEADER_VALUE, TYPED, site.stage.key_secret, PASSWORD):
        assert places_of(secret, places) == []


def test_the_operators_pages_show_no_secret(site: Site) -> None:
    site.stage.owner.is_staff = site.stage.owner.is_superuser = True
    site.stage.owner.save()
    browser = log_in(site)
    models = ("accounts/user", "accounts/connection", "accounts/accesskey", "playground/run", "playground/sharelink")
    for model in models:
        browser.get(f"/admin/{model}/")
        for row in re.findall(rf'href="(/admin/{model}/[^"?]+/change/)', browser.get(f"/admin/{model}/").text):
            assert browser.get(row).status_code == 200
    places = site.everywhere()
    for secret in (KEY, HEADER_VALUE, site.stage.key_secret, site.stage.token, PASSWORD):
        assert places_of(secret, places) == []


def test_the_search_for_secrets_finds_them(tmp_path: Any) -> None:
    import base64
    import io
    import zipfile
    import zlib

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", KEY)
    places = {
        "plain": f"a {KEY} b".encode(),
        "base64": base64.b64encode(f"ab{KEY}cd".encode()),
        "zlib": zlib.compress(KEY.encode()),
        "zip": packed.getvalue(),
        "hex": KEY.encode().hex().encode(),
        "other": KEY[:-1].encode(),
    }
    assert places_of(KEY, places) == ["plain", "base64", "zlib", "zip", "hex"]
    with everything_logged() as logs:
        logging.getLogger("aiohttp.client").debug("sent %s", KEY)
    assert any(KEY in line for line in logs.lines)
