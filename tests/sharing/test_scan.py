"""What the scan of a copy finds: keys, tokens, passwords, addresses."""

from __future__ import annotations

import pytest

from accounts.vault import ACCESS_KEY_PREFIX
from playground.sharing.scan import scan
from tests.support.sharing_rig import FAKE_KEY


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("key", FAKE_KEY),
        ("key", "AKIAIOSFODNN7EXAMPLE"),
        ("key", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("key", f"{ACCESS_KEY_PREFIX}{'aB3_' * 6}"),
        ("key", "gsk_abcdefghijklmnopqrstuvwxyz"),
        ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
        ("e-mail address", "ann.lee+x@mail.example.co.uk"),
        ("private address", "http://192.168.1.7:8080/admin"),
        ("private address", "https://wiki.corp/page"),
        ("private address", "http://localhost:3000/x"),
        ("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"),
        ("password or key", "hunter2hunter2"),
    ],
)
def test_the_scan_finds_what_should_not_be_published(kind: str, text: str) -> None:
    words = f"password: {text}" if kind == "password or key" else f"see {text} there"
    findings = scan({"title": "", "body": {"messages": [{"role": "user", "content": words}]}})
    assert [(one.kind, one.text) for one in findings] == [(kind, text)]
    assert findings[0].where == "messages[0].content"


@pytest.mark.parametrize(
    "words",
    [
        "AWS_SECRET_ACCESS_KEY={}",
        '{{"authorization_token": "{}"}}',
        "refresh_token={}",
        "Authorization: Basic {}",
        "AUTHORIZATION: BEARER {}",
        "DB_PWD='{}'",
    ],
)
def test_the_scan_finds_what_is_named_as_a_secret(words: str) -> None:
    findings = scan({"body": {"messages": [{"role": "user", "content": words.format("wJalrXUtnFEMI7MDENG")}]}})
    assert [(one.text, one.is_secret) for one in findings] == [("wJalrXUtnFEMI7MDENG", True)]


def test_the_scan_finds_a_secret_in_a_member_that_is_named_so() -> None:
    call = {"type": "tool_use", "id": "1", "name": "log_in", "input": {"user": "a", "db_password": "correct horse"}}
    findings = scan({"body": {"messages": [{"role": "assistant", "content": [call]}]}})
    assert [(one.text, one.is_secret) for one in findings] == [("correct horse", True)]


def test_the_scan_finds_a_private_key_that_was_cut_off() -> None:
    findings = scan({"body": {"system": "-----BEGIN PRIVATE KEY-----\nMIIEow"}})
    assert [one.kind for one in findings] == ["private key"]


def test_the_scan_leaves_ordinary_text_alone() -> None:
    words = "A skate-board, 10.0 points, https://example.org/a@b, tokens: 1024, secret: no, the bearer of bad news"
    assert scan({"body": {"messages": [{"role": "user", "content": words}]}}) == []


def test_an_address_with_a_password_in_it_is_a_secret_and_a_bare_one_is_not() -> None:
    words = "postgres://app:pa55word@db.corp/x http://localhost:8000/y"
    findings = scan({"body": {"messages": [{"role": "user", "content": words}]}})
    assert [one.is_secret for one in findings if one.kind == "private address"] == [True, False]
