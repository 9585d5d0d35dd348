"""What is said about environment variables that are wrong, empty or unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.configuration import environment
from playground.configuration.environment import Environment
from tests.serving.rig import manage

WRONG = {
    "PLAYGROUND_MAX_BODY": ["abc", "0", "-1", "1.5", "9" * 30],
    "PLAYGROUND_RUNS_PER_MINUTE": ["-1", "many"],
    "PLAYGROUND_CONTENT_DAYS": ["-1", "36501"],
    "PLAYGROUND_CONNECT_TIMEOUT": ["0", "-1", "inf", "nan", "soon", "1e300"],
    "PLAYGROUND_SANDBOX_SPEED": ["0", "-1", "nan", "fast"],
    "PLAYGROUND_DRAIN": ["-1", "inf"],
    "PLAYGROUND_DEBUG": ["maybe", "2"],
    "PLAYGROUND_LOG_LEVEL": ["loud", "info"],
    "PLAYGROUND_PUBLIC_URL": [
        "playground.example",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x/?a=1",
        "http://x:y",
    ],
    "PLAYGROUND_ALLOWED_HOSTS": ["https://x", "x:8000", "x/y", "a b"],
    "PLAYGROUND_TRUSTED_ORIGINS": ["x", "https://x/path"],
    "PLAYGROUND_RELAY_CORS_ORIGINS": ["x", "https://x/path"],
    "PLAYGROUND_ALLOWED_UPSTREAMS": ["x", "10.0.0.1/8", "host:0"],
    "PLAYGROUND_DATABASE_URL": [
        "x",
        "mysql://u:hidden-word@h/n",
        "sqlite://:memory:",
        "postgres://u:hidden-word@h:x/n",
    ],
    "PLAYGROUND_DATABASE_CONNECTIONS": ["0", "1", "none"],
}


@pytest.mark.parametrize("turn", range(max(map(len, WRONG.values()))))
def test_wrong_values_are_a_sentence_each_and_no_traceback(turn: int, tmp_path: Path) -> None:
    wrong = {name: values[turn] for name, values in WRONG.items() if turn < len(values)}
    told = manage(tmp_path / "var", "check", check=False, **wrong)
    assert told.returncode == 1
    assert sorted(line.split()[0] for line in told.stderr.splitlines()) == sorted(wrong)
    assert "hidden-word" not in told.stderr


def test_every_setting_that_is_empty_means_its_default(tmp_path: Path) -> None:
    from playground.settings import env

    empty = dict.fromkeys(env.names - {"PLAYGROUND_NO_VENV", "PLAYGROUND_DATA"}, "")
    assert "PLAYGROUND_DATABASE_URL" in empty
    assert manage(tmp_path / "var", "check", **empty).stderr.strip() in {
        "",
        "System check identified no issues (0 silenced).",
    }


def test_the_sandbox_may_be_told_not_to_pause(tmp_path: Path) -> None:
    for spelling in ("inf", "Infinity"):
        show = ("shell", "--no-imports", "-c", "from django.conf import settings; print(settings.SANDBOX_SPEED)")
        assert manage(tmp_path / "var", *show, PLAYGROUND_SANDBOX_SPEED=spelling).stdout.strip() == "inf"


def test_an_unknown_name_is_a_warning_with_the_nearest_name(tmp_path: Path) -> None:
    told = manage(tmp_path / "var", "check", PLAYGROUND_ALOWED_HOST="x", PLAYGROUND_ZZZZZZZZ="1")
    assert "PLAYGROUND_ALOWED_HOST is not a setting." in told.stderr
    assert "Is PLAYGROUND_ALLOWED_HOSTS meant?" in told.stderr
    assert "PLAYGROUND_ZZZZZZZZ is not a setting." in told.stderr


@pytest.mark.parametrize(
    "text", ["https://x", "http://x:8080", "https://x.example/playground", "http://[::1]:8000/a/b"]
)
def test_a_public_address_may_have_a_port_and_a_path(text: str) -> None:
    assert environment.is_site_address(text)


def test_names_that_were_not_asked_for_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_SPEEED", "1")
    reader = Environment()
    reader.int("PLAYGROUND_SPEED", 1)
    assert ("PLAYGROUND_SPEEED", "PLAYGROUND_SPEED") in reader.unknown_names()
