"""The catalogue: complete records, in plain words, each with its source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground import conformance
from playground.conformance.check import LEVELS, Check
from playground.conformance.checks import AREAS, BY_ID, CHECKS
from playground.conformance.witnesses import CLIENTS, WITNESSES
from playground.protocol.catalogue.parameters import BODY


def test_there_are_at_least_120_checks_each_with_an_id_of_its_own() -> None:
    assert len(CHECKS) >= 120
    assert len(BY_ID) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_is_told_completely(check: Check) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", check.id)
    assert check.area in AREAS
    assert check.level in LEVELS
    assert check.id.startswith(f"{check.area}.")
    assert check.source.startswith("https://")
    assert all((check.title, check.expects, check.why))
    assert check.why.endswith((".", ")", "?"))
    assert check.steps
    assert check.requests, "what is sent first can be shown"


# Whom a reason may speak of only with a source. OpenAI and FastAPI stand for the shapes of their answers.
NAMED = re.compile(
    r"Python client|Claude Code|AI SDK|vLLM|SGLang|GLM|Ollama|LiteLLM|Bifrost|llama\.cpp|DeepSeek|ogx|OpenRouter|"
    r"\b[Aa]gents?\b|\b[Cc]lients?\b|\b[Ff]rameworks?\b|\b[Gg]ateways?\b|\b[Pp]rograms?\b|\b[Pp]rox(y|ies)\b|"
    r"\b[Ss]ome servers\b|\b[Uu]sers\b"
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_reason_speaks_of_clients_and_servers_with_a_source_only(check: Check) -> None:
    named = {match.group() for match in NAMED.finditer(check.why)}
    assert not named or check.witnesses
    assert all(each.source.startswith("https://") and each.label for each in check.witnesses)
    known = " ".join(
        f"{each.label} {each.client.name if each.client else ''} {each.source}" for each in check.witnesses
    )
    assert {name for name in named if name.lower() not in known.lower()} == set()


def test_witnesses_are_of_checks_that_there_are() -> None:
    assert WITNESSES.keys() <= BY_ID.keys()
    assert {each.client.id for group in WITNESSES.values() for each in group if each.client} == {
        client.id for client in CLIENTS
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_a_check_depends_on_is_there(check: Check) -> None:
    assert all(needed in BY_ID for needed in check.depends)


def test_every_body_parameter_is_checked() -> None:
    sent = {name for check in CHECKS for request in check.requests for name in _members(request.body)}
    assert BODY.by_name.keys() - sent == set()


def _members(body: object) -> set[str]:
    return {"model", *body} if isinstance(body, dict) else set()


def test_fifteen_kinds_of_bad_request_are_sent() -> None:
    assert sum(check.bad_request for check in CHECKS if check.area == "errors") >= 15


def test_modules_of_this_room_have_names_of_their_own() -> None:
    room = Path(conformance.__file__).parent
    others = {path.name for path in room.parent.rglob("*.py") if room not in path.parents}
    own = [path for path in room.rglob("*.py") if path.name != "__init__.py"]
    assert [path.name for path in own if path.name in others] == []
    assert [path.name for path in own if len(path.read_text().splitlines()) > 400] == []
